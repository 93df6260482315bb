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


Posting = CallCharge

CHARGE: Final = "charge"
"""A word of `CAN_SAY`: the dialect has a record for a charge, and an answer to it."""
