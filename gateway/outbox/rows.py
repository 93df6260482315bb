"""The rows of the outbox file: their books, who comes first, and what an operator does to them."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, Final

import apsw

from gateway.outbox.file import OutboxFile
from gateway.outbox.values import LANES, OPEN_STATES, STATES, TO_UCM, Row, Totals

IS_FIRST: Final = """
    NOT EXISTS (SELECT 1 FROM entry AS a WHERE a.state = 'waiting' AND a.id < e.id
                AND a.room IN (e.room, e.from_room))
    AND NOT EXISTS (SELECT 1 FROM entry AS b WHERE b.state = 'waiting' AND b.id < e.id
                    AND b.from_room IN (e.room, e.from_room) AND b.from_room IS NOT NULL)
"""
"""No earlier waiting row shares a room with `e`: the order inside a room, as SQL says it."""

_ROW_NAMES: Final = tuple(field.name for field in fields(Row))
_ROW: Final = ", ".join(_ROW_NAMES)


_NO_MOVE_ANY_MORE: Final = """
    UPDATE entry AS e
    SET event = 'check_in', body = json_remove(body, '$.from_room'), from_room = NULL
    WHERE id = ? AND state = 'parked' AND event = 'move'
      AND EXISTS (SELECT 1 FROM entry AS d WHERE d.state = 'done' AND d.id > e.id
                  AND e.from_room IN (d.room, d.from_room))
"""

ENDED: Final = (
    "UPDATE entry SET state = ?1, head = 0, finished_at = ?2, error = ?3, superseded_by = ?4"
    " WHERE id = ?5 AND state IN ('waiting', 'parked') AND state != ?1"
)
"""A row that waits (or is parked) enters another state; any other is left alone."""


class Rows(OutboxFile):
    """The table `entry` and its books. Every method has stored what it says when it returns."""

    _counts: Counter[tuple[str, str]]

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

    def _opened(self) -> None:
        self._count()

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
                f"SELECT {_ROW} FROM entry WHERE state IN ({marks(states)})"
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
        """A parked row waits again, in its old place. False: it is not parked.

        A move out of a room of which something later was delivered is not made any more: somebody
        else may be there. Its guest is checked in where he moved to.
        """
        with self._booked() as db:
            db.execute(_NO_MOVE_ANY_MORE, (id_,))
            row = db.execute(
                "UPDATE entry SET state = 'waiting', due_at = 0, attempts = 0, finished_at = NULL,"
                " error = NULL WHERE id = ? AND state = 'parked' RETURNING room, from_room",
                (id_,),
            ).fetchone()
            if row is None:
                return False
            # What waited behind nobody may now wait behind this row.
            touched = tuple(room for room in row if room is not None)
            db.execute(
                "UPDATE entry SET head = 0 WHERE state = 'waiting' AND head = 1 AND id > ?"
                f" AND (room IN ({marks(touched)}) OR from_room IN ({marks(touched)}))",
                (id_, *touched, *touched),
            )
            self._promote(db, touched)
        return True

    def drop(self, id_: int, now: float) -> bool:
        """A parked or waiting row is not to be delivered. False: it is neither."""
        with self._booked() as db:
            row = db.execute("SELECT room, from_room FROM entry WHERE id = ?", (id_,)).fetchone()
            if row is None or not changed(
                db, ENDED, ("superseded", now, "dropped by an operator", None, id_)
            ):
                return False
            self._promote(db, tuple(room for room in row if room is not None))
        return True

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
                f"SELECT id FROM entry AS e WHERE head != (state = 'waiting' AND {IS_FIRST})"
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
    def _booked(self) -> Iterator[apsw.Connection]:
        """A transaction that moves entries between states."""
        with self.transaction() as db:
            yield db
        self._count()

    def _count(self) -> None:
        """Look the books up: the file keeps them itself, in the transactions of its rows."""
        with self.reading() as db:
            self._counts = Counter(
                {(lane, word): count for lane, word, count in db.execute("SELECT * FROM tally")}
            )

    @staticmethod
    def _bring_forward(db: apsw.Connection, rooms: set[str]) -> None:
        """Rows of a resync in front of a live one of the same room go with it."""
        reached: set[str] = set()
        while rooms - reached:
            reached |= rooms
            for column in ("room", "from_room"):
                moved: list[Any] = db.execute(
                    "UPDATE entry SET background = 0 WHERE state = 'waiting' AND background = 1"
                    f" AND {column} IN ({marks(reached)}) RETURNING room, from_room",
                    tuple(reached),
                ).fetchall()
                rooms = rooms | {room for row in moved for room in row if room is not None}

    @staticmethod
    def _promote(db: apsw.Connection, rooms: Iterable[str]) -> None:
        """The first waiting row of each room becomes a head, unless another room holds it back."""
        for room in rooms:
            for column in ("room", "from_room"):
                db.execute(
                    "UPDATE entry AS e SET head = 1 WHERE e.head = 0 AND e.id = ("
                    f" SELECT id FROM entry WHERE state = 'waiting' AND {column} = ?"
                    f" ORDER BY id LIMIT 1) AND {IS_FIRST}",
                    (room,),
                )


def changed(db: apsw.Connection, statement: str, values: Sequence[Any]) -> int:
    """How many rows a statement has changed."""
    db.execute(statement, values)
    return db.changes()


def _row(values: tuple[Any, ...]) -> Row:
    named = dict(zip(_ROW_NAMES, values, strict=True))
    flags = {name: bool(named[name]) for name in ("background", "unsure")}
    return Row(**{**named, **flags})


def marks(values: Iterable[object]) -> str:
    """As many question marks, for SQL."""
    return ", ".join("?" for _ in values)
