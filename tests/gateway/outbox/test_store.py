"""The outbox file: order inside a room, live before resync, nothing lost by kill -9."""

import random
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import apsw
import pytest

from gateway.events import CheckIn, CheckOut, DoNotDisturb, Guest, Move, Update, WakeUp
from gateway.house import Departure, Ledger, Room
from gateway.outbox import Batch, NewEntry, Outbox, Refused, StorageCorrupt, StorageFailed
from gateway.outbox.schema import MIGRATIONS, REFUSED_KEPT

CAME = datetime(2026, 3, 14, 10, 0)
ANNA = Guest(key="4711", name="Rossi", first_name="Anna", came=CAME, departure=CAME.date())


def entry(event, at=1.0, **how):
    return NewEntry(event=event, record="GI|…|", received_at=at, **how)


def rooms_due(outbox, now=100.0, limit=10):
    return [
        (each.event.room, type(each.event).__name__) for each in outbox.due("to_ucm", now, limit)
    ]


@pytest.fixture
def outbox(tmp_path):
    box = Outbox(tmp_path / "outbox.db")
    yield box
    if box._db is not None:
        assert box.audit() == []
    box.close()


def put(outbox, *entries):
    outbox.put(Batch(entries=list(entries)))


def test_what_is_put_is_due_with_everything_it_had(outbox):
    event = CheckIn(room="101", guest=ANNA)
    put(outbox, entry(event))
    (due,) = outbox.due("to_ucm", 2.0)
    assert (due.event, due.received_at, due.attempts, due.unsure) == (event, 1.0, 0, False)


@pytest.mark.parametrize(
    "event",
    [
        CheckIn(room="1", guest=ANNA), CheckOut(room="1"), Update(room="1", guest=ANNA, was=ANNA),
        Update(room="1", guest=ANNA), Move(room="1", from_room="2", guest=ANNA),
        DoNotDisturb(room="1", on=False, guest=ANNA), WakeUp(room="1"), WakeUp(room="1", at=CAME),
    ],
)  # fmt: skip
def test_every_event_comes_back_equal(outbox, event):
    put(outbox, entry(event))
    assert outbox.due("to_ucm", 2.0)[0].event == event


def test_rows_of_one_room_leave_in_order_and_rooms_do_not_wait(outbox):
    put(outbox, entry(CheckOut(room="101")), entry(CheckIn(room="101", guest=ANNA)),
        entry(CheckOut(room="102")))  # fmt: skip
    assert rooms_due(outbox) == [("101", "CheckOut"), ("102", "CheckOut")]
    outbox.done(outbox.due("to_ucm", 2.0)[0], 3.0)
    assert rooms_due(outbox) == [("101", "CheckIn"), ("102", "CheckOut")]


def test_a_move_waits_for_both_its_rooms_and_both_wait_for_it(outbox):
    put(outbox, entry(CheckOut(room="205")), entry(Move(room="205", from_room="101", guest=ANNA)),
        entry(CheckIn(room="101", guest=ANNA)), entry(CheckOut(room="205")))  # fmt: skip
    assert rooms_due(outbox) == [("205", "CheckOut")]
    outbox.done(outbox.due("to_ucm", 2.0)[0], 3.0)
    assert rooms_due(outbox) == [("205", "Move")]
    outbox.done(outbox.due("to_ucm", 2.0)[0], 3.0)
    assert rooms_due(outbox) == [("101", "CheckIn"), ("205", "CheckOut")]


def test_a_row_that_waits_holds_back_its_own_room_only(outbox):
    put(outbox, entry(CheckOut(room="101")), entry(CheckIn(room="101", guest=ANNA)),
        entry(CheckOut(room="102")))  # fmt: skip
    first = outbox.due("to_ucm", 2.0)[0]
    outbox.later(first, 50.0, "busy", attempts=1, unsure=True)
    assert rooms_due(outbox, now=49.0) == [("102", "CheckOut")]
    fresh, again = outbox.due("to_ucm", 50.0, 2)
    assert fresh.event.room == "102"  # whoever was never refused goes first
    assert (again.id, again.attempts, again.unsure) == (first.id, 1, True)


def test_live_entries_go_before_those_of_a_resync(outbox):
    put(outbox, entry(CheckOut(room="101"), background=True),
        entry(CheckOut(room="102"), background=True), entry(CheckOut(room="103")))  # fmt: skip
    assert rooms_due(outbox) == [("103", "CheckOut"), ("101", "CheckOut"), ("102", "CheckOut")]


