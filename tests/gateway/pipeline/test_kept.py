"""What the service makes of the file that the last one left."""

import pytest

from gateway.house import Ledger, Room
from gateway.pipeline.kept import begin
from gateway.store import Batch, Heard, StorageFailed, Store, set_aside
from gateway.store.text import to_json

OUT = Room(out=True)


def start(path):
    return begin(lambda: Store(path), lambda: str(set_aside(path)))


def test_what_the_last_service_left_is_taken_up(tmp_path):
    path = tmp_path / "outbox.db"
    store = Store(path)
    heard = Heard(house=to_json(OUT), heard=(b"x", 1.0), cause=("GO|", 1.0, False))
    store.put(Batch(rooms={"101": heard}, ledger=to_json(Ledger(stays=7))))
    store.close()
    kept = start(path)
    assert (kept.rooms, kept.heard) == ({"101": OUT}, {"101": (b"x", 1.0)})
    assert (kept.ledger.stays, kept.writes, kept.is_anew) == (7, 1, False)
    kept.store.close()


@pytest.mark.parametrize("harm", ["garbage", "ledger"])
def test_a_damaged_file_makes_way_and_is_kept(tmp_path, harm):
    path = tmp_path / "outbox.db"
    if harm == "garbage":
        path.write_bytes(b"this was a database once" * 500)
    else:
        store = Store(path)
        with store.transaction() as db:
            db.execute("UPDATE ledger SET body = 'not JSON'")
        store.close()
    was = path.read_bytes()
    kept = start(path)
    assert (kept.rooms, kept.is_anew) == ({}, True)
    assert (tmp_path / "outbox.db.corrupt-1").read_bytes()[:4096] == was[:4096]
    kept.store.close()


def test_a_house_that_was_not_written_any_more_is_asked_for(tmp_path):
    """The power went between the damage and the next record."""
    path = tmp_path / "outbox.db"
    store = Store(path)
    store.put(Batch(rooms={"101": Heard(house="{}")}, ledger=to_json(Ledger())))
    store.engine.begin_anew()
    store.close()
    kept = start(path)
    assert (kept.rooms, kept.is_anew) == ({}, True)
    kept.store.put(Batch(ledger=to_json(Ledger())))
    kept.store.close()
    kept = start(path)
    assert not kept.is_anew
    kept.store.close()


def test_a_disk_that_says_no_is_told_and_not_replaced(tmp_path):
    path = tmp_path / "outbox.db"
    path.mkdir()
    with pytest.raises(StorageFailed):
        start(path)
    assert path.is_dir()
