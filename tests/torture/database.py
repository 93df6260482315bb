"""The database: its server killed, its connections ended, its network cut, its room used up.

The same work is done to a store on PostgreSQL, under faults, and to one on SQLite, without. A
transaction that was confirmed is in it, and one that failed is in it whole or not at all; which of
the two is found by looking, and then both stores are the same again.
"""

import asyncio
import random
import sys
import tempfile
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL
from time import sleep

import psycopg

from gateway.store import StorageFailed, Store
from gateway.store.postgres import PostgresStore
from gateway.tools.stores import TABLES
from tests.postgres import Cluster
from tests.torture.figures import Figure, counted, none_of
from tests.torture.storage import work
from tests.wires import Wire

FAULTS = ("server killed", "connections ended", "network cut", "no connection free")
WITHIN_S = 0.03
"""A fault comes within so long after the begin of a transaction; most take two milliseconds."""


@dataclass
class Outcome:
    """What a run came to."""

    confirmed: int = 0
    failed: Counter = field(default_factory=Counter)
    stored_all_the_same: int = 0
    broken: list = field(default_factory=list)


class Network:
    """The wire between a store and its server, in a thread of its own."""

    def __init__(self, port):
        self.wire, self._is_laid = Wire("store", port), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()
        self._is_laid.wait()

    async def _run(self):
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        await self.wire.lay()
        self._is_laid.set()
        await self._end.wait()
        await self.wire.take_up()

    def cut(self):
        """As a firewall that resets what it no longer knows."""
        self._loop.call_soon_threadsafe(self.wire.mend)

    def take_up(self):
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()


def contents(store):
    """Every row, without the numbers that a database counts by itself."""
    found = {}
    with store.reading() as db:
        for table, columns in TABLES.items():
            names = [name for name in columns if (table, name) not in _COUNTED]
            rows = db.execute(f"SELECT {', '.join(names)} FROM {table}").fetchall()
            found[table] = sorted(repr([_plain(each) for each in row]) for row in rows)
    return found


_COUNTED = {("journal", "id"), ("refused", "id")}


def _plain(value):
    return bytes(value) if isinstance(value, memoryview) else value


class Play:
    """The two stores, and what is done to one of them."""

    def __init__(self, cluster, network, reference, seed):
        self.cluster, self.network, self.reference = cluster, network, reference
        self.seed, self.rng, self.out = seed, random.Random(seed), Outcome()
        url = cluster.url.replace(f"port={cluster.port}", f"port={network.wire.port}")
        self.store = Store(PostgresStore(url, "torture"))

    def step(self, number, fault):
        breaking = threading.Timer(self.rng.uniform(0, WITHIN_S), self._break, [fault])
        before = contents(self.reference)
        held = self._use_up() if fault == "no connection free" else []
        breaking.start()
        for part in range(40):
            try:
                work(self.store, self._rng_of(number, part), number)
            except StorageFailed:
                self.out.failed[fault] += 1
                breaking.join()
                self._mend(held)
                self._settle(number, part, before, fault)
                break
            self.out.confirmed += 1
            work(self.reference, self._rng_of(number, part), number)
            before = contents(self.reference)
        breaking.join()
        self._mend(held)
        if self._seen() != contents(self.reference):
            self.out.broken.append(f"{number}: {fault}: what was confirmed is not in it")

    def _rng_of(self, number, part):
        return random.Random(f"{self.seed} {number} {part}")

    def _settle(self, number, part, before, fault):
        seen = self._seen()
        if seen == before:
            return
        work(self.reference, self._rng_of(number, part), number)
        self.out.stored_all_the_same += 1
        if seen != contents(self.reference):
            self.out.broken.append(f"{number}: {fault}: half of a transaction is in it")

    def _seen(self):
        for _ in range(100):
            try:
                return contents(self.store)
            except StorageFailed:  # a server that recovers refuses for a moment
                sleep(0.1)
        raise AssertionError("the database does not come back")

    def _break(self, fault):
        match fault:
            case "server killed":
                self.cluster.stop(SIGKILL)
            case "network cut":
                self.network.cut()
            case _:
                with suppress(psycopg.Error):
                    self.cluster.sql(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE application_name LIKE 'pms-gateway%'"
                    )

    def _use_up(self):
        """Every connection that the server has but one, for whoever ends ours."""
        held = []
        with suppress(psycopg.OperationalError):
            while True:
                held.append(psycopg.connect(self.cluster.url))
        held.pop().close()
        return held

    def _mend(self, held):
        for each in held:
            each.close()
        if self.cluster.process.poll() is not None:
            self.cluster.start()


def run(rounds, seed):
    """So many faults; half a second each."""
    cluster = Cluster()
    network = Network(cluster.port)
    try:
        with tempfile.TemporaryDirectory() as folder:
            reference = Store(Path(folder, "outbox.db"))
            play = Play(cluster, network, reference, seed)
            for number in range(rounds):
                play.step(number, FAULTS[number % len(FAULTS)])
            play.store.close()
            reference.close()
            return play.out
    finally:
        network.take_up()
        cluster.remove()


def torture(scale: float, seed: int) -> list[Figure]:
    """1,000 faults."""
    out = run(max(8, int(1000 * scale)), seed)
    for text in out.broken[:10]:
        print(text, file=sys.stderr)
    return [
        counted("transactions confirmed", out.confirmed),
        counted(f"failed: {dict(out.failed)}", out.failed.total()),
        counted("of these in it all the same", out.stored_all_the_same),
        none_of("lost, or half in it", len(out.broken)),
    ]