def test_a_live_entry_takes_the_resync_rows_of_its_room_along_and_keeps_their_order(outbox):
    put(outbox, entry(CheckOut(room="100"), background=True),
        entry(CheckOut(room="101"), background=True),
        entry(Move(room="205", from_room="101", guest=ANNA), background=True),
        entry(CheckOut(room="205")))  # fmt: skip
    assert rooms_due(outbox) == [("101", "CheckOut"), ("100", "CheckOut")]
    outbox.done(outbox.due("to_ucm", 2.0)[0], 3.0)
    assert rooms_due(outbox)[0] == ("205", "Move")


def test_a_parked_row_blocks_nobody_and_is_superseded_by_a_later_one(outbox):
    put(outbox, entry(CheckIn(room="101", guest=ANNA)), entry(Update(room="101", guest=ANNA)))
    outbox.park(outbox.due("to_ucm", 2.0)[0], 3.0, "15: the UCM refuses a value")
    (update,) = outbox.due("to_ucm", 4.0)
    assert update.repairs  # it has to tell everything now
    assert outbox.totals().entries["to_ucm", "parked"] == 1
    assert outbox.done(update, 5.0) == 1
    assert outbox.totals().entries["to_ucm", "parked"] == 0


def test_a_parked_row_is_not_superseded_by_another_subject(outbox):
    put(outbox, entry(CheckIn(room="101", guest=ANNA)), entry(DoNotDisturb(room="101", on=True)))
    outbox.park(outbox.due("to_ucm", 2.0)[0], 3.0, "no")
    assert outbox.done(outbox.due("to_ucm", 4.0)[0], 5.0) == 0


def test_a_check_out_supersedes_everything_parked_of_its_room(outbox):
    put(outbox, entry(WakeUp(room="101", at=CAME)), entry(CheckOut(room="101")))
    outbox.park(outbox.due("to_ucm", 2.0)[0], 3.0, "no")
    assert outbox.done(outbox.due("to_ucm", 4.0)[0], 5.0) == 1


def test_totals_survive_a_restart(outbox, tmp_path):
    put(outbox, entry(CheckOut(room="101"), at=7.0), entry(CheckOut(room="102"), at=8.0))
    outbox.park(outbox.due("to_ucm", 9.0, 2)[1], 9.0, "no")
    totals = outbox.totals()
    outbox.close()
    again = Outbox(tmp_path / "outbox.db")
    assert again.totals() == totals
    assert again.totals().oldest_waiting == {"to_ucm": 7.0}
    again.close()


def test_the_house_is_stored_with_its_entries(outbox, tmp_path):
    room = Room(guests=(ANNA,), wake_ups=(CAME,), told=CAME)
    ledger = Ledger(
        resync=3, in_resync=True, departures=(Departure(due=CAME, room="1", reservation="2"),)
    )
    outbox.put(Batch(rooms={"101": room}, ledger=ledger, heard={"101": (b"x", 1.0)}))
    outbox.put(Batch(rooms={"101": Room()}))
    outbox.close()
    again = Outbox(tmp_path / "outbox.db")
    assert again.house() == ({"101": Room()}, ledger)
    assert again.heard() == {"101": (b"x", 1.0)}
    again.close()


def test_refusals_are_kept_up_to_a_limit(outbox):
    one = Refused(at=1.0, reason="empty", body=b"\x00\xff", advice="look")
    outbox.put(Batch(refused=[one] * (REFUSED_KEPT + 5)))
    assert len(outbox.refused()) == REFUSED_KEPT
    assert outbox.refused()[0] == one


def test_done_rows_are_purged_and_their_names_are_gone_from_the_file(outbox, tmp_path):
    put(outbox, entry(CheckIn(room="101", guest=ANNA)), entry(CheckIn(room="102", guest=ANNA)))
    outbox.done(outbox.due("to_ucm", 2.0)[0], 3.0)
    outbox.park(outbox.due("to_ucm", 2.0)[0], 3.0, "no")
    assert outbox.purge(2.9) == 0
    outbox.purge(3.1)
    assert outbox.totals().entries["to_ucm", "parked"] == 1  # a human has not seen it yet
    outbox.close()
    left = (tmp_path / "outbox.db").read_bytes()
    assert left.count(b'"Rossi"') == 1


def test_no_name_stays_in_the_file_or_its_log_while_the_service_runs(outbox, tmp_path):
    """Done rows, refused bytes, a house that is empty again: nothing of it is in a free page."""
    entries = [entry(CheckIn(room=str(room), guest=ANNA)) for room in range(40)]
    refused = [Refused(at=1.0, reason="grammar", body=b"GN=Rossi", advice="")]
    outbox.put(Batch(entries=entries, rooms={"101": Room(guests=(ANNA,))}, refused=refused))
    outbox.put(Batch(rooms={"101": Room(told_out=True)}))
    while due := outbox.due("to_ucm", 2.0):
        outbox.done(due[0], 3.0)
    on_disk = [path.read_bytes() for path in tmp_path.iterdir()]
    assert sum(each.count(b"Rossi") for each in on_disk) > 40
    outbox.purge(4.0)
    on_disk = [path.read_bytes() for path in tmp_path.iterdir()]
    assert sum(each.count(b"Rossi") for each in on_disk) == 0


