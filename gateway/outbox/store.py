"""The SQLite file of the outbox and of the house. Synchronous; one connection, one thread.

Write-ahead log with `synchronous = FULL`: in WAL mode NORMAL keeps the file whole but may lose
the last commits in a power cut, and an appliance in a cupboard loses power.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import apsw

from gateway.events import (
    EVENT_NAMES,
    EVENT_TYPES,
    CheckIn,
    CheckOut,
    DoNotDisturb,
    GuestEvent,
    Move,
    RoomStatus,
    Update,
    WakeUp,
    rooms_of,
)
from gateway.house import Ledger, Room
from gateway.jsonable import from_json, to_json
from gateway.outbox.schema import MIGRATIONS, REFUSED_KEPT

TO_UCM: Final = "to_ucm"
LANES: Final = ("to_ucm", "to_pms")
STATES: Final = ("waiting", "parked")


class StorageFailed(Exception):
    """The disk said no. Nothing of the call is stored: do not acknowledge, try again later."""


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
    """One row, as the relay sees it.

    attempts    how often the UCM has refused it for a passing reason
    unsure      a call for it went out and its reply was lost
    repairs     a parked row of this room says the same kind of thing: tell everything
    """

    id: int
    event: GuestEvent
    received_at: float
    attempts: int
    unsure: bool
    repairs: bool
    background: bool


@dataclass(slots=True)
class Batch:
    """Everything that one read brought: it is stored whole, or not at all."""

    entries: list[NewEntry] = field(default_factory=list)
    rooms: Mapping[str, Room] = field(default_factory=dict)
    ledger: Ledger | None = None
    heard: dict[str, tuple[bytes, float]] = field(default_factory=dict)
    forgets_heard: bool = False
    refused: list[Refused] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (
            self.entries
            or self.rooms
            or self.ledger
            or self.heard
            or self.forgets_heard
            or self.refused
        )


@dataclass(frozen=True, slots=True)
class Totals:
    """For the dashboard: entries by (lane, state), and the oldest waiting one by lane."""

    entries: Mapping[tuple[str, str], int]
    oldest_waiting: Mapping[str, float]


_SUBJECTS: Final[dict[type[GuestEvent], str]] = {
    CheckIn: "guest",
    CheckOut: "guest",
    Update: "guest",
    Move: "guest",
    DoNotDisturb: "dnd",
    RoomStatus: "status",
    WakeUp: "wake_up",
}
"""What an event speaks about. Once a later one is delivered, parked ones of its subject are
superseded; a check-out ends every subject of its room."""

_WORDS_BY_SUBJECT: Final[dict[str, tuple[str, ...]]] = {
    subject: tuple(EVENT_NAMES[cls] for cls, word in _SUBJECTS.items() if word == subject)
    for subject in set(_SUBJECTS.values())
}

# A row is due when its moment has come and no earlier waiting row shares a room with it. One
# statement, its indexes, no lock table and no scheduler.
_DUE: Final = """
    SELECT e.id, e.event, e.body, e.received_at, e.attempts, e.unsure, e.background,
           EXISTS (SELECT 1 FROM entry AS p WHERE p.state = 'parked'
                   AND p.room IN (e.room, e.from_room) AND p.id < e.id)
    FROM entry AS e
    WHERE e.lane = :lane AND e.state = 'waiting'
      AND (e.due_at <= :now OR e.due_at > :now + :longest)
      AND NOT EXISTS (SELECT 1 FROM entry AS a WHERE a.state = 'waiting' AND a.id < e.id
                      AND a.room IN (e.room, e.from_room))
      AND NOT EXISTS (SELECT 1 FROM entry AS b WHERE b.state = 'waiting' AND b.id < e.id
                      AND b.from_room IN (e.room, e.from_room) AND b.from_room IS NOT NULL)
    ORDER BY e.background, e.id LIMIT :limit
