"""`line decode`: anything of a line, from anywhere, as records with their fields named."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from gateway.logs import printable
from gateway.scope.decode import Decoded
from gateway.scope.rows import Row, rows_of
from gateway.scope.sources import Capture, UnreadableSource, read
from protocols.transcript import show_bytes


@dataclass(frozen=True, slots=True)
class Told(Decoded):
    """What was found, and what the source knows of it: when, by whom, how it was answered.

    at, answer, latency_s, enquiries    as in `gateway.scope.rows.Row`
    speaker                             pms or gw; "" where the source does not know
    """

    at: float | None = None
    speaker: str = ""
    answer: str = ""
    latency_s: float | None = None
    enquiries: int = 0

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            **Decoded.as_json(self),
            "at": self.at,
            "from": self.speaker or None,
            "answer": self.answer,
            "latency_s": None if self.latency_s is None else round(self.latency_s, 4),
            "enquiries": self.enquiries,
        }


def decode_input(data: bytes, charset: str, *, lrc: bool | None = None) -> list[Told]:
    """Everything in a file, a paste or an argument, in the order of the line; names as they stand.

    data    see `gateway.scope.sources`
    lrc     whether a check byte follows ETX; None: found out from the bytes
    """
    try:
        capture = read(data, charset, lrc=lrc)
    except UnreadableSource as error:
        return [Told("refused", "unreadable", str(error))] if data.strip() else []
    rows = rows_of(capture.steps, capture.profile, names=True, controls=True)
    spoken = sorted((row for row in rows if row.decoded), key=lambda row: row.number)
    left_out = [Told("refused", "notation", sentence) for sentence in capture.left_out]
    return [_told(row, capture) for row in spoken] + left_out


def _told(row: Row, capture: Capture) -> Told:
    decoded = row.decoded or Decoded(row.kind, row.kind, row.words)
    raw = decoded.raw
    if row.kind == "refused" and not raw:
        raw = show_bytes(row.data, capture.profile.charset)
    told = Told(decoded.kind, decoded.name, decoded.meaning, decoded.fields, raw, row.at)
    if not capture.has_directions:
        return told
    return replace(
        told,
        speaker="pms" if row.from_pms else "gw",
        answer=row.answer,
        latency_s=row.latency_s,
        enquiries=row.enquiries,
    )


_ONLY_A_TIME_S: Final = 31_536_000
"""In the first year after 1970 nobody recorded a line: these are times of a day, in no zone."""


def as_text(found: Iterable[Told]) -> Iterator[str]:
    """For a terminal: one line a record, one line a field."""
    for each in found:
        circumstances = f"  ({', '.join(words)})" if (words := list(_circumstances(each))) else ""
        raw = f"  {each.raw}" if each.kind == "refused" and each.raw else ""
        yield printable(f"{each.name:<8} {each.meaning}{circumstances}{raw}")
        for field_id, meaning, value in each.fields:
            yield printable(f"    {field_id}  {value:<24} {meaning}")


def _circumstances(told: Told) -> Iterator[str]:
    if told.speaker:
        yield told.speaker
    if told.at is not None:
        zone = " UTC" if told.at > _ONLY_A_TIME_S else ""
        yield f"{datetime.fromtimestamp(told.at, UTC):%H:%M:%S.%f}"[:-3] + zone
    if told.enquiries:
        yield f"asked {told.enquiries} times"
    if told.answer:
        after = "" if told.latency_s is None else f" after {told.latency_s:.3f} s"
        yield f"{told.answer}{after}"
