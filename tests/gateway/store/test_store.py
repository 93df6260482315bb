"""The store's file: a batch whole or not at all, two sides of a room, nothing lost by kill -9."""

import random
import signal
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from gateway.store import (
    Batch,
    Heard,
    JournalLine,
    Refused,
    RoomRow,
    StorageCorrupt,
    StorageFailed,
    Told,
    set_aside,
)
from gateway.store.schema import VERSION
from gateway.store.store import Store
from gateway.store.values import REFUSED_KEPT
from tests.torture.disk import VFS_NAME, Disk, mount, unmount

DAY = 86_400.0
IN = '{"stay":1,"guests":[{"key":"4711","name":"Rossi"}]}'
BAD = Refused(at=1.0, reason="empty", body=b"\x00\xff", advice="look")


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "outbox.db")
    yield store
    if store._db is not None:
        assert store.audit() == []
    store.close()


def heard(house=IN, record="GI|RN101|GNRossi|", at=1.0, *, background=False):
    return Heard(house=house, heard=(b"digest", at), cause=(record, at, background))


def batch(*rooms, ledger="{}", **how):
    return Batch(rooms={room: heard(**how) for room in rooms}, ledger=ledger)


def line(at, room, call="check_in", from_room=""):
    return JournalLine(
        at=at, room=room, from_room=from_room, call=call, result="0", took_s=0.25, record="GI|Rossi"
    )


def bytes_in(folder):
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


# --- What is stored ---


def test_new_file_holds_nothing(store):
    kept = store.load()
    assert (kept.rooms, kept.ledger, kept.writes) == ({}, "", 0)
    assert (store.refused(), store.journal()) == ([], [])


def test_everything_that_was_put_is_there_after_a_restart(store, tmp_path):
    store.put(Batch(rooms={"101": heard(background=True)}, ledger='{"resync":3}', refused=[BAD]))
    store.told([Told(room="101", actual="A", trouble="T", pending="P")], [line(2.0, "101")])
    store.close()
    again = Store(tmp_path / "outbox.db")
    kept = again.load()
    assert kept.rooms == {
        "101": RoomRow(room="101", house=IN, heard=(b"digest", 1.0), record="GI|RN101|GNRossi|",
                       since=1.0, background=True, actual="A", trouble="T", pending="P")
    }  # fmt: skip
    assert (kept.ledger, kept.writes) == ('{"resync":3}', 1)
    assert (again.refused(), again.journal()) == ([BAD], [line(2.0, "101")])
    again.close()


def test_what_a_batch_does_not_speak_of_stays_as_it_was(store):
    store.put(batch("101", ledger='{"resync":3}'))
    before = store.load()
    store.put(Batch(rooms={"101": Heard()}))
    assert (store.load().rooms, store.load().ledger) == (before.rooms, before.ledger)
    store.put(Batch(rooms={"101": Heard(heard=(b"other", 9.0))}))
    row = store.load().rooms["101"]
    assert (row.heard, row.house, row.record, row.since) == (
        (b"other", 9.0), IN, "GI|RN101|GNRossi|", 1.0
    )  # fmt: skip
    store.put(Batch(rooms={"101": Heard(house="{}")}))
    row = store.load().rooms["101"]
    assert (row.house, row.heard, row.record) == ("{}", (b"other", 9.0), "GI|RN101|GNRossi|")


def test_pms_side_and_ucm_side_of_a_room_do_not_overwrite_each_other(store):
    told = Told(room="101", actual="A", trouble="T", pending="P")
    store.told([told])
    store.put(batch("101", record="first"))
    store.put(batch("101", record="second", at=2.0))
    row = store.load().rooms["101"]
    assert (row.actual, row.trouble, row.pending) == ("A", "T", "P")
    store.told([Told(room="101", actual="B")])
    row = store.load().rooms["101"]
    assert (row.actual, row.trouble, row.pending) == ("B", "", "")
    assert (row.house, row.heard, row.record, row.since) == (IN, (b"digest", 2.0), "second", 2.0)


def test_both_rooms_of_a_call_and_its_line_are_stored_together(store):
    store.told([Told(room="205", actual="A")], [line(1.0, "205")])
    with pytest.raises(TypeError):
        store.told(
            [Told(room="101", actual="{}"), Told(room="205", actual=object())], [line(2.0, "205")]
        )
    assert {row.room: row.actual for row in store.load().rooms.values()} == {"205": "A"}
    assert store.journal() == [line(1.0, "205")]


