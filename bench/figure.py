"""What a measurement says: a figure beside what it was measured against, and the goal."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from statistics import quantiles
from typing import Final

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    value   the measured number
    goal    what it should be; None: only stated
    least   the goal is a lower bound, as of a share of a floor's speed
    """

    what: str
    value: float
    unit: str = ""
    goal: float | None = None
    least: bool = False
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is met; None without one."""
        if self.goal is None:
            return None
        return self.value >= self.goal if self.least else self.value <= self.goal


Bench = Callable[[float], Iterator[Figure]]
"""A measurement: from a scale (1: the size that README.md describes) to its figures."""

_HEAD: Final = ("what", "measured", "goal", "", "how")
_COLOURS: Final = {"met": "green", "missed": "red"}


def show(figures: Iterable[Figure], console: Console) -> None:
    """One table of everything that was measured."""
    table = Table(*_HEAD, box=None, header_style="bold")
    for figure in figures:
        *cells, verdict, note = _cells(figure)
        table.add_row(*cells, f"[{_COLOURS.get(verdict, 'default')}]{verdict}[/]", note)
    console.print(table)


def as_markdown(figures: Iterable[Figure]) -> str:
    """The same table for README.md."""
    rows = [_HEAD, ("---",) * len(_HEAD), *map(_cells, figures)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _cells(figure: Figure) -> tuple[str, ...]:
    goal = "" if figure.goal is None else f"{'≥' if figure.least else '≤'} {figure.goal:g}"
    digits = ",.0f" if figure.value >= 100 or figure.value == int(figure.value) else ".3g"
    verdict = {True: "met", False: "missed", None: ""}[figure.is_met]
    value = f"{figure.value:{digits}} {figure.unit}".strip()
    return figure.what, value, goal, verdict, figure.note


def at(share: float, values: Iterable[float]) -> float:
    """A quantile, such as 0.99, of at least two values."""
    return quantiles(values, n=1000, method="inclusive")[round(share * 1000) - 1]
