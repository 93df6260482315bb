"""The store: the house, what each room of the UCM shows, and the journal, in one SQLite file."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from gateway.store.back import BackStore
from gateway.store.engine import Db, Engine
from gateway.store.file import StoreFile
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
    " VALUES (:room, coalesce(:house, ''), :digest, :heard_at,"
    " coalesce(:record, ''), coalesce(:since, 0), coalesce(:background, 0))"
    " ON CONFLICT (room) DO UPDATE SET house = coalesce(:house, room.house),"
    " digest = coalesce(:digest, room.digest), heard_at = coalesce(:heard_at, room.heard_at),"
    " record = coalesce(:record, room.record), since = coalesce(:since, room.since),"
    " background = coalesce(:background, room.background)"
)
_TELL = (
    "INSERT INTO room (room, actual, trouble, pending) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (room) DO UPDATE"
    " SET actual = excluded.actual, trouble = excluded.trouble, pending = excluded.pending"
)
_LINE = "at, room, from_room, call, result, took_s, record"


class Store(BackStore):
    """Every method runs inside `transaction` or `reading` of its caller: the store's worker puts
    several callers into one transaction. Raises StorageFailed from every method.

    engine  what keeps it; a path: an SQLite file there
    """

    def __init__(
        self, engine: Engine | Path, *, read_only: bool = False, vfs: str | None = None
    ) -> None:
        if isinstance(engine, Path):
            engine = StoreFile(engine, read_only=read_only, vfs=vfs)
        super().__init__(engine)

    def close(self) -> None:
        """Give the file or the server back."""
        self.engine.close()

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
        return not self.load().ledger and self.engine.made_way()

    @staticmethod
    def _rooms(db: Db) -> Iterator[RoomRow]:
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
                db.execute(_HEAR, {"room": room, "house": heard.house, **_columns(heard)})
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
            self.engine.shrink()
            return purged

    def try_write(self) -> None:
        """Write and take back: whether there is space again is known without a record."""
        with self.transaction() as db:
            db.execute(
                "INSERT INTO refused (at, reason, body, advice) VALUES (0, '', ?, '')",
                (bytes(65_536),),
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
        """What is wrong with it, in words. Slow: for tests and for a technician."""
        return self.engine.audit()


def _columns(heard: Heard) -> dict[str, Any]:
    """The PMS side of a row; None: as before."""
    digest, heard_at = heard.heard or (None, None)
    record, since, background = heard.cause or (None, None, None)
    return {
        "digest": digest,
        "heard_at": heard_at,
        "record": record,
        "since": since,
        "background": None if background is None else int(background),
    }
