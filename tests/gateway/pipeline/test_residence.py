"""The history of residents: complete after every change, and after an upgrade."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.house import House
from gateway.pipeline import residence
from gateway.store import Resident, Store
from protocols.facts import GuestArrived, GuestDetails, GuestLeft

NOW = datetime(2026, 3, 14, 12, tzinfo=UTC)
AT = NOW.timestamp()


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "outbox.db")
    yield store
    store.close()


def house_with(*guests):
    house = House(zone=UTC)
    for number, days in guests:
        arrival = (NOW - timedelta(days=days)).date()
        details = GuestDetails(name="Rossi", arrival=arrival)
        house.apply(GuestArrived(room="101", reservation=number, details=details, shared=True), NOW)
    return house


def test_who_comes_and_goes_is_written_with_his_times(store):
    house = house_with(("1", 0))
    store.write_residents(residence.changes(house.book, {"101": "0101"}, AT, UTC))
    house.book.commit()
    house.apply(GuestLeft(room="101", reservation="1"), NOW)
    store.write_residents(residence.changes(house.book, {}, AT + 60, UTC))
    (then,) = store.residents("101", AT + 30)
    assert then == Resident(room="101", guest="1", pms_room="0101", since=AT, until=AT + 60)
    assert store.residents("101", AT + 60) == store.residents("101") == []
    assert store.pms_room("101") == "0101"


def test_a_room_of_which_we_first_hear_has_its_guest_since_the_day_of_his_arrival():
    """As after a first resync: he telephoned before we were installed."""
    (came,) = residence.changes(house_with(("1", 3)).book, {}, AT, UTC)
    assert came.since == datetime(2026, 3, 11, tzinfo=UTC).timestamp()


def test_a_guest_of_today_is_there_since_we_heard_of_him():
    (came,) = residence.changes(house_with(("1", 0)).book, {}, AT, UTC)
    assert came.since == AT


def test_a_start_writes_what_the_history_lacks_and_ends_what_is_over(store):
    house = house_with(("1", 0), ("2", 0))
    gone = Resident(room="102", guest="9", pms_room="102", since=AT - 9000)
    store.write_residents([gone])
    store.write_residents(residence.all_of(house.rooms, store.residents(), AT, UTC))
    assert {each.guest for each in store.residents("101")} == {"1", "2"}
    assert store.residents("102") == []
    assert residence.all_of(house.rooms, store.residents(), AT, UTC) == []
