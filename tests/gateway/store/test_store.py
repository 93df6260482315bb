"""What is stored, told and forgotten: a batch whole or not at all, two sides of a room."""

import pytest

from gateway.store import (
    Batch,
    Heard,
    Refused,
    RoomRow,
    Told,
)
from gateway.store.values import REFUSED_KEPT
from tests.gateway.store.rows import BAD, DAY, IN, batch, bytes_in, heard, line

# --- What is stored ---


def test_new_file_holds_nothing(store):
    kept = store.load()
    assert (kept.rooms, kept.ledger, kept.writes) == ({}, "", 0)
    assert (store.refused(), store.journal()) == ([], [])


def test_everything_that_was_put_is_there_after_a_restart(store, reopen):
    store.put(Batch(rooms={"101": heard(background=True)}, ledger='{"resync":3}', refused=[BAD]))
    store.told([Told(room="101", actual="A", trouble="T", pending="P")], [line(2.0, "101")])
    store.close()
    again = reopen()
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
def test_nothing_that_the_service_does_reads_the_whole_journal(file, deed):
    """A week of calls is not read again for each record."""
    statements = []
    db = file.engine._db
    db.exec_trace = lambda _, sql, values: statements.append((sql, values)) or True
    deed(file)
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


def test_no_forgotten_name_stays_in_the_file_or_its_log_while_the_service_runs(file, tmp_path):
    for room in range(40):
        file.put(batch(str(room), ledger="{}"))
        file.told([Told(room=str(room), actual='{"lastname":"Rossi"}')], [line(1.0, str(room))] * 3)
    bad = Refused(at=1.0, reason="grammar", body=b"GN=Rossi", advice="")
    file.put(Batch(rooms={str(room): Heard(house="{}") for room in range(40)}, refused=[bad]))
    file.told([Told(room=str(room), actual="{}") for room in range(40)])
    assert bytes_in(tmp_path).count(b"Rossi") > 200
    file.purge(2.0, 3.0)
    assert bytes_in(tmp_path).count(b"Rossi") == 0
    assert (tmp_path / "outbox.db-wal").stat().st_size == 0


def test_log_is_emptied_behind_a_purge_that_others_share_a_transaction_with(file, tmp_path):
    file.told([], [line(1.0, "101")])
    with file.transaction():
        file.purge(2.0, 3.0)
        file.put(Batch(rooms={"101": heard("{}", record="")}))
    assert bytes_in(tmp_path).count(b"Rossi") == 0
    assert file.writes() == 1


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
