"""What it takes of a machine: memory, processor, time to start."""

import http.client
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, perf_counter, sleep
from typing import Final
from urllib.parse import urlsplit

from bench.figure import Figure, at
from bench.full_line import (
    FAST_BAUD,
    ROOMS,
    SLOW_BAUD,
    each_a_call,
    move_in,
    nothing_new,
    talk,
)
from bench.peers import Pms, Ucm
from bench.program import Gateway, certificate, on_a_line

BAUDS: Final = ((SLOW_BAUD, 2.0), (FAST_BAUD, 12.0))
PAGES: Final = ("", "line", "rooms", "outbox", "findings", "about")


def measure(scale: float) -> Iterator[Figure]:
    """A gateway at rest, at work, and starting."""
    yield from _starting()
    with (
        tempfile.TemporaryDirectory() as place,
        on_a_line(Path(place), rooms=2 * ROOMS) as (gateway, pms, _),
    ):
        yield from _at_rest(gateway, pms, seconds=20 * scale)
        move_in(pms)
        for baud, goal in BAUDS:
            yield from _at_work(gateway, pms, baud, goal, seconds=20 * scale)
        yield from _scraped(gateway)
        yield from _with_console(gateway)


def _starting() -> Iterator[Figure]:
    """From the start of the process to the first ACK; the best of three, like everything cached."""
    times = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as place:
            times.append(_time_to_ack(Path(place)))
    yield Figure("start to first ACK", min(times), "s", 0.6)


def _time_to_ack(folder: Path) -> float:
    pms, ucm = Pms(), Ucm(certificate(folder), rooms=1)
    gateway = Gateway(folder, ucm, line=f"serial:{pms.path},9600,8n1")
    try:
        pms.first_ack(b"LS|DA261120|TI101500|")
        return monotonic() - gateway.started
    finally:
        gateway.stop()
        pms.close()
        ucm.close()


def _at_rest(gateway: Gateway, pms: Pms, seconds: float) -> Iterator[Figure]:
    pms.rest(3)
    before = gateway.cpu_s
    pms.rest(seconds)
    yield Figure("processor, idle", (gateway.cpu_s - before) / seconds * 100, "%", 0.3, note=f"of a core, {seconds:.0f} s")  # fmt: skip
    yield Figure("memory, console not opened", gateway.resident_mb, "MB", 45)


def _at_work(
    gateway: Gateway, pms: Pms, baud: int, goal: float, seconds: float
) -> Iterator[Figure]:
    """A line that is never silent, at the pace of its speed: a resync in which nothing is new, and
    a desk at which every record is a call."""
    for name, records, bound in (
        ("nothing new", nothing_new, goal),
        ("each record a call", each_a_call, None),
    ):
        used, began = -gateway.cpu_s, monotonic()
        acks = talk(pms, baud, seconds, records)
        share = (used + gateway.cpu_s) / (monotonic() - began) * 100
        yield Figure(f"processor, {baud:,} baud full, {name}", share, "%", bound,
                     note=f"{len(acks) / seconds:.0f} records a second")  # fmt: skip


def _scraped(gateway: Gateway) -> Iterator[Figure]:
    line = http.client.HTTPConnection(urlsplit(gateway.page).netloc)
    times = []
    for _ in range(100):
        began = perf_counter()
        line.request("GET", "/metrics")
        text = line.getresponse().read().decode()
        times.append((perf_counter() - began) * 1e3)
        sleep(0.01)
    series = sum(bool(line) and not line.startswith("#") for line in text.splitlines())
    yield Figure(
        "scrape",
        at(0.5, times),
        "ms",
        5,
        note=f"p50 of {len(times)} over one connection, as Prometheus does",
    )
    yield Figure("series", series, "", 500)


def _with_console(gateway: Gateway) -> Iterator[Figure]:
    for page in PAGES:
        urllib.request.urlopen(f"{gateway.page}/{page}").read()
    yield Figure("memory, console in use", gateway.resident_mb, "MB", 60)
