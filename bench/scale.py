"""Many rooms that wait, a resync of a large house, many gateways on one machine."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from bench.figure import Figure, at
from bench.peers import Pms, TcpPms, Ucm, room
from bench.program import Gateway, certificate, on_a_line
from bench.through_put import waiting

WAITING_ROOMS: Final = (100, 3_000)
ROUNDS: Final = 5
BAUD: Final = 9600
LINES: Final = 32
T1_S: Final = 3.0


def measure(scale: float) -> Iterator[Figure]:
    """All of it; `scale` shortens the houses and the time."""
    yield from _waiting_rooms(scale)
    for rooms in (3_000, 10_000):
        yield from _resync(max(50, round(rooms * scale)))
    yield from _serial_resync(max(50, round(300 * scale)))
    yield from _many_lines(seconds=20 * scale)


def _waiting_rooms(scale: float) -> Iterator[Figure]:
    """What one room takes must not depend on how many wait behind it. By turns, and the quietest
    round of each, as in the through-put.
    """
    few, many = (max(20, round(count * scale)) for count in WAITING_ROOMS)
    taken: dict[int, list[float]] = {few: [], many: []}
    for _ in range(ROUNDS):
        for count, medians in taken.items():
            with waiting(count) as ucm:
                ucm.release()
                ucm.wait_for(few)
                began = [call.began_ns for call in ucm.calls[1:few]]  # the first one was held
            medians.append(at(0.5, [(after - before) / 1e6 for before, after in pairwise(began)]))
    short, long = min(taken[few]), min(taken[many])
    yield Figure(f"time a room, {many:,} waiting", long / short, f"of {few:,}", 1.1,
                 note=f"{long:.2f} beside {short:.2f} ms, from one call to the next, the first {few} of them")  # fmt: skip


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
            gateway.until_told()
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
