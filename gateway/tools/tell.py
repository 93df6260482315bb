"""Rows for a terminal: one line each, its columns always in the same place."""

from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Final

from gateway.scope.rows import Row
from protocols.transcript import show_bytes

GAP_S: Final = 5.0
"""A silence that is worth a line of its own."""

_COLOURS: Final = {"pms": "36", "gw": "32", "bad": "31;1", "quiet": "2", "answer": "33"}
_HEX_BYTES: Final = 16


class Teller:
    """Turns rows into lines. `colour`: for a terminal; `hexa`: the bytes below each row."""

    def __init__(self, zone: tzinfo, charset: str, *, colour: bool, hexa: bool) -> None:
        self._zone, self._charset = zone, charset
        self._colour, self._hexa = colour, hexa
        self._last_at: float | None = None

    def tell(self, row: Row) -> Iterator[str]:
        """The lines of one row."""
        yield from self._gap(row)
        who = {True: "pms>", False: "gw >", None: "    "}[row.from_pms]
        paint = {True: "pms", False: "gw", None: "quiet"}[row.from_pms]
        name = row.decoded.name if row.decoded else row.kind
        meaning = row.decoded.meaning if row.decoded else row.words
        answer = self._painted("bad" if row.is_bad else "answer", f"{_answer(row):<16}")
        line = (
            f"{self._moment(row)}  {self._painted(paint, who)} "
            f"{self._painted('bad' if row.is_bad else paint, f'{name:<9}')} {answer} {meaning}"
        )
        yield line.rstrip()
        if row.data and not self._hexa:
            yield self._painted("quiet", f"{'':20}{show_bytes(row.data, self._charset)}")
        elif row.data:
            yield from self._dump(row.data)

    def _gap(self, row: Row) -> Iterator[str]:
        if row.at is None:
            return
        if self._last_at is not None and row.at - self._last_at >= GAP_S:
            yield self._painted("quiet", f"{'':14}··· {row.at - self._last_at:.1f} s of silence")
        self._last_at = row.at

    def _dump(self, data: bytes) -> Iterator[str]:
        for start in range(0, len(data), _HEX_BYTES):
            part = data[start : start + _HEX_BYTES]
            text = show_bytes(part, self._charset)
            yield self._painted("quiet", f"{'':20}{part.hex(' ').upper():<48} {text}")

    def _moment(self, row: Row) -> str:
        if row.at is None:
            return f"{'':12}"
        when = datetime.fromtimestamp(row.at, self._zone)
        return f"{when:%H:%M:%S}.{when.microsecond // 1000:03}"

    def _painted(self, what: str, text: str) -> str:
        return f"\x1b[{_COLOURS[what]}m{text}\x1b[0m" if self._colour else text


def _answer(row: Row) -> str:
    if not row.answer:
        return ""
    asked = f" ENQ {row.enquiries}" if row.enquiries else ""
    if row.latency_s is None:
        return f"{row.answer.upper()}{asked}"
    return f"{row.answer.upper()} {row.latency_s * 1000:.0f} ms{asked}"
