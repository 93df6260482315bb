"""The outbox file: order inside a room, live before resync, nothing lost by kill -9."""

import itertools
import random
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import apsw
import pytest

from gateway.events import (
    CheckIn,
    CheckOut,
    DoNotDisturb,
    Guest,
    Move,
    RoomStatus,
    Update,
    WakeUp,
)
from gateway.house import Departure, Ledger, Room
from gateway.outbox import (
    OPEN_STATES,
    Batch,
    NewEntry,
    Outbox,
    Refused,
    StorageCorrupt,
    StorageFailed,
)
from gateway.outbox.file import set_aside
from gateway.outbox.rows import IS_FIRST
from gateway.outbox.schema import MIGRATIONS, REFUSED_KEPT
from gateway.outbox.store import _DUE, _superseded
from gateway.outbox.values import LANES, STATES

CAME = datetime(2026, 3, 14, 10, 0)
OTTO = Guest(key="4712", name="Bianchi", came=CAME)
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
    outbox.done([outbox.due("to_ucm", 2.0)[0]], 3.0)
    assert rooms_due(outbox) == [("101", "CheckIn"), ("102", "CheckOut")]


def test_a_move_waits_for_both_its_rooms_and_both_wait_for_it(outbox):
    put(outbox, entry(CheckOut(room="205")), entry(Move(room="205", from_room="101", guest=ANNA)),
        entry(CheckIn(room="101", guest=ANNA)), entry(CheckOut(room="205")))  # fmt: skip
    assert rooms_due(outbox) == [("205", "CheckOut")]
    outbox.done([outbox.due("to_ucm", 2.0)[0]], 3.0)
    assert rooms_due(outbox) == [("205", "Move")]
    outbox.done([outbox.due("to_ucm", 2.0)[0]], 3.0)
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
    outbox.done([outbox.due("to_ucm", 2.0)[0]], 3.0)
    assert rooms_due(outbox)[0] == ("205", "Move")


def test_a_parked_row_blocks_nobody_and_is_superseded_by_a_later_one(outbox):
    put(outbox, entry(CheckIn(room="101", guest=ANNA)), entry(Update(room="101", guest=ANNA)))
    outbox.park(outbox.due("to_ucm", 2.0)[0], 3.0, "15: the UCM refuses a value")
    (update,) = outbox.due("to_ucm", 4.0)
    assert update.repairs  # it has to tell everything now
    assert outbox.totals().entries["to_ucm", "parked"] == 1
    assert outbox.done([update], 5.0) == 1
    assert outbox.totals().entries["to_ucm", "parked"] == 0


def test_a_parked_row_is_not_superseded_by_another_subject(outbox):
    put(outbox, entry(CheckIn(room="101", guest=ANNA)), entry(DoNotDisturb(room="101", on=True)))
    outbox.park(outbox.due("to_ucm", 2.0)[0], 3.0, "no")
    assert outbox.done([outbox.due("to_ucm", 4.0)[0]], 5.0) == 0


def test_a_check_out_supersedes_everything_parked_of_its_room(outbox):
    put(outbox, entry(WakeUp(room="101", at=CAME)), entry(CheckOut(room="101")))
    outbox.park(outbox.due("to_ucm", 2.0)[0], 3.0, "no")
    assert outbox.done([outbox.due("to_ucm", 4.0)[0]], 5.0) == 1


def test_totals_survive_a_restart(outbox, tmp_path):
    put(outbox, entry(CheckOut(room="101"), at=7.0), entry(CheckOut(room="102"), at=8.0))
    outbox.park(outbox.due("to_ucm", 9.0, 2)[1], 9.0, "no")
    totals = outbox.totals()
    outbox.close()
    again = Outbox(tmp_path / "outbox.db")
    assert again.totals() == totals
    assert again.totals().oldest_waiting == {"to_ucm": 7.0}
    again.close()


@pytest.mark.parametrize(
    "what",
    [
        {"entries": [entry(CheckOut(room="1"))]}, {"rooms": {"1": Room()}}, {"ledger": Ledger()},
        {"refused": [Refused(at=1.0, reason="empty", body=b"", advice="")]},
    ],
    ids=lambda what: next(iter(what)),
)  # fmt: skip
def test_a_batch_is_empty_when_it_would_change_nothing(what):
    assert Batch().is_empty is True
    assert Batch(heard={"1": (b"x", 1.0)}).is_empty is True  # a record that changed nothing
    assert Batch(**what).is_empty is False


