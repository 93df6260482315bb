"""The outbox and the house on disk: what is waiting, in which order, and what became of it."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
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
from gateway.outbox.file import OutboxFile
from gateway.outbox.fold import fold_all
from gateway.outbox.schema import REFUSED_KEPT
from gateway.outbox.values import (
    LANES,
    OPEN_STATES,
    STATES,
    TO_UCM,
    Batch,
    Entry,
    NewEntry,
    Refused,
    Row,
    StorageCorrupt,
    Totals,
)

FOLDED_AT_ONCE: Final = 64
"""Rows of one room that are looked at together; a longer queue is folded piece by piece."""

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

_IS_FIRST: Final = """
    NOT EXISTS (SELECT 1 FROM entry AS a WHERE a.state = 'waiting' AND a.id < e.id
                AND a.room IN (e.room, e.from_room))
    AND NOT EXISTS (SELECT 1 FROM entry AS b WHERE b.state = 'waiting' AND b.id < e.id
                    AND b.from_room IN (e.room, e.from_room) AND b.from_room IS NOT NULL)
"""
"""No earlier waiting row shares a room with `e`: the order inside a room, as SQL says it."""

_DUE: Final = """
    SELECT e.id, e.event, e.body, e.received_at, e.attempts, e.unsure, e.background,
           EXISTS (SELECT 1 FROM entry AS p WHERE p.state = 'parked'
                   AND p.room IN (e.room, e.from_room) AND p.id < e.id)
    FROM entry AS e
    WHERE e.lane = :lane AND e.head = 1 AND (e.due_at <= :now OR e.due_at > :now + :longest)
    ORDER BY e.background, e.attempts, e.id LIMIT :limit
"""
"""Live ones before a resync's, and those that were never refused before those that were."""


