"""The house: who is in which room, in which order. Facts in, guest events out.

A pure state machine over values, the same for every dialect and every PBX. Sharers, room moves
and stale guests live in this file; its neighbours are `book` (the rooms in memory, never ahead of
the disk), `display` (what the phones show), `wake_ups` and `resync`. The guest who has been in a
room longest is the one its phone shows.

The house only moves forward by `apply` and `tick`; `commit` or `rollback` follows each batch.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import assert_never

from gateway.events import CheckIn, DoNotDisturb, Guest, Move, RoomStatus, Update
from gateway.house.book import Book
from gateway.house.display import Display
from gateway.house.resync import Resync
from gateway.house.values import (
    MAX_EXPECTED,
    Departure,
    Ledger,
    Remark,
    Room,
    Told,
    anybody,
    details_of,
    differs,
    joined,
    key_of,
    swapped,
    told_of,
    without,
)
from gateway.house.wake_ups import WakeUps
from protocols.facts import (
    Fact,
    GuestArrived,
    GuestChanged,
    GuestDetails,
    GuestLeft,
    GuestMoved,
    NightAudit,
    ResyncBegan,
    ResyncEnded,
    ResyncVoided,
    RoomEquipped,
    WakeUpCleared,
    WakeUpOrdered,
)


class House:
    """All rooms of one hotel.

    zone            the hotel's time zone
    infer_moves_s   for a PMS without moves: how long a check-out waits for a check-in of the
                    same reservation in another room; 0: not at all
    rooms, ledger   what the outbox file knew at the last stop
    """

    def __init__(
        self,
        *,
        zone: tzinfo = UTC,
        infer_moves_s: float = 0.0,
        rooms: dict[str, Room] | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        self.zone = zone
        self.infer_moves_s = infer_moves_s
        self._book = Book(rooms=rooms or {}, ledger=ledger or Ledger())
        self._display = Display(self._book)
        self._wake_ups = WakeUps(self._book, self._display)
        self._resync = Resync(self._book, self._display)

    # --- The way in ---

    def apply(self, fact: Fact, now: datetime) -> Told:
        """Take one fact; `now` is aware, in the hotel's zone.

        return  the events, in the order in which the PBX must see them, and the remarks
        """
        wall = now.replace(tzinfo=None)
        self._release_before(fact, wall)
        match fact:
            case GuestArrived(in_resync=True) if self._resync.is_running:
                key = key_of(fact.reservation, fact.room)
                if self._resync.fits(fact, key, wall):
                    self._arrive(fact.room, key, fact.details, None, wall)
                    self._resync.sight(key)
            case GuestArrived():
                key = key_of(fact.reservation, fact.room)
                self._settle_one(key, wall)
                # A room told in a resync whose start we missed: its flag empties nothing.
                shared = None if fact.in_resync else fact.shared
                if shared is False:
                    self._resync.forget_said(fact.room)
                self._arrive(fact.room, key, fact.details, shared, wall)
                self._resync.sight(key)
            case GuestLeft(in_resync=True) if self._resync.is_running:
                self._resync.leave(fact)
            case GuestLeft():
                self._left(fact, now, wall)
            case GuestMoved():
                self._moved(fact, wall)
            case GuestChanged():
                key = self._key_in(fact.reservation, fact.room)
                self._settle_one(key, wall)
                self._change(fact.room, key, fact.details, wall)
                self._resync.sight(key)
            case RoomEquipped():
                self._equip(fact)
            case WakeUpOrdered():
                self._wake_ups.order(fact.room, fact.at, wall)
            case WakeUpCleared():
                self._wake_ups.clear(fact.room, fact.at, wall)
            case ResyncBegan():
                if self._resync.is_running:
                    self._resync.settle(sweep=False)
                self._resync.begin()
            case ResyncEnded():
                if self._resync.is_running:
                    self._resync.settle(sweep=True)
                else:
                    self._display.remarks.append(Remark.NO_RESYNC)
            case ResyncVoided():
                if self._resync.is_running:
                    self._display.remarks.append(Remark.RESYNC_VOIDED)
                    self._resync.settle(sweep=False)
            case NightAudit(running=running):
                self._book.write(replace(self._book.ledger, night_audit=running))
            case _:
                assert_never(fact)
        return self._told(wall)

    def tick(self, now: datetime) -> Told:
        """What has become due by `now`: departures that no arrival followed, next wake-ups."""
        wall = now.replace(tzinfo=None)
        self._release(lambda departure: departure.due <= now, wall)
        self._wake_ups.ring(wall)
        return self._told(wall)

    def _told(self, wall: datetime) -> Told:
        """What it came to; a wake-up that came along, or must be told again, is told behind it."""
        for event in tuple(self._display.events):
            if isinstance(event, Move | CheckIn):
                self._wake_ups.follow(event.room, wall)
        return self._display.told()

    def deadline(self) -> datetime | None:
        """When `tick` has something to do; aware, in the hotel's zone."""
        departures = [departure.due for departure in self.ledger.departures]
        return min(departures + self._wake_ups.deadlines(self.zone), default=None)

    def forget(self, before: datetime) -> None:
        """Let go of guests announced before this moment (hotel time) who never came."""
        for number, room in tuple(self.rooms.items()):
            expected = tuple(each for each in room.expected if each.came >= before)
            self._book.put(number, replace(room, expected=expected))

    # --- The disk ---

    @property
    def rooms(self) -> Mapping[str, Room]:
        """All rooms we have heard of, by their address."""
        return self._book.rooms

    @property
    def ledger(self) -> Ledger:
        """What is known beside the rooms."""
        return self._book.ledger

    def changed_rooms(self) -> Mapping[str, Room]:
        """The rooms that differ from the last commit."""
        return self._book.changed_rooms()

    def changed_ledger(self) -> Ledger | None:
        """The ledger, if it differs from the last commit."""
        return self._book.changed_ledger()

    def commit(self) -> None:
        """Everything since the last commit is on disk."""
        self._book.commit()

    def changed_mentions(self) -> Mapping[str, bool]:
        """Of whom the running resync has spoken since the last commit; never on disk."""
        return self._book.changed_mentions()

    def adopt(
        self, rooms: Mapping[str, Room], ledger: Ledger | None, mentions: Mapping[str, bool]
    ) -> None:
        """A change that was taken back turned out to be on disk: it is made again."""
        for number, room in rooms.items():
            self._book.put(number, room)
        if ledger is not None:
            self._book.write(ledger)
        for key, is_mentioned in mentions.items():
            self._book.mention(key, is_mentioned=is_mentioned)
        self.commit()

    def rollback(self) -> None:
        """Nothing since the last commit is on disk: forget it here too."""
        self._display.forget()
        self._book.rollback()

    # --- Guests come, change, move and leave ---

    def _arrive(
        self, number: str, key: str, details: GuestDetails, shared: bool | None, wall: datetime
    ) -> None:
        room = self._book.room(number)
        if self._moved_without_a_word(number, key, details, wall):
            return
        known = room.find(key)
        others = room.without(key)
        guest = told_of(known or self._expected(room, key, wall), details)
        room = replace(room, expected=(), vacated=False)
        if known is not None:
            guests = swapped(room.guests, guest)
            if shared is False and others:
                self._display.remarks.append(Remark.STALE_GUESTS)
                guests = (guest,)
            self._display.show(number, room, guests)
        elif shared is False and others:
            self._display.remarks.append(Remark.STALE_GUESTS)
            self._display.check_out(number, room)
            self._display.check_in(number, (guest,))
        elif room.shown is None:
            self._display.check_in(number, (guest,), wake_ups_of=room)
        else:
            self._display.show(number, room, joined(room.guests, guest))

    def _change(self, number: str, key: str, details: GuestDetails, wall: datetime) -> None:
        room = self._book.room(number)
        if self._moved_without_a_word(number, key, details, wall):
            return
        known = room.find(key)
        guest = told_of(known or self._expected(room, key, wall), details)
        if known is not None:
            self._display.show(number, room, swapped(room.guests, guest))
        elif room.shown is not None:
            self._display.show(number, room, joined(room.guests, guest))
        else:
            self._display.remarks.append(Remark.ROOM_NOT_IN)
            expected = tuple(each for each in room.expected if each.key != key)
            self._book.put(number, replace(room, expected=(*expected, guest)[-MAX_EXPECTED:]))

    def _moved_without_a_word(
        self, number: str, key: str, details: GuestDetails, wall: datetime
    ) -> bool:
        """A guest of another room turns up here: a move, its flags by our own count."""
        home = self._book.home.get(key)
        if home is None or home == number:
            return False
        self._display.remarks.append(Remark.IMPLICIT_MOVE)
        self._move(key, home, number, details, None, None, wall)
        return True

    def _moved(self, fact: GuestMoved, wall: datetime) -> None:
        key = self._key_in(fact.reservation, fact.old_room)
        self._settle_one(key, wall)
        home = self._book.home.get(key)
        known = self._book.rooms[home].find(key) if home is not None else None
        nobody_moves = (
            fact.reservation is None
            and self._book.room(fact.old_room).shown is None
            and self._book.room(fact.room).shown is not None
        )
        if home == fact.room or nobody_moves:
            # Told again, or after an arrival that already moved him: nothing moves twice.
            self._change(fact.room, self._key_in(fact.reservation, fact.room), fact.details, wall)
        else:
            if home is not None and home != fact.old_room:
                self._display.remarks.append(Remark.IMPLICIT_MOVE)
                self._leave(home, key, None, wall)
            self._move(
                key,
                fact.old_room,
                fact.room,
                fact.details,
                fact.shared,
                fact.old_room_shared,
                wall,
                known=known,
            )
        self._resync.sight(key if fact.reservation else key_of(None, fact.room))

    def _move(
        self,
        key: str,
        old_number: str,
        new_number: str,
        details: GuestDetails,
        new_shared: bool | None,
        old_shared: bool | None,
        wall: datetime,
        *,
        known: Guest | None = None,
    ) -> None:
        old, new = self._book.room(old_number), self._book.room(new_number)
        known = old.find(key) or known
        guest = told_of(known or self._expected(new, key, wall), details)
        resident = None
        if guest.reservation is None:
            guest = replace(guest, key=key_of(None, new_number))
            resident = new.find(guest.key)  # a room has one guest without a number
        staying = self._by_flag(old_number, old, anybody(old.without(key)), old_shared)
        is_unheard = bool(old_shared) and old.shown is None and not old.is_known_out
        others = new.guests if resident is not None else new.without(guest.key)
        if new_shared is False and others:
            self._display.remarks.append(Remark.STALE_GUESTS)
            self._display.check_out(new_number, new)
            new, others = self._book.room(new_number), ()
        new = replace(new, expected=(), vacated=False)

        if others:
            keeps = resident is not None and not resident.is_nobody
            together = others if keeps else joined(others, guest)
            self._book.put(new_number, replace(new, guests=together))
            self._display.tell_difference(
                new_number, replace(new, guests=others), self._book.room(new_number)
            )
        elif staying or is_unheard:
            self._display.check_in(new_number, (guest,), wake_ups_of=new)

        if is_unheard:
            self._keep_in(old_number, old, wall)
        elif staying:
            self._display.show(old_number, old, staying)
        elif others:
            if not old.told_out:
                self._display.check_out(old_number, old)
            together_now = self._book.room(new_number)
            wake_ups = tuple(sorted({*new.wake_ups, *old.wake_ups}))
            self._book.put(new_number, replace(together_now, wake_ups=wake_ups))
            self._wake_ups.follow(new_number, wall)
        elif _is_anothers(old, guest):  # his mailbox must not come along
            self._display.check_out(old_number, old)
            self._display.check_in(new_number, (guest,), wake_ups_of=new)
        else:
            wake_ups = tuple(sorted({*new.wake_ups, *old.wake_ups}))
            self._book.put(
                old_number, replace(old, guests=(), wake_ups=(), told=None, told_out=True)
            )
            self._book.put(
                new_number,
                replace(new, guests=(guest,), wake_ups=wake_ups, told=old.told, told_out=False),
            )
            self._display.events.append(Move(room=new_number, from_room=old_number, guest=guest))
            # Of a stranger only what the record says is told: the PBX may know more of him.
            was = old.shown or without(guest, details)
            if differs(was, guest):
                self._display.events.append(Update(room=new_number, guest=guest, was=was))

    def _left(self, fact: GuestLeft, now: datetime, wall: datetime) -> None:
        key = self._key_in(fact.reservation, fact.room)
        self._settle_one(key, wall)
        room = self._book.room(fact.room)
        if fact.reservation is None:
            self._resync.forget_said(fact.room)
        elif self.infer_moves_s > 0 and room.find(key) is not None:
            departure = Departure(
                # In UTC: an hour that comes twice must not make it wait for both.
                due=now.astimezone(UTC) + timedelta(seconds=self.infer_moves_s),
                room=fact.room,
                reservation=fact.reservation,
                shared=fact.shared,
            )
            self._expect_departures((*self.ledger.departures, departure))
            return
        self._leave(fact.room, key if fact.reservation else None, fact.shared, wall)

    def _leave(self, number: str, key: str | None, shared: bool | None, wall: datetime) -> None:
        """One guest leaves, or (key None) everybody unless the flag says that some stay."""
        room = self._book.room(number)
        if key is None:
            staying = room.without(key_of(None, number)) if shared else ()
        else:
            if room.find(key) is None:
                self._display.remarks.append(Remark.UNKNOWN_GUEST)
            staying = anybody(room.without(key))
        staying = self._by_flag(number, room, staying, shared)
        if staying:
            self._display.show(number, room, staying)
        elif shared and room.shown is None:
            self._keep_in(number, room, wall)
        elif not room.told_out:
            self._display.check_out(number, room)

    def _keep_in(self, number: str, room: Room, wall: datetime) -> None:
        """The PBX may show a guest from before our time: by the PMS's word, somebody is in."""
        self._display.remarks.append(Remark.SHARE_FLAG)
        nobody = Guest(key=key_of(None, number), came=wall)
        self._book.put(number, replace(room, guests=(nobody,), expected=(), told_out=False))
        self._display.events.append(Update(room=number, guest=nobody))

    def _by_flag(
        self, number: str, room: Room, staying: tuple[Guest, ...], shared: bool | None
    ) -> tuple[Guest, ...]:
        """Who stays behind in a room, when the PMS's share flag has its word."""
        if shared is False and staying:
            self._display.remarks.append(Remark.SHARE_FLAG)
            return ()
        if shared is True and not staying and room.shown is not None:
            self._display.remarks.append(Remark.SHARE_FLAG)
            return (Guest(key=key_of(None, number), came=room.shown.came),)
        return staying

    # --- Equipment ---

    def _equip(self, fact: RoomEquipped) -> None:
        room = self._book.room(fact.room)
        if fact.class_of_service:
            if room.shown is None:
                self._display.remarks.append(Remark.ROOM_NOT_IN)
            else:
                code = fact.class_of_service
                guests = tuple(replace(guest, class_of_service=code) for guest in room.guests)
                room = replace(room, guests=guests)
                self._book.put(fact.room, room)
                # Said outright, so it is told outright: a guest or a maid may have changed it.
                was = replace(guests[0], class_of_service=None)
                self._display.events.append(Update(room=fact.room, guest=guests[0], was=was))
        if fact.do_not_disturb is not None:
            if room.shown is None:
                self._display.remarks.append(Remark.ROOM_NOT_IN)
            else:
                self._display.events.append(
                    DoNotDisturb(room=fact.room, on=fact.do_not_disturb, guest=room.shown)
                )
        if fact.room_status:
            self._display.events.append(
                RoomStatus(room=fact.room, code=fact.room_status, guest=room.shown)
            )

    # --- Departures that may turn out to be moves ---

    def _release_before(self, fact: Fact, wall: datetime) -> None:
        """Let waiting departures happen that this fact cannot turn into moves."""
        match fact:
            case GuestArrived(in_resync=True):
                self._release(
                    lambda departure: (
                        departure.room == fact.room or departure.reservation == fact.reservation
                    ),
                    wall,
                )
            case GuestArrived():
                moving = [
                    each
                    for each in self.ledger.departures
                    if each.reservation == fact.reservation and each.room != fact.room
                ]
                if moving:
                    self._expect_departures(
                        tuple(each for each in self.ledger.departures if each not in moving)
                    )
                self._release(lambda departure: departure.room == fact.room, wall)
            case GuestLeft(in_resync=False):
                room = self._book.room(fact.room)
                if fact.reservation is None or room.find(fact.reservation) is None:
                    self._release(lambda departure: departure.room == fact.room, wall)
            case GuestChanged():
                self._release(lambda departure: departure.room == fact.room, wall)
            case GuestMoved():
                touched = (fact.room, fact.old_room)
                self._release(lambda departure: departure.room in touched, wall)
            case ResyncBegan() | ResyncEnded() | ResyncVoided():
                self._release(lambda _: True, wall)
            case _:
                pass  # equipment, wake-ups and marks do not care who is about to leave

    def _release(self, is_due: Callable[[Departure], bool], wall: datetime) -> None:
        due = [departure for departure in self.ledger.departures if is_due(departure)]
        if due:
            self._expect_departures(
                tuple(each for each in self.ledger.departures if each not in due)
            )
            for departure in due:
                self._leave(departure.room, departure.reservation, departure.shared, wall)

    def _expect_departures(self, departures: tuple[Departure, ...]) -> None:
        self._book.write(replace(self.ledger, departures=departures))

    def _settle_one(self, key: str, wall: datetime) -> None:
        """News about a guest whom the resync put somewhere: put him there first."""
        if key in self._book.said:
            number = self._book.said[key]
            guest = next(each for each in self._book.rooms[number].said if each.key == key)
            self._resync.unsay(key)
            self._arrive(number, key, details_of(guest), None, wall)

    # --- Small things ---

    def _key_in(self, reservation: str | None, number: str) -> str:
        """The key a record means: without a number, the only guest of the room."""
        guests = self._book.room(number).guests
        if reservation is None and len(guests) == 1:
            return guests[0].key
        return key_of(reservation, number)

    @staticmethod
    def _expected(room: Room, key: str, wall: datetime) -> Guest:
        known = next((guest for guest in room.expected if guest.key == key), None)
        return replace(known, came=wall) if known else Guest(key=key, came=wall)


def _is_anothers(room: Room, guest: Guest) -> bool:
    """The room shows somebody who is surely not this guest: by number and by name."""
    shown = room.shown
    return (
        shown is not None
        and room.find(guest.key) is None
        and None not in (shown.reservation, guest.reservation)
        and shown.name.casefold() != guest.name.casefold()
    )
