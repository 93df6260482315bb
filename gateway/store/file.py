"""The SQLite file itself: how it is opened, written, reopened after a failure and set aside.

Write-ahead log with `synchronous = FULL`: in WAL mode NORMAL keeps the file whole but may lose
the last commits in a power cut, and an appliance in a cupboard loses power. Every page carries a
checksum (SQLite's own `cksumvfs`), so that a bit that has turned over is noticed, not believed.
"""

import contextlib
import ctypes
import errno
import glob
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apsw
import apsw.sqlite_extra

from gateway.store.schema import CREATE, CREATE_BACK, QUEUE_BEFORE, VERSION, from_queue
from gateway.store.values import StorageCorrupt, StorageFailed

_PAGE_BYTES: Final = 1024
"""A record changes a few bytes of five pages, and each of them is written whole: small pages are
less to write, and less of a flash disk's life."""
_CHECKSUM_BYTES: Final = 8  # at the end of each page; the size is what turns the checksums on
_SIDES: Final = ("", "-wal", "-journal")


class StoreFile:
    """One SQLite file and the one connection to it. Synchronous; one thread.

    path        created with mode 0600 when missing: rows hold guests' names
    read_only   nothing is written, not even what a crash left in the log is folded in
    number      how often it had to make way for an empty one
    vfs         SQLite's way to the disk; None: the system's, with checksums where apsw has them

    Raises StorageFailed from every method; a handle that has failed is dropped, because what it
    believes to be on disk may not be, and the next use opens another one.
    """

    def __init__(self, path: Path, *, read_only: bool = False, vfs: str | None = None) -> None:
        self.path = path
        self._read_only = read_only
        self._own_vfs = vfs
        self._db: apsw.Connection | None = None
        self._shrinks = False
        with self.reading():
            pass  # opened, or it says why not

    def close(self) -> None:
        """Close the file; the log is folded into it."""
        with _mapped():
            if self._db is not None:
                self._db.close()
                self._db = None

    @contextmanager
    def reading(self) -> Iterator[apsw.Connection]:
        """The connection, for statements that change nothing."""
        is_outer = self._db is None or not self._db.in_transaction
        try:
            with _mapped():
                if self._db is None:
                    self._db = self._open()
                yield self._db
        except StorageFailed as failure:
            # A full disk was rolled back, and the handle is good.
            if is_outer and not isinstance(failure.__cause__, apsw.FullError):
                self._drop()
            raise

    @contextmanager
    def transaction(self) -> Iterator[apsw.Connection]:
        """The connection, inside a transaction that is durable when the outermost block has ended.

        An inner block that raises takes back what it has done, and nothing else.
        """
        with self.reading() as db:
            is_outer = not db.in_transaction
            db.execute("BEGIN IMMEDIATE" if is_outer else "SAVEPOINT inner")
            try:
                yield db
                db.execute("COMMIT" if is_outer else "RELEASE inner")
            except BaseException:  # a cancelled or a broken writer leaves nothing half done either
                if db.in_transaction:  # on a full disk SQLite has taken it all back itself
                    with contextlib.suppress(apsw.Error):  # the first error is the one to tell
                        db.execute("ROLLBACK" if is_outer else "ROLLBACK TO inner; RELEASE inner")
                raise
            if is_outer and self._shrinks:
                self._shrinks = False
                db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    @property
    def where(self) -> str:
        """The path."""
        return str(self.path)

    def made_way(self) -> bool:
        """Whether a damaged file of this name was ever set aside."""
        return any(self.path.parent.glob(f"{glob.escape(self.path.name)}.corrupt-*"))

    def shrink(self) -> None:
        """Empty the log behind this transaction: it holds what was deleted."""
        self._shrinks = True

    def counted_on(self, tables: list[str]) -> None:
        """SQLite counts behind the largest by itself."""

    def audit(self) -> list[str]:
        """What is wrong with the file, in words. Slow."""
        with self.reading() as db:
            return [str(row[0]) for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"]

    def begin_anew(self) -> str:
        """Set a file that cannot be trusted aside and begin an empty one. Returns the old one.

        Where there is no room for the empty one now, there may be with the next use.
        """
        self._drop()
        aside = set_aside(self.path)
        return str(aside)

    def _open(self) -> apsw.Connection:
        flags = apsw.SQLITE_OPEN_READWRITE
        if not self._read_only:
            flags |= apsw.SQLITE_OPEN_CREATE
            if self._own_vfs is None:
                self.path.touch(mode=0o600, exist_ok=True)
        db = apsw.Connection(str(self.path), flags=flags, vfs=self._own_vfs or _vfs())
        try:
            db.set_busy_timeout(2000)
            # No other process opens the file while we have it, so the log needs no shared memory.
            db.pragma("locking_mode", "EXCLUSIVE")
            if self._read_only:
                db.pragma("query_only", True)
                db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
                self._check_version(db)
                return db
            _settle_pages(db)
            if db.pragma("journal_mode", "WAL") != "wal":
                raise StorageFailed(f"{self.path}: this file system cannot hold a write-ahead log")
            db.pragma("synchronous", "FULL")
            db.pragma("temp_store", "MEMORY")  # a name must not be in a file of SQLite's own
            db.pragma("secure_delete", True)  # a purged name must not stay in a free page
            self._migrate(db)
        except BaseException:  # whatever it was, the handle is not given out: close it, tell on
            with contextlib.suppress(apsw.Error):
                db.close(force=True)
            raise
        return db

    def _drop(self) -> None:
        if self._db is not None:
            with contextlib.suppress(apsw.Error):
                self._db.close(force=True)
            self._db = None

    def _check_version(self, db: apsw.Connection) -> int:
        version = int(db.pragma("user_version"))
        if version > VERSION:
            raise StorageFailed(
                f"{self.path} was written by a newer version (schema {version}):"
                " install that version again"
            )
        if self._read_only and version < VERSION:
            raise StorageFailed(f"{self.path} is of an older version: start the service once")
        return version

    def _migrate(self, db: apsw.Connection) -> None:
        version = self._check_version(db)
        if version == VERSION:
            return
        with db:
            if version == 0:
                db.execute(CREATE)
            elif version < QUEUE_BEFORE:
                from_queue(db)
            db.execute(CREATE_BACK)
            db.pragma("user_version", VERSION)
        if 0 < version < QUEUE_BEFORE:
            db.execute("VACUUM")  # the queue held guests' names


def set_aside(path: Path) -> Path:
    """Rename a damaged file and its log, beside itself. Nothing is ever deleted.

    return  where it is now. Raises StorageFailed.
    """
    with _mapped():
        number = 1
        while (aside := path.with_name(f"{path.name}.corrupt-{number}")).exists():
            number += 1
        for side in _SIDES:
            old = path.with_name(path.name + side)
            if old.exists():
                old.rename(aside.with_name(aside.name + side))
        return aside


def _vfs() -> str:
    """The checksumming way to the disk, or the plain one where this apsw has no other."""
    if "cksmvfs" not in apsw.vfs_names() and apsw.sqlite_extra.has("cksumvfs"):
        registrar = apsw.Connection(":memory:")
        apsw.sqlite_extra.load(registrar, "cksumvfs")
        registrar.close()
        # Loading makes it everybody's default; only the store asks for it.
        apsw.set_default_vfs("unix")
    return "cksmvfs" if "cksmvfs" in apsw.vfs_names() else "unix"


def _settle_pages(db: apsw.Connection) -> None:
    """Eight bytes at the end of each page; a file from before that is rewritten once. A new file
    gets small pages; an older one keeps what it has.
    """
    reserve = ctypes.c_int(_CHECKSUM_BYTES)
    had = ctypes.c_int(-1)
    db.file_control("main", apsw.SQLITE_FCNTL_RESERVE_BYTES, ctypes.addressof(had))
    if had.value == _CHECKSUM_BYTES:
        return
    is_new = not db.pragma("page_count")
    if is_new:
        db.pragma("page_size", _PAGE_BYTES)  # before the reserve, which it forgets
    db.file_control("main", apsw.SQLITE_FCNTL_RESERVE_BYTES, ctypes.addressof(reserve))
    if not is_new:
        db.pragma("journal_mode", "DELETE")
        db.execute("VACUUM")


@contextmanager
def _mapped() -> Iterator[None]:
    """SQLite's and the system's errors as ours."""
    try:
        yield
    except (apsw.CorruptError, apsw.NotADBError, UnicodeDecodeError) as error:
        raise StorageCorrupt(f"the store is damaged: {error}") from error
    except apsw.Error as error:
        if getattr(error, "extendedresult", 0) == apsw.SQLITE_IOERR_DATA:
            raise StorageCorrupt("the store is damaged: a checksum is wrong") from error
        why = str(error) or type(error).__name__
        raise StorageFailed(f"the store: {why}", _remedy(error)) from error
    except OSError as error:
        raise StorageFailed(f"the store: {error}", _remedy(error)) from error


def _remedy(error: Exception) -> str:
    match error:
        case apsw.FullError() | OSError(errno=errno.ENOSPC | errno.EDQUOT):
            return "free the disk; until then no record is acknowledged"
        case (
            apsw.ReadOnlyError()
            | apsw.CantOpenError()
            | PermissionError()
            | OSError(errno=errno.EROFS)
        ):
            return (
                "make site.data_dir writable for the service's user; a disk that has turned"
                " read-only is failing: look at the kernel's log"
            )
        case apsw.BusyError() | apsw.LockedError():
            return "another program has the store open: stop it"
        case _:
            return "the disk does not work: look at the kernel's log, and replace it"
