"""Calls a second through the whole gateway, beside a bare loop of the same HTTP client."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.figure import Figure
from bench.peers import TcpPms, Ucm, room
from bench.program import WAITING, Gateway, Program, certificate

SLOW_S: Final = 0.03
ROUNDS: Final = 3
"""The best of so many, by turns: both are slowed down by the same things."""


def measure(scale: float) -> Iterator[Figure]:
    """With a UCM that answers at once, and with one that takes 30 ms."""
    for delay_s, count, goal in (
        (0.0, round(1000 * scale), 0.90),
        (SLOW_S, round(150 * scale), 0.98),
    ):
        bare, whole = [], []
        for _ in range(ROUNDS):
            bare.append(_bare(count, delay_s))
            whole.append(_whole(count, delay_s))
        name = "instant UCM" if not delay_s else f"UCM of {delay_s * 1e3:.0f} ms"
        yield Figure(f"calls a second, {name}", max(whole) / max(bare), "of bare", goal, least=True,
                     note=f"{max(whole):.0f} beside {max(bare):.0f} a second, {count} rooms")  # fmt: skip


def _bare(count: int, delay_s: float) -> float:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        ucm = Ucm(certificate(folder), rooms=count, delay_s=delay_s)
        command = (sys.executable, "-m", "bench.bare_calls", str(ucm.port), str(count))
        program = Program(command, folder / "bare.log")
        try:
            ucm.wait_for(count)
            return ucm.calls_a_second
        finally:
            program.stop()
            ucm.close()


def _whole(count: int, delay_s: float) -> float:
    with waiting(count, delay_s) as ucm:
        ucm.release()
        ucm.wait_for(count)
        return ucm.calls_a_second


@contextmanager
def waiting(count: int, delay_s: float = 0.0) -> Iterator[Ucm]:
    """A gateway with so many rooms that wait, in front of a UCM that answers no call until it is
    released.
    """
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        ucm = Ucm(certificate(folder), rooms=count, delay_s=delay_s)
        ucm.hold()
        pms = TcpPms()
        gateway = Gateway(folder, ucm, line=f"tcp:127.0.0.1:{pms.port}")
        try:
            pms.link_up()
            for number in range(count):
                pms.say(f"GI|RN{room(number)}|G#{number}|GNBerger|GA261121|GD261125|GSN|".encode())
            gateway.until(WAITING, count)
            yield ucm
        finally:
            gateway.stop()
            ucm.close()
            pms.close()