def test_a_failed_transaction_leaves_nothing_behind(outbox):
    class Broken(CheckOut):
        pass

    with pytest.raises(KeyError):
        outbox.put(Batch(entries=[entry(CheckOut(room="101")), entry(Broken(room="102"))]))
    assert rooms_due(outbox) == []


def test_a_disk_that_says_no_is_a_storage_failure(outbox):
    outbox._db.execute("PRAGMA max_page_count = 1").fetchall()
    with pytest.raises(StorageFailed):
        for _ in range(100):
            put(outbox, entry(CheckIn(room="101", guest=ANNA)))
    outbox._db.execute("PRAGMA max_page_count = 100000").fetchall()
    put(outbox, entry(CheckOut(room="9")))  # and it goes on once there is space


def test_the_file_is_for_its_owner_only_and_durable(outbox, tmp_path):
    assert (tmp_path / "outbox.db").stat().st_mode & 0o777 == 0o600
    assert outbox._db.pragma("journal_mode") == "wal"
    assert outbox._db.pragma("synchronous") == 2  # FULL
    assert outbox._db.pragma("secure_delete") == 1


def test_a_file_of_a_newer_version_is_refused_with_advice(tmp_path):
    db = apsw.Connection(str(tmp_path / "outbox.db"))
    db.pragma("user_version", len(MIGRATIONS) + 1)
    db.close()
    with pytest.raises(StorageFailed, match="install that version"):
        Outbox(tmp_path / "outbox.db")


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "outbox.db").write_bytes(b"not a database, not even a little one" * 200)
    with pytest.raises(StorageCorrupt):
        Outbox(tmp_path / "outbox.db")


def test_a_file_from_before_heads_books_and_checksums_is_brought_forward(tmp_path):
    db = apsw.Connection(str(tmp_path / "outbox.db"))
    db.pragma("journal_mode", "WAL")
    db.execute(MIGRATIONS[0])
    db.pragma("user_version", 1)
    for room, state in (("101", "waiting"), ("101", "waiting"), ("102", "done")):
        db.execute(
            "INSERT INTO entry (lane, state, room, event, body, record, received_at, due_at)"
            " VALUES ('to_ucm', ?, ?, 'check_out', ?, '', 1, 0)",
            (state, room, f'{{"room":"{room}"}}'),
        )
    db.close()
    box = Outbox(tmp_path / "outbox.db")
    assert box.audit() == []
    assert rooms_due(box) == [("101", "CheckOut")]
    assert box.totals().accepted["to_ucm"] == 3
    assert box.totals().unaccounted("to_ucm") == 0
    box.close()
    assert (tmp_path / "outbox.db").read_bytes()[20] == 8  # room for a checksum on each page


def test_a_bit_that_turns_over_at_rest_is_noticed_or_changes_nothing(tmp_path):
    box = Outbox(tmp_path / "outbox.db")
    put(box, *(entry(CheckIn(room=str(room), guest=ANNA)) for room in range(40)))
    box.put(Batch(rooms={str(room): Room(guests=(ANNA,)) for room in range(40)}))
    wanted = (box.house(), box.due("to_ucm", 2.0, 99), box.totals())
    box.close()
    whole = (tmp_path / "outbox.db").read_bytes()
    rng, noticed = random.Random(1), 0
    for number in range(200):
        bits = bytearray(whole)
        bits[rng.randrange(len(bits))] ^= 1 << rng.randrange(8)
        path = tmp_path / f"{number}.db"
        path.write_bytes(bits)
        try:
            box = Outbox(path)
            try:
                assert (box.house(), box.due("to_ucm", 2.0, 99), box.totals()) == wanted
            finally:
                box.close()
        except StorageCorrupt:
            noticed += 1
        path.unlink()
    assert noticed > 100


def test_a_file_that_cannot_be_trusted_is_set_aside_and_never_deleted(outbox, tmp_path):
    put(outbox, entry(CheckOut(room="101")))
    aside = outbox.begin_anew()
    assert outbox.totals().accepted["to_ucm"] == 0
    put(outbox, entry(CheckOut(room="102")))
    assert rooms_due(outbox) == [("102", "CheckOut")]
    old = Outbox(aside)
    assert rooms_due(old) == [("101", "CheckOut")]
    old.close()


