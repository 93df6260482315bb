"""Records to facts: the upper end of the dialect. Pure.

A PMS that speaks so keeps rooms, not guests: there is no reservation, and the guest of a room is
known by his name alone. CHK1 comes first and the name behind it: see `GuestArrived.anew`.
"""

from datetime import datetime, timedelta
from typing import Final

from protocols.facts import (
    Fact,
    GuestArrived,
    GuestDetails,
    GuestLeft,
    GuestNamed,
    ResyncBegan,
    ResyncEnded,
    RoomEquipped,
    WakeUpCleared,
    WakeUpOrdered,
)
from protocols.mitel.records import (
    CheckIn,
    CheckOut,
    Name,
    Naming,
    Record,
    Restriction,
    ResyncBegins,
    ResyncEnds,
    WakeUp,
)

_RUNG_AFTER: Final = timedelta(seconds=20)
"""A PBX calls at the full minute: behind it the next day's is meant."""


def normalize(record: Record, wall: datetime) -> tuple[Fact, ...]:
    """What the record says; nothing, when it says nothing of a guest.

    wall    hotel time now, without a zone: a wake-up has no date
    """
    match record:
        case CheckIn(room=room, swap=swap):
            details = GuestDetails()
            return (
                GuestArrived(
                    room=room, reservation=None, details=details, in_resync=swap, anew=True
                ),
            )
        case CheckOut(room=room, swap=swap):
            return (GuestLeft(room=room, reservation=None, in_resync=swap),)
        case Name(room=room, naming=naming, name=name):
            return (GuestNamed(room=room, name=name, adds=naming is Naming.ADD),)
        case Restriction(room=room, level=level):
            return (RoomEquipped(room=room, class_of_service=level),)
        case WakeUp(room=room, at=None):
            return (WakeUpCleared(room=room, at=None),)
        case WakeUp(room=room, at=at):
            assert at is not None  # the case above
            today = datetime.combine(wall.date(), at)
            is_over = today + _RUNG_AFTER <= wall
            moment = today + timedelta(days=1) if is_over else today
            return (WakeUpOrdered(room=room, at=moment),)
        case ResyncBegins():
            return (ResyncBegan(),)
        case ResyncEnds():
            return (ResyncEnded(),)
        case _:
            return ()