def test_a_row_repairs_what_is_parked_before_it_in_its_own_room_only(outbox):
    put(outbox, entry(WakeUp(room="101", at=CAME)), entry(Update(room="101", guest=ANNA)),
        entry(Update(room="102", guest=ANNA)))  # fmt: skip
    assert [due.repairs for due in outbox.due("to_ucm", 2.0, 9)] == [False, False]
    outbox.park(outbox.due("to_ucm", 2.0)[0], 3.0, "no")
    assert [(due.id, due.repairs) for due in outbox.due("to_ucm", 4.0, 9)] == [
        (2, True),
        (3, False),
    ]
    outbox.park(outbox.due("to_ucm", 4.0)[0], 5.0, "no")
    outbox.retry(1)
    assert [(due.id, due.repairs) for due in outbox.due("to_ucm", 6.0, 9)] == [
        (1, False),
        (3, False),
    ]


@pytest.mark.parametrize("body", ["no json", '{"guests": 7}', "{}7"])
def test_a_house_that_cannot_be_understood_is_a_damaged_file(tmp_path, body):
    box = Outbox(tmp_path / "outbox.db")
    box.put(Batch(rooms={"101": Room(guests=(ANNA,))}))
    box._db.execute("UPDATE house_room SET body = ?", (body,))
    with pytest.raises(StorageCorrupt):
        box.house()
    box.close()


def test_the_oldest_entry_is_told_whether_it_is_live_or_of_a_resync(outbox):
    put(outbox, entry(CheckOut(room="101"), at=1.0, background=True),
        entry(CheckOut(room="102"), at=2.0), entry(CheckOut(room="103"), at=3.0))  # fmt: skip
    assert outbox.totals().oldest_waiting == {"to_ucm": 1.0}
    for oldest in ({"to_ucm": 1.0}, {"to_ucm": 1.0}, {}):  # live ones go first
        (due,) = outbox.due("to_ucm", 4.0)
        outbox.done([due], 5.0)
        assert outbox.totals().oldest_waiting == oldest


def test_the_file_takes_every_lane_and_state_that_the_books_know(outbox):
    for lane, state in itertools.product(LANES, STATES):
        outbox._db.execute(
            "INSERT INTO entry (lane, state, room, event, body, record, received_at, due_at)"
            " VALUES (?, ?, '1', 'check_out', '', '', 1, 0)",
            (lane, state),
        )
    outbox._db.execute("DELETE FROM entry")


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
    outbox.done([outbox.due("to_ucm", 2.0)[0]], 3.0)
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
        outbox.done([due[0]], 3.0)
    on_disk = [path.read_bytes() for path in tmp_path.iterdir()]
    assert sum(each.count(b"Rossi") for each in on_disk) > 40
    outbox.purge(4.0)
    on_disk = [path.read_bytes() for path in tmp_path.iterdir()]
    assert sum(each.count(b"Rossi") for each in on_disk) == 0


def test_refused_bytes_and_repeats_are_purged_by_their_age(outbox):
    old, new = (Refused(at=at, reason="empty", body=b"x", advice="") for at in (1.0, 2.0))
    outbox.put(Batch(refused=[old, new], heard={"101": (b"a", 1.0), "102": (b"b", 2.0)}))
    outbox.purge(2.0)
    assert outbox.refused() == [new]
    assert outbox.heard() == {"102": (b"b", 2.0)}
    assert outbox.house()[0] == {}  # a room that was only spoken of is none of the house's
    outbox.purge(2.1)
    assert outbox.heard() == {}


def test_rows_end_at_their_moment_and_are_kept_until_it_is_past(outbox):
    put(outbox, entry(CheckOut(room="101")), entry(CheckOut(room="102")))
    outbox.done([outbox.due("to_ucm", 2.0)[0]], 3.0)
    assert outbox.row(1).finished_at == 3.0
    assert outbox.purge(3.0) == 0
    assert outbox.purge(3.1) == 1
    assert [row.room for row in outbox.rows(["waiting", "done"])] == ["102"]
    assert outbox.totals().unaccounted("to_ucm") == 0  # what was purged stays in the books


