"""What the service makes of the file that the last one left."""

import pytest

from gateway.app import StartFailed, _open_outbox
from gateway.events import CheckOut
from gateway.house import Ledger, Room
from gateway.outbox import Batch, NewEntry, Outbox


def test_what_the_last_service_left_is_taken_up(tmp_path):
    path = tmp_path / "outbox.db"
    box = Outbox(path)
    entry = NewEntry(event=CheckOut(room="101"), record="GO|", received_at=1.0)
    box.put(Batch(entries=[entry], rooms={"101": Room(told_out=True)}, heard={"101": (b"x", 1.0)}))
    box.close()
    kept = _open_outbox(path, None)
    assert (kept.rooms, kept.heard) == ({"101": Room(told_out=True)}, {"101": (b"x", 1.0)})
    assert (kept.outbox.totals().accepted["to_ucm"], kept.is_anew) == (1, False)
    kept.outbox.close()


@pytest.mark.parametrize("harm", ["garbage", "house"])
def test_a_damaged_file_makes_way_and_is_kept(tmp_path, harm):
    path = tmp_path / "outbox.db"
    if harm == "garbage":
        path.write_bytes(b"this was a database once" * 500)
    else:
        box = Outbox(path)
        with box.transaction() as db:
            db.execute("INSERT INTO house_room (room, body) VALUES ('101', 'not JSON')")
        box.close()
    was = path.read_bytes()
    kept = _open_outbox(path, None)
    assert (kept.rooms, kept.is_anew) == ({}, True)
    assert (tmp_path / "outbox.db.corrupt-1").read_bytes()[:4096] == was[:4096]
    kept.outbox.close()


def test_a_house_that_was_not_written_any_more_is_asked_for(tmp_path):
    """The power went between the damage and the next record."""
    path = tmp_path / "outbox.db"
    box = Outbox(path)
    box.put(Batch(rooms={"101": Room()}, ledger=Ledger()))
    box.begin_anew()
    box.close()
    kept = _open_outbox(path, None)
    assert (kept.rooms, kept.is_anew) == ({}, True)
    kept.outbox.put(Batch(rooms={}, ledger=Ledger()))
    kept.outbox.close()
    kept = _open_outbox(path, None)
    assert not kept.is_anew
    kept.outbox.close()


def test_a_disk_that_says_no_is_told_and_not_replaced(tmp_path):
    path = tmp_path / "outbox.db"
    path.mkdir()
    with pytest.raises(StartFailed, match=r"outbox\.db"):
        _open_outbox(path, None)
    assert path.is_dir()
