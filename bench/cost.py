"""What it takes of a machine: memory, processor, time to start."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Final

from bench.figure import Figure
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

T1_MS: Final = 3000.0
"""How long a PMS waits for an ACK."""
BAUDS: Final = (SLOW_BAUD, FAST_BAUD)


def measure(scale: float) -> Iterator[Figure]:
    """A gateway at rest, at work, and starting."""
    yield from _starting()
    with (
        tempfile.TemporaryDirectory() as place,
        on_a_line(Path(place), rooms=2 * ROOMS) as (gateway, pms, _),
    ):
        yield from _at_rest(gateway, pms, seconds=20 * scale)
        move_in(pms)
        for baud in BAUDS:
            yield from _at_work(gateway, pms, baud, seconds=20 * scale)
        yield Figure("memory after that", gateway.resident_mb, "MB")


def _starting() -> Iterator[Figure]:
    """From the start of the process to the first ACK; the best of three, like everything cached."""
    times = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as place:
            times.append(_time_to_ack(Path(place)))
    yield Figure("start to first ACK", min(times), "s")


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
    yield Figure("processor, idle", (gateway.cpu_s - before) / seconds * 100, "%", note=f"of a core, {seconds:.0f} s")  # fmt: skip
    yield Figure("memory at rest", gateway.resident_mb, "MB")


def _at_work(gateway: Gateway, pms: Pms, baud: int, seconds: float) -> Iterator[Figure]:
    """A line that is never silent, at the pace of its speed: a resync in which nothing is new, and
    a desk at which every record is a call."""
    for name, records in (("nothing new", nothing_new), ("each record a call", each_a_call)):
        used, began = -gateway.cpu_s, monotonic()
        acks = talk(pms, baud, seconds, records)
        share = (used + gateway.cpu_s) / (monotonic() - began) * 100
        yield Figure(f"processor, {baud:,} baud full, {name}", share, "%",
                     note=f"{len(acks) / seconds:.0f} records a second")  # fmt: skip
        yield Figure(f"ACK, {baud:,} baud full, {name}, longest", max(acks), "ms", T1_MS)
