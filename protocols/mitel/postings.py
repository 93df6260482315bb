"""Posting to record: the way out of the dialect. Pure."""

from typing import Final

from protocols.errors import CannotBeSaid
from protocols.mitel.records import Lamp, MaidStatus, ToPms
from protocols.postings import (
    ROOM_STATUS,
    VOICEMAIL,
    MessagesWaiting,
    Posting,
    RoomStatusKeyed,
)

CAN_SAY: Final = frozenset({ROOM_STATUS, VOICEMAIL})
"""What the dialect has words for: neither the end of a wake-up nor a charge is among them."""

MAID_CODES: Final = {
    "1": ("8", "6"), "2": ("1", "1"), "3": ("4", "4"),
    "4": ("8", "6"), "5": ("9", "7"), "6": ("4", "4"),
}  # fmt: skip
"""STS of what a maid keys, vacant and occupied. Source: DuVoice's list; 9 is dirty and vacant by
inference.
"""


def record_of(posting: Posting) -> ToPms:
    """The record that says it. Raises CannotBeSaid for what the dialect has no word for.

    Source: MiVoice Business help: STS, MW. Of messages only whether there are new ones.
    """
    match posting:
        case RoomStatusKeyed(room=room, status=status):
            return MaidStatus(room=room, status=status[:1])
        case MessagesWaiting(room=room, unread=unread):
            return Lamp(room=room, is_on=unread > 0)
        case _:
            raise CannotBeSaid("no_word", "this dialect has no message for it")
