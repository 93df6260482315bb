"""A message as one would say it at the front desk, and with its guest masked. Pure."""

import re
from typing import Final

from protocols.mitel.codec import decode_either
from protocols.mitel.records import (
    AreYouThere,
    CheckIn,
    CheckOut,
    Initialise,
    Lamp,
    MaidStatus,
    Name,
    Naming,
    Record,
    Restriction,
    ResyncBegins,
    ResyncEnds,
    Unused,
    WakeUp,
)

NAMES: Final = {
    "CHK1": "check in", "CHK0": "check out", "NAM": "name", "RST": "class of service",
    "MW": "message lamp", "WKP": "wake-up", "STS": "maid status", "GRS": "resync begins",
    "END": "resync ends", "AREYUTHERE": "are you there?", "RQINZ": "tell every room",
}  # fmt: skip
"""The messages, by the word that they begin with."""

_STATUS: Final = {
    "1": "cleaning in progress", "2": "clean", "3": "dirty", "4": "out of service",
    "5": "to be inspected", "6": "clean, occupied", "7": "dirty, occupied", "8": "clean, vacant",
    "9": "dirty, vacant",
}  # fmt: skip
"""Source: DuVoice's list of maid codes."""
_NAME: Final = slice(4, None)
_BEGINS: Final = re.compile(rb"CHK[01]|NAM[123]|RST[0-3]|STS[0-9 ]|MW [01 ]|WKP|GRS|AREYUTHERE")


def describe(text: bytes) -> tuple[str, str]:
    """The name of the message, and what it says; no guest's name. Raises RecordError."""
    record = decode_either(text)
    return record.record_id, _meaning(record)


def _meaning(record: Record) -> str:
    match record:
        case CheckIn(room=room):
            return f"somebody checks in to {room}; the name follows"
        case CheckOut(room=room):
            return f"{room} is checked out"
        case Name(room=room, naming=Naming.DELETE):
            return f"{room}: no name any more"
        case Name(room=room, naming=naming):
            word = "is named" if naming is Naming.ADD else "has another name"
            return f"{room}: its guest {word}"
        case Restriction(room=room, level=level):
            return f"{room}: class of service {level}"
        case Lamp(room=room, is_on=is_on):
            return f"{room}: message lamp {'on' if is_on else 'off'}"
        case WakeUp(room=room, at=None):
            return f"no wake-up for {room} any more"
        case WakeUp(room=room, at=at):
            return f"wake-up for {room} at {at:%H:%M}, the next time it is so late"
        case MaidStatus(room=room, status=status):
            return f"{room}: maid status {status} ({_STATUS.get(status, 'not in any list')})"
        case ResyncBegins():
            return "resync begins: every room follows"
        case ResyncEnds():
            return "resync ends: every room was told"
        case AreYouThere():
            return "are you there?"
        case Initialise():
            return "the gateway asks for every room"
        case Unused(function=function):
            return f"{function}: acknowledged, and of no use to the phone system"


def recognises(text: bytes) -> bool:
    """Whether these bytes can only be a message."""
    return _BEGINS.match(text) is not None


def mask_text(text: bytes) -> bytes:
    """The same text without its guest: only a name has one."""
    if text[:3] != b"NAM":
        return text
    masked = bytes(_masked(byte) for byte in text[_NAME])
    return text[:4] + masked


def _masked(byte: int) -> int:
    letter = bytes([byte])
    if letter.isalpha() or byte > 0x7F:
        return ord("X") if letter.isupper() else ord("x")
    return byte
