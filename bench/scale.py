"""A long backlog, a resync of a large house, many gateways on one machine."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, datetime
from pathlib import Path
from time import monotonic, perf_counter, sleep
from typing import Final

from bench.figure import Figure, at
from bench.peers import Pms, TcpPms, Ucm, room
from bench.program import Gateway, certificate, on_a_line
from gateway.events import CheckIn, Guest
from gateway.outbox import Batch, NewEntry, Outbox

BACKLOGS: Final = (1_000, 100_000, 1_000_000)
TAKEN: Final = 800
GUEST: Final = Guest(
    key="4711", name="Berger", came=datetime(2026, 11, 21), departure=date(2026, 11, 25)
)
BAUD: Final = 9600
LINES: Final = 32
T1_S: Final = 3.0


def measure(scale: float) -> Iterator[Figure]:
    """All of it; `scale` shortens the backlogs, the houses and the time."""
    yield from _backlogs(scale)
    for rooms in (3_000, 10_000):
        yield from _resync(max(50, round(rooms * scale)))
    yield from _serial_resync(max(50, round(300 * scale)))
    yield from _many_lines(seconds=20 * scale)


def _backlogs(scale: float) -> Iterator[Figure]:
    """Each row in a room of its own, so that none is folded into another: the worst there is."""
    taken = {}
    for size in BACKLOGS:
        count = max(TAKEN, round(size * scale))
        with tempfile.TemporaryDirectory() as place:
            outbox = Outbox(Path(place, "outbox.db"))
            for first in range(0, count, 5000):
                outbox.put(Batch(entries=[
                    NewEntry(event=CheckIn(room=room(number), guest=GUEST), record="GI|", received_at=1.0)
                    for number in range(first, min(first + 5000, count))
                ]))  # fmt: skip
            due, each = outbox.turn([], 2.0, 8), []
            for _ in range(TAKEN // 8 - 1):
                began = perf_counter()
                due = outbox.turn(due, 2.0, 8)
                each.append((perf_counter() - began) / 8 * 1e6)
            outbox.close()
        taken[size] = at(0.5, each)
    small = taken[BACKLOGS[0]]
    for size in BACKLOGS[1:]:
        yield Figure(f"time an entry, {round(size * scale):,} waiting", taken[size] / small,
                     f"of {round(BACKLOGS[0] * scale) or 1:,}", 1.1,
                     note=f"{taken[size]:.0f} beside {small:.0f} µs, no two in one room")  # fmt: skip


def _resync(rooms: int) -> Iterator[Figure]:
    """Over TCP, twice: the second one says nothing new."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        ucm, pms = Ucm(certificate(folder), rooms=rooms), TcpPms()
        gateway = Gateway(folder, ucm, line=f"tcp:127.0.0.1:{pms.port}")
        try:
            pms.link_up()
            said = [b"DS|", *(_guest(number) for number in range(rooms)), b"DE|"]
            began = monotonic()
            pms.say(*said)
            gateway.until('pmsgw_records_total{direction="in",record="DE"}', 1)
            took = monotonic() - began
            ucm.wait_for(rooms, 600)
            gateway.until("pmsgw_outbox_delivered_total", rooms)
            yield Figure(f"resync of {rooms:,} rooms over TCP", took, "s", note=f"{rooms / took:,.0f} rooms a second, each stored")  # fmt: skip
            pms.say(*said)
            gateway.until('pmsgw_records_total{direction="in",record="DE"}', 2)
            sleep(2)
            yield Figure(
                f"calls for {rooms:,} rooms that did not change", len(ucm.calls) - rooms, "", 0
            )
        finally:
            gateway.stop()
            pms.close()
            ucm.close()


def _guest(number: int) -> bytes:
    return f"GI|RN{room(number)}|G#{number}|GNBerger|GFAnna|GLEN|GA261120|GD261125|GSN|SF|".encode()


def _serial_resync(rooms: int) -> Iterator[Figure]:
    """A line with answers, at the pace of its speed: what our answers add to it."""
    with (
        tempfile.TemporaryDirectory() as place,
        on_a_line(Path(place), rooms=rooms) as (_, pms, _ucm),
    ):
        line_s = 0.0
        began = monotonic()
        for body in (b"DS|", *(_guest(number) for number in range(rooms)), b"DE|"):
            on_the_wire_s = (len(body) + 4) * 10 / BAUD  # STX, ETX, LRC and the ACK
            line_s += on_the_wire_s
            sleep(on_the_wire_s)
            pms.talk(body)
        took = monotonic() - began
    yield Figure(f"resync at {BAUD:,} baud", took / line_s, "of the line's time", 1.05,
                 note=f"{took:.1f} beside {line_s:.1f} s for {rooms} rooms, each answered")  # fmt: skip


def _many_lines(seconds: float) -> Iterator[Figure]:
    """Many gateways beside each other, each with a record a second."""
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        benches = [_start(Path(place, str(number)), stack) for number in range(LINES)]
        for pms, _ in benches:
            pms.link_up()
        sleep(3)
        waits = []
        ends = monotonic() + max(3.0, seconds)
        number = 0
        while monotonic() < ends:
            began = monotonic()
            number += 1
            said = []
            for pms, _ in benches:
                kind = (
                    f"GO|RN{room(0)}|G#4711|GSN|"
                    if number % 2 == 0
                    else f"GI|RN{room(0)}|G#4711|GNBerger|GSN|"
                )
                said.append((pms, len(pms.acks_ns), pms.say(kind.encode())))
            waits += [(pms.next_ack(before) - moment) / 1e9 for pms, before, moment in said]
            sleep(max(0.0, 1.0 - (monotonic() - began)))
    yield Figure(f"slowest ACK of {LINES} lines", max(waits), "s", T1_S,
                 note=f"{LINES} processes, all spoken to in the same moment; p50 {at(0.5, waits):.2f} s")  # fmt: skip


def _start(folder: Path, stack: ExitStack) -> tuple[Pms, Gateway]:
    folder.mkdir()
    ucm, pms = Ucm(certificate(folder), rooms=1), Pms()
    gateway = Gateway(folder, ucm, line=f"serial:{pms.path},9600,8n1")
    stack.callback(ucm.close)
    stack.callback(pms.close)
    stack.callback(gateway.stop)
    return pms, gateway
