"""The values of the house: rooms, what is known beside them, and how guests are compared. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Final

from gateway.house.states import MAX_GONE, Desired, Guest
from protocols.facts import GuestDetails

MAX_EXPECTED: Final = 16
"""Guests remembered for a room that is not in; more than a suite ever has."""


class Remark(Enum):
    """Something the PMS said that did not fit what we knew. Counted, never fatal."""

    SHARE_FLAG = "share_flag"  # its share flag against our own count: its word won
    STALE_GUESTS = "stale_guests"  # guests we still knew in a room it called empty
    UNKNOWN_GUEST = "unknown_guest"  # a guest left whom we never knew in that room
    ROOM_NOT_IN = "room_not_in"  # a change for a room without a guest
    IMPLICIT_MOVE = "implicit_move"  # a guest of another room, without a move record
    WAKE_UP_PAST = "wake_up_past"  # ordered for a moment that is over
    WAKE_UP_MISSED = "wake_up_missed"  # its moment passed before the PBX could be told of it
    SHARER_WITHOUT_NUMBER = "sharer_without_number"  # a PMS that keeps rooms named a second guest
    WAKE_UP_UNKNOWN = "wake_up_unknown"  # a wake-up cleared that was never ordered
    NO_RESYNC = "no_resync"  # a resync ended that had not begun
    RESYNC_VOIDED = "resync_voided"  # a resync that never came to its end


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """One room. Rooms we never heard of have none.

    stay        the number of the occupation; None: nobody is in
    guests      in the order of their arrival; the first one is displayed; empty: out
    gone        who was in this stay and has left it; the PBX may show one of them still
    adopts      the PMS called the room shared when we had never heard of it: see Desired
    out         by the PMS's own word nobody is here; a room we only never heard of is not
    expected    guests told of while the room was out
    said        guests whom the running resync puts here, in conflict with what we know
    left        keys of guests who are out, as the running resync says
    vacated     the running resync says that nobody is here
    moved_on    keys of guests who turned up elsewhere without a move record: their departure from
                here is the other half of that move
    wake_ups    ordered, ascending; kept until they are cleared or the stay ends
    status      the housekeeping status, the PMS's own code; it stays with the room
    departures  how many stays have ended here, or were taken along into another room
    ..._said    see Desired
    """

    stay: int | None = None
    guests: tuple[Guest, ...] = ()
    gone: tuple[Guest, ...] = ()
    adopts: bool = False
    out: bool = False
    expected: tuple[Guest, ...] = ()
    said: tuple[Guest, ...] = ()
    left: tuple[str, ...] = ()
    vacated: bool = False
    moved_on: tuple[str, ...] = ()
    wake_ups: tuple[datetime, ...] = ()
    wake_up_said: int = 0
    dnd: bool = False
    dnd_said: int = 0
    class_said: int = 0
    status: str | None = None
    status_said: int = 0
    departures: int = 0

    @property
    def shown(self) -> Guest | None:
        """The displayed guest; None when the room is out."""
        return self.guests[0] if self.guests else None

    @property
    def is_unheard(self) -> bool:
        """Who is in this room the PMS never said."""
        return not self.guests and not self.out

    def find(self, key: str) -> Guest | None:
        """The guest of this room with this key."""
        return next((guest for guest in self.guests if guest.key == key), None)

    def without(self, key: str) -> tuple[Guest, ...]:
        """Everybody else, in order."""
        return tuple(guest for guest in self.guests if guest.key != key)

    def with_guests(self, guests: tuple[Guest, ...]) -> "Room":
        """The same stay with these guests; who has left it is remembered."""
        here = {guest.key for guest in guests}
        known = {guest.key: guest for guest in (*self.gone, *self.guests) if not guest.is_nobody}
        gone = tuple(guest for key, guest in known.items() if key not in here)
        return replace(self, guests=guests, gone=gone[-MAX_GONE:], expected=())

    def desired(self) -> Desired:
        """What the phone should show."""
        return Desired(
            is_heard=not self.is_unheard,
            stay=self.stay,
            guest=self.shown,
            residents=(*self.guests, *self.gone),
            adopts=self.adopts,
            wake_ups=self.wake_ups,
            wake_up_said=self.wake_up_said,
            dnd=self.dnd,
            dnd_said=self.dnd_said,
            class_said=self.class_said,
            status=self.status,
            status_said=self.status_said,
            departures=self.departures,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """A check-out that waits whether the guest turns up in another room (PMS without moves)."""

    due: datetime
    room: str
    reservation: str
    shared: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Somebody has come into a room that is taken, and his name has not been said yet.

    class_of_service    what was set for the room since; None: nothing
    is_in   the room was free, and he is in it under a name that was said before he came
    """

    due: datetime
    room: str
    in_resync: bool = False
    is_in: bool = False
    class_of_service: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What the house knows beside its rooms.

    stays           how many stays there ever were: the number of the last one
    resync          number of the running or last resync
    in_resync       one is running
    night_audit     between NS and NE
    """

    stays: int = 0
    resync: int = 0
    in_resync: bool = False
    night_audit: bool = False
    departures: tuple[Departure, ...] = ()
    arrivals: tuple[Arrival, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """What one fact, or the time, came to.

    remarks     what did not fit
    rooms       those that changed in our memory, or in which something has become due
    rung        wake-ups that must have rung: room, and the moment as it was ordered
    """

    remarks: tuple[Remark, ...] = ()
    rooms: frozenset[str] = frozenset()
    rung: tuple[tuple[str, datetime], ...] = ()


NEW_ROOM: Final = Room()
"""A room we never heard of."""


def key_of(reservation: str | None, room: str) -> str:
    """The key of a guest: his reservation, or the room in a PMS that keeps rooms."""
    return reservation if reservation is not None else f"@{room}"


def told_of(guest: Guest, details: GuestDetails) -> Guest:
    """The guest with what a record says of him; what it does not say stays."""
    said = {
        name: value
        for name in GuestDetails.__slots__
        if (value := getattr(details, name)) is not None
    }
    return replace(guest, **said)


def details_of(guest: Guest) -> GuestDetails:
    """What is known of a guest, as a record would say it."""
    return GuestDetails(**{name: getattr(guest, name) for name in GuestDetails.__slots__})


def is_another(known: Guest, details: GuestDetails) -> bool:
    """A record of a guest without a number speaks of somebody else than the known one: the name
    alone can tell.
    """
    return (
        known.reservation is None
        and bool(known.name)
        and bool(details.name)
        and known.name.casefold() != (details.name or "").casefold()
    )


def swapped(guests: Iterable[Guest], guest: Guest) -> tuple[Guest, ...]:
    """The same guests in the same order, with this one's news."""
    return tuple(guest if each.key == guest.key else each for each in guests)


def joined(guests: Iterable[Guest], guest: Guest) -> tuple[Guest, ...]:
    """The guest behind the others; nobody makes room for somebody."""
    return (*anybody(guests), guest)


def anybody(guests: Iterable[Guest]) -> tuple[Guest, ...]:
    """The guests, without those who only stand for somebody unknown."""
    return tuple(guest for guest in guests if not guest.is_nobody)
