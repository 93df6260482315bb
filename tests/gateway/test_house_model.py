"""Random hotel days against a simple model hotel that was written without a look at the house."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gateway.events import CheckIn, CheckOut, Move, Update
from gateway.house import House, Ledger, Room
from gateway.house.book import Book
from gateway.jsonable import from_json, to_json
from gateway.simulators.hotel import Hotel
from protocols.facts import ResyncVoided
from protocols.fias import decode, normalize

ROOMS = ("101", "102", "103", "104")


class Phone:
    """What a strict PBX shows: it refuses what a UCM would refuse."""

    def __init__(self):
        self.shown = {}
        self.mailbox = {}

    def take(self, event):
        match event:
            case CheckIn(room=room, guest=guest):
                assert room not in self.shown, "19: already checked in"
                self.shown[room] = guest
                self.mailbox[room] = {guest.key}
            case CheckOut(room=room):
                assert room in self.shown, "20: not checked in"
                del self.shown[room], self.mailbox[room]
            case Update(room=room, guest=guest, was=was):
                assert room in self.shown, "20: not checked in"
                assert was is None or was.key == self.shown[room].key
                self.shown[room] = guest
                self.mailbox[room].add(guest.key)
            case Move(room=room, from_room=old):
                assert old in self.shown, "20: not checked in"
                assert room not in self.shown, "24: destination checked in"
                self.shown[room] = self.shown.pop(old)
                self.mailbox[room] = self.mailbox.pop(old)


class Day(RuleBasedStateMachine):
    """Sharers, moves, repeats, silent deeds, resyncs whole and broken, restarts."""

    def __init__(self):
        super().__init__()
        self.hotel = Hotel(rooms=ROOMS, seed=0)
        self.house = House()
        self.phone = Phone()
        self.now = datetime(2026, 3, 14, 8, tzinfo=UTC)
        self.honest = True  # the line has heard everything

    def tell(self, records):
        for record in records:
            self.now += timedelta(seconds=1)
            for fact in normalize(decode(record.encode("utf-8"), "utf-8")):
                tried = self.house.apply(fact, self.now)
                self.house.rollback()  # a full disk: as if nobody had said it
                told = self.house.apply(fact, self.now)
                assert told == tried
                self.take(told)

    def take(self, told):
        for event in told.events:
            self.phone.take(event)
        for room in self.house.changed_rooms().values():
            assert from_json(Room, to_json(room)) == room
        self.house.commit()

    @rule(seed=st.integers(0, 2**32), repeat=st.booleans(), without_moves=st.booleans())
    def live_deed(self, seed, repeat, without_moves):
        self.hotel._random.seed(seed)
        self.hotel.moves = not without_moves
        records = self.hotel.random_deed()
        if not self.honest and len(records) == 2:
            return  # a pair and a lie together have no right answer
        self.tell(records)
        # A pair told again (GO, GI, GO, GI) is a second move, not a repeat.
        if repeat and len(records) == 1:
            self.tell(records)

    @rule(seed=st.integers(0, 2**32), deeds=st.integers(1, 6))
    def silent_deeds_then_resync(self, seed, deeds):
        self.hotel._random.seed(seed)
        for _ in range(deeds):
            self.hotel.silent_deed()
        records = self.hotel.resync()
        rooms = records[1:-1]
        if seed % 3 == 0:  # rooms come in any order; the guests of one room in theirs
            order = list(ROOMS)
            random.Random(seed).shuffle(order)
            rooms.sort(key=lambda record: order.index(record.split("|RN")[1][:3]))
        self.tell([records[0], *rooms, records[-1]])

    @rule(seed=st.integers(0, 2**32), told=st.integers(0, 6))
    def resync_that_breaks_off(self, seed, told):
        self.hotel._random.seed(seed)
        self.tell(self.hotel.resync()[: 1 + told])
        self.take(self.house.apply(ResyncVoided(), self.now))

    @rule(seed=st.integers(0, 2**32))
    def live_deeds_inside_a_resync(self, seed):
        self.hotel._random.seed(seed)
        records = self.hotel.resync()
        half = len(records) // 2
        self.tell(records[:half])
        # Told before and after: the live record is the later word about its guest and rooms.
        deed = self.hotel.random_deed() if len(records) > 2 else []
        if len(deed) == 1:
            self.tell(deed)
        self.tell(self.hotel.resync()[1:])

    @rule()
    def power_cut(self):
        rooms = {
            number: from_json(Room, to_json(room)) for number, room in self.house.rooms.items()
        }
        self.house = House(rooms=rooms, ledger=from_json(Ledger, to_json(self.house.ledger)))

    @invariant()
    def every_phone_shows_what_the_pms_means(self):
        for room in ROOMS:
            wanted = self.hotel.told[room]
            shown = self.phone.shown.get(room)
            assert (shown.key if shown else None) == (wanted[0] if wanted else None), room
            if shown:
                guest = self.hotel.guests[shown.key]
                assert (shown.name, shown.language, shown.class_of_service, shown.departure) == (
                    guest.name, guest.language, guest.cos, guest.departure
                )  # fmt: skip

    @invariant()
    def nobody_hears_a_strangers_messages(self):
        """Whoever a mailbox was open to was told to be in that room in this stay."""
        for room, heard in self.phone.mailbox.items():
            assert self.phone.shown[room].key in heard

    @invariant()
    def a_restart_would_find_everybody_where_he_is(self):
        book, fresh = self.house._book, Book(rooms=dict(self.house.rooms))
        assert (book.home, book.said, book.crowded) == (fresh.home, fresh.said, fresh.crowded)

    @invariant()
    def the_house_knows_the_same_guests_as_the_hotel(self):
        for room in ROOMS:
            known = [guest.key for guest in self.house.rooms.get(room, Room()).guests]
            assert known == self.hotel.told[room], room


TestDay = Day.TestCase
TestDay.settings = settings(stateful_step_count=25)


@given(st.integers(0, 2**32))
def test_a_stale_guest_never_shares_a_mailbox(seed):
    """GI with the flag N into a room that we believe taken: the old mailbox goes first."""
    hotel, house, phone = Hotel(rooms=ROOMS[:2], seed=seed), House(), Phone()
    now = datetime(2026, 3, 14, 8, tzinfo=UTC)
    for _ in range(12):
        records = hotel.check_in(hotel.free[0]) if hotel.free else []
        for record in records:
            for fact in normalize(decode(record.encode("utf-8"), "utf-8")):
                for event in house.apply(fact, now).events:
                    phone.take(event)
        if hotel.taken:
            hotel.check_out(hotel.taken[0], silent=True)
        for room, keys in phone.mailbox.items():
            assert keys == {phone.shown[room].key}


def test_the_model_would_notice_a_wrong_house():
    """The invariant is not empty: a house that forgets a sharer is caught."""
    day = Day()
    day.tell(day.hotel.check_in("101"))
    day.phone.shown["101"] = replace(day.phone.shown["101"], name="Nobody")
    try:
        day.every_phone_shows_what_the_pms_means()
    except AssertionError:
        return
    raise AssertionError("a wrong name went unnoticed")
