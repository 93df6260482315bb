"""What goes into the outbox file and what comes out of it, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.events import GuestEvent
from gateway.house import Ledger, Room

TO_UCM: Final = "to_ucm"
LANES: Final = ("to_ucm", "to_pms")
STATES: Final = ("waiting", "parked", "done", "superseded")
"""Every accepted entry is in exactly one of these."""
OPEN_STATES: Final = ("waiting", "parked")
"""Those in which something is still to be done about it."""


class StorageFailed(Exception):
    """The disk said no. What was asked for may be stored or not: do not acknowledge, ask again."""


class StorageCorrupt(StorageFailed):
    """What is on the disk is not what was written. The file must make way for another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """An event to be delivered.

    record          the record that caused it, as text
    received_at     when its last byte arrived, seconds since 1970
    background      it belongs to a resync
    """

    event: GuestEvent
    record: str
    received_at: float
    background: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Something from the line that could not be read."""

    at: float
    reason: str
    body: bytes
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A row that is due, as the relay sees it.

    event       of the row itself, or what it and the rows `folded` into it come to together
    attempts    how often the UCM has refused it for a passing reason
    unsure      a call for it went out and its reply was lost
    repairs     a parked row of this room says the same kind of thing: tell everything; of a move:
                who came or went could not be told, and perhaps somebody else is there
    folded      later rows of the room that are delivered with this one, ascending
    file        which of the files that had to make way it is of; what becomes of a row of another
                one is no news
    """

    id: int
    event: GuestEvent
    received_at: float
    attempts: int
    unsure: bool
    repairs: bool
    background: bool
    folded: tuple[int, ...] = ()
    file: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row as an operator sees it: everything but the event's body.

    record          what the PMS said; holds a guest's name
    finished_at     when it left the state "waiting"; None: it has not
    superseded_by   the row that made it needless; None with state "superseded": an operator did
    """

    id: int
    lane: str
    state: str
    room: str
    from_room: str | None
    event: str
    record: str
    background: bool
    received_at: float
    due_at: float
    attempts: int
    unsure: bool
    error: str | None
    finished_at: float | None
    superseded_by: int | None


@dataclass(slots=True)
class Batch:
    """Everything that one read brought: it is stored whole, or not at all.

    heard   digest and moment of the last record of each room
    """

    entries: list[NewEntry] = field(default_factory=list)
    rooms: Mapping[str, Room] = field(default_factory=dict)
    ledger: Ledger | None = None
    heard: dict[str, tuple[bytes, float]] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Nothing of it has to be on disk. A record that has changed nothing may come again."""
        return not (self.entries or self.rooms or self.ledger or self.refused)


@dataclass(frozen=True, slots=True)
class Totals:
    """The books of the outbox.

    accepted        entries ever accepted, by lane
    entries         the same entries by (lane, state): for each lane they add up to `accepted`,
                    or something was lost
    oldest_waiting  when the oldest waiting entry was received, by lane
    """

    accepted: Mapping[str, int]
    entries: Mapping[tuple[str, str], int]
    oldest_waiting: Mapping[str, float]

    def unaccounted(self, lane: str) -> int:
        """Accepted entries that are in no state; always 0."""
        return self.accepted[lane] - sum(self.entries[lane, state] for state in STATES)
