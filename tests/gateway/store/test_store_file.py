"""The store's file: private, durable, read without a trace, damaged, set aside."""

import random
from pathlib import Path

import apsw
import pytest

from gateway.store import (
    Batch,
    StorageCorrupt,
    StorageFailed,
    Told,
    set_aside,
)
from gateway.store.schema import VERSION
from gateway.store.store import Store
from tests.gateway.store.rows import BAD, batch, line

# --- The file ---


def test_file_is_for_its_owner_only_and_durable(file, tmp_path):
    assert (tmp_path / "outbox.db").stat().st_mode & 0o777 == 0o600
    assert file.engine._db.pragma("journal_mode") == "wal"
    assert file.engine._db.pragma("synchronous") == 2  # FULL
    assert file.engine._db.pragma("secure_delete") == 1
    assert file.engine._db.pragma("user_version") == VERSION
    file.close()
    assert (tmp_path / "outbox.db").read_bytes()[20] == 8  # room for a checksum on each page


def test_file_that_is_opened_and_closed_is_not_rewritten(file, tmp_path):
    file.put(batch("101"))
    file.close()
    before = (tmp_path / "outbox.db").read_bytes()
    Store(tmp_path / "outbox.db").close()
    assert (tmp_path / "outbox.db").read_bytes() == before


def test_closed_file_is_whole_without_its_log(file, tmp_path):
    file.put(batch("101"))
    file.close()
    assert [path.name for path in tmp_path.iterdir()] == ["outbox.db"]


def test_file_is_read_without_a_trace_while_no_service_runs(file, tmp_path):
    file.put(batch("101"))
    file.engine._db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)  # as a crash leaves it
    file.close()
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
    store.engine._db.execute("DELETE FROM ledger")
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


def test_file_that_cannot_be_trusted_is_set_aside_and_never_deleted(file, tmp_path):
    file.put(batch("101"))
    aside = file.engine.begin_anew()
    assert aside == str(tmp_path / "outbox.db.corrupt-1")
    assert (file.load().rooms, file.writes()) == ({}, 0)
    file.put(batch("102"))
    assert set(file.load().rooms) == {"102"}
    old = Store(Path(aside))
    assert set(old.load().rooms) == {"101"}
    old.close()


def test_file_that_took_the_place_of_a_damaged_one_lacks_its_house_until_it_is_written(file):
    assert file.lacks_its_house() is False  # nothing was ever damaged here
    file.engine.begin_anew()
    assert file.lacks_its_house() is True
    file.put(Batch(refused=[BAD]))
    assert file.lacks_its_house() is True
    file.put(Batch(ledger="{}"))
    assert file.lacks_its_house() is False


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
