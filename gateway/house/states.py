"""The two states of a room, between which the plan mediates: what its phone should show, and what
it was last known to show. Pure values; moments are hotel local time, without a zone.
"""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, Protocol, TypeVar

NOT_KNOWN: Final = -1
"""As a counter of what was said: nobody knows what the PBX has. Never equal to a desired one."""

STRANGER: Final = -1
"""As an actual stay: the PBX shows somebody who belongs to no stay of ours. Never desired."""

MAX_GONE: Final = 16
"""Guests remembered who have left a stay that goes on; more than a suite ever has."""


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
class Desired:
    """What the phone of a room should show, by the PMS's last word.

    is_heard    the PMS has said who is in this room, or that nobody is; else its guest is not ours
                to touch
    stay        the number of this occupation, from the first guest in to the last one out; a move
                takes it along; None: nobody is in
    guest       the displayed one; None: nobody is in
    residents   everybody of this stay, also who has left it: whoever of them the PBX shows, it
                shows this stay
    adopts      the PMS says that others are in of whom it never told us: whoever the PBX shows is
                one of them
    wake_ups    ordered moments, ascending; those that have passed ring no more
    departures  how many stays have left this room: what they left on its phone goes with them
    ..._said    how often a word was said outright; said again is told again
    """

    is_heard: bool = False
    stay: int | None = None
    guest: Guest | None = None
    residents: tuple[Guest, ...] = ()
    adopts: bool = False
    wake_ups: tuple[datetime, ...] = ()
    wake_up_said: int = 0
    dnd: bool = False
    dnd_said: int = 0
    class_said: int = 0
    status: str | None = None
    status_said: int = 0
    departures: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Actual:
    """What the phone of a room was last known to show.

    stay        of whom the mailbox is; STRANGER: of somebody who is not ours; None: the room is out
    tags        the guest's data as told, in the PBX's own words; None: not known
    wake_up     the pending one
    ..._said    the counter of the desired state when it was told; NOT_KNOWN: must be told again
    """

    stay: int | None = None
    tags: Mapping[str, str] | None = field(default_factory=dict)
    wake_up: datetime | None = None
    wake_up_said: int = 0
    dnd: bool = False
    dnd_said: int = 0
    class_said: int = 0
    status_said: int = 0


NOTHING_HEARD: Final = Desired()
"""The desired state of a room that the PMS never named."""


class _HasStay(Protocol):
    @property
    def stay(self) -> int | None: ...


S = TypeVar("S", bound=_HasStay)


class States(MutableMapping[str, S]):
    """The states of all rooms by their address, and the room of each stay."""

    def __init__(self, states: Mapping[str, S] | Iterable[tuple[str, S]] = ()) -> None:
        self._states: dict[str, S] = {}
        self._rooms: dict[int, str] = {}
        self.update(states)

    def room_of(self, stay: int | None) -> str | None:
        """The room that has this stay; None: no room has it."""
        return self._rooms.get(stay) if stay is not None else None

    def __getitem__(self, room: str) -> S:
        return self._states[room]

    def __setitem__(self, room: str, state: S) -> None:
        self._forget_stay_of(room)
        self._states[room] = state
        if state.stay is not None and state.stay != STRANGER:
            self._rooms[state.stay] = room

    def __delitem__(self, room: str) -> None:
        self._forget_stay_of(room)
        del self._states[room]

    def __iter__(self) -> Iterator[str]:
        return iter(self._states)

    def __len__(self) -> int:
        return len(self._states)

    def _forget_stay_of(self, room: str) -> None:
        before = self._states.get(room)
        if before is not None and before.stay is not None and self._rooms.get(before.stay) == room:
            del self._rooms[before.stay]
