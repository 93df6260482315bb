"""The rows of the line as the page shows them, and what became of each record at the UCM."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final

from gateway.pipeline.step import PARKED, RoomView
from gateway.scope.meaning import NAMES
from gateway.scope.rows import Row
from gateway.store import JournalLine
from gateway.web import words
from gateway.web.words import Told
from protocols.fias import mask_body
from protocols.transcript import show_bytes

CLOCKS_S: Final = 0.5
"""The line and the journal read the clock at different places."""

NOTHING: Final = Told("quiet", "")


def line_row(row: Row, zone: tzinfo, charset: str, became: Told = NOTHING) -> dict[str, Any]:
    """One transaction for the table of the line."""
    told = row.as_json(charset)
    latency = "" if row.latency_s is None else f" {row.latency_s * 1000:.0f} ms"
    return {
        **told,
        "meaning": row.decoded.meaning if row.decoded else row.words,
        "time": words.clock(row.at, zone),
        "who": {True: "PMS", False: "gateway", None: ""}[row.from_pms],
        "answered": (row.answer.upper() + latency).strip()
        + (f" after {row.enquiries} ENQ" if row.enquiries else ""),
        "tone": "bad" if row.is_bad else {True: "pms", False: "gw", None: "quiet"}[row.from_pms],
        "became": became,
    }


@dataclass(frozen=True, slots=True)
class Followed:
    """A record of the hotel on the page. `id`: its place on the page; `key`: its text as shown."""

    id: int
    key: str
    at: float


def followed(id_: int, row: Row) -> Followed | None:
    """The row, if something may become of it at the UCM."""
    is_hotels = row.from_pms and row.decoded is not None and row.decoded.name in NAMES
    if not is_hotels or row.at is None or row.decoded is None:
        return None
    return Followed(id_, row.decoded.raw, row.at)


def fates(
    rows: Sequence[Followed],
    journal: Iterable[JournalLine],
    views: Iterable[RoomView],
    zone: tzinfo,
    charset: str,
    *,
    names: bool,
) -> dict[int, Told]:
    """What became of these records, by their id; of who is not in it nothing is known.

    rows        the oldest first
    journal     calls with the record that caused each
    views       rooms that wait or are parked, each with the record it waits for
    """
    shown = _shown(charset, names=names)
    lines: dict[str, list[JournalLine]] = {}
    for line in journal:
        lines.setdefault(shown(line.record), []).append(line)
    waiting = {shown(view.record): view for view in views}
    found, later = {}, dict[str, float]()
    for row in reversed(rows):
        until = later.get(row.key, float("inf"))
        calls = [line for line in lines.get(row.key, ()) if row.at - CLOCKS_S <= line.at < until]
        view = waiting.get(row.key) if row.key not in later else None
        if calls or view is not None:
            found[row.id] = _fate(calls, view, zone)
        later[row.key] = row.at
    return found


def _shown(charset: str, *, names: bool) -> Callable[[str], str]:
    """How the text of a record is shown on the page."""

    def show(record: str) -> str:
        body = record.encode(charset, "replace")
        return show_bytes(body if names else mask_body(body), charset)

    return show


def _fate(calls: Iterable[JournalLine], view: RoomView | None, zone: tzinfo) -> Told:
    last = {line.call: line for line in calls if line.record}
    told = [(words.outcome(line), line) for line in last.values()]
    parts = [f"{each.words} {words.clock(line.at, zone)[:8]}" for each, line in told]
    tones = {each.tone for each, _ in told}
    if view is not None and view.state == PARKED:
        tones.add("bad")
        parts = [*parts, "parked"]
    elif view is not None:
        tones = {"wait"}
        parts.append("waiting, tried again by itself" if view.why else "waiting")
    tone = next((tone for tone in ("bad", "wait", "good") if tone in tones), "quiet")
    return Told(tone, " · ".join(parts))


def changed(before: Mapping[int, Told], now: Mapping[int, Told]) -> dict[int, Told]:
    """What has to be told to a page that shows `before`."""
    return {id_: told for id_, told in now.items() if before.get(id_) != told}
