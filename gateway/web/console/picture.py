"""The picture of the last day: one row of bars for each thing that is counted. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from gateway.web.console.day import QUARTER_S, SHOWN, Counts

HEIGHT: Final = 24.0
LOWEST: Final = 2.0
"""A quarter in which something happened is seen, however much happened in another one."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One quarter of an hour. Numbers are in units of the picture, which is SHOWN wide."""

    x: int
    y: float
    height: float
    title: str


@dataclass(frozen=True, slots=True)
class Bars:
    """A row of the picture. `kind`: its colour; `words`: its sum and its highest bar."""

    kind: str
    name: str
    words: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """unknown: how many of the SHOWN quarters were before the counting began."""

    rows: tuple[Bars, ...]
    ticks: tuple[str, ...]
    unknown: int
    width: int = SHOWN
    height: float = HEIGHT


_ROWS: Final[tuple[tuple[str, str, Callable[[Counts], int]], ...]] = (
    ("records", "Records heard", lambda each: each.records),
    ("calls", "Calls made to the UCM", lambda each: each.calls),
    ("failures", "Refused, or without an answer", lambda each: each.failures),
)


def picture(
    quarters: Sequence[tuple[float, Counts]],
    ticks: Sequence[datetime],
    since: float,
    zone: tzinfo,
) -> Picture:
    """quarters: SHOWN of them, see Day.quarters; since: see Day."""
    return Picture(
        rows=tuple(
            _row(kind, name, [(at, count(counts)) for at, counts in quarters], zone)
            for kind, name, count in _ROWS
        ),
        ticks=(*(f"{tick:%H:%M}" for tick in ticks[:-1]), "now"),
        unknown=sum(at + QUARTER_S <= since for at, _ in quarters),
    )


def _row(kind: str, name: str, counts: Sequence[tuple[float, int]], zone: tzinfo) -> Bars:
    total, most = sum(count for _, count in counts), max(count for _, count in counts)
    bars = []
    for x, (at, count) in enumerate(counts):
        if count:
            height = round(max(LOWEST, HEIGHT * count / most), 2)
            title = f"{datetime.fromtimestamp(at, zone):%H:%M}: {count}"
            bars.append(Bar(x, round(HEIGHT - height, 2), height, title))
    words = f"{total}, at most {most} in a quarter of an hour" if total else "none"
    return Bars(kind, name, words, tuple(bars))
