"""From the last byte of a record on the line to the first byte of the request at the UCM."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from typing import Final

from bench.figure import Figure, at
from bench.peers import Pms, Ucm, room
from bench.program import Program, certificate, on_a_line

BLOCK: Final = 50
"""Records one after the other at one of the two, before it is the other's turn."""
PAUSE_S: Final = 0.01
ROOMS: Final = 50


def measure(scale: float) -> Iterator[Figure]:
    """The gateway beside the floor, by turns, so that a busy moment of the machine meets both."""
    rounds = max(2, round(20 * scale))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with (
            on_a_line(folder / "gateway", rooms=ROOMS) as (gateway, pms, ucm),
            _floor(folder) as floor,
        ):
            _carry(pms, ucm, 2)  # what is done once: logins, first pages, imports
            _carry(floor[1], floor[2], 2)
            taken: dict[str, list[float]] = {"gateway": [], "floor": []}
            cpu = {"gateway": -gateway.cpu_s, "floor": -floor[0].cpu_s}
            acked = []
            written = -gateway.written_bytes
            for _ in range(rounds):
                for name, line, peer in (("floor", floor[1], floor[2]), ("gateway", pms, ucm)):
                    way, ack = _carry(line, peer, BLOCK)
                    taken[name] += way
                    if name == "gateway":
                        acked += ack
            cpu["gateway"] += gateway.cpu_s
            cpu["floor"] += floor[0].cpu_s
            written += gateway.written_bytes
    count = len(taken["gateway"])
    half, most = (
        {name: at(share, values) for name, values in taken.items()} for share in (0.5, 0.99)
    )
    yield Figure("whole way, p50", half["gateway"] / half["floor"], "floors", 2.0,
                 note=f"{half['gateway']:.2f} ms beside {half['floor']:.2f} ms, {count} records")  # fmt: skip
    yield Figure("whole way, p99", most["gateway"] / most["floor"], "floors", 4.0,
                 note=f"{most['gateway']:.2f} ms beside {most['floor']:.2f} ms")  # fmt: skip
    yield Figure("whole way, processor a record", cpu["gateway"] / cpu["floor"], "floors", 5.0,
                 note=f"{cpu['gateway'] / count * 1e3:.2f} ms beside {cpu['floor'] / count * 1e3:.2f} ms")  # fmt: skip
    yield Figure(
        "ACK, p99", at(0.99, acked), "ms", note="last byte of a record to our ACK; T1 is 3,000 ms"
    )
    yield Figure(
        "written to disk a record", written / count / 1024, "KiB", note="write_bytes of the kernel"
    )


@contextmanager
def _floor(folder: Path) -> Iterator[tuple[Program, Pms, Ucm]]:
    pms, ucm = Pms(), Ucm(certificate(folder), rooms=ROOMS)
    command = (
        sys.executable,
        "-m",
        "bench.floor",
        pms.path,
        str(ucm.port),
        str(folder / "journal"),
    )
    program = Program(command, folder / "floor.log")
    sleep(0.5)
    try:
        yield program, pms, ucm
    finally:
        program.stop()
        pms.close()
        ucm.close()


def _carry(pms: Pms, ucm: Ucm, count: int) -> tuple[list[float], list[float]]:
    """Check guests in and out. Milliseconds to the UCM and to the ACK, each."""
    way, ack = [], []
    for number in range(count):
        where = room(number // 2 % ROOMS)
        body = (
            f"GO|RN{where}|G#4711|GSN|"
            if number % 2
            else f"GI|RN{where}|G#4711|GNBerger|GA261121|GD261125|GSN|"
        )
        before = len(ucm.calls)
        said, answered = pms.talk(body.encode())
        ucm.wait_for(before + 1)
        way.append((ucm.calls[before].began_ns - said) / 1e6)
        ack.append((answered - said) / 1e6)
        sleep(PAUSE_S)
    return way, ack
