"""What a panel is, before it is JSON: a title, the question it answers, and where the answer is."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Kind(Enum):
    """How an answer is drawn; `NAME` shows the legend, for a metric whose labels are the answer."""

    STAT = "number"
    NAME = "name"
    LINES = "lines"
    BARS = "bars"
    STATE = "states"


Words = Mapping[str, tuple[str, str]]
"""Number: word and colour."""


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a number is yellow and red; with `bad` below `warn`, low numbers are bad."""

    warn: float
    bad: float


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel.

    queries     legend: PromQL; `$me` stands for the chosen sites and gateways, see `whole`
    unit        one of Grafana's words for units
    words       what is shown instead of the number
    needs       what must be there so that it shows anything; said in the README
    """

    title: str
    question: str
    kind: Kind
    queries: Mapping[str, str]
    unit: str = "short"
    limits: Limits | None = None
    words: Words | None = None
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One page. `rows`: panels beside each other, as wide as there is room."""

    name: str
    title: str
    purpose: str
    rows: tuple[tuple[Panel, ...], ...]

    @property
    def panels(self) -> list[Panel]:
        """All of them, in reading order."""
        return [panel for row in self.rows for panel in row]


ME: Final = 'site=~"$site",instance=~"$instance"'
"""Where nothing gives its targets a site, the label is empty, and All is every site."""


def whole(query: str) -> str:
    """The query as Grafana gets it."""
    return query.replace("$me", ME)
