"""Who holds the data directory: one service at a time, and a command can ask which."""

import contextlib
import fcntl
import os
import time
from pathlib import Path
from typing import IO, Final

ASKED_TIMES: Final = 5


class Held(Exception):
    """The data directory is held by somebody else, or cannot be. The text says what to do."""


def holder_of(data_dir: Path) -> str:
    """Who runs on this data directory now; empty: nobody. Who may not look is told so: somebody
    may run there.
    """
    try:
        with (data_dir / "lock").open(encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return lock.read().strip() or "another process"
    except PermissionError:
        return "perhaps; this user may not look"
    except OSError:
        pass  # no lock file: the service has never run here
    return ""


def hold(data_dir: Path) -> IO[str]:
    """Hold the data directory: two services on one outbox would tell the UCM everything twice."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (data_dir / "lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise Held(
            f"site.data_dir = {str(data_dir)!r}: {error.strerror}: choose a folder we may write"
        ) from error
    for left in reversed(range(ASKED_TIMES)):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if left:
                time.sleep(0.1)  # perhaps a command is only asking who holds it
                continue
            lock.seek(0)
            holder = lock.read().strip() or "another process"
            lock.close()
            raise Held(f"{data_dir} is in use by {holder}: stop it first") from None
        break
    with contextlib.suppress(OSError):
        lock.truncate(0)
        lock.write(f"process {os.getpid()}")
        lock.flush()
    return lock
