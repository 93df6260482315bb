"""PostgreSQL as the store's engine: one connection, a schema for each site.

Source: PostgreSQL 15 documentation (INSERT, libpq connection strings, error codes); psycopg 3.
"""

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import Connection, conninfo

from gateway.store.engine import Db, Rows
from gateway.store.postgres_schema import STATEMENTS, TABLES
from gateway.store.schema import VERSION
from gateway.store.values import StorageFailed

OLDEST: Final = 150_000
"""PostgreSQL 15."""
CONNECT_WITHIN_S: Final = 3
"""For each host of the address."""
FROZEN_S: Final = 5
"""A client that stands still inside a transaction would hold up the one that takes over."""
_NUL: Final = "\u2400"
"""In the place of a NUL, which no text of PostgreSQL may have."""

_DAMAGED: Final = (
    "restore the database, or let its replica take over; until then no record is acknowledged"
)
_DURABLE: Final = ("fsync", "synchronous_commit", "full_page_writes")


class Refused(StorageFailed):
    """The server is not fit to hold a house: what is acknowledged could be lost."""

    is_final = True


def address_of(url: str) -> str:
    """A server's address, for people: without a password. Raises ValueError for what is none."""
    try:
        told = conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise ValueError(str(error).strip()) from None
    hosts = str(told.get("host") or "localhost")
    return f"postgresql://{hosts}/{told.get('dbname') or told.get('user') or ''}"


def connect(url: str, *, name: str, read_only: bool = False) -> Connection[Any]:
    """A connection to the server that takes writes, if there are several. Raises StorageFailed."""
    usual = {
        "target_session_attrs": "any" if read_only else "read-write",
        "connect_timeout": CONNECT_WITHIN_S,
        "application_name": name,
        "keepalives_idle": 10,
        "keepalives_interval": 3,
        "keepalives_count": 3,
        "tcp_user_timeout": 10_000,
        "client_encoding": "UTF8",
    }
    with mapped():
        own = conninfo.conninfo_to_dict(url)
        missing = {key: value for key, value in usual.items() if key not in own}
        # The values go beside the statement, not in it: the server's log has no guest in it.
        return psycopg.connect(conninfo.make_conninfo(url, **missing), autocommit=True)


def with_password(url: str, password: str) -> str:
    """The same address, with a password that stands nowhere else."""
    return conninfo.make_conninfo(url, password=password)


