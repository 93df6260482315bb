"""A hotel as its PMS means it: guests come, share, move, leave; each action gives its records.

A simple model, written without a look at the gateway's own house, so that the two can be held
against each other. It also plays what a PMS does wrong: silent changes, repeats, stale guests.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from gateway.simulators.pbx import UcmRoom

_LAST: Final = (
    "Rossi", "Müller", "O'Hara", "Nguyen", "Andersson", "García", "Kowalski", "Dubois", "Sato",
    "van der Berg", "Ibáñez-Ørsted", "Smith & Sons", "Nowak-Lis", "Bell; Clara",
)  # fmt: skip
_FIRST: Final = ("Ana", "Otto", "Mia", "Luís", "Ken", "Eva", "Noé", "Ida", "Jürgen", "Zoë", "")
_LANGUAGES: Final = ("EA", "FR", "GE", "IT", "SP", "JA")


@dataclass(slots=True)
class HotelGuest:
    """One guest, by reservation number."""

    number: str
    name: str
    first: str
    language: str
    vip: str
    cos: str
    arrival: date
    departure: date


@dataclass(frozen=True, slots=True)
class Shown:
    """What the phone of a room must show, in the UCM's words; `is_in` False: nothing."""

    is_in: bool
    account: str = ""
    lastname: str = ""
    firstname: str = ""
    language: str = ""
    vipcode: str = ""
    cos: str = ""
    dateout: str = ""


