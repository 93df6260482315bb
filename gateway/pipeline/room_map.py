"""From the PMS's room numbers to the PBX's addresses: the one place where they are mapped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from protocols.facts import (
    GuestArrived,
    GuestChanged,
    GuestLeft,
    GuestMoved,
    RoomEquipped,
    Said,
    WakeUpCleared,
    WakeUpOrdered,
)

RoomFact = GuestArrived | GuestChanged | GuestLeft | RoomEquipped | WakeUpOrdered | WakeUpCleared


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomMap:
    """How this site's room numbers become addresses.

    addresses               PMS room -> address; several rooms of a suite may share one: then that
                            nobody else is here is said of a part only, and our own count decides
    strip_leading_zeros     for rooms that are not in `addresses` as they stand
    ignored                 rooms that no phone has (pseudo rooms), as "9001" or "PM*"
    """

    addresses: Mapping[str, str] = field(default_factory=dict)
    strip_leading_zeros: bool = False
    ignored: Sequence[str] = ()

    def _is_ignored(self, room: str) -> bool:
        return any(fnmatchcase(room, pattern) for pattern in self.ignored)

    def address_of(self, room: str) -> str:
        """The address of a PMS room. Leading zeros are significant unless the site says no."""
        if room in self.addresses:
            return self.addresses[room]
        if self.strip_leading_zeros:
            room = room.lstrip("0") or "0"
        return self.addresses.get(room, room)

    def pms_room_of(self, address: str) -> str:
        """How the PMS most likely writes the room of an address of which it has never spoken."""
        return next((room for room, each in self.addresses.items() if each == address), address)

    def _is_suite(self, address: str) -> bool:
        return sum(each == address for each in self.addresses.values()) > 1

    def _flag(self, address: str, shared: bool | None) -> bool | None:
        """The PMS's word about the room, as a word about the address."""
        return None if shared is False and self._is_suite(address) else shared

    def translate(self, fact: Said) -> Said | None:
        """The same fact with addresses for rooms; None: it is about a room that no phone has.

        A move between two rooms of one address is a change, not a move. Who moves out of a room
        that no phone has arrives, and who moves into one leaves.
        """
        if isinstance(fact, GuestMoved):
            return self._move(fact)
        if not isinstance(fact, RoomFact):
            return fact
        if self._is_ignored(fact.room):
            return None
        room = self.address_of(fact.room)
        if isinstance(fact, GuestLeft) and self._is_suite(room):
            return replace(fact, room=room, shared=self._flag(room, fact.shared), in_part=True)
        if isinstance(fact, GuestArrived):
            return replace(fact, room=room, shared=self._flag(room, fact.shared))
        return replace(fact, room=room)

    def _move(self, fact: GuestMoved) -> Said | None:
        room, old_room = self.address_of(fact.room), self.address_of(fact.old_room)
        who: dict[str, Any] = {"reservation": fact.reservation, "details": fact.details}
        if self._is_ignored(fact.old_room):
            return self.translate(GuestArrived(room=fact.room, shared=fact.shared, **who))
        if self._is_ignored(fact.room):
            shared = fact.old_room_shared
            left = GuestLeft(room=fact.old_room, reservation=fact.reservation, shared=shared)
            return self.translate(left)
        if room == old_room:
            return GuestChanged(room=room, **who)
        return replace(
            fact,
            room=room,
            old_room=old_room,
            shared=self._flag(room, fact.shared),
            old_room_shared=self._flag(old_room, fact.old_room_shared),
        )