@pytest.mark.parametrize(
    "what",
    [
        {"rooms": {"1": Heard(house="{}")}}, {"rooms": {"1": Heard(cause=("GI|", 1.0, False))}},
        {"ledger": "{}"}, {"refused": [BAD]},
    ],
    ids=["house", "cause", "ledger", "refused"],
)  # fmt: skip
def test_batch_is_empty_when_it_would_change_nothing(what):
    assert Batch().is_empty is True
    assert Batch(rooms={"1": Heard(heard=(b"x", 1.0))}).is_empty is True  # nothing has changed
    assert Batch(**what).is_empty is False


def test_batch_is_stored_whole_or_not_at_all(store):
    """What cannot be stored of it takes the rooms, the ledger and its number back."""
    store.put(batch("101", ledger="first"))
    before = store.load()
    broken = Refused(at=1.0, reason="empty", body=object(), advice="")
    with pytest.raises(TypeError):
        store.put(Batch(rooms={"102": heard()}, ledger="second", refused=[BAD, broken]))
    assert store.load() == before
    assert store.refused() == []


def test_writes_grow_with_each_batch_and_with_nothing_else(store):
    assert store.put(batch("101")) == 1
    assert store.put(Batch(ledger="{}")) == 2
    store.told([Told(room="101", actual="A")], [line(1.0, "101")])
    store.try_write()
    store.purge(0.5, 1.0)
    assert store.writes() == 2
    assert store.put(Batch(refused=[BAD])) == 3
    assert (store.writes(), store.load().writes) == (3, 3)


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


# --- The journal and what was refused ---


def test_journal_of_a_room_includes_the_moves_from_it_and_in_the_order_of_the_calls(store):
    lines = [
        line(1.0, "101"), line(2.0, "205", "move", from_room="101"), line(3.0, "102"),
        line(4.0, "205", "wake_up"), line(5.0, "101"),
    ]  # fmt: skip
    for each in lines:
        store.told([], [each])
    assert store.journal("101") == [lines[0], lines[1], lines[4]]
    assert store.journal("205") == [lines[1], lines[3]]
    assert store.journal("102") == [lines[2]]
    assert store.journal("999") == []
    assert store.journal("") == []  # most lines leave no room
    assert store.journal() == lines


def test_journal_is_cut_to_the_newest_and_told_oldest_first(store):
    lines = [line(float(number), "101") for number in range(5)]
    store.told([], lines)
    assert store.journal(limit=2) == lines[3:]
    assert store.journal("101", limit=3) == lines[2:]


def test_refusals_are_kept_up_to_a_limit(store):
    flood = [Refused(at=float(n), reason="empty", body=b"", advice="") for n in range(5)]
    store.put(Batch(refused=flood))
    store.put(Batch(refused=[BAD] * REFUSED_KEPT))
    assert store.refused() == [BAD] * REFUSED_KEPT


@pytest.mark.parametrize(
    "deed",
    [
        lambda store: store.put(Batch(rooms={"101": heard()}, ledger="{}", refused=[BAD])),
        lambda store: store.told([Told(room="101", actual="A")], [line(1.0, "101")]),
        lambda store: store.purge(1.0, 2.0),
        lambda store: store.writes(),
    ],
    ids=["put", "told", "purge", "writes"],
)
def test_nothing_that_the_service_does_reads_the_whole_journal(store, deed):
    """A week of calls is not read again for each record."""
    statements = []
    db = store._db
    db.exec_trace = lambda _, sql, values: statements.append((sql, values)) or True
    deed(store)
    db.exec_trace = None
    steps = [
        row[3]
        for sql, values in statements
        if sql.split()[0] in ("SELECT", "INSERT", "UPDATE", "DELETE")
        for row in db.execute("EXPLAIN QUERY PLAN " + sql, values)
    ]
    assert len(statements) >= 1
    assert [step for step in steps if step.startswith("SCAN journal")] == []


# --- What is forgotten ---