def test_space_is_tried_without_leaving_anything(outbox):
    outbox._db.pragma("max_page_count", outbox._db.pragma("page_count"))
    with pytest.raises(StorageFailed, match="full"):
        outbox.try_write()
    outbox._db.pragma("max_page_count", 100000)
    outbox.try_write()
    assert outbox.refused() == []


def test_a_handle_that_failed_is_opened_again(outbox):
    put(outbox, entry(CheckOut(room="101")))
    with pytest.raises(StorageFailed), outbox.reading() as db:
        db.execute("SELECT * FROM nothing")
    assert rooms_due(outbox) == [("101", "CheckOut")]


@pytest.mark.parametrize(
    ("harm", "found"),
    [
        ("UPDATE entry SET state = 'done', head = 0 WHERE id = 1", ["to_ucm: 0 waiting, the books say 1"]),
        ("UPDATE entry SET state = 'waiting', head = 1 WHERE id = 2",
         ["to_ucm: 2 waiting, the books say 1", "to_ucm: 0 parked, the books say 1"]),
        ("UPDATE entry SET head = 0 WHERE id = 1", ["row 1 is no head, or should be one"]),
        ("UPDATE entry SET head = 1 WHERE id = 2", ["row 2 is no head, or should be one"]),
    ],
)  # fmt: skip
def test_an_audit_finds_what_was_done_behind_the_books(tmp_path, harm, found):
    box = Outbox(tmp_path / "outbox.db")
    put(box, entry(CheckOut(room="101")), entry(CheckOut(room="102")))
    box.park(box.due("to_ucm", 2.0, 2)[1], 3.0, "no")
    assert box.audit() == []
    box._db.execute(harm)
    assert box.audit() == found
    box.close()


def test_an_audit_finds_an_entry_that_is_in_no_state(tmp_path):
    box = Outbox(tmp_path / "outbox.db")
    put(box, entry(CheckOut(room="101")))
    box._db.execute("UPDATE tally SET count = 3 WHERE word = 'accepted'")
    box.close()
    box = Outbox(tmp_path / "outbox.db")
    assert box.audit() == ["to_ucm: 2 entries unaccounted for"]
    box.close()


def test_a_failed_transaction_leaves_nothing_behind(outbox):
    class Broken(CheckOut):
        pass

    with pytest.raises(KeyError):
        outbox.put(Batch(entries=[entry(CheckOut(room="101")), entry(Broken(room="102"))]))
    assert rooms_due(outbox) == []


def test_a_disk_that_says_no_is_a_storage_failure(outbox):
    outbox._db.execute("PRAGMA max_page_count = 1").fetchall()
    with pytest.raises(StorageFailed, match="full"):
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


def test_the_books_of_a_file_that_has_forgotten_rows_go_on_behind_their_numbers(tmp_path):
    """Rows were numbered by SQLite; those that were purged before there were books count as done."""
    db = apsw.Connection(str(tmp_path / "outbox.db"))
    db.execute(MIGRATIONS[0])
    row = (
        "INSERT INTO entry (lane, state, room, event, body, record, received_at, due_at)"
        " VALUES ('to_ucm', 'waiting', '101', 'check_out', '{\"room\":\"101\"}', 'GO|', 1, 0)"
    )
    for _ in range(5):
        db.execute(row)
    db.execute("DELETE FROM entry WHERE id IN (1, 2, 5)")
    db.execute("INSERT INTO house_room VALUES ('101', '{\"told_out\":true}')")
    db.execute(MIGRATIONS[1])
    db.pragma("user_version", 2)
    db.close()
    box = Outbox(tmp_path / "outbox.db")
    put(box, entry(CheckOut(room="102")))
    assert [row.id for row in box.rows(["waiting"])] == [3, 4, 6]
    assert box.totals().accepted["to_ucm"] == 6
    assert box.totals().entries["to_ucm", "done"] == 3
    assert box.house()[0] == {"101": Room(told_out=True)}
    assert box.audit() == []
    box.close()


def test_a_row_never_gets_a_number_that_was_given_before(outbox):
    put(outbox, entry(CheckOut(room="101")))
    outbox.done(outbox.due("to_ucm", 2.0), 3.0)
    outbox.purge(4.0)
    put(outbox, entry(CheckOut(room="101")))
    assert [row.id for row in outbox.rows(["waiting"])] == [2]


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