class PostgresStore:
    """See `engine.Engine`.

    url         libpq's: postgresql://USER@HOST,HOST/DATABASE
    schema      of the site: many sites share a database
    guard       called at the begin of each transaction; raises StorageFailed: it must not be
    """

    def __init__(
        self,
        url: str,
        schema: str,
        *,
        read_only: bool = False,
        guard: Callable[[Db], None] | None = None,
    ) -> None:
        if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", schema):
            raise ValueError(f"{schema!r} is no name of a schema")
        self.url, self.schema = url, schema
        self._read_only = read_only
        self._guard = guard
        self._db: PostgresDb | None = None
        with self.reading():
            pass  # connected, or it says why not

    @property
    def where(self) -> str:
        """The servers and the schema."""
        return f"{address_of(self.url)} (schema {self.schema})"

    def close(self) -> None:
        """Give the connection back."""
        self._drop()

    @contextmanager
    def reading(self) -> Iterator["PostgresDb"]:
        """The connection, for statements that change nothing."""
        is_outer = self._db is None or not self._db.in_transaction
        try:
            with mapped():
                if self._db is None:
                    self._db = self._open()
                yield self._db
        except StorageFailed:
            if is_outer:
                self._drop()
            raise

    @contextmanager
    def transaction(self) -> Iterator["PostgresDb"]:
        """The connection, inside a transaction; inside another one, inside a savepoint of it."""
        with self.reading() as db:
            is_outer = not db.in_transaction
            db.execute("BEGIN" if is_outer else "SAVEPOINT inner_block")
            try:
                if is_outer and self._guard is not None:
                    self._guard(db)
                yield db
                db.execute("COMMIT" if is_outer else "RELEASE SAVEPOINT inner_block")
            except BaseException:  # a cancelled or a broken writer leaves nothing half done either
                with contextlib.suppress(psycopg.Error):  # the first error is the one to tell
                    if db.in_transaction:
                        undo = "ROLLBACK TO SAVEPOINT inner_block; RELEASE SAVEPOINT inner_block"
                        db.execute("ROLLBACK" if is_outer else undo)
                raise

    def begin_anew(self) -> str:
        """Never: the lease is in the schema too, and a house that two gateways hold is worse than
        one that stands still. A damaged page is the server's to mend.
        """
        raise StorageFailed(f"{self.where} is damaged", _DAMAGED)

    def made_way(self) -> bool:
        """It never does."""
        return False

    def shrink(self) -> None:
        """The server's own vacuum gives the room back, in its time."""

    def counted_on(self, tables: list[str]) -> None:
        """Rows with ids were put into these tables: the next one is behind the largest."""
        with self.transaction() as db:
            for table in tables:
                db.execute(
                    f"SELECT setval(pg_get_serial_sequence('{table}', 'id'),"
                    f" coalesce((SELECT max(id) FROM {table}), 0) + 1, false)"
                )

    def audit(self) -> list[str]:
        """What is wrong: a table that is missing. Pages are checked by the server."""
        with self.reading() as db:
            rows = db.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = ?", (self.schema,)
            )
            found = {name for (name,) in rows}
            return [f"no table {name}" for name in sorted(set(TABLES) - found)]

    def _open(self) -> "PostgresDb":
        raw = connect(self.url, name=f"pms-gateway {self.schema}", read_only=self._read_only)
        db = PostgresDb(raw)
        try:
            check_server(db)
            db.execute(f"SET idle_in_transaction_session_timeout = '{FROZEN_S}s'")
            db.execute(f'SET search_path TO "{self.schema}"')
            if self._read_only:
                db.execute("SET default_transaction_read_only = on")
            self._migrate(db)
        except BaseException:
            raw.close()
            raise
        return db

    def _migrate(self, db: "PostgresDb") -> None:
        version = _version(db, self.schema)
        if version > VERSION:
            raise StorageFailed(
                f"{self.where} was written by a newer version (schema {version})",
                "install that version again",
            )
        if version == VERSION:
            return
        if self._read_only:
            raise StorageFailed(f"{self.where} holds no house", "start the service once")
        db.execute("BEGIN")
        try:
            # Of two that start at once one makes it, and the other one finds it made.
            db.execute("SELECT pg_advisory_xact_lock(hashtext(?))", (self.schema,))
            if _version(db, self.schema) == 0:
                db.execute(f'CREATE SCHEMA IF NOT EXISTS "{self.schema}"')
                for statement in STATEMENTS:
                    db.execute(statement)
                db.execute("INSERT INTO schema_version VALUES (?)", (VERSION,))
            db.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(psycopg.Error):
                db.execute("ROLLBACK")
            raise

    def _drop(self) -> None:
        if self._db is not None:
            with contextlib.suppress(psycopg.Error):
                self._db.raw.close()
            self._db = None


class PostgresDb:
    """A connection as `engine.Db` has it."""

    def __init__(self, raw: Connection[Any]) -> None:
        self.raw = raw
        self._changed = 0
        self._total = 0

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction has begun, also one that has failed."""
        return self.raw.info.transaction_status != psycopg.pq.TransactionStatus.IDLE

    def execute(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> Rows:
        """One statement."""
        cursor = self.raw.execute(
            _marked(sql, is_named=isinstance(values, Mapping)) if values else sql,
            _without_nul(values) or None,
        )
        self._changed = max(cursor.rowcount, 0) if _writes(sql) else 0
        self._total += self._changed
        return _Rows(cursor.fetchall() if cursor.description else [])

    def changes(self) -> int:
        """How many rows the last one has changed."""
        return self._changed

    def total_changes(self) -> int:
        """How many were changed since the connection was opened."""
        return self._total


class _Rows:
    """What a statement gave, all of it."""

    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self._rows = iter(rows)

    def fetchone(self) -> Any:
        return next(self._rows, None)

    def fetchall(self) -> list[Any]:
        return list(self._rows)

    def __iter__(self) -> Iterator[Any]:
        return self._rows

    @property
    def get(self) -> Any:
        row = self.fetchone()
        return None if row is None else row[0]


def check_server(db: PostgresDb) -> None:
    """Raises Refused for a server that is too old, or that may lose what it has said it keeps."""
    number = db.raw.info.server_version
    if number < OLDEST:
        raise Refused(
            f"the server is PostgreSQL {number // 10_000}", "PostgreSQL 15 or newer is needed"
        )
    for setting in _DURABLE:
        found = db.execute(f"SHOW {setting}").get
        if found in ("off", "local"):
            raise Refused(
                f"the server has {setting} = {found}: after a power cut, or when its replica takes"
                " over, it has lost what it had acknowledged",
                f"set {setting} = on in postgresql.conf, and reload the server",
            )


def _version(db: PostgresDb, schema: str) -> int:
    # Read from the catalogue itself: what a connection has cached of it may be older.
    there = "SELECT 1 FROM pg_tables WHERE schemaname = ? AND tablename = 'schema_version'"
    if db.execute(there, (schema,)).get is None:
        return 0
    return int(db.execute(f'SELECT version FROM "{schema}".schema_version').get)


def _marked(sql: str, *, is_named: bool) -> str:
    """The marks of both engines as psycopg's."""
    sql = sql.replace("%", "%%")
    if is_named:
        return re.sub(r"(?<![:\w]):(\w+)", r"%(\1)s", sql)
    return sql.replace("?", "%s")