def test_purge_forgets_what_is_older_and_what_a_clock_ahead_has_dated_in_the_future(store):
    now = 100 * DAY
    moments = (10.0, now - 1, now, now + DAY, now + DAY + 1)
    for number, at in enumerate(moments):
        one = Refused(at=at, reason=str(number), body=b"x", advice="")
        store.put(Batch(rooms={str(number): heard(at=at)}, refused=[one]))
        store.told([], [line(at, str(number))])
    assert store.purge(now - 1, now) == 2
    kept = {"1", "2", "3"}
    assert {each.room for each in store.journal()} == kept
    assert {each.reason for each in store.refused()} == kept
    rows = store.load().rooms.values()
    assert {row.room for row in rows if row.heard is not None} == kept
    assert {row.room for row in rows if row.record} == kept
    assert {row.house for row in rows} == {IN}  # who is in is no history


def test_no_forgotten_name_stays_in_the_file_or_its_log_while_the_service_runs(store, tmp_path):
    for room in range(40):
        store.put(batch(str(room), ledger="{}"))
        store.told(
            [Told(room=str(room), actual='{"lastname":"Rossi"}')], [line(1.0, str(room))] * 3
        )
    bad = Refused(at=1.0, reason="grammar", body=b"GN=Rossi", advice="")
    store.put(Batch(rooms={str(room): Heard(house="{}") for room in range(40)}, refused=[bad]))
    store.told([Told(room=str(room), actual="{}") for room in range(40)])
    assert bytes_in(tmp_path).count(b"Rossi") > 200
    store.purge(2.0, 3.0)
    assert bytes_in(tmp_path).count(b"Rossi") == 0
    assert (tmp_path / "outbox.db-wal").stat().st_size == 0


def test_log_is_emptied_behind_a_purge_that_others_share_a_transaction_with(store, tmp_path):
    store.told([], [line(1.0, "101")])
    with store.transaction():
        store.purge(2.0, 3.0)
        store.put(Batch(rooms={"101": heard("{}", record="")}))
    assert bytes_in(tmp_path).count(b"Rossi") == 0
    assert store.writes() == 1


def test_line_of_a_later_call_does_not_take_the_place_of_a_forgotten_one(store):
    store.told([], [line(1.0, "101")])
    store.purge(2.0, 3.0)
    store.told([], [line(4.0, "102")])
    assert store.journal() == [line(4.0, "102")]


# --- Transactions ---


def test_inner_transaction_that_fails_takes_back_only_its_own(store):
    with store.transaction():
        store.put(batch("101"))
        with pytest.raises(ValueError, match="not this one"), store.transaction():
            store.put(batch("102"))
            raise ValueError("not this one")
        store.put(batch("103"))
    assert set(store.load().rooms) == {"101", "103"}
    assert store.writes() == 2


def test_outer_transaction_that_fails_takes_everything_back(store):
    with pytest.raises(ValueError, match="nothing"), store.transaction():
        store.put(batch("101"))
        raise ValueError("nothing of it")
    assert store.load().rooms == {}
    assert store.put(batch("102")) == 1


def test_what_is_read_inside_a_transaction_is_what_was_put_in_it(store):
    with store.transaction():
        store.put(batch("101"))
        assert set(store.load().rooms) == {"101"}


# --- A disk that says no ---


def test_full_disk_is_a_storage_failure_and_it_goes_on_once_there_is_space(store):
    store.put(batch("1"))
    handle = store._db
    handle.pragma("max_page_count", handle.pragma("page_count"))
    with pytest.raises(StorageFailed, match="full"):
        store.put(Batch(refused=[Refused(at=1.0, reason="", body=bytes(100_000), advice="")]))
    assert store.writes() == 1
    handle.pragma("max_page_count", 100_000)
    assert store.put(batch("9")) == 2
    assert set(store.load().rooms) == {"1", "9"}


def test_space_is_tried_without_leaving_anything(store):
    store._db.pragma("max_page_count", store._db.pragma("page_count"))
    with pytest.raises(StorageFailed, match="full"):
        store.try_write()
    store._db.pragma("max_page_count", 100_000)
    store.put(Batch(refused=[Refused(at=0.0, reason="clock", body=b"", advice="")]))
    store.try_write()
    assert [each.reason for each in store.refused()] == ["clock"]


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


def test_handle_that_failed_is_opened_again(store):
    store.put(batch("101"))
    handle = store._db
    with pytest.raises(StorageFailed), store.reading() as db:
        db.execute("SELECT * FROM nothing")
    assert set(store.load().rooms) == {"101"}
    assert store._db is not handle


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


# --- The file ---


