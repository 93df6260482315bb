"""The way back in the store: who was in which room, postings with their numbers, and calls."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from gateway.store.engine import Db, Engine
from gateway.store.values import (
    CallRow,
    CallsMark,
    DayTally,
    LevelRow,
    PostingRow,
    PostingStep,
    Resident,
)

NUMBER_RESTS_S: Final = 8 * 86_400.0
"""A number is not used again for so long: a late answer to it must find the posting it was for."""
RESIDENTS_KEPT_S: Final = 8 * 86_400.0
"""A call is told of within minutes, after an outage within days."""
CALLS_KEPT_S: Final = 400 * 86_400.0
"""A call that the UCM lists again, from a backup of last year, is still known. Of one that is older
than `keep_days` only its key and its use are kept."""

_POSTING: Final = (
    "id, kind, cause, room, body, guests, state, number, tries, at, due_at, reason, is_forced"
)
_NEW_POSTING: Final = _POSTING.removeprefix("id, ")
_ENDED: Final = "('booked', 'dropped', 'written', 'unconfirmed')"


_USED: Final = (
    "INSERT INTO posting_number VALUES (?, ?, ?)"
    " ON CONFLICT (number) DO UPDATE SET posting = excluded.posting, at = excluded.at"
)
_SEEN: Final = (
    "INSERT INTO level VALUES (?, ?, ?, ?)"
    " ON CONFLICT (kind, room) DO UPDATE SET seen = excluded.seen, at = excluded.at"
)


class BackStore:
    """Every method runs inside a transaction of its caller: see `gateway.store.store.Store`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.reading, self.transaction = engine.reading, engine.transaction

    # --- Who was where ---

    def write_residents(self, residents: Iterable[Resident]) -> None:
        """Somebody came (without `until`) or left (with it)."""
        with self.transaction() as db:
            for each in residents:
                if each.until is None:
                    db.execute(
                        "INSERT INTO resident VALUES (?, ?, ?, ?, NULL) ON CONFLICT DO NOTHING",
                        (each.room, each.guest, each.pms_room, each.since),
                    )
                else:
                    db.execute(
                        "UPDATE resident"
                        " SET until = CASE WHEN :until > since THEN :until ELSE since END"
                        " WHERE room = :room AND guest = :guest AND until IS NULL",
                        {"until": each.until, "room": each.room, "guest": each.guest},
                    )

    def residents(self, room: str | None = None, at: float | None = None) -> list[Resident]:
        """Who was in this room at this moment, or is there now; without a room: in all."""
        here = "TRUE" if room is None else "room = :room"
        then = "since <= :at AND (until IS NULL OR until > :at)"
        with self.reading() as db:
            rows = db.execute(
                "SELECT room, guest, pms_room, since, until FROM resident"
                f" WHERE {here} AND {'until IS NULL' if at is None else then} ORDER BY since",
                {"room": room, "at": at},
            )
            return [
                Resident(room=each, guest=guest, pms_room=pms_room, since=since, until=until)
                for each, guest, pms_room, since, until in rows
            ]

    def pms_room(self, room: str) -> str | None:
        """How the PMS wrote this room when it last said who is in it; None: it never did."""
        with self.reading() as db:
            found: str | None = db.execute(
                "SELECT pms_room FROM resident WHERE room = ? ORDER BY since DESC LIMIT 1", (room,)
            ).get
            return found

    # --- Postings ---

    def add_postings(self, postings: Iterable[PostingRow]) -> list[PostingRow]:
        """New postings; one whose cause is known already is not stored. Returns those that are,
        with their ids."""
        stored = []
        with self.transaction() as db:
            for each in postings:
                row = _values(each)[1:]
                id_ = db.execute(
                    f"INSERT INTO posting ({_NEW_POSTING}) VALUES ({', '.join('?' * len(row))})"
                    " ON CONFLICT DO NOTHING RETURNING id",
                    row,
                ).get
                if id_ is not None:
                    stored.append(replace(each, id=int(id_)))
                    step = PostingStep(
                        posting=stored[-1].id,
                        at=each.at,
                        state=each.state,
                        who="gateway",
                        why=each.reason,
                    )
                    self._note(db, step)
        return stored

    def change_postings(self, changes: Iterable[tuple[PostingRow, PostingStep]]) -> None:
        """What these postings have become, and why."""
        with self.transaction() as db:
            for row, step in changes:
                self._write(db, row)
                self._note(db, step)

    def send_posting(self, row: PostingRow, step: PostingStep, *, up_to: int) -> int | None:
        """Store that this posting is sent, under the next number that is free; behind `up_to` they
        begin again with 1. Returns it; None: all of them were used within a week, nothing is
        stored.
        """
        with self.transaction() as db:
            number = self._free_number(db, up_to, step.at)
            if number is None:
                return None
            db.execute("UPDATE back SET number = ?", (number,))
            db.execute(_USED, (number, row.id, step.at))
            self._write(db, replace(row, number=number))
            self._note(db, step)
            return number

    @staticmethod
    def _free_number(db: Db, up_to: int, now: float) -> int | None:
        last: Any = db.execute("SELECT number FROM back").get
        rested = "SELECT 1 FROM posting_number WHERE number = ? AND at > ?"
        for turn in range(up_to):
            number = int(last + turn) % up_to + 1
            if db.execute(rested, (number, now - NUMBER_RESTS_S)).get is None:
                return number
        return None

    def open_postings(self) -> list[PostingRow]:
        """All that somebody still has to do something about, the oldest first."""
        with self.reading() as db:
            rows = db.execute(
                f"SELECT {_POSTING} FROM posting WHERE state NOT IN {_ENDED} ORDER BY id"
            )
            return [_posting(row) for row in rows]

    def postings(self, states: Sequence[str], limit: int) -> list[PostingRow]:
        """Postings in these states, the newest last."""
        with self.reading() as db:
            marks = ", ".join("?" * len(states))
            rows = db.execute(
                f"SELECT {_POSTING} FROM posting WHERE state IN ({marks}) ORDER BY id DESC LIMIT ?",
                (*states, limit),
            ).fetchall()
            return [_posting(row) for row in reversed(rows)]

    def posting(self, id_: int) -> tuple[PostingRow, list[PostingStep]] | None:
        """One posting and all that happened to it; None: there is none."""
        with self.reading() as db:
            row = db.execute(f"SELECT {_POSTING} FROM posting WHERE id = ?", (id_,)).fetchone()
            steps = db.execute(
                "SELECT posting, at, state, who, why FROM posting_step WHERE posting = ?"
                " ORDER BY id",
                (id_,),
            )
            found = [
                PostingStep(posting=posting, at=at, state=state, who=who, why=why)
                for posting, at, state, who, why in steps
            ]
            return None if row is None else (_posting(row), found)

    @staticmethod
    def _write(db: Db, row: PostingRow) -> None:
        db.execute(
            "UPDATE posting SET room = ?, body = ?, state = ?, number = ?, tries = ?, due_at = ?,"
            " reason = ?, is_forced = ? WHERE id = ?",
            (row.room, row.body, row.state, row.number, row.tries, row.due_at, row.reason,
             int(row.is_forced), row.id),
        )  # fmt: skip

    @staticmethod
    def _note(db: Db, step: PostingStep) -> None:
        db.execute(
            "INSERT INTO posting_step (posting, at, state, who, why) VALUES (?, ?, ?, ?, ?)",
            (step.posting, step.at, step.state, step.who, step.why),
        )

    # --- Levels ---

    def levels(self) -> list[LevelRow]:
        """What was last seen of each."""
        with self.reading() as db:
            rows = db.execute("SELECT kind, room, seen, at FROM level")
            return [
                LevelRow(kind=kind, room=room, seen=seen, at=at) for kind, room, seen, at in rows
            ]

    def put_levels(
        self,
        levels: Iterable[LevelRow],
        postings: Iterable[PostingRow],
        replaced: Collection[str] = (),
    ) -> tuple[list[PostingRow], list[int]]:
        """What is seen now, and what is to be said of it, all at once. Of these kinds a newer word
        takes the place of one that still waits. Returns the postings, and the ids of those that
        made way.
        """
        with self.transaction() as db:
            for each in levels:
                values = (each.kind, each.room, each.seen, each.at)
                db.execute(_SEEN, values)
            stored, gone = [], []
            for posting in postings:
                older = db.execute(
                    "SELECT id FROM posting WHERE kind = ? AND room = ? AND state = 'waiting'",
                    (posting.kind, posting.room),
                ).fetchall()
                for (id_,) in older if posting.kind in replaced else ():
                    db.execute("DELETE FROM posting WHERE id = ?", (id_,))
                    db.execute("DELETE FROM posting_step WHERE posting = ?", (id_,))
                    gone.append(int(str(id_)))
                stored += self.add_postings([posting])
            return stored, gone

    def was_called(self, room: str, since: float) -> bool:
        """Whether the UCM was told anything of this room since then."""
        with self.reading() as db:
            found = db.execute(
                "SELECT 1 FROM journal WHERE at >= :since AND id IN (SELECT id FROM journal"
                " WHERE room = :room UNION SELECT id FROM journal WHERE from_room = :room"
                " AND from_room != '') LIMIT 1",
                {"room": room, "since": since},
            ).get
            return found is not None

    # --- Calls ---

    def calls_mark(self) -> CallsMark | None:
        """How far the UCM's list has been read; None: never."""
        with self.reading() as db:
            row: Any = db.execute("SELECT first, until, canary FROM back").fetchone()
            return None if row[0] is None else CallsMark(first=row[0], until=row[1], canary=row[2])

    def known_calls(self, keys: Iterable[str]) -> dict[str, int]:
        """Those of these calls that are stored, and how long they were said to be."""
        asked = "SELECT talk_s FROM call WHERE key = ?"
        with self.reading() as db:
            found = {key: db.execute(asked, (key,)).get for key in keys}
            return {key: int(str(talk_s)) for key, talk_s in found.items() if talk_s is not None}

    def change_call(self, key: str, talk_s: int, at: float) -> bool:
        """The UCM says another length now than when the call was posted. What was posted stays; an
        operator finds the remark in its history. Returns whether there is a posting.
        """
        with self.transaction() as db:
            before = db.execute("SELECT talk_s FROM call WHERE key = ?", (key,)).get
            db.execute("UPDATE call SET talk_s = ? WHERE key = ?", (talk_s, key))
            row: Any = db.execute(
                "SELECT id, state FROM posting WHERE cause = ?", (key,)
            ).fetchone()
            if row is None:
                return False
            id_, state = row
            why = f"the UCM says {talk_s} s now, and said {before} s when this was made of it"
            self._note(db, PostingStep(posting=id_, at=at, state=state, who="gateway", why=why))
            return True

    def add_calls(
        self, calls: Sequence[tuple[CallRow, PostingRow | None]], mark: CallsMark
    ) -> tuple[list[CallRow], list[PostingRow]]:
        """Calls that the UCM has told of, each with what is to be posted of it, and how far its
        list has been read, all at once. Returns what was not known before.
        """
        with self.transaction() as db:
            fresh, postings = [], []
            for call, posting in calls:
                db.execute(
                    "INSERT INTO call VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    (call.key, call.began, call.ended, call.room, call.use, call.digits,
                     call.talk_s, call.amount),
                )  # fmt: skip
                if db.changes():
                    fresh.append(call)
                    postings += self.add_postings([posting] if posting is not None else [])
            db.execute(
                "UPDATE back SET first = ?, until = ?, canary = ?",
                (mark.first, mark.until, mark.canary),
            )
            return fresh, postings

    def calls(self, since: float, until: float, limit: int = 100_000) -> list[CallRow]:
        """Calls that began in this time, in their order."""
        with self.reading() as db:
            rows = db.execute(
                "SELECT key, began, ended, room, use, digits, talk_s, amount FROM call"
                " WHERE began >= ? AND began < ? ORDER BY began LIMIT ?",
                (since, until, limit),
            )
            return [
                CallRow(key=key, began=began, ended=ended, room=room, use=use, digits=digits,
                        talk_s=talk_s, amount=amount)
                for key, began, ended, room, use, digits, talk_s, amount in rows
            ]  # fmt: skip

    def day(self, since: float, until: float) -> list[DayTally]:
        """The calls that began in this time, each in one tally."""
        with self.reading() as db:
            rows: Any = db.execute(
                "SELECT use, state, count(*), CAST(coalesce(sum(amount), 0) AS BIGINT) FROM call"
                " LEFT JOIN posting ON cause = key WHERE began >= ? AND began < ?"
                " GROUP BY use, state ORDER BY use, state",
                (since, until),
            )
            return [
                DayTally(use=use, state=state, count=count, amount=amount)
                for use, state, count, amount in rows
            ]

    def last_booked(self) -> float | None:
        """When the PMS, or an operator, last booked a posting; None: never, or long ago."""
        with self.reading() as db:
            found: Any = db.execute("SELECT max(at) FROM posting_step WHERE state = 'booked'").get
            return None if found is None else float(found)

    # --- What grows old ---

    def purge_back(self, before: float, now: float) -> None:
        """Delete what ended before this moment; numbers and residents are kept for a week."""
        with self.transaction() as db:
            db.execute(f"DELETE FROM posting WHERE state IN {_ENDED} AND at < ?", (before,))
            db.execute(
                "DELETE FROM posting_step WHERE at < ? AND posting NOT IN (SELECT id FROM posting)",
                (before,),
            )
            db.execute("DELETE FROM posting_number WHERE at < ?", (now - NUMBER_RESTS_S,))
            db.execute("DELETE FROM resident WHERE until < ?", (now - RESIDENTS_KEPT_S,))
            db.execute("DELETE FROM call WHERE began < ?", (now - CALLS_KEPT_S,))
            db.execute("UPDATE call SET digits = '' WHERE digits != '' AND began < ?", (before,))


def _values(row: PostingRow) -> tuple[Any, ...]:
    return (
        row.id, row.kind, row.cause, row.room, row.body, json.dumps(row.guests), row.state,
        row.number, row.tries, row.at, row.due_at, row.reason, int(row.is_forced),
    )  # fmt: skip


def _posting(row: tuple[Any, ...]) -> PostingRow:
    id_, kind, cause, room, body, guests, state, number, tries, at, due_at, reason, forced = row
    return PostingRow(
        id=id_,
        kind=kind,
        cause=cause,
        room=room,
        body=body,
        guests=tuple(json.loads(guests)),
        state=state,
        number=number,
        tries=tries,
        at=at,
        due_at=due_at,
        reason=reason,
        is_forced=bool(forced),
    )
