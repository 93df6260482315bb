"""The menu of `line send`: what one says at a site, with the blanks filled in."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Final

from protocols.samples import Sample

QUESTIONS: Final = {
    "room": ("room", "101"),
    "to": ("new room", "102"),
    "name": ("name", "Bench"),
    "guest": ("guest number", "1"),
    "at": ("time as HHMMSS", "063000"),
}
"""What is asked for a blank, and what an empty answer means the first time."""

_BLANK: Final = re.compile(r"\{(\w+)(:[^}]*)?\}")


def lines_of(menu: tuple[Sample, ...]) -> Iterator[str]:
    """The menu for a screen."""
    for number, entry in enumerate(menu, start=1):
        yield f"{number:>3}  {entry.title}"
    yield "     or a record; or bytes, as <STX>, <ENQ>; q ends"


def blanks(entry: Sample) -> list[str]:
    """What has to be asked before the entry can be said, in order."""
    names = [name for name, _ in _BLANK.findall("".join(entry.texts))]
    return [name for name in dict.fromkeys(names) if name in QUESTIONS]


def fill(entry: Sample, answers: Mapping[str, str], now: datetime) -> list[str]:
    """The texts of an entry. `answers`: one for each of `blanks`."""
    values = {**answers, "day": f"{now:%y%m%d}", "time": f"{now:%H%M%S}"}
    return [_BLANK.sub(_taken_from(values), text) for text in entry.texts]


def _taken_from(values: Mapping[str, str]) -> Callable[[re.Match[str]], str]:
    # A bar in an answer would be another field, and a bracket another byte.
    def taken(blank: re.Match[str]) -> str:
        return format(values[blank[1]].translate(_NO_NOTATION), (blank[2] or ":")[1:])

    return taken


_NO_NOTATION: Final = str.maketrans({"|": " ", "<": " "})