def test_file_is_for_its_owner_only_and_durable(store, tmp_path):
    assert (tmp_path / "outbox.db").stat().st_mode & 0o777 == 0o600
    assert store._db.pragma("journal_mode") == "wal"
    assert store._db.pragma("synchronous") == 2  # FULL
    assert store._db.pragma("secure_delete") == 1
    assert store._db.pragma("user_version") == VERSION
    store.close()
    assert (tmp_path / "outbox.db").read_bytes()[20] == 8  # room for a checksum on each page


def test_file_that_is_opened_and_closed_is_not_rewritten(store, tmp_path):
    store.put(batch("101"))
    store.close()
    before = (tmp_path / "outbox.db").read_bytes()
    Store(tmp_path / "outbox.db").close()
    assert (tmp_path / "outbox.db").read_bytes() == before


def test_closed_file_is_whole_without_its_log(store, tmp_path):
    store.put(batch("101"))
    store.close()
    assert [path.name for path in tmp_path.iterdir()] == ["outbox.db"]


def test_file_is_read_without_a_trace_while_no_service_runs(store, tmp_path):
    store.put(batch("101"))
    store._db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)  # as a crash leaves it
    store.close()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert "outbox.db-wal" in before
    reader = Store(tmp_path / "outbox.db", read_only=True)
    assert set(reader.load().rooms) == {"101"}
    with pytest.raises(StorageFailed):
        reader.put(batch("102"))
    reader.close()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_reading_a_file_that_is_not_there_makes_none(tmp_path):
    with pytest.raises(StorageFailed):
        Store(tmp_path / "outbox.db", read_only=True)
    assert list(tmp_path.iterdir()) == []


# --- A damaged file ---


def test_file_that_is_no_database_is_damaged(tmp_path):
    (tmp_path / "outbox.db").write_bytes(b"not a database, not even a little one" * 200)
    with pytest.raises(StorageCorrupt):
        Store(tmp_path / "outbox.db")


def test_file_without_its_ledger_is_damaged(tmp_path):
    store = Store(tmp_path / "outbox.db")
    store._db.execute("DELETE FROM ledger")
    with pytest.raises(StorageCorrupt, match="ledger"):
        store.load()
    store.close()


def test_bit_that_turns_over_at_rest_is_noticed_or_changes_nothing(tmp_path):
    store = Store(tmp_path / "outbox.db")
    store.put(batch(*(str(room) for room in range(40)), ledger='{"resync":1}'))
    store.told([Told(room=str(room), actual="A" * 50) for room in range(40)], [line(1.0, "1")] * 40)
    wanted = (store.load(), store.journal())
    store.close()
    whole = (tmp_path / "outbox.db").read_bytes()
    rng, noticed = random.Random(1), 0
    for number in range(200):
        bits = bytearray(whole)
        bits[rng.randrange(len(bits))] ^= 1 << rng.randrange(8)
        path = tmp_path / f"{number}.db"
        path.write_bytes(bits)
        try:
            store = Store(path)
            try:
                assert (store.load(), store.journal()) == wanted
            finally:
                store.close()
        except StorageCorrupt:
            noticed += 1
        path.unlink()
    assert noticed > 100


def test_file_that_cannot_be_trusted_is_set_aside_and_never_deleted(store, tmp_path):
    store.put(batch("101"))
    aside = store.begin_anew()
    assert (aside, store.number) == (tmp_path / "outbox.db.corrupt-1", 1)
    assert (store.load().rooms, store.writes()) == ({}, 0)
    store.put(batch("102"))
    assert set(store.load().rooms) == {"102"}
    old = Store(aside)
    assert set(old.load().rooms) == {"101"}
    old.close()


def test_file_that_took_the_place_of_a_damaged_one_lacks_its_house_until_it_is_written(store):
    assert store.lacks_its_house() is False  # nothing was ever damaged here
    store.begin_anew()
    assert store.lacks_its_house() is True
    store.put(Batch(refused=[BAD]))
    assert store.lacks_its_house() is True
    store.put(Batch(ledger="{}"))
    assert store.lacks_its_house() is False


def test_damaged_file_is_set_aside_with_its_log_and_beside_earlier_ones(tmp_path):
    for content in ("first", "second"):
        for side in ("", "-wal", "-journal"):
            (tmp_path / f"outbox.db{side}").write_text(content + side)
        set_aside(Path(tmp_path / "outbox.db"))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        f"outbox.db.corrupt-{number}{side}": content + side
        for number, content in ((1, "first"), (2, "second"))
        for side in ("", "-wal", "-journal")
    }
