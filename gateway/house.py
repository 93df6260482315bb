"""The house: who is in which room, in which order. Facts in, guest events out.

A pure state machine over values, the same for every dialect and every PBX. Sharers, room
moves, stale guests and the resync live here and nowhere else. The guest who has been in a room
longest is the one its phone shows.

The house only moves forward by `apply` and `tick`; `commit` or `rollback` follows each batch,
so that memory never knows more than the disk.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from enum import Enum
from typing import Final, assert_never

from gateway.events import (
    CheckIn,
    CheckOut,
    DoNotDisturb,
    Guest,
    GuestEvent,
    Move,
    RoomStatus,
    Update,
    WakeUp,
)
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

RUNG_AFTER: Final = timedelta(seconds=20)
"""A UCM keeps one wake-up per room and calls at the full minute: soon after it the next one may
be told, and must be, because it may be the next minute's."""

MAX_EXPECTED: Final = 16
"""Guests remembered for a room that is not in; more than a suite ever has."""


class Remark(Enum):
    """Something the PMS said that did not fit what we knew. Counted, never fatal."""

    SHARE_FLAG = "share_flag"  # its share flag against our own count: its word won
    STALE_GUESTS = "stale_guests"  # guests we still knew in a room it called empty
    UNKNOWN_GUEST = "unknown_guest"  # a guest left whom we never knew in that room
    ROOM_NOT_IN = "room_not_in"  # a change for a room without a guest
    IMPLICIT_MOVE = "implicit_move"  # a guest of another room, without a move record
    WAKE_UP_PAST = "wake_up_past"  # ordered for a moment that is over, with another to come
    WAKE_UP_MISSED = "wake_up_missed"  # its moment passed before the PBX could be told of it
    WAKE_UP_UNKNOWN = "wake_up_unknown"  # a wake-up cleared that was never ordered
    NO_RESYNC = "no_resync"  # a resync ended that had not begun
    RESYNC_VOIDED = "resync_voided"  # a resync that never came to its end


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """One room. Rooms we never heard of have none.

    guests      in the order of their arrival; the first one is displayed; empty: out
    expected    guests told of while the room was out
    said        guests whom the running resync puts here, in conflict with what we know
    vacated     the running resync says that nobody is here
    told_out    the PBX has been told that nobody is here
    wake_ups    ordered and not yet rung, ascending
    told        the one of them that the PBX knows
    """

    guests: tuple[Guest, ...] = ()
    expected: tuple[Guest, ...] = ()
    said: tuple[Guest, ...] = ()
    vacated: bool = False
    told_out: bool = False
    wake_ups: tuple[datetime, ...] = ()
    told: datetime | None = None

    @property
    def shown(self) -> Guest | None:
        """The displayed guest; None when the room is out."""
        return self.guests[0] if self.guests else None

    def find(self, key: str) -> Guest | None:
        """The guest of this room with this key."""
        return next((guest for guest in self.guests if guest.key == key), None)

    def without(self, key: str) -> tuple[Guest, ...]:
        """Everybody else, in order."""
        return tuple(guest for guest in self.guests if guest.key != key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """A check-out that waits whether the guest turns up in another room (PMS without moves)."""

    due: datetime
    room: str
    reservation: str
    shared: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What the house knows beside its rooms.

    resync          number of the running or last resync
    in_resync       one is running
    night_audit     between NS and NE
    """

    resync: int = 0
    in_resync: bool = False
    night_audit: bool = False
    departures: tuple[Departure, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """What one fact came to; `rooms`: all that it changed in our memory."""

    events: tuple[GuestEvent, ...] = ()
    remarks: tuple[Remark, ...] = ()
    rooms: frozenset[str] = frozenset()


_NEW_ROOM: Final = Room()


@dataclass(slots=True)
class House:
    """All rooms of one hotel.

    zone            the hotel's time zone
    infer_moves_s   for a PMS without moves: how long a check-out waits for a check-in of the
                    same reservation in another room; 0: not at all
    """

    zone: tzinfo = UTC
    infer_moves_s: float = 0.0
    rooms: dict[str, Room] = field(default_factory=dict)
    ledger: Ledger = Ledger()
    _home: dict[str, str] = field(default_factory=dict)
    _said: dict[str, str] = field(default_factory=dict)
    _ringing: set[str] = field(default_factory=set)
    _rooms_before: dict[str, Room | None] = field(default_factory=dict)
    _ledger_before: Ledger | None = None
    _events: list[GuestEvent] = field(default_factory=list)
    _remarks: list[Remark] = field(default_factory=list)
    _touched: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for number, room in self.rooms.items():
            self._index(number, _NEW_ROOM, room)

    # --- The way in ---

    def apply(self, fact: Fact, now: datetime) -> Told:
        """Take one fact; `now` is aware, in the hotel's zone.

        return  the events, in the order in which the PBX must see them, and the remarks
        """
        wall = now.replace(tzinfo=None)
        self._release_before(fact, wall)
        match fact:
            case GuestArrived(in_resync=True) if self.ledger.in_resync:
                self._arrive_in_resync(fact, wall)
            case GuestArrived():
                key = _key(fact.reservation, fact.room)
                self._settle_one(key, wall)
                # A room told in a resync whose start we missed: its flag empties nothing.
                shared = None if fact.in_resync else fact.shared
                if shared is False:
                    self._forget_said(fact.room)
                self._arrive(fact.room, key, fact.details, shared, wall)
                self._sight(key)
            case GuestLeft(in_resync=True) if self.ledger.in_resync:
                self._leave_in_resync(fact)
            case GuestLeft():
                self._left(fact, now, wall)
            case GuestMoved():
                self._moved(fact, wall)
            case GuestChanged():
                key = self._key_in(fact.reservation, fact.room)
                self._settle_one(key, wall)
                self._change(fact.room, key, fact.details, wall)
                self._sight(key)
            case RoomEquipped():
                self._equip(fact)
            case WakeUpOrdered():
                self._order_wake_up(fact.room, fact.at, wall)
            case WakeUpCleared():
                self._clear_wake_up(fact.room, fact.at, wall)
            case ResyncBegan():
                if self.ledger.in_resync:
                    self._settle(sweep=False)
                self._write(replace(self.ledger, in_resync=True, resync=self.ledger.resync + 1))
            case ResyncEnded():
                if self.ledger.in_resync:
                    self._settle(sweep=True)
                else:
                    self._remarks.append(Remark.NO_RESYNC)
            case ResyncVoided():
                if self.ledger.in_resync:
                    self._remarks.append(Remark.RESYNC_VOIDED)
                    self._settle(sweep=False)
            case NightAudit(running=running):
                self._write(replace(self.ledger, night_audit=running))
            case _:
                assert_never(fact)
        return self._told()

    def tick(self, now: datetime) -> Told:
        """What has become due by `now`: departures that no arrival followed, next wake-ups."""
        wall = now.replace(tzinfo=None)
        self._release(lambda departure: departure.due <= now, wall)
        for number in tuple(self._ringing):
            room = self.rooms[number]
            if room.told is not None and room.told + RUNG_AFTER <= wall:
                self._next_wake_up(number, room, wall)
        return self._told()

    def deadline(self) -> datetime | None:
        """When `tick` has something to do; aware, in the hotel's zone."""
        moments = [departure.due for departure in self.ledger.departures]
        for number in self._ringing:
            told = self.rooms[number].told
            if told is not None:
                moments.append((told + RUNG_AFTER).replace(tzinfo=self.zone))
        return min(moments, default=None)

    # --- The disk ---

    def changed_rooms(self) -> Mapping[str, Room]:
        """The rooms that differ from the last commit."""
        return {
            number: self.rooms[number]
            for number, before in self._rooms_before.items()
            if self.rooms[number] != before
        }

    def changed_ledger(self) -> Ledger | None:
        """The ledger, if it differs from the last commit."""
        if self._ledger_before is None or self._ledger_before == self.ledger:
            return None
        return self.ledger

    def commit(self) -> None:
        """Everything since the last commit is on disk."""
        self._rooms_before.clear()
        self._ledger_before = None

    def rollback(self) -> None:
        """Nothing since the last commit is on disk: forget it here too."""
        for number, before in self._rooms_before.items():
            self._index(number, self.rooms[number], before or _NEW_ROOM)
            if before is None:
                del self.rooms[number]
            else:
                self.rooms[number] = before
        if self._ledger_before is not None:
            self.ledger = self._ledger_before
        # A fact that broke off half-way has left its events here.
        for pending in (self._events, self._remarks, self._touched):
            pending.clear()
        self.commit()

    # --- Guests come, change, move and leave ---

    def _arrive(
        self, number: str, key: str, details: GuestDetails, shared: bool | None, wall: datetime
    ) -> None:
        room = self._room(number)
        home = self._home.get(key)
        if home is not None and home != number:
            self._remarks.append(Remark.IMPLICIT_MOVE)
            self._move(key, home, number, details, None, None, wall)
            return
        known = room.find(key)
        others = room.without(key)
        guest = _told_of(known or self._expected(room, key, wall), details)
        room = replace(room, expected=(), vacated=False)
        if known is not None:
            guests = _swapped(room.guests, guest)
            if shared is False and others:
                self._remarks.append(Remark.STALE_GUESTS)
                guests = (guest,)
            self._show(number, room, guests)
        elif shared is False and others:
            self._remarks.append(Remark.STALE_GUESTS)
            self._check_out(number, room)
            self._check_in(number, (guest,))
        elif room.shown is None:
            self._check_in(number, (guest,), wake_ups_of=room)
        else:
            self._show(number, room, _joined(room.guests, guest))

    def _change(self, number: str, key: str, details: GuestDetails, wall: datetime) -> None:
        room = self._room(number)
        home = self._home.get(key)
        if home is not None and home != number:
            self._remarks.append(Remark.IMPLICIT_MOVE)
            self._move(key, home, number, details, None, None, wall)
            return
        known = room.find(key)
        guest = _told_of(known or self._expected(room, key, wall), details)
        if known is not None:
            self._show(number, room, _swapped(room.guests, guest))
        elif room.shown is not None:
            self._show(number, room, _joined(room.guests, guest))
        else:
            self._remarks.append(Remark.ROOM_NOT_IN)
            expected = tuple(each for each in room.expected if each.key != key)
            self._put(number, replace(room, expected=(*expected, guest)[-MAX_EXPECTED:]))

    def _moved(self, fact: GuestMoved, wall: datetime) -> None:
        key = self._key_in(fact.reservation, fact.old_room)
        self._settle_one(key, wall)
        home = self._home.get(key)
        known = self.rooms[home].find(key) if home is not None else None
        nobody_moves = (
            fact.reservation is None
            and self._room(fact.old_room).shown is None
            and self._room(fact.room).shown is not None
        )
        if home == fact.room or nobody_moves:
            # Told again, or after an arrival that already moved him: nothing moves twice.
            self._change(fact.room, self._key_in(fact.reservation, fact.room), fact.details, wall)
        else:
            if home is not None and home != fact.old_room:
                self._remarks.append(Remark.IMPLICIT_MOVE)
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
        self._sight(key if fact.reservation else _key(None, fact.room))

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
        old, new = self._room(old_number), self._room(new_number)
        known = old.find(key) or known
        guest = _told_of(known or self._expected(new, key, wall), details)
        resident = None
        if guest.reservation is None:
            guest = replace(guest, key=_key(None, new_number))
            resident = new.find(guest.key)  # a room has one guest without a number
        staying = self._by_flag(old_number, old, _anybody(old.without(key)), old_shared)
        others = new.guests if resident is not None else new.without(guest.key)
        if new_shared is False and others:
            self._remarks.append(Remark.STALE_GUESTS)
            self._check_out(new_number, new)
            new, others = self._room(new_number), ()
        new = replace(new, expected=(), vacated=False)

        if others:
            keeps = resident is not None and not resident.is_nobody
            together = others if keeps else _joined(others, guest)
            self._put(new_number, replace(new, guests=together))
            self._events_of_display(new_number, replace(new, guests=others), self._room(new_number))
            if staying:
                self._show(old_number, old, staying)
            elif not old.told_out:
                self._check_out(old_number, old)
        elif staying:
            self._check_in(new_number, (guest,), wake_ups_of=new)
            self._show(old_number, old, staying)
        else:
            wake_ups = tuple(sorted({*new.wake_ups, *old.wake_ups}))
            self._put(old_number, replace(old, guests=(), wake_ups=(), told=None, told_out=True))
            told = old.told or new.told
            self._put(
                new_number,
                replace(new, guests=(guest,), wake_ups=wake_ups, told=told, told_out=False),
            )
            self._events.append(Move(room=new_number, from_room=old_number, guest=guest))
            # Of a stranger only what the record says is told: the PBX may know more of him.
            was = old.shown or _without(guest, details)
            if _differs(was, guest):
                self._events.append(Update(room=new_number, guest=guest, was=was))

    def _left(self, fact: GuestLeft, now: datetime, wall: datetime) -> None:
        key = self._key_in(fact.reservation, fact.room)
        self._settle_one(key, wall)
        room = self._room(fact.room)
        if fact.reservation is None:
            self._forget_said(fact.room)
        elif self.infer_moves_s > 0 and room.find(key) is not None:
            departure = Departure(
                # In UTC: an hour that comes twice must not make it wait for both.
                due=now.astimezone(UTC) + timedelta(seconds=self.infer_moves_s),
                room=fact.room,
                reservation=fact.reservation,
                shared=fact.shared,
            )
            self._write(replace(self.ledger, departures=(*self.ledger.departures, departure)))
            return
        self._leave(fact.room, key if fact.reservation else None, fact.shared, wall)

    def _leave(self, number: str, key: str | None, shared: bool | None, wall: datetime) -> None:
        """One guest leaves, or (key None) everybody unless the flag says that some stay."""
        room = self._room(number)
        if key is None:
            staying = room.without(_key(None, number)) if shared else ()
        else:
            if room.find(key) is None:
                self._remarks.append(Remark.UNKNOWN_GUEST)
            staying = _anybody(room.without(key))
        staying = self._by_flag(number, room, staying, shared)
        if staying:
            self._show(number, room, staying)
        elif shared and room.shown is None:
            # The PBX may show a guest from before our time: by the PMS's word, somebody is in.
            self._remarks.append(Remark.SHARE_FLAG)
            nobody = Guest(key=_key(None, number), came=wall)
            self._put(number, replace(room, guests=(nobody,), expected=(), told_out=False))
            self._events.append(Update(room=number, guest=nobody))
        elif not room.told_out:
            self._check_out(number, room)

    def _by_flag(
        self, number: str, room: Room, staying: tuple[Guest, ...], shared: bool | None
    ) -> tuple[Guest, ...]:
        """Who stays behind in a room, when the PMS's share flag has its word."""
        if shared is False and staying:
            self._remarks.append(Remark.SHARE_FLAG)
            return ()
        if shared is True and not staying and room.shown is not None:
            self._remarks.append(Remark.SHARE_FLAG)
            return (Guest(key=_key(None, number), came=room.shown.came),)
        return staying

    # --- What a room shows ---

    def _check_in(
        self, number: str, guests: tuple[Guest, ...], *, wake_ups_of: Room | None = None
    ) -> None:
        kept = wake_ups_of or _NEW_ROOM
        self._put(
            number, Room(guests=guests, wake_ups=kept.wake_ups, told=kept.told, said=kept.said)
        )
        self._events.append(CheckIn(room=number, guest=guests[0]))

    def _check_out(self, number: str, room: Room) -> None:
        self._put(number, Room(said=room.said, vacated=room.vacated, told_out=True))
        self._events.append(CheckOut(room=number))

    def _show(self, number: str, room: Room, guests: tuple[Guest, ...]) -> None:
        """The room stays in, with these guests."""
        after = replace(room, guests=guests)
        self._put(number, after)
        self._events_of_display(number, room, after)

    def _events_of_display(self, number: str, before: Room, after: Room) -> None:
        was, shown = before.shown, after.shown
        if was is not None and shown is not None and _differs(was, shown):
            self._events.append(Update(room=number, guest=shown, was=was))

    # --- Equipment and wake-ups ---

    def _equip(self, fact: RoomEquipped) -> None:
        room = self._room(fact.room)
        if fact.class_of_service:
            if room.shown is None:
                self._remarks.append(Remark.ROOM_NOT_IN)
            else:
                code = fact.class_of_service
                guests = tuple(replace(guest, class_of_service=code) for guest in room.guests)
                room = replace(room, guests=guests)
                self._put(fact.room, room)
                # Said outright, so it is told outright: a guest or a maid may have changed it.
                was = replace(guests[0], class_of_service=None)
                self._events.append(Update(room=fact.room, guest=guests[0], was=was))
        if fact.do_not_disturb is not None:
            if room.shown is None:
                self._remarks.append(Remark.ROOM_NOT_IN)
            else:
                self._events.append(
                    DoNotDisturb(room=fact.room, on=fact.do_not_disturb, guest=room.shown)
                )
        if fact.room_status:
            self._events.append(RoomStatus(room=fact.room, code=fact.room_status, guest=room.shown))

    def _order_wake_up(self, number: str, at: datetime, wall: datetime) -> None:
        room = self._missed(self._room(number), wall)
        pending = {each for each in room.wake_ups if each + RUNG_AFTER > wall}
        if pending and at + RUNG_AFTER <= wall:
            self._remarks.append(Remark.WAKE_UP_PAST)
            return
        wake_ups = tuple(sorted({*pending, at}))
        following = wake_ups[0]
        if following == at or following != room.told:
            self._events.append(WakeUp(room=number, at=following))
        # Else the PBX knows an earlier one; this one is told when that has rung.
        self._put(number, replace(room, wake_ups=wake_ups, told=following))

    def _clear_wake_up(self, number: str, at: datetime | None, wall: datetime) -> None:
        room = self._room(number)
        if at is None:
            self._put(number, replace(room, wake_ups=(), told=None))
            self._events.append(WakeUp(room=number))
        elif at == room.told:
            self._next_wake_up(number, room, wall, cancel=True)
        elif at in room.wake_ups:
            kept = tuple(each for each in room.wake_ups if each != at)
            self._put(number, replace(room, wake_ups=kept))
        else:
            self._remarks.append(Remark.WAKE_UP_UNKNOWN)
            if room.told is None or room.told + RUNG_AFTER <= wall:
                self._events.append(WakeUp(room=number))  # the PBX may know it from before us

    def _missed(self, room: Room, wall: datetime) -> Room:
        """Count the wake-ups whose moment passed while nobody could tell the PBX of them."""
        missed = [each for each in room.wake_ups if each != room.told and each + RUNG_AFTER <= wall]
        self._remarks += [Remark.WAKE_UP_MISSED] * len(missed)
        return replace(room, wake_ups=tuple(each for each in room.wake_ups if each not in missed))

    def _next_wake_up(
        self, number: str, room: Room, wall: datetime, *, cancel: bool = False
    ) -> None:
        room = self._missed(room, wall)
        left = tuple(
            each for each in room.wake_ups if each != room.told and each + RUNG_AFTER > wall
        )
        following = left[0] if left else None
        self._put(number, replace(room, wake_ups=left, told=following))
        if following is not None or cancel:
            self._events.append(WakeUp(room=number, at=following))

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
                    kept = tuple(each for each in self.ledger.departures if each not in moving)
                    self._write(replace(self.ledger, departures=kept))
                self._release(lambda departure: departure.room == fact.room, wall)
            case GuestLeft(in_resync=False):
                room = self._room(fact.room)
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
            kept = tuple(each for each in self.ledger.departures if each not in due)
            self._write(replace(self.ledger, departures=kept))
            for departure in due:
                self._leave(departure.room, departure.reservation, departure.shared, wall)

    # --- Resync: what the PMS says of every room, against what we know ---

    def _arrive_in_resync(self, fact: GuestArrived, wall: datetime) -> None:
        key = _key(fact.reservation, fact.room)
        room = self._room(fact.room)
        home = self._home.get(key)
        if self._said.get(key) not in (None, fact.room):
            self._unsay(key)  # the last word counts
            room = self._room(fact.room)
        if room.vacated:
            room = replace(room, vacated=False)
            self._put(fact.room, room)
        # A guest who is said to be here already came first, although he waits for the end.
        is_free = room.shown is None and all(each.key == key for each in room.said)
        if home == fact.room or (home is None and is_free):
            self._unsay(key)
            self._arrive(fact.room, key, fact.details, None, wall)
            self._sight(key)
            return
        # In conflict with what we know: who is gone is clear only when everything is told.
        known = next((each for each in room.said if each.key == key), None)
        if known is None and home is not None:
            known = self.rooms[home].find(key)
        guest = _told_of(known or Guest(key=key, came=wall), fact.details)
        said = tuple(each for each in room.said if each.key != key)
        self._put(fact.room, replace(room, said=(*said, guest)))

    def _leave_in_resync(self, fact: GuestLeft) -> None:
        room = self._room(fact.room)
        if fact.reservation is not None:
            self._unsay(fact.reservation)
            if self._home.get(fact.reservation) == fact.room:
                self._sight(fact.reservation, number=-self.ledger.resync)
            return
        self._forget_said(fact.room)
        if room.shown is not None:
            guests = tuple(replace(guest, sighted=0) for guest in room.guests)
            self._put(fact.room, replace(self._room(fact.room), guests=guests, vacated=True))

    def _settle_one(self, key: str, wall: datetime) -> None:
        """News about a guest whom the resync put somewhere: put him there first."""
        if key in self._said:
            number = self._said[key]
            guest = next(each for each in self.rooms[number].said if each.key == key)
            self._unsay(key)
            self._arrive(number, key, _details_of(guest), None, wall)

    def _settle(self, *, sweep: bool) -> None:
        """Make the house what the resync said, with the smallest set of events.

        sweep   everything was told: who was not mentioned and whose room somebody else was
                said to have is gone
        """
        resync = self.ledger.resync
        before = dict(self.rooms)
        after: dict[str, list[Guest]] = {}
        for number, room in before.items():
            mentioned = [guest for guest in room.guests if guest.sighted == resync]
            spoken_for = bool(mentioned or room.said)
            after[number] = [
                guest
                for guest in room.guests
                if guest.key not in self._said
                and guest.sighted != -resync
                and not room.vacated
                and not (sweep and spoken_for and guest.sighted != resync)
            ]
        for number, room in before.items():
            if room.said and all(guest.is_nobody for guest in after[number]):
                after[number] = []
            after[number] += [replace(guest, sighted=resync) for guest in room.said]
        touched = {
            number: tuple(guests)
            for number, guests in after.items()
            if tuple(guests) != before[number].guests
        }
        self._move_in_resync(touched)
        for number, guests in touched.items():
            shown = self._room(number).shown
            if shown is not None and (not guests or guests[0].key != shown.key):
                self._check_out(number, self._room(number))
        for number, guests in touched.items():
            room = self._room(number)
            if guests and room.shown is None:
                self._check_in(number, guests, wake_ups_of=room)
            elif guests:
                self._show(number, room, guests)
        for number, room in tuple(self.rooms.items()):
            if room.said or room.vacated:
                self._put(number, replace(room, said=(), vacated=False))
        self._write(replace(self.ledger, in_resync=False))

    def _move_in_resync(self, touched: Mapping[str, tuple[Guest, ...]]) -> None:
        """Emit the moves among the differences: displayed before, displayed after, way free."""
        waiting = dict(touched)
        progress = True
        while progress:
            progress = False
            for number, guests in tuple(waiting.items()):
                if not guests or self._room(number).shown is not None:
                    continue
                key = guests[0].key
                source = self._home.get(key)
                if source is None or source == number:
                    continue
                old = self._room(source)
                stay = {guest.key for guest in touched.get(source, old.guests)}
                if (
                    old.shown is None
                    or old.shown.key != key
                    or stay & {guest.key for guest in old.guests}
                ):
                    continue
                # Said is dropped from the index first, so that the move is the last word.
                self._unsay(key)
                emptied = replace(self._room(source), guests=(), wake_ups=(), told=None)
                self._put(source, replace(emptied, told_out=True))
                self._put(
                    number,
                    replace(
                        self._room(number),
                        guests=guests,
                        wake_ups=old.wake_ups,
                        told=old.told,
                        told_out=False,
                    ),
                )
                self._events.append(Move(room=number, from_room=source, guest=guests[0]))
                if _differs(old.shown, guests[0]):
                    self._events.append(Update(room=number, guest=guests[0], was=old.shown))
                del waiting[number]
                progress = True

    def _sight(self, key: str, *, number: int | None = None) -> None:
        """This guest was mentioned while a resync runs."""
        home = self._home.get(key)
        if self.ledger.in_resync and home is not None:
            room = self.rooms[home]
            mark = self.ledger.resync if number is None else number
            guests = tuple(
                replace(guest, sighted=mark) if guest.key == key else guest for guest in room.guests
            )
            self._put(home, replace(room, guests=guests, vacated=room.vacated and mark < 0))

    def _unsay(self, key: str) -> None:
        number = self._said.get(key)
        if number is not None:
            room = self.rooms[number]
            said = tuple(guest for guest in room.said if guest.key != key)
            self._put(number, replace(room, said=said))

    def _forget_said(self, number: str) -> None:
        if self._room(number).said:
            self._put(number, replace(self._room(number), said=()))

    # --- Small things ---

    def _room(self, number: str) -> Room:
        return self.rooms.get(number, _NEW_ROOM)

    def _key_in(self, reservation: str | None, number: str) -> str:
        """The key a record means: without a number, the only guest of the room."""
        guests = self._room(number).guests
        if reservation is None and len(guests) == 1:
            return guests[0].key
        return _key(reservation, number)

    @staticmethod
    def _expected(room: Room, key: str, wall: datetime) -> Guest:
        known = next((guest for guest in room.expected if guest.key == key), None)
        return replace(known, came=wall) if known else Guest(key=key, came=wall)

    def _put(self, number: str, room: Room) -> None:
        before = self.rooms.get(number)
        if room == before:
            return
        self._rooms_before.setdefault(number, before)
        self._touched.add(number)
        self.rooms[number] = room
        self._index(number, before or _NEW_ROOM, room)

    def _index(self, number: str, before: Room, room: Room) -> None:
        for guest in before.guests:
            if self._home.get(guest.key) == number:
                del self._home[guest.key]
        for guest in before.said:
            if self._said.get(guest.key) == number:
                del self._said[guest.key]
        self._home.update((guest.key, number) for guest in room.guests)
        self._said.update((guest.key, number) for guest in room.said)
        if len(room.wake_ups) > 1:
            self._ringing.add(number)
        else:
            self._ringing.discard(number)

    def _write(self, ledger: Ledger) -> None:
        if self._ledger_before is None:
            self._ledger_before = self.ledger
        self.ledger = ledger

    def _told(self) -> Told:
        told = Told(tuple(self._events), tuple(self._remarks), frozenset(self._touched))
        self._touched.clear()
        self._events.clear()
        self._remarks.clear()
        return told


def _key(reservation: str | None, room: str) -> str:
    return reservation if reservation is not None else f"@{room}"


def _told_of(guest: Guest, details: GuestDetails) -> Guest:
    """The guest with what a record says of him; what it does not say stays."""
    said = {
        name: value
        for name in GuestDetails.__slots__
        if (value := getattr(details, name)) is not None
    }
    return replace(guest, **said)


def _without(guest: Guest, details: GuestDetails) -> Guest:
    """The guest as if the record had not spoken of him."""
    blank = Guest(key=guest.key, came=guest.came)
    said = {
        name: getattr(blank, name)
        for name in GuestDetails.__slots__
        if getattr(details, name) is not None
    }
    return replace(guest, **said)


def _details_of(guest: Guest) -> GuestDetails:
    return GuestDetails(**{name: getattr(guest, name) for name in GuestDetails.__slots__})


def _differs(was: Guest, shown: Guest) -> bool:
    """Whether a PBX would have to be told."""
    key = shown.key if was.reservation == shown.reservation else was.key
    return replace(was, key=key, came=shown.came, sighted=shown.sighted) != shown


def _swapped(guests: Iterable[Guest], guest: Guest) -> tuple[Guest, ...]:
    return tuple(guest if each.key == guest.key else each for each in guests)


def _joined(guests: Iterable[Guest], guest: Guest) -> tuple[Guest, ...]:
    """The guest behind the others; nobody makes room for somebody."""
    return (*_anybody(guests), guest)


def _anybody(guests: Iterable[Guest]) -> tuple[Guest, ...]:
    return tuple(guest for guest in guests if not guest.is_nobody)
