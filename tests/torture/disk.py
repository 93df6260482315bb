"""A disk that forgets: SQLite's files in memory, with what was synced told from what was only written.

`Disk.after_power_loss` builds one of the disks that a power cut could leave: what was synced is
kept, each later write is kept, lost, or torn between sectors of 512 bytes.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import apsw

SECTOR: Final = 512
VFS_NAME: Final = "bench"


class DiskFailed(Exception):
    """A fault that SQLite is told of. `code`: one of SQLite's."""

    def __init__(self, code: int) -> None:
        super().__init__(f"SQLite code {code}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes that are in the cache and perhaps not on the disk."""

    at: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Truncate:
    """A new length that is in the cache and perhaps not on the disk."""

    size: int


@dataclass(slots=True)
class DiskFile:
    """One file: what a reader sees, what is safe, and what lies between."""

    seen: bytearray = field(default_factory=bytearray)
    safe: bytearray = field(default_factory=bytearray)
    between: list[Write | Truncate] = field(default_factory=list)

    def sync(self) -> None:
        """All that was written is safe."""
        for each in self.between:
            _apply(self.safe, each)
        self.between.clear()


def _apply(data: bytearray, change: Write | Truncate) -> None:
    match change:
        case Write(at, new):
            if len(data) < at:
                data += bytes(at - len(data))
            data[at : at + len(new)] = new
        case Truncate(size):
            del data[size:]


Fault = Callable[[str, int], int | None]
"""`fault(operation, number)`: the SQLite code with which it fails; None: it works. Operations:
read, write, sync, truncate, delete, open. A negative code: half of a write is done, then it fails."""


@dataclass(slots=True)
class Disk:
    """All files of one machine.

    lies        a sync says yes and does nothing
    fault       decides which operation fails
    operations  how many there were
    """

    files: dict[str, DiskFile] = field(default_factory=dict)
    lies: bool = False
    fault: Fault | None = None
    operations: int = 0
    on_operation: Callable[[str], None] | None = None

    def step(self, operation: str) -> int | None:
        """Count one operation; the code with which it has to fail, if it has."""
        self.operations += 1
        if self.on_operation is not None:
            self.on_operation(operation)
        code = self.fault(operation, self.operations) if self.fault is not None else None
        if code is not None and code > 0:
            raise DiskFailed(code)
        return code

    def copy(self) -> "Disk":
        """The same files: what is there after kill -9, because a cache outlives a process."""
        return Disk(
            {
                name: DiskFile(bytearray(each.seen), bytearray(each.safe), list(each.between))
                for name, each in self.files.items()
            }
        )

    def after_power_loss(self, rng: random.Random) -> "Disk":
        """One of the disks that could be left: see the module."""
        left = {}
        for name, each in self.files.items():
            data = bytearray(each.safe)
            for change in each.between:
                fate = rng.randrange(3)
                if fate == 0:
                    _apply(data, change)
                elif fate == 1 and isinstance(change, Write):
                    for start in range(0, len(change.data), SECTOR):
                        if rng.random() < 0.5:
                            _apply(
                                data, Write(change.at + start, change.data[start : start + SECTOR])
                            )
            left[name] = DiskFile(bytearray(data), data)
        return Disk(left)


class _Handle:
    """An open file, as apsw asks for it. No locks: one machine, one process.

    name    None: a temporary file, which nobody finds again
    """

    def __init__(self, disk: Disk, name: str | None) -> None:
        self._disk, self._name = disk, name
        self._own = DiskFile()

    @property
    def _file(self) -> DiskFile:
        return (
            self._own if self._name is None else self._disk.files.setdefault(self._name, DiskFile())
        )

    def xRead(self, amount: int, offset: int) -> bytes:
        _told(self._disk.step, "read")
        return bytes(self._file.seen[offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:
        half = _told(self._disk.step, "write")
        data = bytes(data)
        change = Write(offset, data[: len(data) // 2] if half else data)
        _apply(self._file.seen, change)
        self._file.between.append(change)
        if half:
            raise _error(-half)

    def xTruncate(self, size: int) -> None:
        _told(self._disk.step, "truncate")
        _apply(self._file.seen, Truncate(size))
        self._file.between.append(Truncate(size))

    def xSync(self, flags: int) -> None:
        _told(self._disk.step, "sync")
        if not self._disk.lies:
            self._file.sync()

    def xFileSize(self) -> int:
        return len(self._file.seen)

    def xLock(self, level: int) -> None:
        pass

    def xUnlock(self, level: int) -> None:
        pass

    def xCheckReservedLock(self) -> bool:
        return False

    def xClose(self) -> None:
        pass

    def xFileControl(self, op: int, pointer: int) -> bool:
        return False

    def xSectorSize(self) -> int:
        return SECTOR

    def xDeviceCharacteristics(self) -> int:
        return 0


class _Bench(apsw.VFS):
    """The way to all disks of this process, by the folder they are mounted at."""

    def __init__(self) -> None:
        super().__init__(VFS_NAME, "unix")
        self.disks: dict[str, Disk] = {}

    def _find(self, path: str) -> tuple[Disk, str]:
        folder, name = path.rsplit("/", 1)
        return self.disks[folder], name

    def xFullPathname(self, name: str) -> str:
        return name

    def xOpen(self, name: Any, flags: list[int]) -> _Handle:
        if name is None:
            # Where SQLite keeps what it may have to take back of one statement: on no disk of ours,
            # and nothing of it matters after a crash.
            flags[1] = flags[0]
            return _Handle(Disk(), None)
        disk, file = self._find(name.filename() if isinstance(name, apsw.URIFilename) else name)
        _told(disk.step, "open")
        if file not in disk.files:
            if not flags[0] & apsw.SQLITE_OPEN_CREATE:
                raise _error(apsw.SQLITE_CANTOPEN)
            disk.files[file] = DiskFile()
        flags[1] = flags[0]
        return _Handle(disk, file)

    def xDelete(self, name: str, sync_directory: bool) -> None:
        disk, file = self._find(name)
        _told(disk.step, "delete")
        disk.files.pop(file, None)

    def xAccess(self, name: str, flags: int) -> bool:
        disk, file = self._find(name)
        return file in disk.files


def _told(step: Callable[[str], int | None], operation: str) -> int | None:
    try:
        return step(operation)
    except DiskFailed as failed:
        raise _error(failed.code) from None


def _error(code: int) -> Exception:
    error: Exception = apsw.exception_for(code & 0xFF)
    error.extendedresult = code  # type: ignore[attr-defined]  # apsw reads it
    return error


_bench: _Bench | None = None


def mount(disk: Disk, folder: Path) -> None:
    """Let this disk be what is found in the folder, by `Outbox(folder / ..., vfs=VFS_NAME)`."""
    global _bench
    if _bench is None:
        _bench = _Bench()
    _bench.disks[str(folder)] = disk


def unmount(folder: Path) -> None:
    """Forget the disk."""
    assert _bench is not None
    del _bench.disks[str(folder)]