def _without_nul(values: Any) -> Any:
    if isinstance(values, Mapping):
        return {name: _text(value) for name, value in values.items()}
    return [_text(value) for value in values]


def _text(value: Any) -> Any:
    return value.replace("\x00", _NUL) if isinstance(value, str) else value


def _writes(sql: str) -> bool:
    return sql.lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE")


@contextmanager
def mapped() -> Iterator[None]:
    """The server's errors as ours."""
    try:
        yield
    except (psycopg.errors.DataCorrupted, psycopg.errors.IndexCorrupted) as error:
        raise StorageFailed(f"the database is damaged: {_said(error)}", _DAMAGED) from error
    except psycopg.ProgrammingError as error:
        if error.sqlstate is None:  # a value that no column takes: a bug of ours, not the server's
            raise TypeError(str(error)) from error
        raise StorageFailed(f"the database: {_said(error)}", _remedy(error)) from error
    except psycopg.Error as error:
        raise StorageFailed(f"the database: {_said(error)}", _remedy(error)) from error


def _said(error: psycopg.Error) -> str:
    """In one line; an address may be in it, a password never is. Only its first sentence, as the
    server's details quote rows, and a guest is in a row.
    """
    words = error.diag.message_primary or str(error).removeprefix("connection failed: ")
    return " ".join(words.split())[:300] or type(error).__name__


_WAIT: Final = "until it is back no record is acknowledged"
_CREDENTIALS: Final = "set the right user and password in store.url, and let them in in pg_hba.conf"
_CONNECTIONS: Final = "raise max_connections of the server, or find out who holds so many"
_REFUSED: Final = (
    ("password authentication failed|no password supplied|role .* does not exist", _CREDENTIALS),
    ("no pg_hba.conf entry", "let this machine's address in in the server's pg_hba.conf"),
    ("database .* does not exist", "make it on the server with createdb, or mend store.url"),
    ("too many clients|too many connections|connection slots are reserved", _CONNECTIONS),
    ("failed to resolve host", f"mend the name of the host in store.url, or DNS; {_WAIT}"),
    ("read-only", f"no host of store.url takes writes now: is one being promoted? {_WAIT}"),
    ("starting up|shutting down|recovery mode", f"the server starts or stops; {_WAIT}"),
)
"""Of a connection that is refused libpq tells the sentence and no code. Of a server that speaks
another language than English the remedy is that for all others.
"""


def _remedy(error: psycopg.Error) -> str:
    match error:
        case psycopg.errors.DiskFull():
            return "free the disk of the database server; until then no record is acknowledged"
        case psycopg.errors.TooManyConnections():
            return _CONNECTIONS
        case psycopg.errors.ReadOnlySqlTransaction():
            return f"this server is a replica: name all hosts in store.url; {_WAIT}"
        case psycopg.errors.InsufficientPrivilege():
            return "let this user create schemas: GRANT CREATE ON DATABASE ... TO ..."
        case psycopg.errors.AdminShutdown() | psycopg.errors.CrashShutdown():
            return f"the server was stopped, or somebody ended our connection; {_WAIT}"
        case psycopg.OperationalError():
            told = (remedy for words, remedy in _REFUSED if re.search(words, str(error)))
            return next(told, f"does the server run, and is store.url right? {_WAIT}")
        case _:
            return "look at the server's log; report it if it comes again"
