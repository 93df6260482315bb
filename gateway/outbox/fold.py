"""Folding: several waiting events of one room as one, where the UCM's room ends the same. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from gateway.events import (
    CheckIn,
    CheckOut,
    DoNotDisturb,
    Guest,
    GuestEvent,
    RoomStatus,
    Update,
    WakeUp,
)
from gateway.house import differs


def fold(first: GuestEvent, second: GuestEvent) -> GuestEvent | None:
    """One event that leaves a room as the two in a row would; None: there is none.

    Both are of the same room, nothing of the room is between them, and `first` was never called
    for. A move is never folded: it is about two rooms. A check-out is not folded into what
    follows it: the mailbox must go before the next guest comes. Nor is a check-in into its
    check-out: a room that is out refuses one, and would keep an old wake-up and status.
    """
    match first, second:
        case (Update() | DoNotDisturb() | RoomStatus() | CheckOut(), CheckOut()):
            return second
        case (WakeUp(at=at), CheckOut()) if at is not None:
            return second
        case (CheckIn(guest=shown), Update(guest=guest, was=was)):
            if was is None or differs(was, shown) or not _says_as_much(shown, guest):
                return None
            return replace(first, guest=guest)
        case (Update(guest=shown), Update(guest=guest, was=was)):
            if was is None or differs(was, shown) or not _says_as_much(shown, guest):
                return None
            return replace(first, guest=guest)
        case (DoNotDisturb(), DoNotDisturb()) | (WakeUp(), WakeUp()):
            return second
        case (RoomStatus(code=code), RoomStatus(code=again)) if code == again:
            return second
    return None


def fold_all(events: Sequence[GuestEvent]) -> tuple[GuestEvent, int]:
    """The first event with as many of those behind it as come to one with it, and how many."""
    together, taken = events[0], 0
    for last in range(len(events) - 1, 0, -1):
        if isinstance(events[last], CheckOut) and _is_over(events[: last + 1]):
            together, taken = events[last], last
            break
    for event in events[taken + 1 :]:
        both = fold(together, event)
        if both is None:
            break
        together, taken = both, taken + 1
    return together, taken


def _is_over(events: Sequence[GuestEvent]) -> bool:
    """The check-out at the end makes all before it needless: the room was in, and is out."""
    has_left = False
    for event in events[:-1]:
        if isinstance(event, CheckIn):
            if not has_left:
                return False
        elif fold(event, events[-1]) is None:
            return False
        has_left = has_left or isinstance(event, CheckOut)
    return True


def _says_as_much(shown: Guest, guest: Guest) -> bool:
    """Both guests have the same codes.

    A code without a mapping leaves what the room had before, and only the driver knows the map.
    """
    return (shown.language, shown.class_of_service) == (guest.language, guest.class_of_service)