"""


class Outbox:
    """The file. Every method either has stored what it says when it returns, or raises.

    path    created with mode 0600 when missing: rows hold guests' names

    Raises StorageFailed from every method; the file is as before the call then.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with _mapped():
            path.touch(mode=0o600, exist_ok=True)
            self._db = apsw.Connection(str(path))
            self._db.set_busy_timeout(2000)
            for pragma in (
                "journal_mode = WAL",
                "synchronous = FULL",
                "secure_delete = ON",  # a purged name must not stay in a free page
                "foreign_keys = ON",
            ):
                self._db.execute(f"PRAGMA {pragma}").fetchall()
            self._migrate()
            self._counts: Counter[tuple[str, str]] = Counter()
            for lane, state, count in self._db.execute(
                "SELECT lane, state, count(*) FROM entry"
                " WHERE state IN ('waiting', 'parked') GROUP BY lane, state"
            ):
                self._counts[lane, state] = count

    def close(self) -> None:
        """Close the file; the last one out folds the log into it."""
        with _mapped():
            self._db.close()

    # --- What comes in ---

    def put(self, batch: Batch) -> None:
        """Store a batch in one transaction; durable when it returns."""
        with self._transaction() as db:
            for new in batch.entries:
                self._insert(db, new)
            db.executemany(
                "INSERT INTO house_room VALUES (?, ?)"
                " ON CONFLICT (room) DO UPDATE SET body = excluded.body",
                ((number, to_json(room)) for number, room in batch.rooms.items()),
            )
            if batch.ledger is not None:
                db.execute(
                    "INSERT OR REPLACE INTO house_ledger VALUES (1, ?)", (to_json(batch.ledger),)
                )
            if batch.forgets_heard:
                db.execute("DELETE FROM heard")
            db.executemany(
                "INSERT OR REPLACE INTO heard VALUES (?, ?, ?)",
                ((room, digest, at) for room, (digest, at) in batch.heard.items()),
            )
            for refused in batch.refused:
                db.execute(
                    "INSERT INTO refused (at, reason, body, advice) VALUES (?, ?, ?, ?)",
                    (refused.at, refused.reason, refused.body, refused.advice),
                )
            if batch.refused:
                db.execute(
                    "DELETE FROM refused WHERE id <= (SELECT max(id) FROM refused) - ?",
                    (REFUSED_KEPT,),
                )
        self._counts[TO_UCM, "waiting"] += len(batch.entries)

    def house(self) -> tuple[dict[str, Room], Ledger]:
        """The house as of the last `put`."""
        with _mapped():
            rooms = {
                number: from_json(Room, body)
                for number, body in self._db.execute("SELECT room, body FROM house_room")
            }
            row = self._db.execute("SELECT body FROM house_ledger").fetchone()
        return rooms, from_json(Ledger, row[0]) if row else Ledger()

    def heard(self) -> dict[str, tuple[bytes, float]]:
        """The digest and moment of the last record of each room."""
        with _mapped():
            return {
                room: (digest, at)
                for room, digest, at in self._db.execute("SELECT room, digest, at FROM heard")
            }

    def refused(self) -> list[Refused]:
        """What could not be read, the newest last."""
        with _mapped():
            return [
                Refused(at=at, reason=reason, body=body, advice=advice)
                for at, reason, body, advice in self._db.execute(
                    "SELECT at, reason, body, advice FROM refused ORDER BY id"
                )
            ]

    # --- What goes out ---

    def due(
        self, lane: str, now: float, limit: int = 1, *, longest_pause_s: float = 7200.0
    ) -> list[Entry]:
        """The next rows to deliver, at most one per room, live ones before a resync's.

        longest_pause_s     no row was ever told to wait longer: one that seems to has only seen
                            the wall clock jump back, and is due
        """
        values = {"lane": lane, "now": now, "limit": limit, "longest": longest_pause_s}
        with _mapped():
            rows = self._db.execute(_DUE, values).fetchall()
        return [_entry(row) for row in rows]

    def done(self, entry: Entry, now: float) -> int:
        """The row is delivered. Returns how many parked rows it supersedes."""
        rooms = rooms_of(entry.event)
        words: Iterable[str] = _WORDS_BY_SUBJECT[_SUBJECTS[type(entry.event)]]
        if isinstance(entry.event, CheckOut):
            words = EVENT_TYPES
        with self._transaction() as db:
            self._finish(db, entry, "done", now)
            db.execute(
                "UPDATE entry SET state = 'superseded', superseded_by = ?, finished_at = ?"
                " WHERE state = 'parked' AND id < ? AND lane = 'to_ucm'"
                f" AND room IN ({_marks(rooms)}) AND event IN ({_marks(words)})",
                (entry.id, now, entry.id, *rooms, *words),
            )
            superseded = db.changes()
        self._counts[TO_UCM, "waiting"] -= 1
        self._counts[TO_UCM, "parked"] -= superseded
        return superseded

    def later(
        self, entry: Entry, due_at: float, error: str, *, attempts: int, unsure: bool
    ) -> None:
        """The row waits until `due_at`; the error is kept in words."""
        with self._transaction() as db:
            db.execute(
                "UPDATE entry SET due_at = ?, error = ?, attempts = ?, unsure = ? WHERE id = ?",
                (due_at, error, attempts, unsure, entry.id),
            )

    def mark(self, entry: Entry, *, unsure: bool) -> None:
        """Whether a call for this row may have been made whose reply is not known."""
        with self._transaction() as db:
            db.execute("UPDATE entry SET unsure = ? WHERE id = ?", (unsure, entry.id))

    def park(self, entry: Entry, now: float, error: str) -> None:
        """The row waits for a human, and blocks nobody."""
        with self._transaction() as db:
            db.execute(
                "UPDATE entry SET state = 'parked', error = ?, finished_at = ? WHERE id = ?",
                (error, now, entry.id),
            )
        self._counts[TO_UCM, "waiting"] -= 1
        self._counts[TO_UCM, "parked"] += 1

    def totals(self) -> Totals:
        """Counts and ages; quick at any size."""
        with _mapped():
            oldest = {
                lane: row[0]
                for lane in LANES
                if (
                    row := self._db.execute(
                        "SELECT received_at FROM entry"
                        " WHERE lane = ? AND state = 'waiting' ORDER BY background, id LIMIT 1",
                        (lane,),
                    ).fetchone()
                )
            }
        return Totals(
            {(lane, state): self._counts[lane, state] for lane in LANES for state in STATES}, oldest
        )

    def purge(self, before: float) -> int:
        """Forget what was delivered or superseded before this moment; parked rows stay."""
        with self._transaction() as db:
            db.execute(
                "DELETE FROM entry WHERE finished_at < ? AND state IN ('done', 'superseded')",
                (before,),
            )
            db.execute("DELETE FROM refused WHERE at < ?", (before,))
            return db.changes()

    def try_write(self) -> None:
        """Write something that changes nothing: can the disk take a read's worth of records?"""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO refused (at, reason, body, advice) VALUES (0, '', zeroblob(65536), '')"
            )
            db.execute("DELETE FROM refused WHERE at = 0")

    # --- Inside ---

    def _insert(self, db: apsw.Connection, new: NewEntry) -> None:
        event = new.event
        from_room = event.from_room if isinstance(event, Move) else None
        if not new.background:
            self._bring_forward(db, {event.room} | ({from_room} if from_room else set()))
        db.execute(
            "INSERT INTO entry (lane, state, room, from_room, event, body, record, background,"
            " received_at, due_at) VALUES ('to_ucm', 'waiting', ?, ?, ?, ?, ?, ?, ?, 0)",
            (
                event.room,
                from_room,
                EVENT_NAMES[type(event)],
                to_json(event),
                new.record,
                new.background,
                new.received_at,
            ),
        )

    def _bring_forward(self, db: apsw.Connection, rooms: set[str]) -> None:
        """Rows of a resync in front of a live one of the same room go with it."""
        reached: set[str] = set()
        while rooms - reached:
            reached |= rooms
            for row_room, row_from_room in db.execute(
                "UPDATE entry SET background = 0 WHERE state = 'waiting' AND background = 1"
                f" AND (room IN ({_marks(rooms)}) OR from_room IN ({_marks(rooms)}))"
                " RETURNING room, from_room",
                (*rooms, *rooms),
            ):
                rooms = rooms | {row_room} | ({row_from_room} if row_from_room else set())

    def _finish(self, db: apsw.Connection, entry: Entry, state: str, now: float) -> None:
        db.execute(
            "UPDATE entry SET state = ?, finished_at = ?, error = NULL WHERE id = ?",
            (state, now, entry.id),
        )

    def _migrate(self) -> None:
        version = self._db.pragma("user_version")
        if version > len(MIGRATIONS):
            raise StorageFailed(
                f"{self.path} was written by a newer version (schema {version}):"
                " install that version again"
            )
        for number, migration in enumerate(MIGRATIONS[version:], start=version + 1):
            with self._db:
                self._db.execute(migration)
                self._db.pragma("user_version", number)

    @contextmanager
    def _transaction(self) -> Iterator[apsw.Connection]:
        with _mapped(), self._db:
            yield self._db


@contextmanager
def _mapped() -> Iterator[None]:
    """SQLite's and the system's errors as ours."""
    try:
        yield
    except (apsw.Error, OSError) as error:
        raise StorageFailed(f"the outbox file: {error}") from error


def _marks(values: Iterable[object]) -> str:
    return ", ".join("?" for _ in values)


def _entry(row: Any) -> Entry:
    id_, word, body, received_at, attempts, unsure, background, repairs = row
    event: GuestEvent = from_json(EVENT_TYPES[word], body)
    return Entry(
        id=id_,
        event=event,
        received_at=received_at,
        attempts=attempts,
        unsure=bool(unsure),
        repairs=bool(repairs),
        background=bool(background),
    )
