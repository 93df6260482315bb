"""What a torture found: figures with their limits, printed as one table."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured promise.

    what    in words, with its unit
    value   what was seen
    limit   what is promised, in words
    ok      whether the value keeps the limit
    """

    what: str
    value: float | str
    limit: str
    ok: bool

    def __str__(self) -> str:
        if isinstance(self.value, str):
            value = self.value
        else:
            value = f"{self.value:,.4g}" if isinstance(self.value, float) else f"{self.value:,}"
        return f"{'ok    ' if self.ok else 'BROKEN'}  {self.what:<68} {value:>14}   {self.limit}"


Torture = Callable[[float, int], list[Figure]]
"""`torture(scale, seed)`: scale 1.0 gives the full figures, 0.01 a hundredth of them."""


def at_most(what: str, value: float, limit: float, unit: str = "") -> Figure:
    """A figure that must not be larger than its limit."""
    return Figure(what, value, f"at most {limit:g}{unit}", value <= limit)


def none_of(what: str, count: int) -> Figure:
    """A count that must be zero."""
    return Figure(what, count, "0", count == 0)


def counted(what: str, count: float | str) -> Figure:
    """A figure without a limit: how much was tried."""
    return Figure(what, count, "", ok=True)
