"""What is owed to the phones, by the store alone."""

import pytest

from gateway.config import load
from gateway.house import Room
from gateway.pipeline.phone_step import Holds
from gateway.pipeline.phones import KIND
from gateway.store import Batch, LevelRow, Store
from gateway.store.text import to_json
from gateway.tools.kept_phones import kept
from tests.gateway.store.rows import heard
from tests.gateway.tools.test_doctor_phones import SITE


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "outbox.db")
    left = to_json(Room(out=True, departures=1))
    store.put(Batch(rooms={"101": heard(house=left), "102": heard(house=left)}, ledger="{}"))
    rows = [
        LevelRow(kind=KIND, room=room, seen=Holds(wiped_after=count).as_json(), at=1.0)
        for room, count in (("101", 0), ("102", 1))
    ]
    store.put_levels(rows, [])
    yield store
    store.close()


def config_of(folder, section=SITE):
    (folder / "phones.toml").write_text(
        'password = "x"\n[rooms]\n"101" = "10.0.5.101"\n"102" = "10.0.5.102"\n"103" = "10.0.5.103"\n'
    )
    (folder / "gateway.toml").write_text(section)
    return load(folder / "gateway.toml")


def test_what_is_still_to_be_done_is_seen_without_a_service(tmp_path, store):
    found = {each["room"]: each for each in kept(config_of(tmp_path), store)}
    assert {room: each["step"] for room, each in found.items()} == {
        "101": "delete contacts", "102": "", "103": "",
    }  # fmt: skip
    assert [each["state"] for each in found.values()] == ["behind", "unknown", "unknown"]


def test_a_site_without_phones_owes_nothing(tmp_path, store):
    assert kept(config_of(tmp_path, SITE.split("[phones]")[0]), store) == []
