"""A batch of records on its way to the store, and one whose commit failed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.house import Desired, Told
from gateway.store import Batch, PostingRow, PostingStep, Refused


@dataclass(slots=True)
class Draft:
    """What a batch of records comes to, until it is stored.

    causes      of each changed room: the record, its moment, whether it belongs to a resync
    desired     of each changed room, behind the last fact
    events      what happened in the hotel, fact by fact: see `happened`
    heard       digest and moment of the last record of each room
    pms_rooms   how the PMS writes the rooms it has named, by their address
    postings    what its answers have made of postings
    reports     what is counted and logged behind the commit
    """

    causes: dict[str, tuple[str, float, bool]] = field(default_factory=dict)
    heard: dict[str, tuple[bytes, float]] = field(default_factory=dict)
    desired: dict[str, Desired] = field(default_factory=dict)
    events: list[tuple[str, str]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    pms_rooms: dict[str, str] = field(default_factory=dict)
    postings: list[tuple[PostingRow, PostingStep]] = field(default_factory=list)
    reports: list[Callable[[], None]] = field(default_factory=list)

    def collect(self, told: Told, record: str, at: float, *, background: bool) -> None:
        """What one fact has changed. A live record of a room counts before a resync's."""
        for room in told.rooms:
            was_background = self.causes.get(room, ("", at, True))[2]
            self.causes[room] = (record, at, background and was_background)


@dataclass(frozen=True, slots=True)
class Doubt:
    """A batch whose commit failed: it may be on disk all the same."""

    received: Sequence[object]
    batch: Batch
    draft: Draft
    mentions: Mapping[str, bool]
