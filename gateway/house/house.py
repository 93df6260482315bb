"""The house: who is in which room, in which order. Facts in, rooms out.

A pure state machine over values, the same for every dialect and every PBX. Sharers, room moves
and stale guests live in this file; its neighbours are `book` (the rooms in memory, never ahead of
the disk), `wake_ups` and `resync`. The guest who has been in a room longest is the one its phone
shows. What that means for the phone is `Room.desired`.

The house only moves forward by `apply` and `tick`; `commit` or `rollback` follows each batch.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import assert_never

from gateway.house.book import Book
from gateway.house.resync import Resync
from gateway.house.states import Guest
from gateway.house.values import (
    MAX_EXPECTED,
    Departure,
    Ledger,
    Remark,
    Room,
    Told,
    anybody,
    details_of,
    is_another,
    joined,
    key_of,
    swapped,
    told_of,
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


@dataclass(frozen=True, slots=True)
class Lifted:
    """A guest on his way from one room to another.

    guest   as known before the move
    room    his old room, when nobody stayed behind: its stay goes with him
    """

    guest: Guest | None
    room: Room | None = None


class House:
    """All rooms of one hotel.

    zone            the hotel's time zone
    infer_moves_s   for a PMS without moves: how long a check-out waits for a check-in of the
                    same reservation in another room; 0: not at all
    rooms, ledger   what the store knew at the last stop
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
        self._wake_ups = WakeUps(self._book)
        self._resync = Resync(self._book)
        self._ticked: datetime | None = None

    # --- The way in ---

    def apply(self, fact: Fact, now: datetime) -> Told:
        """Take one fact; `now` is aware, in the hotel's zone."""
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
                    self._settle(wall, sweep=False)
                self._resync.begin()
            case ResyncEnded():
                if self._resync.is_running:
                    self._settle(wall, sweep=True)
                else:
                    self._book.remarks.append(Remark.NO_RESYNC)
            case ResyncVoided():
                if self._resync.is_running:
                    self._book.remarks.append(Remark.RESYNC_VOIDED)
                    self._settle(wall, sweep=False)
            case NightAudit(running=running):
                self._book.write(replace(self._book.ledger, night_audit=running))
            case _:
                assert_never(fact)
        return self._book.told()

    def tick(self, now: datetime) -> Told:
        """What has become due by `now`: departures that no arrival followed, next wake-ups."""
        wall = now.replace(tzinfo=None)
        longest = timedelta(seconds=self.infer_moves_s)
        # One that seems to wait longer has only seen the clock jump back.
        self._release(lambda each: each.due <= now or each.due > now + longest, wall)
        rung = self._wake_ups.ring(self._since(wall), wall)
        self._ticked = wall
        return replace(self._book.told(), rung=tuple(rung))

    def deadline(self, now: datetime) -> datetime | None:
        """When `tick` has something to do; aware, in the hotel's zone."""
        wall = now.replace(tzinfo=None)
        if self._ticked is not None and wall < self._ticked:
            return now  # the clock has jumped back: another wake-up may be the next by now
        departures = [departure.due for departure in self.ledger.departures]
        wake_ups = self._wake_ups.deadlines(self.zone, self._since(wall))
        return min(departures + wake_ups, default=None)

    def _since(self, wall: datetime) -> datetime:
        """When was the last tick? At a start: what has rung of late is looked at too."""
        return self._ticked or wall - timedelta(hours=1)

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
        self._book.told()
        self.commit()

    def rollback(self) -> None:
        """Nothing since the last commit is on disk: forget it here too."""
        self._book.rollback()

    # --- Guests come and change ---

    def _arrive(
        self, number: str, key: str, details: GuestDetails, shared: bool | None, wall: datetime
    ) -> None:
        if self._moved_without_a_word(number, key, details, shared, wall):
            return
        room = self._book.room(number)
        known = room.find(key)
        if known is not None and is_another(known, details):
            # A PMS without reservations: another name is another guest.
            self._book.remarks.append(Remark.STALE_GUESTS)
            self._book.check_out(number, room)
            room, known = self._book.room(number), None
        guest = told_of(known or self._expected(room, key, wall), details)
        if known is None:
            self._join(number, guest, shared)
            return
        guests = swapped(room.guests, guest)
        if shared is False and room.without(key):
            self._book.remarks.append(Remark.STALE_GUESTS)
            guests, room = (guest,), replace(room, adopts=False)
        self._book.put(number, room.with_guests(guests))

    def _join(
        self, number: str, guest: Guest, shared: bool | None, lifted: Room | None = None
    ) -> None:
        """A guest comes into a room, and brings the stay of his old one, if he left nobody there.

        shared  the PMS's word about this room: False empties it first
        """
        room = self._book.room(number)
        if shared is False and room.guests:
            self._book.remarks.append(Remark.STALE_GUESTS)
            self._book.check_out(number, room)
            room = self._book.room(number)
        brought = lifted.wake_ups if lifted is not None else ()
        wake_ups = tuple(sorted({*room.wake_ups, *brought}))
        adopts = shared is True and room.is_unheard
        if room.guests:
            room = room.with_guests(joined(room.guests, guest))
            self._book.put(number, replace(room, wake_ups=wake_ups))
        elif lifted is not None and lifted.stay is not None and not adopts:
            stay = replace(
                lifted.with_guests((guest,)),
                said=room.said,
                left=room.left,
                vacated=room.vacated,
                wake_ups=wake_ups,
                status=room.status,
                status_said=room.status_said,
            )
            self._book.put(number, stay)
        else:
            room = replace(room, adopts=adopts, wake_ups=wake_ups)
            self._book.check_in(number, (guest,), room)

    def _change(self, number: str, key: str, details: GuestDetails, wall: datetime) -> None:
        if self._moved_without_a_word(number, key, details, None, wall):
            return
        room = self._book.room(number)
        known = room.find(key)
        guest = told_of(known or self._expected(room, key, wall), details)
        if known is not None:
            self._book.put(number, room.with_guests(swapped(room.guests, guest)))
        elif room.guests:
            self._book.put(number, room.with_guests(joined(room.guests, guest)))
        else:
            self._book.remarks.append(Remark.ROOM_NOT_IN)
            expected = tuple(each for each in room.expected if each.key != key)
            self._book.put(number, replace(room, expected=(*expected, guest)[-MAX_EXPECTED:]))

    # --- Guests move ---

    def _moved_without_a_word(
        self, number: str, key: str, details: GuestDetails, shared: bool | None, wall: datetime
    ) -> bool:
        """A guest of another room turns up here: a move; his old room by our own count."""
        home = self._book.home.get(key)
        if home is None or home == number:
            return False
        self._book.remarks.append(Remark.IMPLICIT_MOVE)
        lifted = self._lift(home, key, None, wall)
        left = self._book.room(home)
        moved_on = (*left.moved_on, key)[-MAX_EXPECTED:]
        self._book.put(home, replace(left, moved_on=moved_on))
        self._place(number, lifted, key, details, shared, wall)
        return True

    def _moved(self, fact: GuestMoved, wall: datetime) -> None:
        key = self._key_in(fact.reservation, fact.old_room)
        self._settle_one(key, wall)
        home = self._book.home.get(key)
        nobody_moves = (
            fact.reservation is None
            and self._book.room(fact.old_room).shown is None
            and self._book.room(fact.room).shown is not None
        )
        if home == fact.room or nobody_moves:
            # Told again, or after an arrival that already moved him: nothing moves twice.
            key = self._key_in(fact.reservation, fact.room)
            self._change(fact.room, key, fact.details, wall)
        else:
            lifted = self._lift(fact.old_room, key, fact.old_room_shared, wall)
            if home is not None and home != fact.old_room:
                # He was in the old room without our knowing, and brought there what he has.
                self._book.remarks.append(Remark.IMPLICIT_MOVE)
                lifted = self._lift(home, key, None, wall)
            self._place(fact.room, lifted, key, fact.details, fact.shared, wall)
        self._resync.sight(key if fact.reservation else key_of(None, fact.room))

    def _lift(self, number: str, key: str, shared: bool | None, wall: datetime) -> Lifted:
        """A guest leaves a room for another one; the last one takes the stay along.

        shared  the PMS's word about this room
        """
        room = self._book.room(number)
        guest = room.find(key)
        staying = self._by_flag(number, room, anybody(room.without(key)), shared)
        if staying:
            self._book.put(number, room.with_guests(staying))
        elif shared and room.is_unheard:
            self._keep_in(number, room, wall)
        else:
            self._book.check_out(number, room)
            return Lifted(guest, room)
        return Lifted(guest)

    def _place(
        self,
        number: str,
        lifted: Lifted,
        key: str,
        details: GuestDetails,
        shared: bool | None,
        wall: datetime,
    ) -> None:
        """A guest on his way arrives; `shared`: the PMS's word about this room."""
        room = self._book.room(number)
        guest = told_of(lifted.guest or self._expected(room, key, wall), details)
        if self._is_anothers(lifted, guest):
            lifted = Lifted(guest)
        if guest.reservation is None:
            guest = replace(guest, key=key_of(None, number))
            resident = room.find(guest.key)
            if resident is not None and not resident.is_nobody:
                return  # a room has one guest without a number, and keeps him
        self._join(number, guest, shared, lifted.room)

    @staticmethod
    def _is_anothers(lifted: Lifted, guest: Guest) -> bool:
        """The old room shows somebody who is surely not this guest, by number and by name: its
        mailbox must not come along.
        """
        shown = lifted.room.shown if lifted.room is not None else None
        return (
            shown is not None
            and lifted.guest is None
            and None not in (shown.reservation, guest.reservation)
            and shown.name.casefold() != guest.name.casefold()
        )

    # --- Guests leave ---

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
                # That others stay was true when it was said, and may not be when it is due.
                shared=None if fact.shared else fact.shared,
            )
            self._expect_departures((*self.ledger.departures, departure))
            return
        home = self._book.home.get(key)
        self._leave(fact.room, key if fact.reservation else None, fact.shared, wall)
        if fact.reservation in room.moved_on:
            moved_on = tuple(each for each in room.moved_on if each != fact.reservation)
            self._book.put(fact.room, replace(self._book.room(fact.room), moved_on=moved_on))
        elif fact.reservation is not None and home is not None and home != fact.room:
            # He had moved here before he left, and nobody told us.
            self._book.remarks.append(Remark.IMPLICIT_MOVE)
            self._leave(home, key, None, wall)

    def _leave(self, number: str, key: str | None, shared: bool | None, wall: datetime) -> None:
        """One guest leaves, or (key None) everybody unless the flag says that some stay."""
        room = self._book.room(number)
        if key is None:
            staying = room.without(key_of(None, number)) if shared else ()
        else:
            if room.find(key) is None:
                self._book.remarks.append(Remark.UNKNOWN_GUEST)
            staying = anybody(room.without(key))
        staying = self._by_flag(number, room, staying, shared)
        if staying:
            self._book.put(number, room.with_guests(staying))
        elif shared and room.shown is None:
            self._keep_in(number, room, wall)
        elif room.guests or not room.out:
            self._book.check_out(number, room)

    def _keep_in(self, number: str, room: Room, wall: datetime) -> None:
        """The PBX may show a guest from before our time: by the PMS's word, somebody is in."""
        self._book.remarks.append(Remark.SHARE_FLAG)
        nobody = Guest(key=key_of(None, number), came=wall)
        self._book.check_in(number, (nobody,), replace(room, adopts=room.is_unheard))

    def _by_flag(
        self, number: str, room: Room, staying: tuple[Guest, ...], shared: bool | None
    ) -> tuple[Guest, ...]:
        """Who stays behind in a room, when the PMS's share flag has its word."""
        if shared is False and staying:
            self._book.remarks.append(Remark.SHARE_FLAG)
            return ()
        if shared is True and not staying and room.shown is not None:
            self._book.remarks.append(Remark.SHARE_FLAG)
            return (Guest(key=key_of(None, number), came=room.shown.came),)
        return staying

    # --- Equipment ---

    def _equip(self, fact: RoomEquipped) -> None:
        room = self._book.room(fact.room)
        if room.shown is None:
            asked = (fact.class_of_service, fact.do_not_disturb)
            not_in = sum(each not in (None, "") for each in asked)
            self._book.remarks += [Remark.ROOM_NOT_IN] * not_in
        else:
            if fact.class_of_service:
                code = fact.class_of_service
                guests = tuple(replace(guest, class_of_service=code) for guest in room.guests)
                room = replace(room, guests=guests, class_said=room.class_said + 1)
            if fact.do_not_disturb is not None:
                room = replace(room, dnd=fact.do_not_disturb, dnd_said=room.dnd_said + 1)
        if fact.room_status:
            room = replace(room, status=fact.room_status, status_said=room.status_said + 1)
        self._book.put(fact.room, room)

    # --- A resync has told everything ---

    def _settle(self, wall: datetime, *, sweep: bool) -> None:
        """Make the house what the resync said: who is gone leaves, who moved is lifted out of his
        old room and placed in the new one, who is new arrives; in this order, so that nobody
        finds his room still taken by somebody who has left it.
        """
        gone, said = self._resync.gone(sweep=sweep), self._resync.said()
        self._resync.end()
        for number, guest in gone:
            self._leave(number, guest.key, None, wall)
        movers = [
            (number, guest)
            for number, guest in said
            if self._book.home.get(guest.key) not in (None, number)
        ]
        # The displayed guest of a room goes last, and so takes the stay along.
        lifted = {
            guest.key: self._lift(self._book.home[guest.key], guest.key, None, wall)
            for _, guest in sorted(movers, key=lambda mover: self._place_of(mover[1]), reverse=True)
        }
        # Who brings a stay comes first: those who move in with him then join it.
        for number, guest in sorted(movers, key=lambda mover: lifted[mover[1].key].room is None):
            details = details_of(guest)
            self._place(number, lifted[guest.key], guest.key, details, None, wall)
        for number, guest in said:
            if guest.key not in lifted:
                self._arrive(number, guest.key, details_of(guest), None, wall)
        came: dict[str, list[str]] = {}
        for number, guest in said:
            came.setdefault(number, []).append(guest.key)
        for number, keys in came.items():  # those who came have come in the order of the PMS
            room = self._book.room(number)
            order = {key: place for place, key in enumerate(keys)}
            guests = sorted(room.guests, key=lambda guest: order.get(guest.key, -1))
            self._book.put(number, replace(room, guests=tuple(guests)))

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
                self._expect_departures(
                    tuple(each for each in self.ledger.departures if each not in moving)
                )
                # Who left the old room before him has left it when he moves: the last one takes
                # the stay along.
                rooms = {fact.room, *(each.room for each in moving)}
                self._release(
                    lambda each: (
                        each.room in rooms and (each.room == fact.room or each.due <= moving[0].due)
                    ),
                    wall,
                )
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
        self._expect_departures(tuple(each for each in self.ledger.departures if each not in due))
        for departure in due:
            self._leave(departure.room, departure.reservation, departure.shared, wall)

    def _expect_departures(self, departures: tuple[Departure, ...]) -> None:
        if departures != self.ledger.departures:
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

    def _place_of(self, guest: Guest) -> int:
        """0: the displayed one of his room."""
        guests = self._book.rooms[self._book.home[guest.key]].guests
        return next(place for place, each in enumerate(guests) if each.key == guest.key)

    @staticmethod
    def _expected(room: Room, key: str, wall: datetime) -> Guest:
        known = next((guest for guest in room.expected if guest.key == key), None)
        return replace(known, came=wall) if known else Guest(key=key, came=wall)
