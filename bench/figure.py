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

_WORDS: Final = {True: "[green]met[/]", False: "[red]missed[/]", None: ""}


def show(figures: Iterable[Figure], console: Console) -> None:
    """One table of everything that was measured."""
    table = Table("what", "measured", "goal", "", "how", box=None, header_style="bold")
    for each in figures:
        goal = "" if each.goal is None else f"{'≥' if each.least else '≤'} {each.goal:g}"
        value = (
            f"{each.value:.3g} {each.unit}"
            if each.value < 1000
            else f"{each.value:,.0f} {each.unit}"
        )
        table.add_row(each.what, value, goal, _WORDS[each.is_met], each.note)
    console.print(table)


def at(share: float, values: Iterable[float]) -> float:
    """A quantile, such as 0.99, of at least two values."""
    return quantiles(values, n=1000, method="inclusive")[round(share * 1000) - 1]
