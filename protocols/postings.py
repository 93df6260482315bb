"""Postings: what goes back to the PMS, in hotel words, between the lane and any dialect.

The opposite direction of `facts`. Rooms are strings as the PMS writes them; moments are hotel
local time, without a zone.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCharge:
    """A telephone call of a room.

    at          when the call began
    digits      what was dialled
    duration_s  how long they talked
    amount      minor units of the currency; None: the PMS prices the call by its own tariff
    outlet      where the PMS books it; empty: the PMS knows
    """

    room: str
    at: datetime
    digits: str
    duration_s: int
    amount: int | None = None
    outlet: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomStatusKeyed:
    """What a maid has keyed on the phone of a room.

    status  the PMS's own code
    maid    her number; empty: she gave none
    """

    room: str
    status: str
    maid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesWaiting:
    """The voice messages of a room: new ones, and those that were heard and kept."""

    room: str
    unread: int
    read: int


Posting = CallCharge | RoomStatusKeyed | MessagesWaiting

CHARGE: Final = "charge"
ROOM_STATUS: Final = "room_status"
VOICEMAIL: Final = "voicemail"
"""Words of `CAN_SAY`: the dialect has a record for it; for a charge also its answer."""
