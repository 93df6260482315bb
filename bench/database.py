"""The whole way of a record on PostgreSQL beside SQLite, and both beside a bare INSERT with commit."""

import sqlite3
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import psycopg

from bench.figure import Figure, at
from bench.program import on_a_line
from bench.whole_way import BLOCK, ROOMS, Way
from tests.postgres import Cluster

BODY: Final = "x" * 400
"""As long as what is kept of a room."""


@contextmanager
def server() -> Iterator[Any]:
    """A PostgreSQL of this machine's own package, with its defaults for what is durable."""
    cluster = Cluster(["max_connections = 200"])  # type: ignore[no-untyped-call]
    try:
        yield cluster
    finally:
        cluster.remove()  # type: ignore[no-untyped-call]


def on_postgresql(address: str) -> str:
    """The section of a configuration."""
    return f'[store]\nurl = "{address}"\n'


def measure(scale: float) -> Iterator[Figure]:
    """Two gateways by turns, and between them rows that are only inserted."""
    rounds = max(2, round(20 * scale))
    with tempfile.TemporaryDirectory() as place, server() as cluster:
        folder, more = Path(place), on_postgresql(cluster.address)
        with (
            on_a_line(folder / "file", rooms=ROOMS) as file,
            on_a_line(folder / "server", rooms=ROOMS, more=more) as served,
            closing(sqlite3.connect(folder / "bare.db", isolation_level=None)) as bare_file,
            closing(psycopg.connect(cluster.url)) as bare_server,
        ):
            ways = {"SQLite": Way(*file), "PostgreSQL": Way(*served)}
            bare = {"SQLite": _rows_of_sqlite(bare_file), "PostgreSQL": _rows_of(bare_server)}
            for way in ways.values():
                way.carry(2)  # logins, first pages, imports
                way.forget()
            turns: deque[str] = deque(ways)
            commits: dict[str, list[float]] = {name: [] for name in ways}
            for _ in range(rounds):
                turns.rotate()
                for name in turns:
                    ways[name].carry(BLOCK)
                    commits[name] += [_timed(bare[name]) for _ in range(BLOCK)]
    lite, postgres = ways["SQLite"], ways["PostgreSQL"]
    for word, share in (("p50", 0.5), ("p99", 0.99)):
        took, least = at(share, postgres.ways), at(share, lite.ways)
        yield Figure(f"whole way on PostgreSQL, {word}", took / least, "of SQLite",
                     note=f"{took:.2f} ms beside {least:.2f} ms, {len(lite.ways)} records")  # fmt: skip
    yield Figure("its processor a record", postgres.cpu_ms / lite.cpu_ms, "of SQLite",
                 note=f"{postgres.cpu_ms:.2f} ms beside {lite.cpu_ms:.2f} ms; the server's own not counted")  # fmt: skip
    yield Figure("its ACK, p99", at(0.99, postgres.acks), "ms",
                 note=f"SQLite: {at(0.99, lite.acks):.2f} ms")  # fmt: skip
    for name, took_ms in commits.items():
        yield Figure(f"bare INSERT with commit, {name}, p50", at(0.5, took_ms), "ms",
                     note=f"p99 {at(0.99, took_ms):.2f} ms, {len(took_ms)} rows of {len(BODY)} bytes")  # fmt: skip


def _timed(row: Callable[[], object]) -> float:
    began = perf_counter()
    row()
    return (perf_counter() - began) * 1e3


def _rows_of_sqlite(db: sqlite3.Connection) -> Callable[[], object]:
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE bare (id INTEGER PRIMARY KEY, body TEXT)")
    return lambda: db.execute("INSERT INTO bare (body) VALUES (?)", (BODY,))


def _rows_of(db: "psycopg.Connection[Any]") -> Callable[[], object]:
    db.autocommit = True
    db.execute("CREATE TABLE bare (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body TEXT)")
    return lambda: db.execute("INSERT INTO bare (body) VALUES (%s)", (BODY,))
