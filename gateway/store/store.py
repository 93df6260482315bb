"""The store: the house, what each room of the UCM shows, and the journal, in one SQLite file."""

from collections.abc import Iterator, Sequence

import apsw

from gateway.store.back import BackStore
from gateway.store.file import was_set_aside
from gateway.store.values import (
    REFUSED_KEPT,
    Batch,
    Heard,
    JournalLine,
    Kept,
    Refused,
    RoomRow,
    StorageCorrupt,
    Told,
)

_HEAR = (
    "INSERT INTO room (room, house, digest, heard_at, record, since, background)"
    " VALUES (?1, coalesce(?2, ''), ?3, ?4, coalesce(?5, ''), coalesce(?6, 0), coalesce(?7, 0))"
    " ON CONFLICT (room) DO UPDATE SET house = coalesce(?2, house),"
    " digest = coalesce(?3, digest), heard_at = coalesce(?4, heard_at),"
    " record = coalesce(?5, record), since = coalesce(?6, since),"
    " background = coalesce(?7, background)"
)
_TELL = (
    "INSERT INTO room (room, actual, trouble, pending) VALUES (?1, ?2, ?3, ?4)"
    " ON CONFLICT (room) DO UPDATE SET actual = ?2, trouble = ?3, pending = ?4"
)
_LINE = "at, room, from_room, call, result, took_s, record"


class Store(BackStore):
    """Every method runs inside `transaction` or `reading` of its caller: the store's worker puts
    several callers into one transaction. Raises StorageFailed from every method.
    """

    def load(self) -> Kept:
        """Everything, for a start. Raises StorageCorrupt when the ledger is gone."""
        with self.reading() as db:
            row = db.execute("SELECT body, writes FROM ledger").fetchone()
            if row is None:
                raise StorageCorrupt("the store is damaged: no ledger in it")
            rooms = {each.room: each for each in self._rooms(db)}
            return Kept(rooms=rooms, ledger=row[0], writes=row[1])

    def lacks_its_house(self) -> bool:
        """It took the place of a damaged file, and the house was not written into it any more."""
        return not self.load().ledger and was_set_aside(self.path)

    @staticmethod
    def _rooms(db: apsw.Connection) -> Iterator[RoomRow]:
        for room, house, digest, at, record, since, background, *ucm in db.execute(
            "SELECT room, house, digest, heard_at, record, since, background,"
            " actual, trouble, pending FROM room"
        ):
            yield RoomRow(
                room=room,
                house=house,
                heard=None if digest is None else (digest, at),
                record=record,
                since=since,
                background=bool(background),
                actual=ucm[0],
                trouble=ucm[1],
                pending=ucm[2],
            )

    # --- What is written ---

    def put(self, batch: Batch) -> int:
        """What one read brought. Returns `writes`, which grows with each batch: so it can be asked
        whether one whose commit failed is stored all the same.
        """
        with self.transaction() as db:
            for room, heard in batch.rooms.items():
                db.execute(_HEAR, (room, heard.house, *_digest(heard), *_cause(heard)))
            db.execute(
                "UPDATE ledger SET body = coalesce(?, body), writes = writes + 1", (batch.ledger,)
            )
            self.keep_refused(batch.refused)
            self.write_residents(batch.residents)
            self.change_postings(batch.postings)
            return self.writes()

    def keep_refused(self, refused: Sequence[Refused]) -> None:
        """What could not be understood; the last REFUSED_KEPT are kept."""
        with self.transaction() as db:
            for each in refused:
                db.execute(
                    "INSERT INTO refused (at, reason, body, advice) VALUES (?, ?, ?, ?)",
                    (each.at, each.reason, each.body, each.advice),
                )
            if refused:
                db.execute(
                    "DELETE FROM refused WHERE id <= (SELECT max(id) FROM refused) - ?",
                    (REFUSED_KEPT,),
                )

    def told(self, rooms: Sequence[Told], journal: Sequence[JournalLine] = ()) -> None:
        """What a call has made of its rooms, and the line about it."""
        with self.transaction() as db:
            for each in rooms:
                db.execute(_TELL, (each.room, each.actual, each.trouble, each.pending))
            for line in journal:
                values = (line.at, line.room, line.from_room, line.call, line.result, line.took_s)
                db.execute(
                    f"INSERT INTO journal ({_LINE}) VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (*values, line.record),
                )

    def purge(self, before: float, now: float) -> int:
        """Delete what is older than this moment, and with it the guests' names; also what a clock
        that was ahead has dated in the future. Returns the journal's lines.
        """
        future = now + 86_400
        with self.transaction() as db:
            db.execute("DELETE FROM journal WHERE at < ? OR at > ?", (before, future))
            purged = db.changes()
            db.execute("DELETE FROM refused WHERE at < ? OR at > ?", (before, future))
            db.execute(
                "UPDATE room SET digest = NULL, heard_at = NULL WHERE heard_at < ? OR heard_at > ?",
                (before, future),
            )
            db.execute(
                "UPDATE room SET record = '' WHERE record != '' AND (since < ? OR since > ?)",
                (before, future),
            )
            self.purge_back(before, now)
            self._shrinks = True
            return purged

    def try_write(self) -> None:
        """Write and take back: whether there is space again is known without a record."""
        with self.transaction() as db:
            db.execute(
                "INSERT INTO refused (at, reason, body, advice) VALUES (0, '', zeroblob(65536), '')"
            )
            db.execute("DELETE FROM refused WHERE at = 0 AND reason = ''")

    # --- What is read ---

    def writes(self) -> int:
        """How many batches were ever stored."""
        with self.reading() as db:
            count: int = db.execute("SELECT writes FROM ledger").get
            return count

    def refused(self) -> list[Refused]:
        """What could not be read, the newest last."""
        with self.reading() as db:
            rows = db.execute("SELECT at, reason, body, advice FROM refused ORDER BY id")
            return [
                Refused(at=at, reason=reason, body=body, advice=advice)
                for at, reason, body, advice in rows
            ]

    def journal(self, room: str | None = None, limit: int = 100) -> list[JournalLine]:
        """The last calls, of one room or of all, the newest last."""
        with self.reading() as db:
            of_room = (
                "WHERE id IN (SELECT id FROM journal WHERE room = :room UNION"
                " SELECT id FROM journal WHERE from_room = :room AND from_room != '')"
            )
            found = db.execute(
                f"SELECT {_LINE} FROM journal {'' if room is None else of_room}"
                " ORDER BY id DESC LIMIT :limit",
                {"room": room, "limit": limit},
            ).fetchall()
        return [
            JournalLine(
                at=at,
                room=each,
                from_room=from_room,
                call=call,
                result=result,
                took_s=took_s,
                record=record,
            )
            for at, each, from_room, call, result, took_s, record in reversed(found)
        ]

    def audit(self) -> list[str]:
        """What is wrong with the file, in words. Slow: for tests and for a technician."""
        with self.reading() as db:
            return [str(row[0]) for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"]


def _digest(heard: Heard) -> tuple[bytes | None, float | None]:
    return heard.heard if heard.heard is not None else (None, None)


def _cause(heard: Heard) -> tuple[str | None, float | None, bool | None]:
    return heard.cause if heard.cause is not None else (None, None, None)
