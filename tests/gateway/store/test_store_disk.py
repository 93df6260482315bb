"""A disk that says no, fails in the middle of a commit, or loses the power."""

import signal
import subprocess
import sys

import apsw
import pytest

from gateway.store import (
    Batch,
    Refused,
    StorageFailed,
)
from gateway.store.store import Store
from tests.gateway.store.rows import IN, batch, heard
from tests.torture.disk import VFS_NAME, Disk, mount, unmount

# --- A commit that fails ---


@pytest.mark.parametrize(
    "codes",
    [
        {"write": apsw.SQLITE_IOERR_WRITE, "sync": apsw.SQLITE_IOERR_FSYNC},
        {"write": apsw.SQLITE_FULL},
        {"write": -apsw.SQLITE_IOERR_WRITE},
    ],
    ids=["input/output error", "disk full", "half a write"],
)
@pytest.mark.parametrize("length", [1, 2, 1000])
def test_writes_tell_whether_a_batch_whose_commit_failed_is_stored(tmp_path, codes, length):
    """Whichever operation of the disk fails: it is there whole and counted, or neither."""
    failed = 0
    for first in range(1, 60):
        disk = Disk()
        mount(disk, tmp_path)
        store = Store(tmp_path / "outbox.db", vfs=VFS_NAME)
        store.put(batch("101", ledger="first"))
        before = store.load()
        began = disk.operations
        disk.fault = lambda operation, number, began=began, first=first: (
            codes.get(operation) if first <= number - began < first + length else None
        )
        try:
            store.put(Batch(rooms={"101": heard("{}"), "102": heard()}, ledger="second"))
        except StorageFailed:
            failed += 1
        disk.fault = None
        if store.writes() == 1:
            assert store.load() == before
        else:
            kept = store.load()
            assert (kept.writes, kept.ledger) == (2, "second")
            assert {row.room: row.house for row in kept.rooms.values()} == {"101": "{}", "102": IN}
        assert store.audit() == []
        store.close()
        unmount(tmp_path)
    assert failed


# --- A disk that says no ---


def test_full_disk_is_a_storage_failure_and_it_goes_on_once_there_is_space(file):
    file.put(batch("1"))
    handle = file.engine._db
    handle.pragma("max_page_count", handle.pragma("page_count"))
    with pytest.raises(StorageFailed, match="full"):
        file.put(Batch(refused=[Refused(at=1.0, reason="", body=bytes(100_000), advice="")]))
    assert file.writes() == 1
    handle.pragma("max_page_count", 100_000)
    assert file.put(batch("9")) == 2
    assert set(file.load().rooms) == {"1", "9"}


def test_space_is_tried_without_leaving_anything(file):
    file.engine._db.pragma("max_page_count", file.engine._db.pragma("page_count"))
    with pytest.raises(StorageFailed, match="full"):
        file.try_write()
    file.engine._db.pragma("max_page_count", 100_000)
    file.put(Batch(refused=[Refused(at=0.0, reason="clock", body=b"", advice="")]))
    file.try_write()
    assert [each.reason for each in file.refused()] == ["clock"]


def test_disk_that_has_become_read_only_refuses_writes_and_can_still_be_read(tmp_path):
    disk = Disk()
    mount(disk, tmp_path)
    store = Store(tmp_path / "outbox.db", vfs=VFS_NAME)
    store.put(batch("101"))
    disk.fault = lambda operation, _: apsw.SQLITE_READONLY if operation != "read" else None
    with pytest.raises(StorageFailed, match="ReadOnly"):
        store.put(batch("102"))
    disk.fault = None
    assert set(store.load().rooms) == {"101"}
    assert store.put(batch("103")) == 2
    store.close()
    unmount(tmp_path)


def test_file_in_a_folder_that_is_not_there_is_a_storage_failure(tmp_path):
    with pytest.raises(StorageFailed):
        Store(tmp_path / "nowhere" / "outbox.db")


def test_handle_that_failed_is_opened_again(file):
    file.put(batch("101"))
    handle = file.engine._db
    with pytest.raises(StorageFailed), file.reading() as db:
        db.execute("SELECT * FROM nothing")
    assert set(file.load().rooms) == {"101"}
    assert file.engine._db is not handle


def test_batch_survives_kill_9_after_put(tmp_path):
    """The promise behind every ACK."""
    code = f"""
import os, signal
from pathlib import Path
from gateway.store import Batch, Heard, Store, Told
store = Store(Path({str(tmp_path)!r}) / "outbox.db")
store.put(Batch(rooms={{"101": Heard(house="in")}}, ledger="{{}}"))
store.told([Told(room="101", actual="shown")])
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    store = Store(tmp_path / "outbox.db")
    row = store.load().rooms["101"]
    assert (row.house, row.actual, store.writes()) == ("in", "shown", 1)
    store.close()
