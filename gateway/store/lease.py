"""Which of two gateways holds the house: a lease in the database that both reach.

The holder renews it; the other one takes it over when it was not renewed for `lease_s` by its own
monotonic clock, counted from when it first saw the last renewal: no clock is compared with another.
Neither the PMS nor the UCM can be asked who holds it, so the holder begins nothing towards them
later than half a lease after it sent its last good renewal (see `Lease.until`).

Each renewal locks the row of the lease in share mode, and a take-over locks it alone: whichever
comes first, the other one sees it.
"""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import psycopg

from gateway.logs import logger
from gateway.store.engine import Db
from gateway.store.postgres import PostgresDb, check_server, connect, mapped
from gateway.store.values import StorageFailed

BEATS: Final = 5
"""Renewals in the time of a lease."""
LOOKS: Final = 20
"""How often the other one looks in the time of a lease."""
LET_GO_AFTER: Final = 6
"""Leases without a renewal: longer than a database takes for a fail-over. Until then the holder
stands still with all that it has heard; then it lets go of line and port, which the other one may
need.
"""
LIMIT_SHARE: Final = 0.6
"""Of a lease: a little more than the server's own limits of half of one."""
HOLDER: Final = "holder"
STANDBY: Final = "standby"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One gateway of a pair, as the database has it.

    beat    grows with each sign of life
    epoch   of the lease that it holds, or last saw
    age_s   of its last renewal, by the database's clock: for people
    """

    name: str
    role: str
    beat: int
    epoch: int
    age_s: float
    version: str


@dataclass(frozen=True, slots=True)
class Held:
    """Who holds the lease (empty: nobody), its epoch, and how often it was renewed in it."""

    holder: str
    epoch: int
    beat: int = 0


class Seat:
    """The connection of one gateway to the lease, beside that of its store. Not for two threads.

    lease_s     how long a lease lasts; a transaction takes LIMIT_SHARE of it at the most
    """

    def __init__(self, url: str, schema: str, name: str, lease_s: float, version: str) -> None:
        self.url, self.schema, self.name = url, schema, name
        self.lease_s, self.version = lease_s, version
        self._db: PostgresDb | None = None

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[PostgresDb]:
        """Raises StorageFailed; the next one has a new connection then."""
        # A server that stands still, or waits for its replica, keeps no limits of its own.
        limit = threading.Timer(self.lease_s * LIMIT_SHARE, self._hang_up)
        limit.start()
        try:
            with mapped():
                db = self._db or self._open()
                db.execute("BEGIN")
                yield db
                db.execute("COMMIT")
        except BaseException:
            self.close()
            raise
        finally:
            limit.cancel()

    def _hang_up(self) -> None:
        """From another thread: whoever waits for the server has lost it."""
        if (db := self._db) is not None:
            with (
                contextlib.suppress(OSError, psycopg.Error),  # it is closed already
                socket.socket(fileno=os.dup(db.raw.fileno())) as wire,
            ):
                wire.shutdown(socket.SHUT_RDWR)

    def _open(self) -> PostgresDb:
        raw = connect(self.url, name=f"pms-gateway {self.schema} {self.name}: lease")
        self._db = db = PostgresDb(raw)
        check_server(db)
        limit_ms = max(100, int(self.lease_s * 500))
        for what in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            db.execute(f"SET {what} = {limit_ms}")
        db.execute(f'SET search_path TO "{self.schema}"')
        return db

    def close(self) -> None:
        """Give the connection back."""
        if self._db is not None:
            with contextlib.suppress(Exception):  # it is broken, or is given back
                self._db.raw.close()
            self._db = None

    # --- What both do ---

    def look(self, role: str, epoch: int = 0) -> tuple[Held, list[Member]]:
        """Say that we are here, and see who else is. Raises StorageFailed."""
        with self._transaction() as db:
            self._beat(db, role, epoch)
            return self._held(db), _members(db)

    def _beat(self, db: PostgresDb, role: str, epoch: int) -> None:
        db.execute(
            "INSERT INTO member VALUES (:name, 1, :epoch, :role, :version, now())"
            " ON CONFLICT (name) DO UPDATE SET beat = member.beat + 1, epoch = excluded.epoch,"
            " role = excluded.role, version = excluded.version, seen = excluded.seen",
            {"name": self.name, "epoch": epoch, "role": role, "version": self.version},
        )

    @staticmethod
    def _held(db: PostgresDb, lock: str = "") -> Held:
        row = db.execute(f"SELECT holder, epoch FROM lease WHERE id = 1 {lock}").fetchone()
        if row is None:
            raise StorageFailed("the schema has lost its lease", "restore the database")
        holder, epoch = row
        # A statement of its own: what a renewal has committed before our lock is seen by it.
        beat = db.execute("SELECT beat FROM beat WHERE epoch = ?", (epoch,)).get
        return Held(str(holder), int(epoch), int(beat or 0))

    # --- What the holder does ---

    def _is_ours(self, db: PostgresDb, epoch: int, lock: str) -> bool:
        # Not by the epoch alone: a database that was restored counts its epochs again.
        held = self._held(db, lock)
        return (held.holder, held.epoch) == (self.name, epoch)

    def renew(self, epoch: int) -> list[Member] | None:
        """One more beat. None: another one holds the lease. Raises StorageFailed: not known."""
        with self._transaction() as db:
            if not self._is_ours(db, epoch, "FOR SHARE"):
                return None
            db.execute("UPDATE beat SET beat = beat + 1 WHERE epoch = ?", (epoch,))
            self._beat(db, HOLDER, epoch)
            return _members(db)

    def release(self, epoch: int) -> None:
        """Hand over at once. Raises StorageFailed."""
        with self._transaction() as db:
            if self._is_ours(db, epoch, "FOR UPDATE"):
                db.execute("UPDATE lease SET holder = '' WHERE id = 1")
                db.execute("DELETE FROM member WHERE name = ?", (self.name,))

    # --- What the other one does ---

    def take(self, seen: Held) -> int | None:
        """Take over a lease that was not renewed since it was seen so. Returns its new epoch; None:
        it was renewed, or taken. Raises StorageFailed.
        """
        with self._transaction() as db:
            if self._held(db, "FOR UPDATE") != seen:
                return None
            epoch = seen.epoch + 1
            db.execute("UPDATE lease SET holder = ?, epoch = ? WHERE id = 1", (self.name, epoch))
            db.execute("DELETE FROM beat")
            db.execute("INSERT INTO beat VALUES (?, 0)", (epoch,))
            self._beat(db, HOLDER, epoch)
            return epoch


def members_of(db: Db) -> tuple[Held, list[Member]]:
    """Who holds the house of this schema, and who is there."""
    holder, epoch = db.execute("SELECT holder, epoch FROM lease WHERE id = 1").fetchone()
    return Held(holder, epoch), _members(db)


def _members(db: Db) -> list[Member]:
    rows = db.execute(
        "SELECT name, role, beat, epoch, extract(epoch FROM now() - seen)::float8, version"
        " FROM member ORDER BY name"
    )
    return [
        Member(name=name, role=role, beat=beat, epoch=epoch, age_s=age, version=version)
        for name, role, beat, epoch, age, version in rows
    ]


class Watch:
    """The other one's view of a lease: has it been renewed?"""

    def __init__(self, lease_s: float, now: Callable[[], float] = time.monotonic) -> None:
        self._lease_s, self._now = lease_s, now
        self._seen: Held | None = None
        self._since = 0.0

    def saw(self, held: Held) -> bool:
        """What was read just now. Returns whether the lease may be taken: nobody holds it, or it
        was not renewed for a whole lease since this was first seen.
        """
        if not held.holder:
            return True
        if self._seen != held:
            self._seen, self._since = held, self._now()
            return False
        return self._now() - self._since >= self._lease_s


