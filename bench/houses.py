"""Many houses on one machine: a gateway for each, with a schema of its own in one PostgreSQL, or with
a file of its own.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from bench.database import on_postgresql, server
from bench.figure import Figure, at
from bench.peers import Pms, Ucm, room
from bench.program import Gateway, on_a_line

HOUSES: Final = 32
ROOMS: Final = 20

House = tuple[Gateway, Pms, Ucm]


def measure(scale: float) -> Iterator[Figure]:
    """All of them at rest, and then each with a record a second."""
    with server() as cluster:
        for engine, more in (("SQLite", ""), ("PostgreSQL", on_postgresql(cluster.address))):
            with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
                began = monotonic()
                houses = [
                    stack.enter_context(
                        on_a_line(Path(place, f"house{number}"), rooms=ROOMS, more=more)
                    )
                    for number in range(HOUSES)
                ]
                name = f"{HOUSES} houses on {engine}"
                yield Figure(f"{name}: all links up", monotonic() - began, "s")
                yield from _at_rest(name, houses, seconds=20 * scale)
                yield from _at_work(name, houses, seconds=60 * scale)
                if more:
                    count = cluster.sql(
                        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pms-gateway%'"
                    )
                    yield Figure(f"{name}: connections", count[0][0])


def _at_rest(name: str, houses: Sequence[House], seconds: float) -> Iterator[Figure]:
    resident = sum(gateway.resident_mb for gateway, _, _ in houses)
    own = sum(gateway.own_mb for gateway, _, _ in houses)
    yield Figure(f"{name}: memory", resident, "MB",
                 note=f"{own:,.0f} MB without what they share")  # fmt: skip
    spent = _spent(houses)
    sleep(seconds)
    busy = (_spent(houses) - spent) / seconds * 100
    yield Figure(f"{name}: processor, idle", busy, "%", note=f"of a core, {seconds:.0f} s")


def _at_work(name: str, houses: Sequence[House], seconds: float) -> Iterator[Figure]:
    """One record a second each, by turns."""
    acks: list[float] = []
    spent, began, turn = _spent(houses), monotonic(), 0
    while monotonic() - began < seconds:
        for _, pms, _ in houses:
            where = room(turn // 2 % ROOMS)
            body = f"GO|RN{where}|G#1|GSN|" if turn % 2 else f"GI|RN{where}|G#1|GNBerger|GSN|"
            said, answered = pms.talk(body.encode())
            acks.append((answered - said) / 1e6)
        turn += 1
        sleep(max(0.0, began + turn - monotonic()))
    took = monotonic() - began
    for gateway, _, _ in houses:
        gateway.until_told()
    yield Figure(f"{name}: ACK, p99", at(0.99, acks), "ms",
                 note=f"p50 {at(0.5, acks):.2f} ms; {len(acks) / took:.0f} records a second in all, each a call")  # fmt: skip
    yield Figure(f"{name}: processor, a record a second each",
                 (_spent(houses) - spent) / took * 100, "%", note="of a core, without the server's")  # fmt: skip


def _spent(houses: Sequence[House]) -> float:
    return sum(gateway.cpu_s for gateway, _, _ in houses)
