"""From the last byte of a record on the line to the first byte of the request at the UCM."""

import sys
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import sleep
from typing import Final

from bench.figure import Figure, at
from bench.peers import Pms, Ucm, room
from bench.program import Program, certificate, on_a_line

BLOCK: Final = 50
"""Records one after the other at one of them, before it is the next one's turn."""
PAUSE_S: Final = 0.01
ROOMS: Final = 50
MOST: Final = 1.15
"""What makes a gateway of these packages may cost so much more than the packages alone."""


def measure(scale: float) -> Iterator[Figure]:
    """The gateway and a plain glue by turns, so that a busy moment of the machine meets both."""
    rounds = max(2, round(20 * scale))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with (
            on_a_line(folder / "gateway", rooms=ROOMS) as (gateway, pms, ucm),
            _peer("glue", folder) as glue,
        ):
            ways = {
                "gateway": Way(gateway, pms, ucm),
                "glue": Way(*glue),
            }
            for way in ways.values():
                way.carry(2)  # what is done once: logins, first pages, imports
                way.forget()
            written = -gateway.written_bytes
            turns = deque(ways.values())
            for _ in range(rounds):
                turns.rotate()  # who comes behind another finds warm what both use
                for way in turns:
                    way.carry(BLOCK)
            written += gateway.written_bytes
    whole, plain = ways["gateway"], ways["glue"]
    for word, share in (("p50", 0.5), ("p99", 0.99)):
        took, least = at(share, whole.ways), at(share, plain.ways)
        yield Figure(f"whole way, {word}", took / least, "of glue", MOST,
                     note=f"{took:.2f} ms beside {least:.2f} ms, {len(whole.ways)} records")  # fmt: skip
    yield Figure("whole way, processor a record", whole.cpu_ms / plain.cpu_ms, "of glue", MOST,
                 note=f"{whole.cpu_ms:.2f} ms beside {plain.cpu_ms:.2f} ms")  # fmt: skip
    yield Figure("ACK, p99", at(0.99, whole.acks), "ms",
                 note="last byte of a record to our ACK; T1 is 3,000 ms")  # fmt: skip
    yield Figure("written to disk a record", written / len(whole.ways) / 1024, "KiB",
                 note="write_bytes of the kernel")  # fmt: skip


@dataclass(slots=True)
class Way:
    """One program between a PMS and a UCM, and what its records took: milliseconds to the UCM and
    to the ACK, each."""

    program: Program
    pms: Pms
    ucm: Ucm
    ways: list[float] = field(default_factory=list)
    acks: list[float] = field(default_factory=list)
    _cpu_s: float = 0.0

    @property
    def cpu_ms(self) -> float:
        """Milliseconds of processor a record."""
        return self._cpu_s / len(self.ways) * 1e3

    def forget(self) -> None:
        """What was measured until now does not count."""
        self.ways, self.acks, self._cpu_s = [], [], 0.0

    def carry(self, count: int) -> None:
        """Check guests in and out."""
        self._cpu_s -= self.program.cpu_s
        for number in range(count):
            where = room(number // 2 % ROOMS)
            body = (
                f"GO|RN{where}|G#4711|GSN|"
                if number % 2
                else f"GI|RN{where}|G#4711|GNBerger|GA261121|GD261125|GSN|"
            )
            before = len(self.ucm.calls)
            said, answered = self.pms.talk(body.encode())
            self.ucm.wait_for(before + 1)
            self.ways.append((self.ucm.calls[before].began_ns - said) / 1e6)
            self.acks.append((answered - said) / 1e6)
            sleep(PAUSE_S)
        self._cpu_s += self.program.cpu_s


@contextmanager
def _peer(name: str, folder: Path) -> Iterator[tuple[Program, Pms, Ucm]]:
    """Another program of this folder between a PMS and a UCM of its own."""
    pms, ucm = Pms(), Ucm(certificate(folder), rooms=ROOMS)
    command = (sys.executable, "-m", f"bench.{name}", pms.path, str(ucm.port), str(folder / name))
    program = Program(command, folder / f"{name}.log")
    sleep(1.5)
    try:
        yield program, pms, ucm
    finally:
        program.stop()
        pms.close()
        ucm.close()
