"""Facts: what a PMS said, in hotel words. The vocabulary between any dialect and the house.

A fact knows no history and no PBX. `None` means "the record does not say", an empty string
means "the record says: nothing". Rooms are strings as the PMS writes them: leading zeros
count. Dates and times are hotel local time, without a zone.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestDetails:
    """What a record says of one guest.

    name                last name, or "Last, First" when the PMS keeps no first name
    vip                 the hotel's VIP code, free text
    class_of_service    the PMS's code, one character
    language            the PMS's code, any case
    """

    name: str | None = None
    first_name: str | None = None
    language: str | None = None
    vip: str | None = None
    class_of_service: str | None = None
    arrival: date | None = None
    departure: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestArrived:
    """A guest has this room from now on. The same fact twice must change nothing.

    reservation     the key of the guest, or None in a PMS that keeps rooms, not guests
    shared          the PMS's word: True others are in the room, False nobody else is
    in_resync       the record is part of a resync, not news
    anew            who he is, is said behind it: in a room that is taken he is somebody else,
                    unless a GuestNamed with the same name follows at once
    """

    room: str
    reservation: str | None
    details: GuestDetails
    shared: bool | None = None
    in_resync: bool = False
    anew: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestNamed:
    """The name of the guest of a room, in a PMS that knows no other sign of him.

    adds    the name stands beside one that is there; False: it takes its place
    """

    room: str
    name: str
    adds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestChanged:
    """Something about a guest is different; only what `details` names."""

    room: str
    reservation: str | None
    details: GuestDetails


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestMoved:
    """A guest has left `old_room` for `room`; each flag is the PMS's word about its room."""

    room: str
    old_room: str
    reservation: str | None
    details: GuestDetails
    shared: bool | None = None
    old_room_shared: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestLeft:
    """A guest has left the room; without a reservation: the whole room has.

    in_part     what is empty is one room of several that are one to the PBX
    """

    room: str
    reservation: str | None
    shared: bool | None = None
    in_resync: bool = False
    in_part: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomEquipped:
    """Something about the room's equipment was set; only what is not None."""

    room: str
    class_of_service: str | None = None
    do_not_disturb: bool | None = None
    room_status: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeUpOrdered:
    """The room wants to be called at this moment of hotel time."""

    room: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeUpCleared:
    """A wake-up is no longer wanted; `at` None: none of the room's."""

    room: str
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResyncBegan:
    """The PMS starts to tell every room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResyncEnded:
    """The PMS has told every room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResyncVoided:
    """The link was lost before the PMS had told every room: what was not told means nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NightAudit:
    """The PMS's night audit has begun, or is over."""

    running: bool


class Verdict(Enum):
    """What a PMS's answer to a posting means."""

    BOOKED = "booked"
    AGAIN = "again"  # not booked; a little later it may be
    NIGHT_AUDIT = "night_audit"  # not booked; it may be when the night audit is over
    REFUSED = "refused"  # not booked, or so it says: a human has to look


@dataclass(frozen=True, slots=True, kw_only=True)
class PostingAnswered:
    """What became of a posting of ours; no fact about the hotel, so the house does not hear it.

    number      as we sent it
    answer      the dialect's own code, for people
    verdict     what it means
    meaning     of the code, in words
    text        the PMS's own words about it; may name a guest
    """

    number: int
    answer: str
    verdict: Verdict
    meaning: str = ""
    text: str = ""


Fact = (
    GuestArrived
    | GuestChanged
    | GuestNamed
    | GuestMoved
    | GuestLeft
    | RoomEquipped
    | WakeUpOrdered
    | WakeUpCleared
    | ResyncBegan
    | ResyncEnded
    | ResyncVoided
    | NightAudit
)

Said = Fact | PostingAnswered
"""All that a record can come to."""
