"""The values of the house: rooms, what is known beside them, and how guests are compared. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Final

from gateway.events import Guest, GuestEvent
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
    left        keys of guests who are out, as the running resync says
    vacated     the running resync says that nobody is here
    told_out    the PBX has been told that nobody is here
    empty       a resync said that nobody is here, when we knew of nobody: nothing to tell
    wake_ups    ordered and not yet rung, ascending
    told        the one of them that the PBX knows
    """

    guests: tuple[Guest, ...] = ()
    expected: tuple[Guest, ...] = ()
    said: tuple[Guest, ...] = ()
    left: tuple[str, ...] = ()
    vacated: bool = False
    told_out: bool = False
    empty: bool = False
    wake_ups: tuple[datetime, ...] = ()
    told: datetime | None = None

    @property
    def shown(self) -> Guest | None:
        """The displayed guest; None when the room is out."""
        return self.guests[0] if self.guests else None

    @property
    def is_known_out(self) -> bool:
        """By the PMS's own word nobody is here; a room we only never heard of is not."""
        return not self.guests and (self.told_out or self.empty)

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


def without(guest: Guest, details: GuestDetails) -> Guest:
    """The guest as if the record had not spoken of him."""
    blank = Guest(key=guest.key, came=guest.came)
    said = {
        name: getattr(blank, name)
        for name in GuestDetails.__slots__
        if getattr(details, name) is not None
    }
    return replace(guest, **said)


def details_of(guest: Guest) -> GuestDetails:
    """What is known of a guest, as a record would say it."""
    return GuestDetails(**{name: getattr(guest, name) for name in GuestDetails.__slots__})


def differs(was: Guest, shown: Guest) -> bool:
    """Whether a PBX would have to be told."""
    key = shown.key if was.reservation == shown.reservation else was.key
    return replace(was, key=key, came=shown.came) != shown


def swapped(guests: Iterable[Guest], guest: Guest) -> tuple[Guest, ...]:
    """The same guests in the same order, with this one's news."""
    return tuple(guest if each.key == guest.key else each for each in guests)


def joined(guests: Iterable[Guest], guest: Guest) -> tuple[Guest, ...]:
    """The guest behind the others; nobody makes room for somebody."""
    return (*anybody(guests), guest)


def anybody(guests: Iterable[Guest]) -> tuple[Guest, ...]:
    """The guests, without those who only stand for somebody unknown."""
    return tuple(guest for guest in guests if not guest.is_nobody)
