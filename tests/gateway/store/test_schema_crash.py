"""A crash or a failing disk while a file of the version before is taken over."""

import random

import apsw
import pytest

from gateway.store import StorageFailed, Store
from tests.gateway.store.old_files import DATA, NEWEST_OLD
from tests.torture.disk import VFS_NAME, Disk, DiskFile, mount, unmount

TABLES = ("entry", "house_room", "house_ledger", "refused")


def disk_with(version):
    whole = bytearray((DATA / f"old-{version}.db").read_bytes())
    return Disk({"outbox.db": DiskFile(whole, bytearray(whole))})


def old_rows(folder):
    """Everything that the version before would read, or None: it is not of that version."""
    db = apsw.Connection(str(folder / "outbox.db"), vfs=VFS_NAME)
    try:
        db.pragma("locking_mode", "EXCLUSIVE")  # as every service opens it
        if db.pragma("user_version") > NEWEST_OLD:
            return None
        assert db.pragma("integrity_check") == "ok"
        return {table: db.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}
    finally:
        db.close()


def judge(image, folder, wanted):
    """A file after a crash: the old one with all its rows, or the new one with all that was in it;
    and the next start takes it over. Returns whether it was still the old one.
    """
    rows, kept = wanted
    mount(image.copy(), folder)
    found = old_rows(folder)
    unmount(folder)
    assert found in (None, rows)
    mount(image, folder)
    store = Store(folder / "outbox.db", vfs=VFS_NAME)
    assert store.load() == kept
    assert store.audit() == []
    store.close()
    unmount(folder)
    return found is not None


@pytest.fixture(params=[1, 3])
def wanted(request, tmp_path):
    """A version, its rows, and what they are taken over as."""
    mount(disk_with(request.param), tmp_path)
    rows = old_rows(tmp_path)
    store = Store(tmp_path / "outbox.db", vfs=VFS_NAME)
    kept = store.load()
    store.close()
    unmount(tmp_path)
    return request.param, (rows, kept)


def test_crash_in_the_middle_leaves_the_old_file_or_the_new_one(wanted, tmp_path):
    """Killed, or without power, at each operation of the disk."""
    version, content = wanted
    disk, rng, images = disk_with(version), random.Random(1), []

    def crash(operation):
        if operation != "read":
            images.extend((disk.copy(), disk.after_power_loss(rng)))

    disk.on_operation = crash
    mount(disk, tmp_path)
    Store(tmp_path / "outbox.db", vfs=VFS_NAME).close()
    disk.on_operation = None
    unmount(tmp_path)
    were_old = [judge(image, tmp_path, content) for image in images]
    assert were_old.count(True) > 10
    assert were_old.count(False) > 10


@pytest.mark.parametrize("code", [apsw.SQLITE_FULL, apsw.SQLITE_IOERR_WRITE])
def test_disk_that_fails_in_the_middle_leaves_the_old_file_or_the_new_one(wanted, tmp_path, code):
    version, content = wanted
    failed = 0
    for first in range(1, 300, 3):
        disk = disk_with(version)
        disk.fault = lambda operation, number, first=first: (
            code if operation == "write" and number >= first else None
        )
        mount(disk, tmp_path)
        try:
            Store(tmp_path / "outbox.db", vfs=VFS_NAME).close()
        except StorageFailed:
            failed += 1
        disk.fault = None
        unmount(tmp_path)
        judge(disk, tmp_path, content)
    assert failed > 10
