"""Random hotel days against a simple model hotel that was written without a look at the house."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gateway.drivers.calls import CheckIn, CheckOut, Move, Update
from gateway.house import House, Ledger, Room
from gateway.house.book import Book
from gateway.simulators.hotel import Hotel, plain
from gateway.store.text import from_json, to_json
from protocols.facts import ResyncVoided
from protocols.fias import decode, normalize
from tests.plan_play import Pbx

ROOMS = ("101", "102", "103", "104")


class Phones:
    """What an ideal PBX shows, and who has ever had the mailbox that is in each room.

    The plan calls for what the house desires; a mailbox goes with its stay, and is empty behind a
    check-in.
    """

    def __init__(self):
        self.pbx = Pbx()
        self.mailbox = {}  # room -> accounts that were shown while this mailbox was there

    def follow(self, house, rooms, wall):
        for call in self.pbx.follow(house, rooms, wall):
            self.take(call)

    def take(self, call):
        match call:
            case CheckIn(room=room, tags=tags):
                assert room not in self.mailbox, "19: already checked in"
                self.mailbox[room] = {tags["account"]}
            case CheckOut(room=room):
                del self.mailbox[room]
            case Update(room=room, tags=tags):
                self.mailbox[room].add(tags["account"])
            case Move(room=room, from_room=old):
                assert room not in self.mailbox, "24: destination checked in"
                self.mailbox[room] = self.mailbox.pop(old)

    def shown(self, room):
        have = self.pbx.actual.get(room)
        return have.tags if have is not None and have.stay is not None else None


class Day(RuleBasedStateMachine):
    """Sharers, moves, repeats, silent deeds, resyncs whole and broken, restarts."""

    def __init__(self):
        super().__init__()
        self.hotel = Hotel(rooms=ROOMS, seed=0)
        self.house = House()
        self.phones = Phones()
        self.mates = {}  # stay -> everybody who ever lived in it, by the house's word
        self.now = datetime(2026, 3, 14, 8, tzinfo=UTC)
        self.honest = True  # the line has heard everything

    def tell(self, records):
        for record in records:
            self.now += timedelta(seconds=1)
            for fact in normalize(decode(record.encode("utf-8"), "utf-8")):
                tried = self.house.apply(fact, self.now)
                self.house.book.rollback()  # a full disk: as if nobody had said it
                told = self.house.apply(fact, self.now)
                assert told == tried
                self.take(told)

    def take(self, told):
        for room in self.house.book.changed_rooms().values():
            assert from_json(Room, to_json(room)) == room
        self.house.book.commit()
        for room in self.house.rooms.values():
            if room.stay is not None:
                self.mates.setdefault(room.stay, set()).update(each.key for each in room.guests)
        self.phones.follow(self.house, told.rooms, self.now.replace(tzinfo=None))

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
            wanted = self.hotel.shown(room)
            shown = self.phones.shown(room)
            assert (shown is not None) == wanted.is_in, room
            if shown is not None:
                names = ("account", "language", "vipcode", "cos", "dateout")
                assert [shown[name] for name in names] == [getattr(wanted, name) for name in names]
                assert plain(shown["lastname"]) == wanted.lastname

    @invariant()
    def nobody_hears_a_strangers_messages(self):
        """Whoever a mailbox was open to lived in one stay with whom it is open to now."""
        for room, heard in self.phones.mailbox.items():
            shown = self.phones.shown(room)["account"]
            for account in heard - {shown}:
                assert any({account, shown} <= mates for mates in self.mates.values()), room

    @invariant()
    def a_stay_is_in_one_room_and_has_guests(self):
        stays = [room.stay for room in self.house.rooms.values() if room.stay is not None]
        assert len(stays) == len(set(stays))
        assert max(stays, default=0) <= self.house.ledger.stays
        for room in self.house.rooms.values():
            assert (room.stay is None) == (not room.guests)
            assert not (room.out and room.guests)

    @invariant()
    def a_restart_would_find_everybody_where_he_is(self):
        book, fresh = self.house.book, Book(rooms=dict(self.house.rooms))
        assert (book.home, book.said, book.called) == (fresh.home, fresh.said, fresh.called)

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
    hotel, house, phones = Hotel(rooms=ROOMS[:2], seed=seed), House(), Phones()
    now = datetime(2026, 3, 14, 8, tzinfo=UTC)
    for _ in range(12):
        records = hotel.check_in(hotel.free[0]) if hotel.free else []
        for record in records:
            for fact in normalize(decode(record.encode("utf-8"), "utf-8")):
                told = house.apply(fact, now)
                phones.follow(house, told.rooms, now.replace(tzinfo=None))
        if hotel.taken:
            hotel.check_out(hotel.taken[0], silent=True)
        for room, accounts in phones.mailbox.items():
            assert accounts == {phones.shown(room)["account"]}


def test_the_model_would_notice_a_wrong_name():
    """The invariants are not empty."""
    day = Day()
    day.tell(day.hotel.check_in("101"))
    shown = day.phones.pbx.actual["101"]
    day.phones.pbx.actual["101"] = replace(shown, tags={**shown.tags, "lastname": "Nobody"})
    with pytest.raises(AssertionError):
        day.every_phone_shows_what_the_pms_means()


def test_the_model_would_notice_a_strangers_mailbox():
    """A house that shows a new guest by an update, instead of a check-out and a check-in."""
    day = Day()
    day.tell(day.hotel.check_in("101"))
    day.phones.mailbox["101"].add("999")
    with pytest.raises(AssertionError):
        day.nobody_hears_a_strangers_messages()
