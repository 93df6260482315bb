"""The menu of `line send`: records that one needs at a site, with blanks for rooms and names."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a menu: records or bytes, with `{room}`, `{name}` and the like to fill in."""

    title: str
    texts: tuple[str, ...]


_STAMP: Final = "DA{day}|TI{time}|"
_GUEST: Final = "GI|RN{room}|G#{guest}|GN{name}|GSN|"
_BYTES: Final = (
    Entry("the byte ENQ: what was your last answer?", ("<ENQ>",)),
    Entry("the byte ACK", ("<ACK>",)),
    Entry("the byte NAK", ("<NAK>",)),
)

PMS: Final = (
    Entry("LS: the link starts again", (f"LS|{_STAMP}",)),
    Entry("LA: the link is alive", (f"LA|{_STAMP}",)),
    Entry("GI: check in", (_GUEST,)),
    Entry("GC: another name", ("GC|RN{room}|G#{guest}|GN{name}|GSN|",)),
    Entry("GC with RO: room move", ("GC|RO{room}|GSN|RN{to}|GSN|G#{guest}|GN{name}|",)),
    Entry("GO: check out", ("GO|RN{room}|G#{guest}|GSN|",)),
    Entry("RE: do not disturb, on", ("RE|RN{room}|DNY|",)),
    Entry("RE: do not disturb, off", ("RE|RN{room}|DNN|",)),
    Entry("WR: wake-up", ("WR|RN{room}|DA{day}|TI{at}|",)),
    Entry("DS GI DE: a resync of one room", (f"DS|{_STAMP}", _GUEST, f"DE|{_STAMP}")),
    Entry("LE: the link ends", (f"LE|{_STAMP}",)),
    *_BYTES,
)

PBX: Final = (
    Entry("DR: tell me every room", (f"DR|{_STAMP}",)),
    Entry("RE: the maid has cleaned", ("RE|RN{room}|RS3|",)),
    Entry("WR: a wake-up set at the phone", ("WR|RN{room}|DA{day}|TI{at}|",)),
    Entry("WA: a wake-up was answered", (f"WA|RN{{room}}|{_STAMP}ASOK|",)),
    Entry("PS: a call of 60 s", (f"PS|RN{{room}}|PTC|TA100|DU000100|P#1|{_STAMP}",)),
    *_BYTES,
)

QUESTIONS: Final = {
    "room": ("room", "101"),
    "to": ("new room", "102"),
    "name": ("name", "Bench"),
    "guest": ("guest number", "1"),
    "at": ("time as HHMMSS", "063000"),
}
"""What is asked for a blank, and what an empty answer means the first time."""

_BLANK: Final = re.compile(r"\{(\w+)\}")


def lines_of(menu: tuple[Entry, ...]) -> Iterator[str]:
    """The menu for a screen."""
    for number, entry in enumerate(menu, start=1):
        yield f"{number:>3}  {entry.title}"
    yield "     or a record, as GI|RN101|; or bytes, as <STX>GI|RN101|<ETX>; q ends"


def blanks(entry: Entry) -> list[str]:
    """What has to be asked before the entry can be said, in order."""
    names = _BLANK.findall("".join(entry.texts))
    return [name for name in dict.fromkeys(names) if name in QUESTIONS]


def fill(entry: Entry, answers: Mapping[str, str], now: datetime) -> list[str]:
    """The texts of an entry. `answers`: one for each of `blanks`."""
    values = {**answers, "day": f"{now:%y%m%d}", "time": f"{now:%H%M%S}"}
    return [_BLANK.sub(_taken_from(values), text) for text in entry.texts]


def _taken_from(values: Mapping[str, str]) -> Callable[[re.Match[str]], str]:
    # A bar in an answer would be another field, and a bracket another byte.
    return lambda blank: values[blank[1]].translate(_NO_NOTATION)


_NO_NOTATION: Final = str.maketrans({"|": " ", "<": " "})
