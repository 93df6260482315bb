"""Many rooms that wait, and the resync of a large house."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from bench.figure import Figure, at
from bench.peers import TcpPms, Ucm, room
from bench.program import WAITING, Gateway, certificate, on_a_line

WAITING_ROOMS: Final = (100, 3_000)
ROUNDS: Final = 5
BAUD: Final = 9600


def measure(scale: float) -> Iterator[Figure]:
    """All of it; `scale` shortens the houses and the time."""
    yield from _waiting_rooms(scale)
    for rooms in (3_000, 10_000):
        yield from _resync(max(50, round(rooms * scale)))
    yield from _serial_resync(max(50, round(300 * scale)))


def _waiting_rooms(scale: float) -> Iterator[Figure]:
    """What one room takes must not depend on how many wait behind it. By turns, and the quietest
    round of each.
    """
    few, many = (max(20, round(count * scale)) for count in WAITING_ROOMS)
    taken: dict[int, list[float]] = {few: [], many: []}
    for _ in range(ROUNDS):
        for count, medians in taken.items():
            with _waiting(count) as ucm:
                ucm.release()
                ucm.wait_for(few)
                began = [call.began_ns for call in ucm.calls[1:few]]  # the first one was held
            medians.append(at(0.5, [(after - before) / 1e6 for before, after in pairwise(began)]))
    short, long = min(taken[few]), min(taken[many])
    yield Figure(f"time a room, {many:,} waiting", long / short, f"of {few:,}", 1.1,
                 note=f"{long:.2f} beside {short:.2f} ms, from one call to the next, the first {few} of them")  # fmt: skip


@contextmanager
def _waiting(count: int) -> Iterator[Ucm]:
    """A gateway with so many rooms that wait, in front of a UCM that answers no call until it is
    released.
    """
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        ucm, pms = Ucm(certificate(folder), rooms=count), TcpPms()
        ucm.hold()
        gateway = Gateway(folder, ucm, line=f"tcp:127.0.0.1:{pms.port}")
        try:
            pms.link_up()
            pms.say(*(_guest(number) for number in range(count)))
            gateway.until(WAITING, count)
            yield ucm
        finally:
            gateway.stop()
            ucm.close()
            pms.close()


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
