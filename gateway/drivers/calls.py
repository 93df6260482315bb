"""Calls: each one request that changes a PBX, in hotel words. Rooms are PBX addresses."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckIn:
    """The room is out and shall show a guest; `tags`: his data in the PBX's own words."""

    room: str
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOut:
    """Nobody of this stay is in the room any more: name, mailbox and wake-up must go."""

    room: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """The room is in and shall show these tags; the others stay."""

    room: str
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What `from_room` has (guest, mailbox, wake-up) shall be in `room`, and nothing left there."""

    room: str
    from_room: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomStatus:
    """Housekeeping says so; `code` is the PMS's own."""

    room: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DoNotDisturb:
    """The room's phone shall not ring, or shall again."""

    room: str
    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeUp:
    """The room's one pending wake-up, to the minute; None: there is none."""

    room: str
    at: datetime | None


Call = CheckIn | CheckOut | Update | Move | RoomStatus | DoNotDisturb | WakeUp

CALL_NAMES: Final[dict[type[Call], str]] = {
    CheckIn: "check_in",
    CheckOut: "check_out",
    Update: "update",
    Move: "move",
    RoomStatus: "room_status",
    DoNotDisturb: "do_not_disturb",
    WakeUp: "wake_up",
}
"""The word for each call in the journal, in logs and in metrics."""


def name_of(call: Call) -> str:
    """The word for a call."""
    return CALL_NAMES[type(call)]


def rooms_of(call: Call) -> tuple[str, ...]:
    """The rooms that a call changes; a move changes two."""
    return (call.room, call.from_room) if isinstance(call, Move) else (call.room,)
