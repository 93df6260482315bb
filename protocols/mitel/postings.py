"""Posting to record: the way out of the dialect. Pure."""

from typing import Final

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


def record_of(posting: Posting) -> ToPms:
    """The record that says it. Raises ValueError for what the dialect has no word for.

    Source: MiVoice Business help: STS, MW. Of messages only whether there are new ones.
    """
    match posting:
        case RoomStatusKeyed(room=room, status=status):
            return MaidStatus(room=room, status=status[:1])
        case MessagesWaiting(room=room, unread=unread):
            return Lamp(room=room, is_on=unread > 0)
        case _:
            raise ValueError(f"Mitel has no message for {type(posting).__name__}")