@dataclass(slots=True)
class Lease:
    """A lease that we hold, renewed by a thread of its own until it is lost or released.

    lost        called in that thread: nothing of ours may go on
    has_partner another gateway may be waiting, see LET_GO_AFTER
    until       nothing is begun outside from this moment on (monotonic): half a lease after the
                last good renewal was sent
    """

    seat: Seat
    epoch: int
    lost: Callable[[], None]
    has_partner: bool = True
    until: float = 0.0
    _failed: str = ""
    _seen: dict[str, tuple[Member, float]] = field(default_factory=dict)  # since when so
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def begin(self, sent_at: float) -> None:
        """Renew from now on. `sent_at`: before the take-over was sent (monotonic)."""
        self.until = sent_at + self.seat.lease_s / 2
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)
        self._thread.start()

    def guard(self, db: Db) -> None:
        """At the begin of each transaction of the store. Raises StorageFailed: it is not ours."""
        held = db.execute("SELECT holder, epoch FROM lease WHERE id = 1 FOR SHARE").fetchone()
        if held != (self.seat.name, self.epoch):
            raise StorageFailed(
                "another gateway has taken the house over", "nothing: this one begins anew"
            )

    def release(self) -> None:
        """Hand over: the other one need not wait."""
        self._stop.set()
        self.until = 0.0
        if self._thread is not None:
            self._thread.join(self.seat.lease_s)
            if self._thread.is_alive():  # it waits for the database, and has the seat
                logger().warning("lease_not_released", do="it ends by itself")
                return
        try:
            self.seat.release(self.epoch)
        except StorageFailed as failed:
            logger().warning("lease_not_released", error=str(failed), do="it ends by itself")
        self.seat.close()

    def standbys(self) -> list[str]:
        """Who could take over now."""
        now, silent = time.monotonic(), 2 * self.seat.lease_s
        return [
            name
            for name, (member, since) in self._seen.items()
            if name != self.seat.name and now - since < silent and member.age_s < silent
        ]

    @property
    def members(self) -> list[Member]:
        """Both, as the last renewal has seen them."""
        return [member for member, _ in self._seen.values()]

    @property
    def trouble(self) -> str:
        """Why it is not renewed; empty: it is."""
        late = time.monotonic() >= self.until
        return self._failed or ("the database does not answer" if late else "")

    def saw(self, members: list[Member]) -> None:
        """What the last renewal told of both."""
        now, seen = time.monotonic(), {}
        for each in members:
            before, since = self._seen.get(each.name, (None, now))
            stands_still = before is not None and before.beat == each.beat
            seen[each.name] = (each, since if stands_still else now)
        self._seen = seen

    def _renew(self) -> None:
        """Until it is lost, whatever happens, or released."""
        why = "a fault of ours: report it"
        try:
            why = self._renewed_until()
        except Exception as fault:  # noqa: BLE001  # this thread must not end without a word
            logger().error("lease_failed", error=repr(fault), do="report it")
        if why and not self._stop.is_set():  # who is told to stop does not begin anew
            self.until = 0.0
            do = "nothing: `pms-gateway pair` says which gateway is at work"
            logger().error("lease_lost", why=why, do=do)
            self.lost()

    def _renewed_until(self) -> str:
        """Renew it. Returns why it is lost; empty: it is released."""
        pause = self.seat.lease_s / BEATS
        while not self._stop.wait(pause):
            sent_at = time.monotonic()
            try:
                members = self.seat.renew(self.epoch)
            except StorageFailed as failed:
                if str(failed) != self._failed:
                    logger().error("lease_not_renewed", error=str(failed), do=failed.do)
                self._failed = str(failed)
                late_s = time.monotonic() - self.until
                if self.has_partner and late_s >= LET_GO_AFTER * self.seat.lease_s:
                    return "not renewed for long: the other one may be at work"
                continue
            if members is None:
                return "another gateway holds it"
            if self._failed:
                logger().info("lease_renewed")
            self._failed = ""
            self.saw(members)
            self.until = sent_at + self.seat.lease_s / 2
        return ""
