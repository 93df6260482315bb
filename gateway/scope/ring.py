"""The last days of a line on disk: files of the one notation, the oldest thrown away.

They hold what the line held, guests too, so they are for their owner only and go when the guests
go. Nothing waits for them: a capture that cannot be written is counted and lost, a record is not.
"""

import contextlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Final

from gateway.scope.profile import LineProfile
from protocols.transcript import Spoken, Step, show_step

_APPEND: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND
SEGMENT_BYTES: Final = 1 << 20
_LINE_BYTES: Final = 64  # of a line, besides what was spoken
MOST_UNWRITTEN: Final = 1 << 20
"""Characters that wait for a disk that does not take them; what comes then is lost."""


@dataclass(frozen=True, slots=True)
class History:
    """What the ring held at one moment. Reading it may take a while and is done in a thread."""

    files: tuple[tuple[Path, int], ...]
    unwritten: str

    def lines(self) -> Iterator[str]:
        """Lines of the notation, the oldest first."""
        for path, size in self.files:
            try:
                with path.open("rb") as file:
                    data = file.read(size)
            except OSError:
                continue  # thrown away meanwhile, or unreadable: the rest is still worth telling
            yield from data.decode("utf-8", "replace").splitlines()
        yield from self.unwritten.splitlines()


class Ring:
    """Files `line-000001.line` and on, in `folder`. Steps are taken and histories given on
    one thread; writing may be on another.

    keep_bytes, keep_s      what is older, or more, is deleted
    zone                    of the moments
    """

    def __init__(
        self, folder: Path, profile: LineProfile, zone: tzinfo, *, keep_bytes: int, keep_s: float
    ) -> None:
        self._folder, self._profile, self._zone = folder, profile, zone
        self._keep_bytes, self._keep_s = keep_bytes, keep_s
        self._segment_bytes = min(SEGMENT_BYTES, max(1024, keep_bytes // 4))
        self._pending: list[Step] = []
        self._pending_size = 0
        self._on_its_way: list[Step] = []
        self._sizes: dict[Path, int] = {}
        self._now_in: Path | None = None
        self._lock = threading.Lock()  # never held while the disk works
        self._writing = threading.Lock()

    def take(self, step: Step) -> bool:
        """One more step, on disk after the next `write`. False: it is lost, the disk takes none."""
        size = _LINE_BYTES + (len(step.data) if isinstance(step, Spoken) else 0)
        if self._pending_size + size > MOST_UNWRITTEN:
            return False
        self._pending.append(step)
        self._pending_size += size
        return True

    def cut(self) -> bool:
        """Hand what is pending to the next `write`. False: it has nothing to do."""
        with self._lock:
            self._on_its_way += self._pending
        self._pending.clear()
        self._pending_size = 0
        return bool(self._on_its_way)

    def _shown(self, steps: list[Step]) -> str:
        """In the notation. Made where it is wanted: the line does not wait for it."""
        charset = self._profile.charset
        return "".join([show_step(step, self._zone, charset) + "\n" for step in steps])

    def write(self, now: float) -> None:
        """Write what was cut and is not written yet, from any thread. Raises OSError; then it is
        lost. `now`: seconds since 1970."""
        with self._writing:
            path, size = None, 0
            with self._lock:
                batch = list(self._on_its_way)
            if not batch:
                return
            data = self._shown(batch).encode("utf-8", "replace")
            try:
                path, size = self._segment_for(len(data), now)
                with os.fdopen(os.open(path, _APPEND, 0o600), "ab") as file:  # for the owner only
                    if size == 0:
                        head = show_step(self._profile.as_step(), self._zone) + "\n"
                        data = head.encode() + data
                    file.write(data)
                size += len(data)
            except OSError:
                if path is not None:  # half of it may be there
                    with contextlib.suppress(OSError):
                        os.truncate(path, size)
                raise
            finally:
                with self._lock:
                    if path is not None:
                        self._sizes[path] = size
                    self._on_its_way = self._on_its_way[len(batch) :]

    def prune(self, now: float) -> None:
        """Delete what is too old or too much. Raises OSError."""
        left = self._keep_bytes - self._segment_bytes  # the one in use will fill its part
        for path in reversed(self._segments()):
            status = path.stat()
            left -= status.st_size
            if left < 0 or status.st_mtime < now - self._keep_s:
                path.unlink()
                with self._lock:
                    self._sizes.pop(path, None)
                if path == self._now_in:
                    self._now_in = None

    def history(self, since: float) -> History:
        """Everything from the first file on that was still written to after `since` (seconds
        since 1970); it may begin earlier."""
        with self._lock:
            sizes = dict(self._sizes)
            unwritten = self._shown(self._on_its_way + self._pending)
        files = []
        for path in self._segments():
            try:
                status = path.stat()
            except FileNotFoundError:
                continue  # thrown away meanwhile
            if status.st_mtime >= since:
                files.append((path, sizes.get(path, status.st_size)))
        return History(tuple(files), unwritten)

    def _segment_for(self, size: int, now: float) -> tuple[Path, int]:
        """The file that takes so many bytes more, and how many it has."""
        path = self._now_in
        if path is not None and self._sizes.get(path, 0) + size <= self._segment_bytes:
            return path, self._sizes.get(path, 0)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.prune(now)
        last = max((_number(path) for path in self._segments()), default=0)
        self._now_in = self._folder / f"line-{last + 1:06}.line"
        with self._lock:
            self._sizes[self._now_in] = 0
        return self._now_in, 0

    def _segments(self) -> list[Path]:
        """All files, the oldest first."""
        found = (path for path in self._folder.glob("line-*.line") if path.stem[5:].isdigit())
        return sorted(found, key=_number)


def _number(path: Path) -> int:
    return int(path.stem[5:])