def test_a_damaged_file_is_set_aside_with_its_log_and_beside_earlier_ones(tmp_path):
    for content in ("first", "second"):
        for side in ("", "-wal", "-journal"):
            (tmp_path / f"outbox.db{side}").write_text(content + side)
        set_aside(tmp_path / "outbox.db")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        f"outbox.db.corrupt-{number}{side}": content + side
        for number, content in ((1, "first"), (2, "second"))
        for side in ("", "-wal", "-journal")
    }


def test_a_file_of_an_older_version_is_not_read_but_sent_to_the_service(tmp_path):
    db = apsw.Connection(str(tmp_path / "outbox.db"))
    db.execute(MIGRATIONS[0])
    db.pragma("user_version", 1)
    db.close()
    with pytest.raises(StorageFailed, match="start the service once"):
        Outbox(tmp_path / "outbox.db", read_only=True)
    Outbox(tmp_path / "outbox.db").close()
    Outbox(tmp_path / "outbox.db", read_only=True).close()


def test_a_file_that_is_opened_and_closed_is_not_rewritten(outbox, tmp_path):
    put(outbox, entry(CheckOut(room="101")))
    outbox.close()
    before = (tmp_path / "outbox.db").read_bytes()
    Outbox(tmp_path / "outbox.db").close()
    assert (tmp_path / "outbox.db").read_bytes() == before


def test_a_closed_file_is_whole_without_its_log(outbox, tmp_path):
    put(outbox, entry(CheckOut(room="101")))
    outbox.close()
    assert [path.name for path in tmp_path.iterdir()] == ["outbox.db"]


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


def test_a_row_put_back_holds_back_its_own_rooms_only(outbox):
    put(outbox, entry(CheckOut(room="100")), entry(Move(room="205", from_room="101", guest=ANNA)),
        entry(WakeUp(room="101", at=CAME)), entry(WakeUp(room="205", at=CAME)),
        entry(CheckOut(room="206")))  # fmt: skip
    outbox.park(outbox.due("to_ucm", 2.0, 9)[1], 3.0, "no")
    assert [room for room, _ in rooms_due(outbox)] == ["100", "101", "205", "206"]
    assert outbox.retry(2)
    row = outbox.row(2)
    assert (row.state, row.attempts, row.error, row.finished_at) == ("waiting", 0, None, None)
    assert [room for room, _ in rooms_due(outbox)] == ["100", "205", "206"]
    assert outbox.audit() == []


def test_the_newest_rows_are_told_oldest_first(outbox):
    put(outbox, *(entry(CheckOut(room=str(room))) for room in range(5)))
    assert [row.room for row in outbox.rows(["waiting"], limit=2)] == ["3", "4"]


def test_rooms_with_something_to_deliver_are_both_rooms_of_a_move(outbox):
    put(outbox, entry(Move(room="205", from_room="101", guest=ANNA)), entry(CheckOut(room="9")))
    assert outbox.rooms_waiting() == {"101", "205", "9"}
    outbox.done([outbox.due("to_ucm", 2.0)[0]], 3.0)
    assert outbox.rooms_waiting() == {"9"}


def test_a_row_that_was_told_to_wait_for_years_is_due_after_the_clock_jumped_back(outbox):
    put(outbox, entry(CheckOut(room="101")))
    outbox.later(outbox.due("to_ucm", 2.0)[0], 5000.0, "busy", attempts=1, unsure=False)
    assert outbox.due("to_ucm", 4000.0, longest_pause_s=1000.0) == []
    assert len(outbox.due("to_ucm", 3999.0, longest_pause_s=1000.0)) == 1
    assert len(outbox.due("to_ucm", 5000.0, longest_pause_s=1000.0)) == 1