class Outbox(OutboxFile):
    """The file. Every method has stored what it says when it returns.

    Raises StorageFailed from every method. It may be stored all the same (a sync that failed says
    nothing), so ask before it is done again: `totals().accepted` grows with every entry.
    """

    _counts: Counter[tuple[str, str]]
    _only: Entry | None = None
    """The row stored last, as long as it is all that waits: then nobody has to look what is due."""

    @property
    def accepted(self) -> int:
        """Entries for the UCM that were ever accepted, as of the last use of the file."""
        return self._counts[TO_UCM, "accepted"]

    @property
    def _unfinished(self) -> int:
        """Rows for the UCM that wait or are parked, before the transaction that runs."""
        return sum(self._counts[TO_UCM, state] for state in OPEN_STATES)

    @property
    def waiting(self) -> int:
        """Entries that wait for the UCM, as of the last use of the file."""
        return self._counts[TO_UCM, "waiting"]

    def _opened(self, db: apsw.Connection) -> None:
        self._only = None
        self._counts = Counter(
            {(lane, word): count for lane, word, count in db.execute("SELECT * FROM tally")}
        )

    # --- What comes in ---

    def put(self, batch: Batch) -> None:
        """Store a batch in one transaction; durable when it returns."""
        with self._booked() as (db, books):
            # Inside: after a failure the books are read again when the file is opened.
            is_only = len(batch.entries) == 1 and not self._unfinished
            ids = [self._insert(db, new, is_only=is_only) for new in batch.entries]
            books[TO_UCM, "accepted"] += len(batch.entries)
            books[TO_UCM, "waiting"] += len(batch.entries)
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
        if is_only:
            self._only = _as_stored(ids[0], batch.entries[0])

    def house(self) -> tuple[dict[str, Room], Ledger]:
        """The house as of the last `put`. Raises StorageCorrupt when it cannot be understood."""
        with self.reading() as db:
            try:
                rooms = {
                    number: from_json(Room, body)
                    for number, body in db.execute("SELECT room, body FROM house_room")
                }
                row = db.execute("SELECT body FROM house_ledger").fetchone()
                return rooms, from_json(Ledger, row[0]) if row else Ledger()
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise StorageCorrupt("the outbox file is damaged: no house in it") from error

    def heard(self) -> dict[str, tuple[bytes, float]]:
        """The digest and moment of the last record of each room."""
        with self.reading() as db:
            return {
                room: (digest, at)
                for room, digest, at in db.execute("SELECT room, digest, at FROM heard")
            }

    def refused(self) -> list[Refused]:
        """What could not be read, the newest last."""
        with self.reading() as db:
            return [
                Refused(at=at, reason=reason, body=body, advice=advice)
                for at, reason, body, advice in db.execute(
                    "SELECT at, reason, body, advice FROM refused ORDER BY id"
                )
            ]

    # --- What goes out ---

    def turn(self, delivered: Sequence[Entry], now: float, limit: int, **how: Any) -> list[Entry]:
        """Note what is delivered, and give what is due for the UCM: `done` and `due` at once."""
        if delivered:
            self.done(delivered, now)
        return self.due(TO_UCM, now, limit, **how)

    def due(
        self,
        lane: str,
        now: float,
        limit: int = 1,
        *,
        longest_pause_s: float = 7200.0,
        alone: Collection[int] = (),
    ) -> list[Entry]:
        """The next rows to deliver, at most one per room, live ones before a resync's, and rows
        that were never refused before those that were.

        longest_pause_s     no row was ever told to wait longer: one that seems to has only seen
                            the wall clock jump back, and is due
        alone               rows that are to be delivered as they are, without those behind them
        """
        if self._only is not None and lane == TO_UCM:
            return [self._only]
        values = {"lane": lane, "now": now, "limit": limit, "longest": longest_pause_s}
        with self.reading() as db:
            return [self._folded(db, row, alone) for row in db.execute(_DUE, values).fetchall()]

    def done(self, entries: Sequence[Entry], now: float) -> int:
        """These rows are delivered, with those folded into them. Returns how many others they
        supersede: parked ones of their subject, and earlier ones that an operator put back.
        """
        with self._booked() as (db, books):
            return sum(self._done(db, books, entry, now) for entry in entries)

    def _done(
        self, db: apsw.Connection, books: Counter[tuple[str, str]], entry: Entry, now: float
    ) -> int:
        last = entry.folded[-1] if entry.folded else entry.id
        rooms = rooms_of(entry.event)
        words: Collection[str] = _WORDS_BY_SUBJECT[_SUBJECTS[type(entry.event)]]
        if isinstance(entry.event, CheckOut):
            words = EVENT_TYPES
        self._leave(db, books, (last,), "done", now)
        if self._unfinished == 1:
            return 0  # it was the only one: nothing to supersede, and nobody to come forward
        self._leave(
            db, books, (entry.id, *entry.folded[:-1]), "superseded", now, superseded_by=last
        )
        older: list[Any] = []
        for state in OPEN_STATES:
            older += db.execute(_older(state, rooms, words), (*rooms, *words, entry.id)).fetchall()
        self._leave(db, books, [row[0] for row in older], "superseded", now, superseded_by=last)
        self._promote(db, rooms)
        return len(older)

    def later(
        self, entry: Entry, due_at: float, error: str, *, attempts: int, unsure: bool
    ) -> None:
        """The row waits until `due_at`; the error is kept in words."""
        with self.transaction() as db:
            db.execute(
                "UPDATE entry SET due_at = ?, error = ?, attempts = ?, unsure = ? WHERE id = ?",
                (due_at, error, attempts, unsure, entry.id),
            )

    def mark(self, entry: Entry, *, unsure: bool) -> None:
        """Whether a call for this row may have been made whose reply is not known."""
        with self.transaction() as db:
            db.execute("UPDATE entry SET unsure = ? WHERE id = ?", (unsure, entry.id))

    def park(self, entry: Entry, now: float, error: str) -> None:
        """The row waits for a human, and blocks nobody."""
        with self._booked() as (db, books):
            self._leave(db, books, (entry.id,), "parked", now, error=error)
            self._promote(db, rooms_of(entry.event))

    def totals(self) -> Totals:
        """Counts and ages; quick at any size."""
        with self.reading() as db:
            oldest = {
                lane: row[0]
                for lane in LANES
                if (
                    row := db.execute(
                        "SELECT min(received_at) FROM entry WHERE lane = ? AND head = 1", (lane,)
                    ).fetchone()
                )
                and row[0] is not None
            }
            return Totals(
                accepted={lane: self._counts[lane, "accepted"] for lane in LANES},
                entries={
                    (lane, state): self._counts[lane, state] for lane in LANES for state in STATES
                },
                oldest_waiting=oldest,
            )

    def rooms_waiting(self) -> frozenset[str]:
        """Rooms with something still to be delivered."""
        with self.reading() as db:
            rows = db.execute(
                "SELECT room FROM entry WHERE state = 'waiting' GROUP BY room"
                " UNION SELECT from_room FROM entry"
                " WHERE state = 'waiting' AND from_room IS NOT NULL GROUP BY from_room"
            )
            return frozenset(row[0] for row in rows)

    # --- What an operator asks ---

    def rows(
        self, states: Collection[str], *, room: str | None = None, limit: int = 1000
    ) -> list[Row]:
        """Rows in these states, the newest last; of one room, or of all."""
        with self.reading() as db:
            found = db.execute(
                f"SELECT {_ROW} FROM entry WHERE state IN ({_marks(states)})"
                " AND (? IS NULL OR ? IN (room, from_room)) ORDER BY id DESC LIMIT ?",
                (*states, room, room, limit),
            ).fetchall()
        return [_row(values) for values in reversed(found)]

    def row(self, id_: int) -> Row | None:
        """One row, whatever its state."""
        with self.reading() as db:
            found = db.execute(f"SELECT {_ROW} FROM entry WHERE id = ?", (id_,)).fetchone()
        return _row(found) if found else None

    def retry(self, id_: int) -> bool:
        """A parked row waits again, in its old place. False: it is not parked."""
        with self._booked() as (db, books):
            row = db.execute(
                "UPDATE entry SET state = 'waiting', due_at = 0, attempts = 0, finished_at = NULL,"
                " error = NULL WHERE id = ? AND state = 'parked' RETURNING lane, room, from_room",
                (id_,),
            ).fetchone()
            if row is None:
                return False
            lane, *rooms = row
            books[lane, "parked"] -= 1
            books[lane, "waiting"] += 1
            # What waited behind nobody may now wait behind this row.
            touched = tuple(room for room in rooms if room is not None)
            db.execute(
                "UPDATE entry SET head = 0 WHERE state = 'waiting' AND head = 1 AND id > ?"
                f" AND (room IN ({_marks(touched)}) OR from_room IN ({_marks(touched)}))",
                (id_, *touched, *touched),
            )
            self._promote(db, touched)
        return True

    def drop(self, id_: int, now: float) -> bool:
        """A parked or waiting row is not to be delivered. False: it is neither."""
        with self._booked() as (db, books):
            row = db.execute("SELECT room, from_room FROM entry WHERE id = ?", (id_,)).fetchone()
            if row is None or not self._leave(
                db, books, (id_,), "superseded", now, error="dropped by an operator"
            ):
                return False
            self._promote(db, tuple(room for room in row if room is not None))
        return True

    # --- Housekeeping ---

    def purge(self, before: float) -> int:
        """Delete what ended before this moment, and with it the guests' names: rows that are done
        or superseded, refused bytes, and the log that still holds them. Returns the rows."""
        with self.transaction() as db:
            db.execute(
                "DELETE FROM entry WHERE finished_at < ? AND state IN ('done', 'superseded')",
                (before,),
            )
            purged = db.changes()
            db.execute("DELETE FROM refused WHERE at < ?", (before,))
            db.execute("DELETE FROM heard WHERE at < ?", (before,))
        with self.reading() as db:
            db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        return purged

    def try_write(self) -> None:
        """Write and take back: whether there is space again is known without a record."""
        with self.transaction() as db:
            db.execute(
                "INSERT INTO refused (at, reason, body, advice) VALUES (0, '', zeroblob(65536), '')"
            )
            db.execute("DELETE FROM refused WHERE at = 0")

    def audit(self) -> list[str]:
        """Count everything anew; what is wrong, in words. Slow on a long backlog: for tests and
        for a technician."""
        with self.reading() as db:
            wrong = [str(row[0]) for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"]
            counted = Counter(
                {
                    (lane, state): count
                    for lane, state, count in db.execute(
                        "SELECT lane, state, count(*) FROM entry"
                        " WHERE state IN ('waiting', 'parked') GROUP BY lane, state"
                    )
                }
            )
            heads = db.execute(
                f"SELECT id FROM entry AS e WHERE head != (state = 'waiting' AND {_IS_FIRST})"
            ).fetchall()
        wrong += [f"row {row[0]} is no head, or should be one" for row in heads]
        totals = self.totals()
        for lane in LANES:
            if totals.unaccounted(lane):
                wrong.append(f"{lane}: {totals.unaccounted(lane)} entries unaccounted for")
            wrong += [
                f"{lane}: {counted[lane, state]} {state}, the books say {self._counts[lane, state]}"
                for state in ("waiting", "parked")
                if counted[lane, state] != self._counts[lane, state]
            ]
        return wrong

    # --- Inside ---

    @contextmanager
    def transaction(self) -> Iterator[apsw.Connection]:
        """As OutboxFile's; what was known of the only row may not be so behind it."""
        self._only = None
        with super().transaction() as db:
            yield db

    @contextmanager
    def _booked(self) -> Iterator[tuple[apsw.Connection, Counter[tuple[str, str]]]]:
        """A transaction that moves entries between states: the books change with it."""
        books: Counter[tuple[str, str]] = Counter()
        with self.transaction() as db:
            yield db, books
            db.executemany(
                "INSERT INTO tally VALUES (?, ?, ?)"
                " ON CONFLICT (lane, word) DO UPDATE SET count = count + excluded.count",
                ((lane, word, count) for (lane, word), count in books.items() if count),
            )
        for key, count in books.items():
            self._counts[key] += count

    def _insert(self, db: apsw.Connection, new: NewEntry, *, is_only: bool) -> int:
        """Returns its id. `is_only`: nothing else waits or is parked."""
        event = new.event
        from_room = event.from_room if isinstance(event, Move) else None
        if not new.background and not is_only:
            self._bring_forward(db, {event.room} | ({from_room} if from_room else set()))
        db.execute(
            "INSERT INTO entry (lane, state, room, from_room, event, body, record, background,"
            " received_at, head, due_at) VALUES ('to_ucm', 'waiting', ?, ?, ?, ?, ?, ?, ?, ?, 0)",
            (
                event.room,
                from_room,
                EVENT_NAMES[type(event)],
                to_json(event),
                new.record,
                new.background,
                new.received_at,
                is_only,
            ),
        )
        id_ = db.last_insert_rowid()
        if not is_only:
            db.execute(f"UPDATE entry AS e SET head = 1 WHERE id = ? AND {_IS_FIRST}", (id_,))
        return id_

    def _bring_forward(self, db: apsw.Connection, rooms: set[str]) -> None:
        """Rows of a resync in front of a live one of the same room go with it."""
        reached: set[str] = set()
        while rooms - reached:
            reached |= rooms
            for column in ("room", "from_room"):
                moved: list[Any] = db.execute(
                    "UPDATE entry SET background = 0 WHERE state = 'waiting' AND background = 1"
                    f" AND {column} IN ({_marks(reached)}) RETURNING room, from_room",
                    tuple(reached),
                ).fetchall()
                rooms = rooms | {room for row in moved for room in row if room is not None}

    @staticmethod
    def _leave(
        db: apsw.Connection,
        books: Counter[tuple[str, str]],
        ids: Iterable[int],
        state: str,
        now: float,
        *,
        error: str | None = None,
        superseded_by: int | None = None,
    ) -> int:
        """Rows that wait (or are parked) enter another state; any others are left alone."""
        moved = 0
        for id_ in ids:
            row = db.execute(
                "SELECT lane, state FROM entry WHERE id = ? AND state IN ('waiting', 'parked')",
                (id_,),
            ).fetchone()
            if row is None or row[1] == state:
                continue
            db.execute(
                "UPDATE entry SET state = ?, head = 0, finished_at = ?, error = ?,"
                " superseded_by = ? WHERE id = ?",
                (state, now, error, superseded_by, id_),
            )
            books[row[0], row[1]] -= 1
            books[row[0], state] += 1
            moved += 1
        return moved

    @staticmethod
    def _promote(db: apsw.Connection, rooms: Iterable[str]) -> None:
        """The first waiting row of each room becomes a head, unless another room holds it back."""
        for room in rooms:
            for column in ("room", "from_room"):
                db.execute(
                    "UPDATE entry AS e SET head = 1 WHERE e.head = 0 AND e.id = ("
                    f" SELECT id FROM entry WHERE state = 'waiting' AND {column} = ?"
                    f" ORDER BY id LIMIT 1) AND {_IS_FIRST}",
                    (room,),
                )

    def _folded(self, db: apsw.Connection, row: Any, alone: Collection[int]) -> Entry:
        """The entry of a due row, with the rows behind it that come to one event with it."""
        id_, word, body, received_at, attempts, unsure, background, repairs = row
        event: GuestEvent = from_json(EVENT_TYPES[word], body)
        folded: list[int] = []
        if not unsure and id_ not in alone and not isinstance(event, Move):
            behind: list[Any] = db.execute(
                "SELECT id, event, body, received_at FROM entry"
                " WHERE state = 'waiting' AND room = :room AND id > :id"
                " AND id < coalesce((SELECT min(id) FROM entry WHERE state = 'waiting'"
                "                    AND from_room = :room AND id > :id), :id + (1 << 62))"
                " ORDER BY id LIMIT :limit",
                {"room": event.room, "id": id_, "limit": FOLDED_AT_ONCE},
            ).fetchall()
            event, count = fold_all(
                [event, *(from_json(EVENT_TYPES[word], body) for _, word, body, _ in behind)]
            )
            folded = [each[0] for each in behind[:count]]
            if folded:
                received_at = behind[count - 1][3]
        return Entry(
            id=id_,
            event=event,
            received_at=received_at,
            attempts=attempts,
            unsure=bool(unsure),
            repairs=bool(repairs),
            background=bool(background),
            folded=tuple(folded),
        )


def _as_stored(id_: int, new: NewEntry) -> Entry:
    return Entry(
        id=id_,
        event=new.event,
        received_at=new.received_at,
        attempts=0,
        unsure=False,
        repairs=False,
        background=new.background,
    )


_ROW_NAMES: Final = tuple(field.name for field in fields(Row))
_ROW: Final = ", ".join(_ROW_NAMES)


def _older(state: str, rooms: Collection[str], words: Collection[str]) -> str:
    """Rows of these rooms before a moment. One state a statement: each has an index of its own,
    and a query for both would read all that was delivered this week."""
    return (
        f"SELECT id FROM entry WHERE state = '{state}' AND room IN ({_marks(rooms)})"
        f" AND event IN ({_marks(words)}) AND lane = 'to_ucm' AND id < ?"
    )


def _row(values: tuple[Any, ...]) -> Row:
    named = dict(zip(_ROW_NAMES, values, strict=True))
    flags = {name: bool(named[name]) for name in ("background", "unsure")}
    return Row(**{**named, **flags})


def _marks(values: Iterable[object]) -> str:
    return ", ".join("?" for _ in values)
