"""The outbox and the house on disk: what is waiting, in which order, and what became of it."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
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
from gateway.outbox.file import was_set_aside
from gateway.outbox.fold import fold_all
from gateway.outbox.rows import ENDED, Rows, changed, marks
from gateway.outbox.schema import REFUSED_KEPT
from gateway.outbox.values import (
    OPEN_STATES,
    TO_UCM,
    Batch,
    Entry,
    NewEntry,
    Refused,
    StorageCorrupt,
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

_DUE: Final = """
    SELECT e.id, e.event, e.body, e.received_at, e.attempts, e.unsure, e.background,
           EXISTS (SELECT 1 FROM entry AS p WHERE p.state = 'parked'
                   AND p.room IN (e.room, e.from_room) AND p.id < e.id),
           EXISTS (SELECT 1 FROM entry AS p WHERE p.state = 'parked'
                   AND p.event IN ('check_in', 'check_out', 'move')
                   AND p.room IN (e.room, e.from_room) AND p.id < e.id),
           EXISTS (SELECT 1 FROM entry AS n WHERE n.state = 'waiting'
                   AND n.room = e.room AND n.id > e.id)
    FROM entry AS e
    WHERE e.lane = :lane AND e.head = 1 AND (e.due_at <= :now OR e.due_at > :now + :longest)
    ORDER BY e.background, e.attempts, e.id LIMIT :limit
"""
"""Live ones before a resync's, and those that were never refused before those that were."""


_STILL_WAITING: Final = """
    SELECT value FROM json_each(?)
    WHERE EXISTS (SELECT 1 FROM entry WHERE state = 'waiting' AND room = value)
       OR EXISTS (SELECT 1 FROM entry WHERE state = 'waiting' AND from_room = value)
"""
"""Those of some rooms in which something waits."""


