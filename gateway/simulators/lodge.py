"""A hotel whose PMS keeps rooms and not guests: check-ins with a name behind them, and no more.

A simple model, written without a look at the gateway's own house, so that the two can be held
against each other.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.simulators.pbx import UcmRoom

_NAMES: Final = ("ROSSI", "NGUYEN", "GARCIA", "KOWALSKI", "DUBOIS", "SATO", "VAN DYK", "NOWAK-LIS")
_FIRST: Final = ("ANA", "OTTO", "MIA", "KEN", "EVA", "")


@dataclass(frozen=True, slots=True)
class LodgeGuest:
    """Who is in a room, as the phone should show it. `cos`: the PBX's level."""

    last: str
    first: str
    cos: str = "1"

    @property
    def name(self) -> str:
        """As the PMS writes it, in 20 places."""
        return ",".join(each for each in (self.last, self.first) if each)[:20]


@dataclass(slots=True)
class Lodge:
    """Rooms and who is in them; each deed gives the texts that tell it."""

    rooms: Sequence[str]
    seed: int = 0
    guests: dict[str, LodgeGuest] = field(default_factory=dict)
    _rng: random.Random = field(default_factory=random.Random)
    _count: int = 0

    def __post_init__(self) -> None:
        self._rng.seed(self.seed)

    def check_in(self, room: str) -> list[str]:
        """Somebody else comes, whoever is there."""
        self._count += 1
        last = f"{self._rng.choice(_NAMES)} {self._count}"
        guest = LodgeGuest(last, self._rng.choice(_FIRST))
        self.guests[room] = guest
        return [f"CHK1 {room:>5}", self._named(room)]

    def check_out(self, room: str) -> list[str]:
        """Nobody is there any more."""
        self.guests.pop(room, None)
        return [f"CHK0 {room:>5}"]

    def restrict(self, room: str, level: int) -> list[str]:
        """What the phone may dial."""
        guest = self.guests[room]
        self.guests[room] = LodgeGuest(guest.last, guest.first, str(level + 1))
        return [f"RST{level} {room:>5}"]

    def told_again(self, room: str) -> list[str]:
        """The same guest, said once more."""
        return [f"CHK1 {room:>5}", self._named(room, kind=2)]

    def random_deed(self) -> list[str]:
        """What happens next."""
        room, taken = self._rng.choice(self.rooms), sorted(self.guests)
        dice = self._rng.random()
        if room not in self.guests or dice < 0.2:
            return self.check_in(room)
        if dice < 0.5:
            return self.check_out(room)
        other = self._rng.choice(taken)
        if dice < 0.7:
            return self.restrict(other, self._rng.randrange(4))
        return self.told_again(other) if dice < 0.9 else ["AREYUTHERE"]

    def silent_deed(self) -> None:
        """Something of which nothing is said."""
        self.random_deed()

    def resync(self) -> list[str]:
        """Every room."""
        told = ["GRS       "]
        for room in self.rooms:
            told += (
                [f"CHK0 {room:>5}"]
                if room not in self.guests
                else [
                    f"CHK1 {room:>5}",
                    self._named(room),
                    f"RST{int(self.guests[room].cos) - 1} {room:>5}",
                ]
            )
        return [*told, "END       "]

    def differences(self, ucm: Mapping[str, UcmRoom]) -> list[str]:
        """Rooms in which the UCM shows something else; the words name no guest."""
        found = []
        for room in self.rooms:
            guest, shown = self.guests.get(room), ucm[room]
            if (guest is not None) != shown.is_in:
                found.append(f"{room}: the UCM shows {'a guest' if shown.is_in else 'nobody'}")
            elif guest is not None:
                last, _, first = guest.name.partition(",")
                is_right = (last, first, guest.cos) == (shown.lastname, shown.firstname, shown.cos)
                found += [] if is_right else [f"{room}: another name or class of service"]
        return found

    def _named(self, room: str, kind: int = 1) -> str:
        return f"NAM{kind} {self.guests[room].name:<21}{room:>5}"