def test_an_older_row_that_is_not_of_the_room_or_not_of_the_subject_is_not_superseded(outbox):
    put(outbox, entry(CheckIn(room="101", guest=ANNA)), entry(CheckIn(room="102", guest=ANNA)),
        entry(RoomStatus(room="101", code="1")), entry(DoNotDisturb(room="101", on=True)),
        entry(WakeUp(room="101", at=CAME)), entry(Update(room="101", guest=ANNA)))  # fmt: skip
    for id_ in (1, 2, 3, 4, 5):
        (due,) = [each for each in outbox.due("to_ucm", 2.0, 9) if each.id == id_]
        outbox.park(due, 3.0, "no")
    assert outbox.done([outbox.due("to_ucm", 4.0)[0]], 5.0) == 1
    assert [row.id for row in outbox.rows(["parked"])] == [2, 3, 4, 5]
    for number, event in ((3, RoomStatus(room="101", code="2")), (4, DoNotDisturb(room="101", on=False)),
                          (5, WakeUp(room="101"))):  # fmt: skip
        put(outbox, entry(event))
        assert outbox.done([outbox.due("to_ucm", 6.0)[0]], 7.0) == 1
        assert outbox.row(number).state == "superseded"


def test_a_move_supersedes_what_is_parked_of_both_its_rooms(outbox):
    put(outbox, entry(Update(room="101", guest=ANNA)), entry(CheckOut(room="205")),
        entry(Move(room="205", from_room="101", guest=ANNA)))  # fmt: skip
    for due in outbox.due("to_ucm", 2.0, 9):
        outbox.park(due, 3.0, "no")
    (move,) = outbox.due("to_ucm", 4.0)
    assert move.repairs
    assert outbox.done([move], 5.0) == 2


def test_a_row_put_back_behind_a_newer_truth_is_not_delivered(outbox):
    put(outbox, entry(CheckIn(room="101", guest=ANNA)), entry(CheckOut(room="101")))
    check_in = outbox.due("to_ucm", 2.0, alone=[1])[0]
    outbox.park(check_in, 3.0, "no")
    in_flight = outbox.due("to_ucm", 2.0)[0]
    outbox.retry(1)
    assert outbox.done([in_flight], 4.0) == 1
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
    outbox.done([moving], 4.0)  # it was in flight meanwhile: nothing is counted twice
    assert outbox.totals().entries["to_ucm", "superseded"] == 1


@pytest.mark.parametrize(
    "statement",
    [
        _DUE,
        f"UPDATE entry AS e SET head = 1 WHERE id = :now AND {IS_FIRST}",
        "SELECT id FROM entry WHERE state = 'waiting' AND room = :now ORDER BY id LIMIT 1",
        "SELECT id FROM entry WHERE state = 'waiting' AND from_room = :now ORDER BY id LIMIT 1",
        "DELETE FROM entry WHERE finished_at < :now AND state IN ('done', 'superseded')",
    ],
)
def test_no_statement_of_the_service_reads_the_whole_file(outbox, statement):
    names = {"lane": "to_ucm", "now": 1.0, "limit": 1, "longest": 9.0}
    values = {name: value for name, value in names.items() if f":{name}" in statement}
    plan = outbox._db.execute("EXPLAIN QUERY PLAN " + statement, values).fetchall()
    steps = [row[3] for row in plan]
    assert not [step for step in steps if step.startswith("SCAN")], steps
    assert not [step for step in steps if "TEMP B-TREE" in step], steps


@pytest.mark.parametrize("state", OPEN_STATES)
def test_what_a_delivery_supersedes_is_found_by_an_index(outbox, state):
    """A week of delivered rows is not read again for each delivery."""
    statement = _superseded(state, ("1", "2"), ("update",))
    plan = outbox._db.execute(
        "EXPLAIN QUERY PLAN " + statement, (1.0, 10, "1", "2", "update", 9)
    ).fetchall()
    assert all("USING INDEX entry_" in row[3] for row in plan), plan