class Outbox(Rows):
    """The file. Every method has stored what it says when it returns.

    Raises StorageFailed from every method. It may be stored all the same (a sync that failed says
    nothing), so ask before it is done again: `totals().accepted` grows with every entry.
    """

    _only: Entry | None = None
    """The row stored last, as long as it is all that waits: then nobody has to look what is due."""

    def _opened(self) -> None:
        self._only = None
        super()._opened()

    # --- What comes in ---

    def all_that_will_wait(self, batch: Batch, delivered: int = 0) -> Entry | None:
        """The one entry to be delivered once this batch is stored, by the books as last read.

        delivered   so many of the rows that seem to wait are delivered
        """
        if len(batch.entries) != 1 or self._unfinished != delivered:
            return None
        (new,) = batch.entries
        return Entry(
            id=self.accepted + 1,
            event=new.event,
            received_at=new.received_at,
            attempts=0,
            unsure=False,
            repairs=False,
            background=new.background,
            file=self.number,
        )

    def put(self, batch: Batch, delivered: int = 0) -> None:
        """Store a batch in one transaction; durable when it returns. `delivered`: see above."""
        with self.reading():  # opened, so that the books are those of the file
            only = self.all_that_will_wait(batch, delivered)
            bodies = {number: to_json(room) for number, room in batch.rooms.items()}
            heard = dict(batch.heard)
            taken = [
                _taken(
                    number, new, bodies.pop(new.event.room, None), heard.pop(new.event.room, None)
                )
                for number, new in enumerate(batch.entries, start=self.accepted + 1)
            ]
            others = list(_others(batch, bodies, heard))
            if only is not None and not others:
                self.write(_TAKE, taken[0])  # most records
                for word in ("accepted", "waiting"):  # as the file does it, and it waits for nobody
                    self._counts[TO_UCM, word] += 1
            else:
                with self.transaction() as db:
                    for new, values in zip(batch.entries, taken, strict=True):
                        if not new.background:
                            self._bring_forward(db, set(rooms_of(new.event)))
                        db.execute(_TAKE, values)
                    for statement, values in others:
                        db.execute(statement, values)
                if taken:
                    self._count()
            self._only = only if self._unfinished == 1 else None

    def lacks_its_house(self) -> bool:
        """It took the place of a damaged file, and the house was not written into it any more."""
        with self.reading() as db:
            has_house = db.execute("SELECT 1 FROM house_ledger").fetchone()
        return has_house is None and was_set_aside(self.path)

    def house(self) -> tuple[dict[str, Room], Ledger]:
        """The house as of the last `put`. Raises StorageCorrupt when it cannot be understood."""
        with self.reading() as db:
            try:
                rooms = {
                    number: from_json(Room, body)
                    for number, body in db.execute(
                        "SELECT room, body FROM house_room WHERE body != ''"
                    )
                }
                row = db.execute("SELECT body FROM house_ledger").fetchone()
                return rooms, from_json(Ledger, row[0]) if row else Ledger()
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise StorageCorrupt("the outbox file is damaged: no house in it") from error

    def heard(self) -> dict[str, tuple[bytes, float]]:
        """The digest and moment of the last record of each room that had to be stored."""
        with self.reading() as db:
            return {
                room: (digest, at)
                for room, digest, at in db.execute(
                    "SELECT room, digest, at FROM house_room WHERE digest IS NOT NULL"
                )
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
        with self.reading():  # opened, so that the books are those of the file
            entries = [entry for entry in entries if entry.file == self.number]
            ended = list(_ended(entries, now))
            if self._unfinished == len(ended) == 1:
                self.write(ENDED, ended[0])
                self._count()
                return 0
            with self._booked() as db:
                # An operator may have ended one meanwhile: what counts is what has changed.
                if sum(changed(db, ENDED, values) for values in ended) == self._unfinished:
                    return 0  # nothing to supersede, and nobody to come forward
                rooms = {room for entry in entries for room in rooms_of(entry.event)}
                if not self._counts[TO_UCM, "parked"]:
                    rooms = {
                        room for (room,) in db.execute(_STILL_WAITING, (json.dumps(list(rooms)),))
                    }
                return sum(
                    self._supersede(db, entry, now)
                    for entry in entries
                    if not rooms.isdisjoint(rooms_of(entry.event))
                )

    def _supersede(self, db: apsw.Connection, entry: Entry, now: float) -> int:
        last = _last(entry)
        rooms = rooms_of(entry.event)
        words: Collection[str] = _WORDS_BY_SUBJECT[_SUBJECTS[type(entry.event)]]
        if isinstance(entry.event, CheckOut):
            words = EVENT_TYPES
        older: list[Any] = []
        ends = [(rooms, words)]
        if isinstance(entry.event, Move):  # who comes next must not be undisturbed by it
            ends.append(((entry.event.from_room,), _WORDS_BY_SUBJECT["dnd"]))
        for state in OPEN_STATES:
            if not self._counts[TO_UCM, state]:
                continue
            for of_rooms, of_words in ends:
                values = (now, last, *of_rooms, *of_words, entry.id)
                older += db.execute(_superseded(state, of_rooms, of_words), values).fetchall()
        # A move that is not to be made any more lets the room go that it would have left.
        freed = {room for row in older for room in row if room is not None}
        self._promote(db, freed.union(rooms))
        return len(older)

    def later(
        self, entry: Entry, due_at: float, error: str, *, attempts: int, unsure: bool
    ) -> None:
        """The row waits until `due_at`; the error is kept in words."""
        with self.transaction() as db:
            db.execute(
                "UPDATE entry SET due_at = ?, error = ?, attempts = ?, unsure = ?"
                " WHERE id = ? AND ? = ?",
                (due_at, error, attempts, unsure, entry.id, entry.file, self.number),
            )

    def mark(self, entry: Entry, *, unsure: bool) -> None:
        """Whether a call for this row may have been made whose reply is not known."""
        with self.transaction() as db:
            db.execute(
                "UPDATE entry SET unsure = ? WHERE id = ? AND ? = ?",
                (unsure, entry.id, entry.file, self.number),
            )

    def park(self, entry: Entry, now: float, error: str, *, unsure: bool = False) -> None:
        """The row waits for a human, and blocks nobody. `unsure`: see `mark`."""
        with self._booked() as db:
            if entry.file == self.number:
                db.execute("UPDATE entry SET unsure = ? WHERE id = ?", (unsure, entry.id))
                db.execute(ENDED, ("parked", now, error, None, entry.id))
                self._promote(db, rooms_of(entry.event))

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
            db.execute("DELETE FROM house_room WHERE body = '' AND at < ?", (before,))
            db.execute("UPDATE house_room SET digest = NULL, at = NULL WHERE at < ?", (before,))
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

    # --- Inside ---

    @contextmanager
    def transaction(self) -> Iterator[apsw.Connection]:
        """As Rows'; what was known of the only row may not be so behind it."""
        self._only = None
        with super().transaction() as db:
            yield db

    def write(self, statement: str, values: Sequence[object]) -> None:
        """As Rows'; what was known of the only row may not be so behind it."""
        self._only = None
        super().write(statement, values)

    def _folded(self, db: apsw.Connection, row: Any, alone: Collection[int]) -> Entry:
        """The entry of a due row, with the rows behind it that come to one event with it."""
        id_, word, body, received_at, attempts, unsure, background, *flags = row
        repairs, is_astray, has_more = flags
        event: GuestEvent = from_json(EVENT_TYPES[word], body)
        folded: list[int] = []
        if has_more and not unsure and id_ not in alone and not isinstance(event, Move):
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
        if is_astray and isinstance(event, Update) and not event.guest.is_nobody:
            # Who came or went before could not be told: the mailbox may be somebody else's.
            event = CheckIn(room=event.room, guest=event.guest)
        return Entry(
            id=id_,
            event=event,
            received_at=received_at,
            attempts=attempts,
            unsure=bool(unsure),
            repairs=bool(is_astray if isinstance(event, Move) else repairs),
            background=bool(background),
            folded=tuple(folded),
            file=self.number,
        )


_TAKE: Final = (
    "INSERT INTO taken (id, room, from_room, event, body, record, background, received_at, house,"
    " digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
"""A row at the end of its rooms' queues, and what its record has made of its room."""

_CHANGE: Final = (
    "INSERT INTO house_room (room, body, digest, at) VALUES (?1, ?2, ?3, ?4)"
    " ON CONFLICT (room) DO UPDATE SET body = ?2,"
    " digest = coalesce(?3, digest), at = coalesce(?4, at)"
)
_HEAR: Final = (
    "INSERT INTO house_room (room, body, digest, at) VALUES (?1, '', ?2, ?3)"
    " ON CONFLICT (room) DO UPDATE SET digest = ?2, at = ?3"
)


def _taken(
    number: int, new: NewEntry, house: str | None, heard: tuple[bytes, float] | None
) -> tuple[Any, ...]:
    event = new.event
    return (
        number,
        event.room,
        event.from_room if isinstance(event, Move) else None,
        EVENT_NAMES[type(event)],
        to_json(event),
        new.record,
        new.background,
        new.received_at,
        house,
        heard[0] if heard else None,
    )


def _others(
    batch: Batch, bodies: Mapping[str, str], heard: Mapping[str, tuple[bytes, float]]
) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """What a batch comes to beside its entries and their rooms, in SQL."""
    for number, body in bodies.items():
        yield _CHANGE, (number, body, *heard.get(number, (None, None)))
    for room in heard.keys() - bodies.keys():
        yield _HEAR, (room, *heard[room])
    if batch.ledger is not None:
        yield "INSERT OR REPLACE INTO house_ledger VALUES (1, ?)", (to_json(batch.ledger),)
    for refused in batch.refused:
        yield (
            "INSERT INTO refused (at, reason, body, advice) VALUES (?, ?, ?, ?)",
            (refused.at, refused.reason, refused.body, refused.advice),
        )
    if batch.refused:
        yield (
            "DELETE FROM refused WHERE id <= (SELECT max(id) FROM refused) - ?",
            (REFUSED_KEPT,),
        )


def _last(entry: Entry) -> int:
    """The row that says everything: those folded before it are superseded by it."""
    return entry.folded[-1] if entry.folded else entry.id


def _ended(entries: Sequence[Entry], now: float) -> Iterator[tuple[Any, ...]]:
    """What these entries' rows become: done, or folded into another one of them."""
    for entry in entries:
        last = _last(entry)
        yield ("done", now, None, None, last)
        if entry.folded:
            for id_ in (entry.id, *entry.folded[:-1]):
                yield ("superseded", now, None, last, id_)


def _superseded(state: str, rooms: Collection[str], words: Collection[str]) -> str:
    """Rows of these rooms before a moment end. One state a statement: each has an index of its
    own, and a query for both would read all that was delivered this week."""
    return (
        "UPDATE entry SET state = 'superseded', head = 0, finished_at = ?, error = NULL,"
        f" superseded_by = ? WHERE state = '{state}' AND room IN ({marks(rooms)})"
        f" AND event IN ({marks(words)}) AND lane = 'to_ucm' AND id < ? RETURNING room, from_room"
    )
