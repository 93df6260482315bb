"""Who pays for a call: in no order of calls, moves, arrivals and departures another guest."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.back.calls import INTERNAL, ROOM, PhoneCall
from gateway.back.charges import Charges, Late
from gateway.back.dialled import Dialled
from gateway.back.rows import PmsRooms
from gateway.back.tariff import Price
from gateway.house import House
from gateway.house.residents import residents
from gateway.pipeline import residence
from gateway.store import Store
from gateway.store.text import from_json
from protocols.facts import GuestArrived, GuestDetails, GuestLeft, GuestMoved
from protocols.postings import CallCharge

ROOMS, GUESTS = ("101", "102", "103"), ("1", "2", None)
BEGIN = datetime(2026, 3, 14, 10, tzinfo=UTC).timestamp()


class Hotel:
    """A house, its history of residents in a real store, and charges between them."""

    def __init__(self, store, late=Late.PARK):
        self.house, self.store, self.at = House(zone=UTC), store, BEGIN
        self.charges = Charges(
            store=self._call,
            rooms=lambda: self.house.rooms,
            pms_rooms=PmsRooms(self._call, lambda room: f"0{room}"),
            zone=ZoneInfo("Europe/Lisbon"),
            outlet="10",
            late=late,
        )

    async def _call(self, method, *args):
        return method(self.store, *args)

    def hears(self, fact, **pms_rooms):
        self.at += 60
        self.house.apply(fact, datetime.fromtimestamp(self.at, UTC))
        book = self.house.book
        self.store.write_residents(residence.changes(book, pms_rooms, self.at, UTC))
        book.commit()

    def calls(self, room, use=ROOM):
        """A call of this room, now; it is over at once."""
        return PhoneCall(key=f"{room}/{self.at}", use=use, room=room, began=self.at, ended=self.at,
                         talk_s=9, digits="00331")  # fmt: skip

    def posting(self, call):
        return asyncio.run(self.charges.of(call))[1]

    def place(self, posting):
        return asyncio.run(self.charges.place(posting))


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "outbox.db")
    yield store
    store.close()


def arrives(room, number="1", name="Rossi"):
    details = GuestDetails(name=name)
    return GuestArrived(room=room, reservation=number, details=details, shared=False)


def test_a_charge_names_the_room_as_the_pms_writes_it_and_the_start_in_hotel_time(store):
    hotel = Hotel(store)
    hotel.hears(arrives("101"), **{"101": "0101"})
    call = hotel.calls("101")
    row, posting = asyncio.run(hotel.charges.of(call))
    assert (row.use, row.room, row.digits, row.talk_s) == ("posted", "101", "00331", 9)
    assert from_json(CallCharge, posting.body) == CallCharge(
        room="0101", at=datetime(2026, 3, 14, 10, 1), digits="00331", duration_s=9, outlet="10"
    )
    assert posting.guests == ("1",)
    assert hotel.place(posting) == (posting, "")


def test_a_call_without_digits_cannot_be_priced_by_the_pms(store):
    hotel = Hotel(store)
    hotel.hears(arrives("101"))
    call = replace(hotel.calls("101"), digits="#")
    row, posting = asyncio.run(hotel.charges.of(call))
    assert (row.use, posting.state) == ("posted", "held")
    assert posting.reason.startswith("no_digits: ")


def test_what_is_no_call_of_a_room_is_kept_and_not_charged(store):
    row, posting = asyncio.run(Hotel(store).charges.of(Hotel(store).calls("101", INTERNAL)))
    assert (row.use, posting) == ("internal", None)


def test_a_call_from_a_room_in_which_nobody_was_known_is_nobodys(store):
    hotel = Hotel(store)
    posting = hotel.posting(hotel.calls("101"))
    hotel.hears(arrives("101"))
    assert hotel.place(posting)[1] == ("late_charge: nobody was known to be in the room then")
    assert from_json(CallCharge, posting.body).room == "0101"  # as the site's map has it


def test_a_call_of_a_guest_who_has_left_is_late_from_the_beginning(store):
    hotel = Hotel(store)
    hotel.hears(arrives("101"))
    call = hotel.calls("101")
    hotel.hears(GuestLeft(room="101", reservation="1"))
    row, posting = asyncio.run(hotel.charges.of(call))
    assert (row.use, posting.state) == ("late", "held")
    assert posting.reason == "late_charge: the guest who has to pay has left the house"


@pytest.mark.parametrize(
    ("amount", "use", "state"),
    [(1250, "posted", "waiting"), (0, "free", None), (None, "posted", "held")],
)
def test_our_own_tariff_prices_a_call(store, amount, use, state):
    hotel = Hotel(store)
    number = Dialled("00331", "", "service")
    hotel.charges.pricing = lambda *_: Price(number=number, amount=amount, why="no row fits")
    hotel.hears(arrives("101"))
    row, posting = asyncio.run(hotel.charges.of(hotel.calls("101")))
    assert (row.use, row.amount) == (use, amount)
    if posting is None:
        assert state is None
    else:
        assert posting.state == state
        assert from_json(CallCharge, posting.body).amount == amount
        assert posting.reason == ("no_rate: no row fits" if amount is None else "")


def test_a_guest_who_moved_pays_where_he_is_if_the_site_says_so(store):
    hotel = Hotel(store, Late.NEW_ROOM)
    hotel.hears(arrives("101"))
    posting = hotel.posting(hotel.calls("101"))
    move = GuestMoved(room="102", old_room="101", reservation="1", details=GuestDetails())
    hotel.hears(move, **{"102": "0102", "101": "0101"})
    placed, why = hotel.place(posting)
    assert (placed.room, from_json(CallCharge, placed.body).room, why) == ("102", "0102", "")
    hotel.charges.late = Late.PARK
    assert hotel.place(posting)[1] == "late_charge: the guest who has to pay is in another room now"


def test_a_second_smith_without_a_number_is_another_guest(store):
    hotel = Hotel(store)
    hotel.hears(arrives("101", None, "Smith"))
    posting = hotel.posting(hotel.calls("101"))
    hotel.hears(GuestLeft(room="101", reservation=None))
    hotel.hears(arrives("101", None, "Smith"))
    assert hotel.place(posting)[1] == "late_charge: the guest who has to pay has left the house"


FACTS = st.one_of(
    st.builds(arrives, st.sampled_from(ROOMS), st.sampled_from(GUESTS), st.sampled_from("AB")),
    st.builds(
        GuestArrived,
        room=st.sampled_from(ROOMS),
        reservation=st.sampled_from(GUESTS),
        details=st.just(GuestDetails(name="C")),
        shared=st.sampled_from([True, None]),
    ),
    st.builds(GuestLeft, room=st.sampled_from(ROOMS), reservation=st.sampled_from(GUESTS)),
    st.builds(
        GuestMoved,
        room=st.sampled_from(ROOMS),
        old_room=st.sampled_from(ROOMS),
        reservation=st.sampled_from(GUESTS),
        details=st.just(GuestDetails()),
        shared=st.sampled_from([True, False, None]),
    ),
)
STORY = st.lists(FACTS | st.sampled_from(ROOMS), max_size=25)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(story=STORY, late=st.sampled_from(list(Late)))
def test_no_charge_reaches_another_guest(tmp_path_factory, story, late):
    """A string in the story is a call out of this room; each is listed at the end, and at each step
    asked again where it may go."""
    store = Store(tmp_path_factory.mktemp("store") / "outbox.db")
    try:
        hotel, made = Hotel(store, late), []
        for step in story:
            if isinstance(step, str):
                hotel.at += 60
                known = hotel.house.rooms.get(step)
                callers = residents(known) if known is not None else frozenset()
                made.append((hotel.calls(step), callers))
            else:
                hotel.hears(step)
            for call, callers in made:
                posting = hotel.posting(call)
                assert set(posting.guests) == callers
                placed, why = hotel.place(posting)
                if not why:
                    assert residents(hotel.house.rooms[placed.room]) & callers
    finally:
        store.close()
