"""Postings: what goes back to the PMS, in hotel words, between the lane and any dialect.

The opposite direction of `facts`. Rooms are strings as the PMS writes them; moments are hotel
local time, without a zone.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
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


class Ending(Enum):
    """How a wake-up ended, after the last try. The values are words of the metrics."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeUpEnded:
    """What became of a wake-up; once for each. `at`: as it was ordered, to the second."""

    room: str
    at: datetime
    ending: Ending


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeUpKeyed:
    """A wake-up that somebody ordered on the phone of a room, or cleared there.

    is_wanted   False: it was cleared
    """

    room: str
    at: datetime
    is_wanted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticlesTaken:
    """What a guest took out of the minibar.

    at          when we saw it
    articles    number of the article, and how many
    amount      minor units of the currency; None: the PMS prices the articles by its own table
    outlet      where the PMS books it; empty: the PMS knows
    """

    room: str
    at: datetime
    articles: tuple[tuple[int, int], ...]
    amount: int | None = None
    outlet: str = ""

    @property
    def is_correction(self) -> bool:
        """Less than before: no PMS takes that, so a human has to."""
        return any(count < 0 for _, count in self.articles)


Posting = CallCharge | ArticlesTaken | RoomStatusKeyed | MessagesWaiting | WakeUpEnded | WakeUpKeyed

CHARGE: Final = "charge"
ARTICLES: Final = "articles"
ROOM_STATUS: Final = "room_status"
VOICEMAIL: Final = "voicemail"
WAKE_UP_RESULT: Final = "wake_up_result"
WAKE_UP_ORDER: Final = "wake_up_order"
"""Words of `CAN_SAY`: the dialect has a record for it; for a charge also its answer."""