def test_an_entry_survives_kill_9_after_put(tmp_path):
    """The promise behind every ACK."""
    code = f"""
import os, signal
from pathlib import Path
from gateway.events import CheckOut
from gateway.outbox import OPEN_STATES, Batch, NewEntry, Outbox
box = Outbox(Path({str(tmp_path)!r}) / "outbox.db")
box.put(Batch(entries=[NewEntry(event=CheckOut(room="101"), record="GO|", received_at=1.0)]))
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    box = Outbox(Path(tmp_path) / "outbox.db")
    assert rooms_due(box) == [("101", "CheckOut")]
    box.close()


def test_a_row_behind_one_whose_commit_failed_and_was_stored_waits_for_it(tmp_path):
    box = Outbox(tmp_path / "outbox.db")
    for number in (1.0, 2.0):
        box.put(
            Batch(entries=[NewEntry(event=CheckOut(room="101"), record="", received_at=number)])
        )
        # What a commit leaves that was told as failed and is on disk all the same.
        box._drop()
        box._counts.clear()
    assert box.audit() == []
    assert [each.received_at for each in box.due("to_ucm", 3.0, 9, alone=(1, 2))] == [1.0]
    box.close()


def test_a_move_that_is_not_made_any_more_holds_nobody_back(tmp_path):
    """An operator retries a parked move while a later row of the room to move to is called."""
    box = Outbox(tmp_path / "outbox.db")
    box.put(Batch(entries=[entry(Move(room="102", from_room="101", guest=ANNA))]))
    (move,) = box.due("to_ucm", 5.0)
    box.park(move, 2.0, "23: no such room", unsure=False)
    box.put(Batch(entries=[entry(CheckOut(room="101"))]))
    box.put(Batch(entries=[entry(CheckOut(room="102"))]))
    old_room, new_room = box.due("to_ucm", 5.0, 2)
    assert box.retry(move.id)
    box.done([new_room], 6.0)  # which is the later word about it
    assert box.row(move.id).state == "superseded"
    assert [each.id for each in box.due("to_ucm", 7.0)] == [old_room.id]
    assert box.audit() == []
    box.close()


@pytest.mark.parametrize("parked", [CheckOut(room="101"), CheckIn(room="101", guest=OTTO)])
def test_an_update_behind_who_could_not_be_told_is_a_check_in(outbox, parked):
    """Else the guest would get the mailbox of whoever the UCM still shows."""
    put(outbox, entry(parked))
    outbox.park(outbox.due("to_ucm", 2.0)[0], 3.0, "-25")
    put(outbox, entry(Update(room="101", guest=ANNA, was=ANNA)))
    (due,) = outbox.due("to_ucm", 4.0)
    assert due.event == CheckIn(room="101", guest=ANNA)
    outbox.done([due], 5.0)
    assert outbox.rows(["parked", "waiting"]) == []


def test_an_update_behind_other_parked_rows_or_of_nobody_stays_one(outbox):
    put(outbox, entry(DoNotDisturb(room="101", on=True)))
    outbox.park(outbox.due("to_ucm", 2.0)[0], 3.0, "-9")
    put(outbox, entry(Update(room="101", guest=ANNA)))
    (due,) = outbox.due("to_ucm", 4.0)
    assert (type(due.event), due.repairs) == (Update, True)
    outbox.done([due], 5.0)
    put(outbox, entry(CheckOut(room="102")))
    outbox.park(outbox.due("to_ucm", 6.0)[0], 7.0, "-25")
    put(outbox, entry(Update(room="102", guest=Guest(key="@102", came=CAME))))
    assert isinstance(outbox.due("to_ucm", 8.0)[0].event, Update)


@pytest.mark.parametrize(
    ("parked", "repairs"),
    [(CheckIn(room="101", guest=ANNA), True), (DoNotDisturb(room="101", on=True), False)],
)
def test_a_move_knows_whether_who_moves_was_ever_shown(outbox, parked, repairs):
    put(outbox, entry(parked))
    outbox.park(outbox.due("to_ucm", 2.0)[0], 3.0, "-25")
    put(outbox, entry(Move(room="205", from_room="101", guest=ANNA)))
    (due,) = outbox.due("to_ucm", 4.0)
    assert due.repairs is repairs
    outbox.done([due], 5.0)
    assert outbox.rows(["parked"]) == []  # who comes next must not be undisturbed


@pytest.mark.parametrize(
    ("later", "event"),
    [(CheckIn(room="101", guest=OTTO), CheckIn(room="205", guest=ANNA)),
     (CheckIn(room="102", guest=OTTO), Move(room="205", from_room="101", guest=ANNA))],
)  # fmt: skip
def test_a_move_put_back_moves_nobody_else(outbox, later, event):
    put(outbox, entry(Move(room="205", from_room="101", guest=ANNA)))
    outbox.park(outbox.due("to_ucm", 2.0)[0], 3.0, "23")
    put(outbox, entry(later))
    outbox.done(outbox.due("to_ucm", 4.0), 5.0)
    outbox.retry(1)
    assert [due.event for due in outbox.due("to_ucm", 6.0)] == [event]
