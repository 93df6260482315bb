"""Guest events: what a PBX must be told, in hotel words. The vocabulary behind the house.

Each event is complete: it carries the guest as known when it was made, so that a driver can
repair a PBX that has forgotten, without asking anybody. Rooms are PBX addresses. Moments are
hotel local time, without a zone.
"""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """One guest of a room, by the PMS's word.

    key                 the reservation number, or "@" and the room in a PMS that keeps rooms
    name, first_name    as the PMS wrote them; first_name None: never told
    vip, class_of_service, language     the PMS's own codes; None: never told
    came                when we first heard of him in the house
    """

    key: str
    name: str = ""
    first_name: str | None = None
    language: str | None = None
    vip: str | None = None
    class_of_service: str | None = None
    arrival: date | None = None
    departure: date | None = None
    came: datetime

    @property
    def reservation(self) -> str | None:
        """The reservation number, or None when the PMS gives none."""
        return None if self.key.startswith("@") else self.key

    @property
    def is_nobody(self) -> bool:
        """Stands for the guest of whom only the PMS knows that he is there."""
        return self.reservation is None and not self.name and not self.first_name


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckIn:
    """The room was out and now shows this guest."""

    room: str
    guest: Guest


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOut:
    """Nobody is in the room any more: name, mailbox and wake-ups must be gone."""

    room: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """The room is in and shows this guest now. `was`: what it showed; None: tell everything."""

    room: str
    guest: Guest
    was: Guest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What `from_room` had (guest, mailbox, wake-up) is in `room` now; `from_room` is out."""

    room: str
    from_room: str
    guest: Guest


@dataclass(frozen=True, slots=True, kw_only=True)
class DoNotDisturb:
    """The room's phone shall not ring, or shall again."""

    room: str
    on: bool
    guest: Guest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomStatus:
    """Housekeeping says so; `code` is the PMS's own."""

    room: str
    code: str
    guest: Guest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeUp:
    """The room's next wake-up; None: there is none."""

    room: str
    at: datetime | None = None


GuestEvent = CheckIn | CheckOut | Update | Move | DoNotDisturb | RoomStatus | WakeUp

EVENT_NAMES: dict[type[GuestEvent], str] = {
    CheckIn: "check_in",
    CheckOut: "check_out",
    Update: "update",
    Move: "move",
    DoNotDisturb: "do_not_disturb",
    RoomStatus: "room_status",
    WakeUp: "wake_up",
}
"""The word for each event in the outbox file, in logs and in metrics."""

EVENT_TYPES: dict[str, type[GuestEvent]] = {name: cls for cls, name in EVENT_NAMES.items()}


def rooms_of(event: GuestEvent) -> tuple[str, ...]:
    """The rooms an event touches; a move touches two."""
    return (event.room, event.from_room) if isinstance(event, Move) else (event.room,)
