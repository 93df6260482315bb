"""Where a site keeps its house: an SQLite file, or a schema of a PostgreSQL."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from gateway.config import Config
from gateway.store import StorageFailed, Store, set_aside
from gateway.store.engine import Db


def path_of(config: Config) -> Path:
    """The file of a site that has one."""
    return Path(config.site.data_dir) / "outbox.db"


def is_file(config: Config) -> bool:
    """Whether the house is in a file of this machine."""
    return not config.store.url.get_secret_value()


def place_of(config: Config) -> str:
    """Where the house is kept, for people."""
    return str(path_of(config)) if is_file(config) else f"schema {config.house_schema}"


def database(config: Config) -> str:
    """The address of this site's database, with its password. Raises StorageFailed."""
    url, password = config.store.url.get_secret_value(), config.store.password.get_secret_value()
    if not password:
        return url
    _needs_psycopg()
    from gateway.store.postgres import with_password  # psycopg is an extra

    return with_password(url, password)


def open_store(
    config: Config,
    *,
    guard: Callable[[Db], None] | None = None,
    vfs: str | None = None,
    read_only: bool = False,
) -> Store:
    """The store of this site. Raises StorageFailed.

    guard   called at the begin of each transaction
    vfs     another way to the disk
    """
    if is_file(config):
        return Store(path_of(config), vfs=vfs, read_only=read_only)
    _needs_psycopg()
    from gateway.store.postgres import PostgresStore  # psycopg is an extra

    engine = PostgresStore(database(config), config.house_schema, guard=guard, read_only=read_only)
    return Store(engine)


def set_store_aside(config: Config) -> str:
    """One that cannot be trusted makes way. Returns where it is now. Raises StorageFailed."""
    if is_file(config):
        return str(set_aside(path_of(config)))
    return open_store(config).engine.begin_anew()


def _needs_psycopg() -> None:
    if find_spec("psycopg") is None:
        raise StorageFailed(
            "store.url needs psycopg, and it is not installed",
            "pip install 'pms-gateway[postgresql]'",
        )
