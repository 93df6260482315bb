"""What a message means in the hotel, and what of the hotel has a message."""

from datetime import datetime, time

import pytest

from protocols.facts import (
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
from protocols.mitel.normalize import normalize
from protocols.mitel.postings import record_of
from protocols.mitel.records import (
    AreYouThere,
    CheckIn,
    CheckOut,
    Lamp,
    MaidStatus,
    Name,
    Naming,
    Restriction,
    ResyncBegins,
    ResyncEnds,
    Unused,
    WakeUp,
)
from protocols.postings import MessagesWaiting, RoomStatusKeyed

WALL = datetime(2026, 3, 14, 22, 15, 30)


def arrived(**how):
    return GuestArrived(room="101", reservation=None, details=GuestDetails(), anew=True, **how)


@pytest.mark.parametrize(
    ("record", "facts"),
    [
        (CheckIn(room="101"), (arrived(),)),
        (CheckIn(room="101", swap=True), (arrived(in_resync=True),)),
        (CheckOut(room="101"), (GuestLeft(room="101", reservation=None),)),
        (CheckOut(room="101", swap=True),
         (GuestLeft(room="101", reservation=None, in_resync=True),)),
        (Name(room="101", naming=Naming.ADD, name="Rossi"),
         (GuestNamed(room="101", name="Rossi", adds=True),)),
        (Name(room="101", naming=Naming.REPLACE, name="Rossi"),
         (GuestNamed(room="101", name="Rossi", adds=False),)),
        (Name(room="101", naming=Naming.DELETE, name=""),
         (GuestNamed(room="101", name="", adds=False),)),
        (Restriction(room="101", level="2"), (RoomEquipped(room="101", class_of_service="2"),)),
        (WakeUp(room="101", at=None), (WakeUpCleared(room="101", at=None),)),
        (ResyncBegins(), (ResyncBegan(),)), (ResyncEnds(), (ResyncEnded(),)),
        (Lamp(room="101", is_on=True), ()), (AreYouThere(), ()), (Unused(function="LNG"), ()),
    ],
)  # fmt: skip
def test_a_message_is_what_the_hotel_hears(record, facts):
    assert normalize(record, WALL) == facts


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (time(22, 16), 14),
        (time(22, 15), 15),
        (time(22, 14), 15),
        (time(6, 30), 15),
        (time(0, 0), 15),
    ],
)
def test_a_wake_up_is_the_next_such_moment(at, day):
    (fact,) = normalize(WakeUp(room="101", at=at), WALL)
    assert fact == WakeUpOrdered(room="101", at=datetime(2026, 3, day, at.hour, at.minute))


def test_what_goes_back():
    assert record_of(RoomStatusKeyed(room="101", status="9", maid="17")) == MaidStatus(
        room="101", status="9"
    )
    for unread, is_on in ((2, True), (0, False)):
        said = MessagesWaiting(room="101", unread=unread, read=3)
        assert record_of(said) == Lamp(room="101", is_on=is_on)