@dataclass(slots=True)
class Hotel:
    """Rooms and who is in them.

    told    the same as far as the line has heard it, in the order in which it heard it; the
            guest who has been in a room longest is the displayed one
    """

    rooms: Sequence[str]
    seed: int = 0
    today: date = field(default_factory=lambda: date(2026, 3, 14))
    moves: bool = True
    guests: dict[str, HotelGuest] = field(default_factory=dict)
    inside: dict[str, list[str]] = field(default_factory=dict)
    told: dict[str, list[str]] = field(default_factory=dict)
    _random: random.Random = field(default_factory=random.Random)
    _next: int = 4700

    def __post_init__(self) -> None:
        self._random.seed(self.seed)
        self.inside = {room: [] for room in self.rooms}
        self.told = {room: [] for room in self.rooms}

    # --- What must be seen ---

    def shown(self, room: str) -> Shown:
        """What the UCM must show for this room once everything told has arrived."""
        told = self.told[room]
        return self.shown_as(self.guests[told[0]]) if told else Shown(is_in=False)

    @staticmethod
    def shown_as(guest: HotelGuest) -> Shown:
        """What the UCM must show for this guest."""
        languages = {"EA": "en", "FR": "fr", "GE": "de", "IT": "it", "SP": "es", "JA": "ja"}
        return Shown(
            is_in=True,
            account=guest.number,
            lastname=plain(guest.name),
            firstname=plain(guest.first),
            language=languages[guest.language],
            vipcode="0" if guest.vip in ("", "0") else "1",
            cos=str(int(guest.cos) + 1),
            dateout=f"{guest.departure:%Y/%m/%d} 12:00",
        )

    @property
    def free(self) -> list[str]:
        """Rooms without a guest."""
        return [room for room in self.rooms if not self.inside[room]]

    @property
    def taken(self) -> list[str]:
        """Rooms with guests."""
        return [room for room in self.rooms if self.inside[room]]

    # --- Deeds; each returns its records ---

    def check_in(self, room: str, *, silent: bool = False) -> list[str]:
        """A new guest; the flag says whether others are in."""
        guest = self._new_guest()
        flag = "Y" if self.inside[room] else "N"
        self.inside[room].append(guest.number)
        if silent:
            return []
        if flag == "N":
            self.told[room].clear()  # whoever the line still knows there is stale
        self.told[room].append(guest.number)
        return [f"GI|RN{room}|{self._data(guest)}GS{flag}|"]

    def check_out(self, room: str, *, silent: bool = False) -> list[str]:
        """One guest of the room leaves, any of them."""
        number = self._random.choice(self.inside[room])
        self.inside[room].remove(number)
        if silent:
            return []
        flag = "Y" if self.inside[room] else "N"
        self._forget(number)
        if flag == "N":
            self.told[room].clear()
        return [f"GO|RN{room}|G#{number}|GS{flag}|"]

    def move(self, old: str, new: str, *, silent: bool = False) -> list[str]:
        """One guest of the old room takes the new one: a GC, or GO and GI in either order."""
        number = self._random.choice(self.inside[old])
        self.inside[old].remove(number)
        shared = "Y" if self.inside[new] else "N"
        left = "Y" if self.inside[old] else "N"
        self.inside[new].append(number)
        if silent:
            return []
        self._forget(number)
        if left == "N":
            self.told[old].clear()
        if shared == "N":
            self.told[new].clear()
        self.told[new].append(number)
        guest = self.guests[number]
        if not self.moves:
            pair = [
                f"GO|RN{old}|G#{number}|GS{left}|",
                f"GI|RN{new}|{self._data(guest)}GS{shared}|",
            ]
            return pair if self._random.random() < 0.5 else pair[::-1]
        new_block, old_block = f"RN{new}|GS{shared}|", f"RO{old}|GS{left}|"
        if self._random.random() < 0.5:
            return [f"GC|{new_block}G#{number}|GN{guest.name}|{old_block}"]
        return [f"GC|{old_block}{new_block}G#{number}|GN{guest.name}|"]

    def change(self, room: str) -> list[str]:
        """Something about a guest is different; only that is told."""
        guest = self.guests[self._random.choice(self.inside[room])]
        match self._random.randrange(4):
            case 0:
                guest.name = self._random.choice(_LAST)
                field_text = f"GN{guest.name}|"
            case 1:
                guest.language = self._random.choice(_LANGUAGES)
                field_text = f"GL{guest.language}|"
            case 2:
                guest.departure += timedelta(days=1)
                field_text = f"GD{guest.departure:%y%m%d}|"
            case _:
                guest.vip = self._random.choice(
                    ("0", "3")
                )  # an empty field of a change says nothing
                field_text = f"GV{guest.vip}|"
        return [f"GC|RN{room}|G#{guest.number}|{field_text}"]

    def restrict(self, room: str) -> list[str]:
        """A new class of service for the whole room."""
        cos = str(self._random.randrange(4))
        for number in self.told[room]:
            self.guests[number].cos = cos
        return [f"RE|RN{room}|CS{cos}|"]

    def resync(self) -> list[str]:
        """Every room, whatever was told before."""
        records = ["DS|DA{day}|TI120000|", *self._every_room(), "DE|DA{day}|TI120100|"]
        for room in self.rooms:
            known = [number for number in self.told[room] if number in self.inside[room]]
            fresh = [number for number in self.inside[room] if number not in known]
            self.told[room] = known + fresh
        return [record.replace("{day}", f"{self.today:%y%m%d}") for record in records]

    # --- Days ---

    def random_deed(self) -> list[str]:
        """Any deed that makes sense now, with its records in order."""
        draw = self._random.random()
        if draw < 0.30 and self.free:
            return self.check_in(self._random.choice(self.free))
        if draw < 0.40 and self.taken:
            return self.check_in(self._random.choice(self.taken))
        if draw < 0.58 and self.taken:
            return self.check_out(self._random.choice(self.taken))
        if draw < 0.78 and self.taken:
            old = self._random.choice(self.taken)
            new = self._random.choice([room for room in self.rooms if room != old])
            return self.move(old, new)
        if draw < 0.92 and self.taken:
            return self.change(self._random.choice(self.taken))
        if self.taken:
            return self.restrict(self._random.choice(self.taken))
        return []

    def silent_deed(self) -> None:
        """Something the line never hears of: the link was down, or the PMS forgot."""
        draw = self._random.random()
        if draw < 0.4:
            self.check_in(self._random.choice(self.rooms), silent=True)
        elif self.taken and draw < 0.7:
            self.check_out(self._random.choice(self.taken), silent=True)
        elif self.taken:
            old = self._random.choice(self.taken)
            new = self._random.choice([room for room in self.rooms if room != old])
            self.move(old, new, silent=True)

    # --- Inside ---

    def _every_room(self) -> list[str]:
        records = []
        for room in self.rooms:
            if not self.inside[room]:
                records.append(f"GO|RN{room}|SF|")
            for position, number in enumerate(self.inside[room]):
                flag = "Y" if position else "N"
                records.append(f"GI|RN{room}|{self._data(self.guests[number])}GS{flag}|SF|")
        return records

    def _forget(self, number: str) -> None:
        for order in self.told.values():
            if number in order:
                order.remove(number)

    def _new_guest(self) -> HotelGuest:
        self._next += 1
        guest = HotelGuest(
            number=str(self._next),
            name=self._random.choice(_LAST),
            first=self._random.choice(_FIRST),
            language=self._random.choice(_LANGUAGES),
            vip=self._random.choice(("", "0", "2")),
            cos=str(self._random.randrange(4)),
            arrival=self.today,
            departure=self.today + timedelta(days=self._random.randrange(1, 9)),
        )
        self.guests[guest.number] = guest
        return guest

    def _data(self, guest: HotelGuest) -> str:
        return (
            f"G#{guest.number}|GN{guest.name}|GF{guest.first}|GL{guest.language}|GV{guest.vip}|"
            f"GA{guest.arrival:%y%m%d}|GD{guest.departure:%y%m%d}|CS{guest.cos}|"
        )


def differences(
    hotel: Hotel, shows: Mapping[str, UcmRoom], *, any_sharer: bool = False
) -> list[str]:
    """Rooms in which a UCM does not show what the PMS means; the words name no guest.

    any_sharer  bytes were lost in a dying socket: only the PMS knows which of two sharers came
                first, so either may be displayed
    """
    found = []
    for number in hotel.rooms:
        shown = shows[number]
        if any_sharer and shown.account in hotel.inside[number]:
            wanted = hotel.shown_as(hotel.guests[shown.account])
        else:
            wanted = hotel.shown(number)
        if wanted.is_in != shown.is_in:
            found.append(f"{number}: in={shown.is_in}, the PMS means in={wanted.is_in}")
        elif wanted.is_in:
            pairs = {
                name: (getattr(wanted, name), getattr(shown, name))
                for name in ("account", "language", "vipcode", "cos", "dateout")
            }
            pairs["lastname"] = (wanted.lastname, plain(shown.lastname))
            pairs["firstname"] = (wanted.firstname, plain(shown.firstname))
            wrong = [name for name, (left, right) in pairs.items() if left != right]
            if wrong:
                found.append(f"{number}: differs in {', '.join(wrong)}")
    return found


def plain(name: str) -> str:
    """A name without what a UCM refuses: the letters by which names can be compared."""
    return "".join(char for char in name if char not in "'\"`;\\")
