"""Texts to records and records to texts."""

import re
from collections.abc import Mapping
from datetime import time
from typing import Any, Final

from construct import ConstructError

from protocols.errors import RecordError
from protocols.mitel import wire
from protocols.mitel.records import (
    AreYouThere,
    CheckIn,
    CheckOut,
    FromPms,
    Initialise,
    Lamp,
    MaidStatus,
    Name,
    Naming,
    Restriction,
    ResyncBegins,
    ResyncEnds,
    ToPms,
    Unused,
    WakeUp,
)

CHARSET: Final = "cp1252"
"""The specification says upper-case ASCII; what is beyond it is read as a western PMS means it."""

_BARE: Final[Mapping[bytes, FromPms]] = {
    b"GRS": ResyncBegins(),
    b"END": ResyncEnds(),
    b"AREYUTHERE": AreYouThere(),
}
_UNUSED: Final = (b"DND", b"LNG", b"LMT", b"VIP", b"DPT", b"LOC", b"MOV", b"GRP", b"STE", b"AFF")
"""Messages whose names are in the PBX's help, or that compatible systems send: acknowledged, and of
no use here. Their layouts are in no public source."""
_ROOM: Final = re.compile(rb"(?=.*[0-9])[0-9A-Za-z*#]{1,7}")
"""A room without a digit is a name at a wrong place."""
_WHOLE: Final = (5 + wire.NAME_BYTES + wire.ROOM_BYTES, 5 + wire.NAME_BYTES + 7)
_NO_NAME: Final = re.compile(r"0{21}")
"""One PMS writes an empty name as so many zeros."""


def decode(text: bytes, *, room_first: bool = False) -> FromPms:
    """The message between STX and ETX. Raises RecordError for what is none.

    room_first  this PMS writes the room in front of a name
    """
    plain = text.replace(b"\x00", b"")
    word = plain.strip(b" ")
    if word in _BARE:
        return _BARE[word]
    try:
        return _read(plain, room_first=room_first)
    except ConstructError:
        raise _error(text) from None


def decode_ours(text: bytes) -> MaidStatus | Initialise | None:
    """What only a PBX says; None: it is none of these. For whoever reads a line."""
    plain = text.strip(b" ")
    if plain == b"RQINZ":
        return Initialise()
    if plain[:3] != b"STS":
        return None
    try:
        row = wire.STATUS.parse(plain)
        return MaidStatus(room=_room(row.room, text), status=row.status.decode(CHARSET, "replace"))
    except ConstructError:
        raise _error(text) from None


def decode_either(text: bytes) -> FromPms | MaidStatus | Initialise:
    """The message between STX and ETX, whoever says it. Raises RecordError for what is none."""
    return decode_ours(text) or decode(text)


def _read(text: bytes, *, room_first: bool) -> FromPms:
    match text[:3]:
        case b"CHK":
            row = wire.STATUS.parse(text)
            kinds: Mapping[bytes, type[CheckIn | CheckOut]] = {b"1": CheckIn, b"0": CheckOut}
            if row.status not in kinds:
                raise _error(text, f"CHK with status {row.status.decode(CHARSET, 'replace')!r}")
            return kinds[row.status](room=_room(row.room, text))
        case b"RST":
            row = wire.STATUS.parse(text)
            if not row.status.isdigit():
                raise _error(text)
            return Restriction(room=_room(row.room, text), level=row.status.decode())
        case b"WKP":
            row = wire.WAKE_UP.parse(text)
            return WakeUp(room=_room(row.room, text), at=_time(row.at, text))
        case b"NAM":
            return _name(text, room_first=room_first)
        case each if each[:2] == b"MW":
            row = wire.LAMP.parse(text)
            if row.status not in (b"0", b"1"):
                raise _error(text)
            return Lamp(room=_room(row.room, text), is_on=row.status == b"1")
        case function if function in _UNUSED:
            return Unused(function=function.decode())
        case _:
            raise _error(text)


def _name(text: bytes, *, room_first: bool) -> Name:
    layout = wire.ROOM_FIRST if room_first else wire.NAME
    if not room_first and not _has_columns(text):  # `NAM1 Rossi 101`
        name, _, room = text[4:].strip(b" ").rpartition(b" ")
        row: Any = {"naming": text[3:4], "name": name.strip(b" "), "room": room}
    else:
        row = layout.parse(text)
    try:
        naming = Naming(row["naming"].decode("ascii", "replace"))
    except ValueError:
        raise _error(text) from None
    shown = row["name"].decode(CHARSET, "replace").strip()
    shown = "" if naming is Naming.DELETE or _NO_NAME.fullmatch(shown) else shown
    return Name(room=_room(row["room"], text), naming=naming, name=shown)


def _has_columns(text: bytes) -> bool:
    """Whether the name stands in its places: nothing reaches over their end, or all are filled."""
    end = 5 + wire.NAME_BYTES
    around = text[end - 1 : end + 1]
    return len(text) in _WHOLE or (len(text) > end and b" " in around)


def _room(room: bytes, text: bytes) -> str:
    if not _ROOM.fullmatch(room):
        raise _error(text, "no room")
    return room.decode()


def _time(digits: bytes, text: bytes) -> time | None:
    if digits in (b"    ", b"9999"):
        return None
    try:
        return time(int(digits[:2]), int(digits[2:])) if digits.isdigit() else _fails(text)
    except ValueError:
        raise _error(text, "no time of day") from None


def _fails(text: bytes) -> time:
    raise _error(text, "no time of day")


def _error(text: bytes, what: str = "no message of a Mitel link") -> RecordError:
    shown = text[:3].decode("ascii", "replace")
    shown = shown if shown.isprintable() else "?"
    advice = f"{what} (it begins with {shown!r}): is the PMS set to Mitel, SX-200 or Lodgistix?"
    return RecordError("grammar", text, advice)


def encode(record: ToPms) -> bytes:
    """The text between STX and ETX; blanks on the right."""
    match record:
        case MaidStatus(room=room, status=status):
            row = {"function": b"STS", "status": status.encode(), "room": room.encode()}
            return bytes(wire.STATUS.build(row))
        case Lamp(room=room, is_on=is_on):
            return bytes(
                wire.LAMP.build({"status": b"1" if is_on else b"0", "room": room.encode()})
            )
        case Initialise():
            return bytes(wire.BARE.build(b"RQINZ"))
