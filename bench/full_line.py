"""A line that is never silent, at the pace of its speed, and pages that are asked meanwhile."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from bench.peers import Pms, room
from bench.program import Gateway

SLOW_BAUD: Final = 9600
FAST_BAUD: Final = 115_200
ROOMS: Final = 50

Records = Callable[[int], str]
"""The body of the record with this number."""


def talk(pms: Pms, baud: int, seconds: float, records: Records) -> list[float]:
    """Say one record after the other, each when the one before it was answered and its bytes would
    have left. Returns the milliseconds from each record's last byte to its ACK.
    """
    due = began = monotonic()
    acks: list[float] = []
    while monotonic() - began < seconds:
        body = records(len(acks)).encode()
        due += (len(body) + 4) * 10 / baud
        pms.rest(max(0.0, due - monotonic()))
        said, answered = pms.talk(body)
        acks.append((answered - said) / 1e6)
    return acks


def nothing_new(number: int) -> str:
    """As in a resync in which nobody has come or gone."""
    where = room(ROOMS + number % ROOMS)
    # Another workstation each time: the same text again would be taken for a repeat.
    return f"GI|RN{where}|G#{where}|GNBerger|GFAnna|GLEN|GA261120|GD261125|GSN|WS{number}|"


def each_a_call(number: int) -> str:
    """As at a desk at which somebody comes or goes all the time."""
    where = room(number // 2 % ROOMS)
    guest = "G#4711|GNBerger|GFAnna|GLEN|GA261120|GD261125|GSN|CS1|"
    return f"GO|RN{where}|G#4711|GSN|" if number % 2 else f"GI|RN{where}|{guest}"


def move_in(pms: Pms) -> None:
    """Everybody of whom `nothing_new` will speak."""
    for number in range(ROOMS):
        pms.talk(nothing_new(number).encode())


@dataclass(slots=True)
class Waits:
    """Questions to a page: when each was asked (monotonic seconds), and its wait in milliseconds.
    Filled when the asker has ended.
    """

    asked: list[tuple[float, float]] = field(default_factory=list)

    def all(self) -> list[float]:
        """Every wait."""
        return [wait for _, wait in self.asked]

    def touching(self, spans: Sequence[tuple[float, float]]) -> list[float]:
        """Those of questions that were open at some moment of these spans, in their order."""
        return [
            wait
            for at, wait in self.asked
            if any(since <= at + wait / 1e3 and at <= until for since, until in spans)
        ]


@contextmanager
def asking(gateway: Gateway, seconds: float) -> Iterator[Waits]:
    """A process that asks a page a hundred times a second, from now on."""
    port = gateway.page.rsplit(":", 1)[1]
    command = [sys.executable, "-m", "bench.asker", port, str(seconds)]
    waits = Waits()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as asker:
        assert asker.stdout is not None  # it was asked for
        asker.stdout.readline()  # it is ready
        yield waits
        waits.asked += (tuple(map(float, line.split())) for line in asker.stdout)  # type: ignore[misc]
