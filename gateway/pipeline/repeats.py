"""Repeats: a record that comes again because our answer to it was lost is taken once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

from gateway.house import Ledger

REPEAT_WINDOW_S: Final = 15.0
"""A peer asks three times for a lost answer, 3 s apart, and then sends the record again."""

Heard = Mapping[str, tuple[bytes, float]]
"""By room: digest and moment of its last record."""


def digest_of(body: bytes, ledger: Ledger) -> bytes:
    """What is compared with the next record: the same text says something else in a resync."""
    salt = b"%d" % (ledger.resync * 2 + ledger.in_resync)
    return blake2b(body, digest_size=16, salt=salt).digest()


@dataclass(slots=True)
class Repeats:
    """The last record of each room, as far as it is on disk."""

    heard: dict[str, tuple[bytes, float]] = field(default_factory=dict)

    def has(self, rooms: Collection[str], digest: bytes, now: float, newer: Heard) -> bool:
        """The same text for the same rooms, nothing of them in between, within the window.

        Never "this text was seen before": a guest may truly check in twice with the same text.

        newer   what was heard and is not on disk yet
        """
        for room in rooms:
            last = newer.get(room) or self.heard.get(room)
            if last is None or last[0] != digest or not 0 <= now - last[1] <= REPEAT_WINDOW_S:
                return False
        return bool(rooms)
