"""Phones in the rooms of the demo: guests type into them, and what they typed goes with them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gateway.simulators.hotel import Hotel
from gateway.simulators.phone import PhoneSimulator

SECTION: Final = """
[phones]
file = "phones.toml"
at_check_in = ["directory", "language"]
[[phones.directory]]
name = "Reception"
number = "0"
[[phones.directory]]
name = "Room service"
number = "77"
"""
HOTELS: Final = 2
SETTLE_WITHIN_S: Final = 30.0
WORDS: Final = {
    "delete": "the contacts are deleted",
    "save": "a number of the hotel is stored",
    "put": "the language is set",
}


@dataclass(slots=True)
class DemoPhones:
    """A phone in each of the first rooms, of both generations by turns."""

    phones: dict[str, PhoneSimulator] = field(default_factory=dict)
    _inside: dict[str, set[str]] = field(default_factory=dict)
    _stays: Counter[str] = field(default_factory=Counter)

    def type_in(self, hotel: Hotel) -> None:
        """Whoever is in a room adds a contact, once, which has the name of his stay: it ends when
        nobody is in of those who were.
        """
        for room, phone in self.phones.items():
            now = set(hotel.inside[room])
            if not now & self._inside.get(room, set()):
                self._stays[room] += 1
            self._inside[room] = now
            if now and self._stay(room) not in phone.names("default"):
                phone.type_in(self._stay(room), "5551")

    def _stay(self, room: str) -> str:
        return f"stay {self._stays[room]}"

    async def differences(self, hotel: Hotel, within_s: float = SETTLE_WITHIN_S) -> list[str]:
        """Rooms whose phone holds what it should not, when they have had time."""
        try:
            async with asyncio.timeout(within_s):
                while found := self._differences(hotel):  # noqa: ASYNC110  # as a person would look
                    await asyncio.sleep(0.1)
        except TimeoutError:
            return found
        return []

    def _differences(self, hotel: Hotel) -> list[str]:
        found = []
        for room, phone in self.phones.items():
            mine = {self._stay(room)} if hotel.inside[room] else set()
            if set(phone.names("default")) - mine:
                found.append(f"phone {room}: contacts of somebody who has left")
            if hotel.inside[room] and len(phone.names("Hotel")) != HOTELS:
                found.append(f"phone {room}: not the hotel's numbers")
        return found


@asynccontextmanager
async def demo_phones(
    folder: Path, rooms: Sequence[str], show: Callable[[str], None]
) -> AsyncIterator[DemoPhones]:
    """The phones, and `phones.toml` in the folder."""
    demo = DemoPhones()
    lines = []
    for number, room in enumerate(rooms):
        generation = ("cgi-bin", "manager")[number % 2]
        phone = PhoneSimulator(generation=generation, number=room, on_done=_teller(room, show))
        await phone.start()
        demo.phones[room] = phone
        lines.append(f'"{room}" = "{phone.address}"\n')
    password = next(iter(demo.phones.values())).password
    text = f'password = "{password}"\n[rooms]\n{"".join(lines)}'
    (folder / "phones.toml").write_text(text, encoding="utf-8")
    try:
        yield demo
    finally:
        for phone in demo.phones.values():
            await phone.stop()


def _teller(room: str, show: Callable[[str], None]) -> Callable[[str], None]:
    def tell(action: str) -> None:
        if words := WORDS.get(action):
            show(f"     phone {room}: {words}")

    return tell
