"""A house moves between its two kinds of stores, and is the same in both."""

import pytest

from gateway.store import Batch, CallRow, CallsMark, LevelRow, PostingRow, Resident, Store, Told
from gateway.store.postgres import PostgresStore
from gateway.tools.stores import TABLES, copy
from gateway.web.control import Declined
from tests.gateway.store.rows import BAD, batch, line


def filled(store):
    store.put(batch("101"))
    store.put(
        Batch(
            ledger='{"resync":3}', refused=[BAD],
            residents=[Resident(room="101", guest="4711", pms_room="0101", since=1.0)],
        )
    )  # fmt: skip
    store.told([Told(room="101", actual="A", trouble="T", pending="P")], [line(2.0, "101")])
    posting = PostingRow(kind="call", cause="c1", room="101", body="{}", guests=("4711",),
                         state="waiting", at=1.0)  # fmt: skip
    call = CallRow(key="c1", began=1.0, ended=2.0, room="101", use="posted", digits="0044",
                   talk_s=3, amount=250)  # fmt: skip
    store.add_calls([(call, posting)], CallsMark(first=1.0, until=2.0, canary="c1"))
    store.put_levels([LevelRow(kind="voicemail", room="101", seen="1", at=3.0)], [])
    return store


def contents(store):
    with store.reading() as db:
        return {
            table: [tuple(row) for row in db.execute(f"SELECT {', '.join(c)} FROM {table}")]
            for table, c in TABLES.items()
        }


def test_every_table_of_the_schema_is_copied(tmp_path):
    store = Store(tmp_path / "outbox.db")
    with store.reading() as db:
        found = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (name,) in found:
            if name.startswith("sqlite_"):
                continue
            columns = [row[1] for row in db.execute(f"PRAGMA table_info({name})")]
            assert list(TABLES[name]) == columns
    store.close()


def test_there_and_back_again(tmp_path, cluster, schema):
    first = filled(Store(tmp_path / "outbox.db"))
    server = Store(PostgresStore(cluster.url, schema))
    copy(first, server, lambda _: None)
    assert contents(server) == contents(first)
    more = PostingRow(kind="call", cause="c2", room="101", body="{}", guests=(), state="waiting",
                      at=1.0)  # fmt: skip
    (stored,) = server.add_postings([more])
    assert stored.id == 2  # it goes on counting
    back = Store(tmp_path / "back.db")
    copy(server, back, lambda _: None)
    assert contents(back) == contents(server)
    assert back.load() == server.load()
    with pytest.raises(Declined, match="holds a house already"):
        copy(first, server, lambda _: None)
    for store in (first, server, back):
        store.close()
