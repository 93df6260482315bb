"""What the PMS means for each phone: who lives there in which stay, and what belongs to the stay.

A model of its own, written without a look at the gateway's house. It also knows who may hear whose
messages: those who ever lived in one stay.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gateway.simulators.hotel import Hotel


@dataclass(slots=True)
class SuiteHotel(Hotel):
    """A hotel in which several rooms may have one phone. `phones`: room -> its address."""

    phones: Mapping[str, str] = field(default_factory=dict)

    def restrict(self, room: str) -> list[str]:
        """A new class of service for the phone, and so for everybody who has it."""
        cos = str(self._random.randrange(4))
        for each in self.rooms:
            if self.phones[each] == self.phones[room]:
                for number in self.told[each]:
                    self.guests[number].cos = cos
        return [f"RE|RN{room}|CS{cos}|"]


@dataclass(slots=True, eq=False)
class Stay:
    """One occupation of a phone, from the first guest in to the last one out.

    mates       everybody who ever lived in it
    is_sure     the gateway must see it the same way: nothing that was said of it was lost
    is_on_time  the gateway's clock was right whenever a wake-up was ordered
    """

    mates: set[str] = field(default_factory=set)
    wake_ups: set[datetime] = field(default_factory=set)
    dnd: bool = False
    is_sure: bool = True
    is_on_time: bool = True


@dataclass(slots=True)
class Meaning:
    """Each phone of a hotel as its PMS means it; `note` follows each deed."""

    hotel: SuiteHotel
    orders: dict[str, list[str]] = field(init=False)
    stays: dict[str, Stay | None] = field(init=False)
    ever: list[Stay] = field(default_factory=list)

    def __post_init__(self) -> None:
        phones = dict.fromkeys(self.hotel.phones.values())
        self.orders = {phone: [] for phone in phones}
        self.stays = dict.fromkeys(phones)

    def note(self) -> None:
        """Something was said: who is where by now, and which stays go on."""
        before, had = self.orders, self.stays
        self.orders = {phone: self._order(phone, before[phone]) for phone in before}
        self.stays = {phone: self._stay(phone, before, had) for phone in before}

    def _order(self, phone: str, before: list[str]) -> list[str]:
        told = self.hotel.told
        here = [
            number
            for room, address in self.hotel.phones.items()
            if address == phone
            for number in told[room]
        ]
        kept = [number for number in before if number in here]
        return kept + [number for number in here if number not in kept]

    def _stay(
        self, phone: str, before: Mapping[str, list[str]], had: Mapping[str, Stay | None]
    ) -> Stay | None:
        here, stay = set(self.orders[phone]), had[phone]
        if not here:
            return None
        goes_on = stay is not None and not here.isdisjoint(before[phone])
        # Stays that ended where they were, and one of whose guests is here now.
        brought = [
            (left, old)
            for old, left in had.items()
            if old != phone
            and left is not None
            and not here.isdisjoint(before[old])
            and set(before[old]).isdisjoint(self.orders[old])
        ]
        is_sure = len(brought) < 2 and all(self._scattered(before[old]) < 2 for _, old in brought)
        if not goes_on:
            stay = brought[0][0] if brought and is_sure else Stay()
            if stay not in self.ever:
                self.ever.append(stay)
        assert stay is not None
        for left, _ in brought:  # the last one of a room brings what he has
            stay.wake_ups |= left.wake_ups
            if not goes_on:
                stay.mates |= left.mates
        stay.is_sure &= is_sure
        stay.mates |= here
        return stay

    def _scattered(self, guests: list[str]) -> int:
        return sum(not set(order).isdisjoint(guests) for order in self.orders.values())

    def doubt(self) -> None:
        """Something that was said of the guests who are in may have been lost."""
        for stay in self.stays.values():
            if stay is not None:
                stay.is_sure = False

    def was_late(self) -> None:
        """The gateway's clock was wrong."""
        for stay in self.stays.values():
            if stay is not None:
                stay.is_on_time = False

    def phone_of(self, stay: Stay) -> str | None:
        """Where this stay is now; None: it is over."""
        return next((phone for phone, each in self.stays.items() if each is stay), None)

    def are_mates(self, one: str, other: str) -> bool:
        """They ever lived in one stay, so that they have one mailbox."""
        return one == other or any({one, other} <= stay.mates for stay in self.ever)

    def as_phones(self) -> Hotel:
        """A hotel that has a room for each phone."""
        hotel = Hotel(rooms=tuple(self.orders))
        hotel.told, hotel.guests = self.orders, self.hotel.guests
        for room, phone in self.hotel.phones.items():
            hotel.inside[phone] += self.hotel.inside[room]
        return hotel
