"""The file of a capture that is still going on: whatever ends it, nearly all of it is on disk."""

import sys
import time
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import Final

from gateway.scope.export import as_file
from gateway.scope.profile import LineProfile
from protocols.transcript import Step

SAVE_EVERY_S: Final = 10.0
SAVE_SHARE: Final = 20.0
"""A large capture takes a while to write: never more than a twentieth of the time."""


@dataclass(slots=True)
class CaptureFile:
    """Steps as a file of one format; `path` None: standard output, at the end."""

    path: Path | None
    form: str
    profile: LineProfile
    zone: tzinfo
    names: bool
    steps: list[Step] = field(default_factory=list)
    _saved: int = 0
    _save_at: float = 0.0

    def open(self) -> None:
        """Find out now whether it can be written. Raises OSError."""
        if self.path is not None:
            self.path.open("ab").close()

    def save_now_and_then(self) -> None:
        """Save, if it is time and there is something new."""
        if self.path is None or len(self.steps) == self._saved or time.monotonic() < self._save_at:
            return
        began = time.monotonic()
        self.save()
        ended = time.monotonic()
        self._save_at = ended + max(SAVE_EVERY_S, (ended - began) * SAVE_SHARE)

    def save(self) -> None:
        """Write all of it: beside the file, then in its place, so that there is always a whole
        one."""
        self._saved = len(self.steps)
        data = as_file(self.form, self.steps, self.zone, self.profile, names=self.names)
        if self.path is None:
            sys.stdout.buffer.write(data)
            sys.stdout.flush()
            return
        if not self.path.is_file():  # /dev/stdout, a pipe
            self.path.write_bytes(data)
            return
        beside = self.path.with_name(self.path.name + ".part")
        beside.write_bytes(data)
        beside.replace(self.path)
