"""The way back in the store: each cause once, calls and how far they were read in one commit."""

import re

from gateway.store import CallRow, CallsMark, PostingRow, Store
from gateway.store.back import CALLS_KEPT_S
from gateway.store.schema import CREATE_BACK, VERSION

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
