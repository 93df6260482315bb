"""From the PMS's room numbers to the PBX's addresses: the one place where they are mapped."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from protocols.facts import (
    Fact,
    GuestArrived,
    GuestChanged,
    GuestLeft,
    GuestMoved,
    RoomEquipped,
    WakeUpCleared,
    WakeUpOrdered,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomMap:
    """How this site's room numbers become addresses.

    addresses               PMS room -> address; several rooms of a suite may share one: then that
                            nobody else is here is said of a part only, and our own count decides
    strip_leading_zeros     for rooms that are not in `addresses` as they stand
    """

    addresses: Mapping[str, str] = field(default_factory=dict)
    strip_leading_zeros: bool = False

    def address_of(self, room: str) -> str:
        """The address of a PMS room. Leading zeros are significant unless the site says no."""
        if room in self.addresses:
            return self.addresses[room]
        if self.strip_leading_zeros:
            room = room.lstrip("0") or "0"
        return self.addresses.get(room, room)

    def _is_suite(self, address: str) -> bool:
        return sum(each == address for each in self.addresses.values()) > 1

    def _flag(self, address: str, shared: bool | None) -> bool | None:
        """The PMS's word about the room, as a word about the address."""
        return None if shared is False and self._is_suite(address) else shared

    def translate(self, fact: Fact) -> Fact:
        """The same fact with addresses for rooms.

        A move between two rooms of one address is a change, not a move.
        """
        match fact:
            case GuestMoved():
                room, old_room = self.address_of(fact.room), self.address_of(fact.old_room)
                if room == old_room:
                    return GuestChanged(
                        room=room, reservation=fact.reservation, details=fact.details
                    )
                return replace(
                    fact,
                    room=room,
                    old_room=old_room,
                    shared=self._flag(room, fact.shared),
                    old_room_shared=self._flag(old_room, fact.old_room_shared),
                )
            case GuestArrived() | GuestLeft() if self._is_suite(self.address_of(fact.room)):
                room = self.address_of(fact.room)
                fact = replace(fact, room=room, shared=self._flag(room, fact.shared))
                return replace(fact, in_part=True) if isinstance(fact, GuestLeft) else fact
            case (
                GuestArrived()
                | GuestChanged()
                | GuestLeft()
                | RoomEquipped()
                | WakeUpOrdered()
                | WakeUpCleared()
            ):
                room = self.address_of(fact.room)
                return fact if room == fact.room else replace(fact, room=room)
            case _:
                return fact
