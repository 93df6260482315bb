"""The house between its two kinds of stores, and the pair as the database sees it."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gateway.config import Config
from gateway.config.model import LONGEST_LEASE_S
from gateway.service.hold import holder_of
from gateway.service.pair import pair_as_json
from gateway.service.stores import database, open_store
from gateway.store import StorageFailed, Store
from gateway.store.file import StoreFile
from gateway.web.control import Declined

SILENT_LEASES: Final = 2
"""A gateway gives signs of life several times in the time of its lease."""


@dataclass(frozen=True, slots=True)
class Copied:
    """One table, and how many rows of it are in both now."""

    table: str
    rows: int


def store_at(where: str, schema: str, *, read_only: bool = False) -> Store:
    """A file, or a schema of a PostgreSQL. Raises StorageFailed, ValueError."""
    if not where.startswith(("postgresql://", "postgres://")):
        path = Path(where)
        if read_only and not path.exists():
            raise StorageFailed(f"{path} is not there", "name the file of the service: outbox.db")
        return Store(StoreFile(path, read_only=read_only))
    from gateway.store.postgres import PostgresStore  # psycopg is an extra

    return Store(PostgresStore(where, schema, read_only=read_only))


def copy(source: Store, target: Store, tell: Callable[[Copied], None]) -> None:
    """Everything that is in one into the other, which must be empty, in one transaction; then
    counted and compared row by row. Raises Declined and StorageFailed.
    """
    if target.writes() or target.load().rooms:
        raise Declined(f"{target.engine.where} holds a house already: name an empty one")
    with source.reading() as old, target.transaction() as new:
        for table, columns in TABLES.items():
            names = ", ".join(columns)
            rows = old.execute(f"SELECT {names} FROM {table} ORDER BY {columns[0]}").fetchall()
            new.execute(f"DELETE FROM {table}")
            marks = ", ".join("?" * len(columns))
            for row in rows:
                new.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row))
            found = new.execute(f"SELECT {names} FROM {table} ORDER BY {columns[0]}").fetchall()
            if sorted(map(_plain, rows)) != sorted(map(_plain, found)):
                raise Declined(f"table {table} is not the same in both: nothing was kept")
            tell(Copied(table, len(found)))
        target.engine.counted_on(list(COUNTED))


def _plain(row: Any) -> tuple[str, ...]:
    """A row that can be put in order, whatever is in it."""
    return tuple(repr(bytes(each) if isinstance(each, memoryview) else each) for each in row)


TABLES: Final[dict[str, tuple[str, ...]]] = {
    "room": ("room", "house", "digest", "heard_at", "record", "since", "background", "actual",
             "trouble", "pending"),
    "ledger": ("id", "body", "writes"),
    "journal": ("id", "at", "room", "from_room", "call", "result", "took_s", "record"),
    "refused": ("id", "at", "reason", "body", "advice"),
    "resident": ("room", "guest", "pms_room", "since", "until"),
    "posting": ("id", "kind", "cause", "room", "body", "guests", "state", "number", "tries", "at",
                "due_at", "reason", "is_forced"),
    "posting_step": ("id", "posting", "at", "state", "who", "why"),
    "posting_number": ("number", "posting", "at"),
    "level": ("kind", "room", "seen", "at"),
    "call": ("key", "began", "ended", "room", "use", "digits", "talk_s", "amount"),
    "back": ("id", "number", "first", "until", "canary"),
}  # fmt: skip
"""Every table of the house, with its columns."""

COUNTED: Final = ("journal", "refused", "posting", "posting_step")
"""Those whose ids are counted by the database."""


def worker_on(where: str, store: Store, lease_s: float = LONGEST_LEASE_S) -> str:
    """Who works on this house now; empty: nobody. Raises StorageFailed.

    lease_s     of its gateways, where it is known
    """
    if isinstance(store.engine, StoreFile):
        return holder_of(Path(where).parent)
    from gateway.store.lease import members_of  # psycopg is an extra

    with store.reading() as db:
        held, members = members_of(db)
    alive = {each.name for each in members if each.age_s < SILENT_LEASES * lease_s}
    return held.holder if held.holder in alive else ""


def at_work(config: Config) -> str:
    """Which gateway holds the house of this site now; empty: none does."""
    try:
        with closing(open_store(config, read_only=True)) as store:
            return worker_on(config.store.url.get_secret_value(), store, config.pair.lease_s)
    except StorageFailed as failed:
        return f"that is perhaps at work ({failed})"


def pair(config: Config) -> dict[str, Any]:
    """Who holds the house of this site, and who is there. Raises Declined."""
    from gateway.store.lease import members_of  # psycopg is an extra
    from gateway.store.postgres import PostgresStore

    try:
        engine = PostgresStore(database(config), config.house_schema, read_only=True)
        with closing(engine), engine.reading() as db:
            held, members = members_of(db)
    except StorageFailed as failed:
        raise Declined(f"{failed}: {failed.do}") from failed
    return pair_as_json(config.pair.name, held.holder, members)


def database_fits(config: Config) -> tuple[bool | None, str]:
    """Whether this site's PostgreSQL may hold its house, and why not, or what it is. None: it does
    not answer now.
    """
    try:
        with closing(open_store(config)) as store:
            return True, store.engine.where
    except StorageFailed as failed:
        return (False if failed.is_final else None), f"{failed}: {failed.do}"