def test_a_file_is_read_without_a_trace_while_no_service_runs(outbox, tmp_path):
    put(outbox, entry(CheckOut(room="101")))
    outbox._db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)  # as a crash leaves it
    outbox.close()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert "outbox.db-wal" in before
    reader = Outbox(tmp_path / "outbox.db", read_only=True)
    assert [row.room for row in reader.rows(["waiting"])] == ["101"]
    with pytest.raises(StorageFailed):
        reader.put(Batch(entries=[entry(CheckOut(room="102"))]))
    reader.close()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_reading_a_file_that_is_not_there_makes_none(tmp_path):
    with pytest.raises(StorageFailed):
        Outbox(tmp_path / "outbox.db", read_only=True)
    assert list(tmp_path.iterdir()) == []


# --- What an operator does ---


def test_a_row_tells_an_operator_what_it_is_and_why_it_stands_still(outbox):
    put(outbox, entry(Move(room="205", from_room="101", guest=ANNA)))
    outbox.park(outbox.due("to_ucm", 2.0)[0], 3.0, "23: the UCM has no such room")
    (row,) = outbox.rows(["parked"])
    assert (row.room, row.from_room, row.event, row.record) == ("205", "101", "move", "GI|…|")
    assert (row.state, row.error, row.finished_at) == ("parked", "23: the UCM has no such room", 3)
    assert outbox.row(row.id) == row
    assert outbox.row(99) is None
    assert outbox.rows(["parked"], room="101") == [row]
    assert outbox.rows(["parked"], room="102") == []
    assert outbox.rows(["waiting", "done"]) == []


def test_a_parked_row_put_back_takes_its_old_place(outbox):
    put(outbox, entry(CheckIn(room="101", guest=ANNA)), entry(WakeUp(room="101", at=CAME)))
    outbox.park(outbox.due("to_ucm", 2.0)[0], 3.0, "no")
    assert rooms_due(outbox) == [("101", "WakeUp")]
    assert outbox.retry(1)
    assert not outbox.retry(1)
    assert rooms_due(outbox) == [("101", "CheckIn")]
    assert outbox.audit() == []


def test_a_row_put_back_behind_a_newer_truth_is_not_delivered(outbox):
    put(outbox, entry(CheckIn(room="101", guest=ANNA)), entry(CheckOut(room="101")))
    check_in = outbox.due("to_ucm", 2.0, alone=[1])[0]
    outbox.park(check_in, 3.0, "no")
    in_flight = outbox.due("to_ucm", 2.0)[0]
    outbox.retry(1)
    assert outbox.done(in_flight, 4.0) == 1
    assert rooms_due(outbox) == []
    assert outbox.row(1).superseded_by == 2


def test_a_dropped_row_frees_its_rooms_and_stays_in_the_books(outbox):
    put(outbox, entry(Move(room="205", from_room="101", guest=ANNA)), entry(CheckOut(room="205")),
        entry(CheckOut(room="101")))  # fmt: skip
    moving = outbox.due("to_ucm", 2.0)[0]
    assert outbox.drop(1, 3.0)
    assert not outbox.drop(1, 3.0)
    assert not outbox.drop(99, 3.0)
    assert rooms_due(outbox) == [("205", "CheckOut"), ("101", "CheckOut")]
    assert outbox.row(1).error == "dropped by an operator"
    outbox.done(moving, 4.0)  # it was in flight meanwhile: nothing is counted twice
    assert outbox.totals().entries["to_ucm", "superseded"] == 1


def test_the_due_statement_uses_its_indexes(outbox):
    from gateway.outbox.store import _DUE

    plan = outbox._db.execute(
        "EXPLAIN QUERY PLAN " + _DUE, {"lane": "to_ucm", "now": 1.0, "limit": 1, "longest": 9.0}
    ).fetchall()
    steps = [row[3] for row in plan]
    assert not [step for step in steps if step.startswith("SCAN")], steps
    assert not [step for step in steps if "TEMP B-TREE" in step], steps


def test_an_entry_survives_kill_9_after_put(tmp_path):
    """The promise behind every ACK."""
    code = f"""
import os, signal
from pathlib import Path
from gateway.events import CheckOut
from gateway.outbox import Batch, NewEntry, Outbox
box = Outbox(Path({str(tmp_path)!r}) / "outbox.db")
box.put(Batch(entries=[NewEntry(event=CheckOut(room="101"), record="GO|", received_at=1.0)]))
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    box = Outbox(Path(tmp_path) / "outbox.db")
    assert rooms_due(box) == [("101", "CheckOut")]
    box.close()
