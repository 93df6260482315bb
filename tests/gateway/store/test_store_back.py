"""The way back in the store: each cause once, calls and how far they were read in one commit."""

import re
from dataclasses import replace

from gateway.store import (
    CallRow,
    CallsMark,
    LevelRow,
    PostingRow,
    PostingStep,
    Resident,
    Store,
)
from gateway.store.back import CALLS_KEPT_S
from gateway.store.schema import CREATE_BACK, VERSION
from tests.gateway.store.rows import line

DAY = 86_400.0
NOW = 1000 * DAY


def call(key="s/T1", at=NOW, use="posted"):
    return CallRow(key=key, began=at - 60, ended=at, room="101", use=use, digits="00331", talk_s=55)


def posting(cause="s/T1"):
    return PostingRow(
        kind="call", cause=cause, room="101", body="{}", guests=("1",), state="waiting", at=NOW
    )


def test_before_the_first_look_there_is_no_mark(store):
    assert store.calls_mark() is None
    mark = CallsMark(first=NOW, until=NOW)
    assert store.add_calls([], mark) == ([], [])
    assert store.calls_mark() == mark


def test_a_call_its_posting_and_the_mark_are_one(store):
    mark = CallsMark(first=NOW, until=NOW, canary="s/T1")
    fresh, postings = store.add_calls([(call(), posting())], mark)
    assert fresh == [call()]
    assert [(each.id, each.cause) for each in postings] == [(1, "s/T1")]
    assert store.open_postings() == postings
    again = store.add_calls([(call(), posting()), (call("s/T2", use="internal"), None)], mark)
    assert again == ([call("s/T2", use="internal")], [])
    assert store.calls(NOW - 60, NOW) == [call(), call("s/T2", use="internal")]


def test_what_is_old_goes_and_a_call_that_comes_back_is_still_known(store):
    mark = CallsMark(first=0.0, until=NOW, canary="s/T1")
    _, (row,) = store.add_calls([(call(), posting())], mark)
    store.change_postings([])
    store.purge(NOW + 8 * DAY, NOW + 15 * DAY)
    assert [each.digits for each in store.calls(0, NOW)] == [""]
    assert store.open_postings() == [row]  # nobody has said what becomes of it
    assert store.add_calls([(call(), posting())], mark) == ([], [])
    store.purge(NOW + CALLS_KEPT_S, NOW + CALLS_KEPT_S)
    assert store.calls(0, NOW) == []


def test_a_file_of_the_version_before_gets_the_way_back(tmp_path):
    path = tmp_path / "outbox.db"
    store = Store(path)
    with store.transaction() as db:
        for table in re.findall(r"CREATE TABLE (\w+)", CREATE_BACK):
            db.execute(f"DROP TABLE {table}")
        db.execute("INSERT INTO room (room, house) VALUES ('101', '{}')")
        db.execute("UPDATE ledger SET body = '{}'")
    store.engine._db.pragma("user_version", 4)
    store.close()
    store = Store(path)
    try:
        assert store.engine._db.pragma("user_version") == VERSION
        assert list(store.load().rooms) == ["101"]
        assert (store.calls_mark(), store.open_postings(), store.residents()) == (None, [], [])
    finally:
        store.close()


def test_who_was_in_a_room_and_who_is(store):
    came = Resident(room="101", guest="1", pms_room="0101", since=10.0)
    store.write_residents([came, Resident(room="102", guest="2", pms_room="102", since=20.0)])
    store.write_residents([came])  # said again
    assert [each.guest for each in store.residents()] == ["1", "2"]
    store.write_residents([replace(came, until=30.0)])
    assert [each.guest for each in store.residents()] == ["2"]
    assert [each.guest for each in store.residents("101", 15.0)] == ["1"]
    assert store.residents("101", 30.0) == []
    assert store.residents("101") == []
    assert [each.guest for each in store.residents(at=25.0)] == ["1", "2"]


def test_a_posting_goes_through_its_states_with_a_number_of_its_own(store):
    (row,) = store.add_postings([posting()])
    sent = replace(row, state="sent", tries=1)
    made = PostingStep(posting=row.id, at=NOW, state="sent", who="gateway", why="")
    number = store.send_posting(sent, made, up_to=3)
    assert number == 1
    found, steps = store.posting(row.id)
    assert (found.state, found.number, [each.state for each in steps]) == (
        "sent", number, ["waiting", "sent"],
    )  # fmt: skip
    booked = replace(found, state="booked")
    store.change_postings([(booked, replace(made, state="booked", who="PMS"))])
    assert store.open_postings() == []
    assert [each.state for each in store.postings(("booked", "refused"), 10)] == ["booked"]
    assert store.posting(999) is None


def test_numbers_begin_again_and_none_is_given_twice_within_a_week(store):
    rows = store.add_postings([posting(f"c{each}") for each in range(4)])

    def send(row, at):
        made = PostingStep(posting=row.id, at=at, state="sent", who="gateway", why="")
        return store.send_posting(replace(row, state="sent"), made, up_to=3)

    assert [send(row, NOW) for row in rows] == [1, 2, 3, None]
    assert send(rows[3], NOW + 8 * DAY) in (1, 2, 3)


def test_a_level_replaces_what_waits_of_its_kind(store):
    status = replace(posting("l1"), kind="status")
    level = LevelRow(kind="status", room="101", seen="5", at=NOW)
    (first,), gone = store.put_levels([level], [status], ("status",))
    assert gone == []
    newer = replace(status, cause="l2")
    stored, gone = store.put_levels([replace(level, seen="6")], [newer], ("status",))
    assert ([each.cause for each in stored], gone) == (["l2"], [first.id])
    assert [each.seen for each in store.levels()] == ["6"]
    assert store.posting(first.id) is None


def test_a_call_that_became_longer_is_known_by_whether_it_was_posted(store):
    mark = CallsMark(first=NOW, until=NOW, canary="s/T1")
    store.add_calls([(call(), posting()), (call("s/T2", use="internal"), None)], mark)
    assert store.change_call("s/T1", 99, NOW)
    assert not store.change_call("s/T2", 99, NOW)
    assert {each.talk_s for each in store.calls(0.0, NOW)} == {99}
    assert store.known_calls(["s/T1", "s/T3"]) == {"s/T1": 99}


def test_whether_a_room_was_called_since(store):
    store.told([], [line(NOW, "105", "move", "101"), line(NOW, "103")])
    assert [store.was_called(room, NOW) for room in ("105", "101", "103")] == [True] * 3
    assert not store.was_called("103", NOW + 1)
    assert not store.was_called("104", 0.0)
