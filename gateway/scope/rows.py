"""A conversation as transactions, one row each: a frame, its answer, how long that took."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from gateway.scope.decode import CONTROLS, Decoded, decode_body, describe, name_body
from gateway.scope.profile import LineProfile
from protocols.fias.controls import (
    MAX_BODY_BYTES,
    MAX_ENQUIRIES,
    SERIAL_GAP_S,
    T1_S,
    T2_S,
    TCP_GAP_S,
)
from protocols.session import Signal
from protocols.stream import Blank, Control, Cuts, Frame, Reads, Refusal
from protocols.transcript import (
    Closed,
    Counted,
    Modem,
    Opened,
    Remarked,
    Settings,
    Spoken,
    Step,
    Waited,
    show_bytes,
)

SILENCE_S: Final = T1_S + MAX_ENQUIRIES * T2_S + 0.5
"""After that the sender has used up its enquiries."""

_RAW_BYTES: Final = 2 * MAX_BODY_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing that happened on a line.

    kind        record, control, refused (bytes that are no frame, or a frame that is no record),
                open, close, modem, errors, settings, remark
    at          when its last byte was there, seconds since 1970; None: not known
    from_pms    which side said it; None: neither
    decoded     its name, meaning and fields, for bytes
    words       what there is to say, for everything else
    data        its bytes as they came (guests masked, unless names were asked for)
    answer      ack, nak, silence; "" where none is due
    latency_s   from its last byte to its answer
    enquiries   how often its sender asked for the answer
    number      its place on the line, from 1; a row comes when it is answered, so not always in
                this order
    """

    kind: str
    at: float | None
    from_pms: bool | None = None
    decoded: Decoded | None = None
    words: str = ""
    data: bytes = b""
    answer: str = ""
    latency_s: float | None = None
    enquiries: int = 0
    number: int = 0

    @property
    def is_bad(self) -> bool:
        """Something went wrong here: worth a colour."""
        return self.kind in ("refused", "errors", "close") or self.answer in ("nak", "silence")

    def as_json(self, charset: str) -> dict[str, Any]:
        """For `--json` and the console."""
        return {
            "kind": self.kind,
            "at": self.at,
            "from": {True: "pms", False: "gw", None: None}[self.from_pms],
            "name": self.decoded.name if self.decoded else self.kind,
            "meaning": self.decoded.meaning if self.decoded else self.words,
            "fields": self.decoded.as_json()["fields"] if self.decoded else [],
            "text": show_bytes(self.data, charset),
            "hex": self.data.hex(" ").upper(),
            "answer": self.answer,
            "latency_s": None if self.latency_s is None else round(self.latency_s, 4),
            "enquiries": self.enquiries,
        }


@dataclass(slots=True)
class _Direction:
    """One direction: its reader, and the last frame that has no answer yet."""

    cutter: Cuts
    reader: Reads
    raw: bytearray = field(default_factory=bytearray)
    last_at: float | None = None
    open: Row | None = None

    def keep(self, piece: bytes) -> None:
        """For the row that these bytes will become; a frame without an end is not kept whole."""
        self.raw += piece[: max(0, _RAW_BYTES - len(self.raw))]


class Watcher:
    """Turns steps into rows as they come.

    names       guests are shown; else they are masked
    controls    answers and enquiries are rows of their own too
    is_brief    records are named and not explained: the rows are only counted
    """

    def __init__(
        self,
        profile: LineProfile,
        *,
        names: bool = False,
        controls: bool = False,
        is_brief: bool = False,
    ) -> None:
        self._decode = name_body if is_brief else decode_body
        self._names = names
        self._controls = controls
        self._count = 0
        self._latest: float | None = None
        self._use(profile)

    def _use(self, profile: LineProfile) -> None:
        self.profile = profile
        self._gap_s = SERIAL_GAP_S if profile.ack else TCP_GAP_S
        self._ways = {from_pms: self._new_way() for from_pms in (True, False)}

    def _new_way(self) -> _Direction:
        return _Direction(self.profile.cutter(), self.profile.reader())

    def take(self, step: Step) -> list[Row]:
        """The rows that this step completed."""
        self._latest = self._latest if step.at is None else step.at
        match step:
            case Spoken():
                return list(self._spoken(step))
            case Settings(line=line, values=values):
                kind, words = "settings", " ".join([line, *(f"{k}={v}" for k, v in values.items())])
            case Opened(words=words):
                kind, words = "open", words or "the line opened"
            case Closed(words=words):
                kind, words = "close", words or "the line was lost"
            case Modem(lines=lines):
                states = (f"{name} {'on' if on else 'off'}" for name, on in lines.items())
                kind, words = "modem", " ".join(states)
            case Counted(errors=errors):
                counts = ", ".join(f"{count} {name}" for name, count in errors.items())
                kind, words = "errors", f"the driver counted {counts}"
            case Remarked(words=words):
                kind = "remark"
            case Waited():
                return []
        rows = list(self.end()) if isinstance(step, Settings | Opened | Closed) else []
        if isinstance(step, Settings):
            self._use(LineProfile.of_step(step))
        return [*rows, Row(kind=kind, at=step.at, words=words)]

    def late(self, now: float) -> list[Row]:
        """Frames whose sender has given up waiting by now."""
        return [
            row
            for way in self._ways.values()
            if way.open is not None and now - (way.open.at or now) > SILENCE_S
            for row in self._close(way, "silence", None)
        ]

    def end(self) -> Iterator[Row]:
        """What is still open: the line has gone, or the capture is over."""
        for from_pms, way in self._ways.items():
            yield from self._close(way, self._answer_at_end(way), None)
            yield from self._give_up(from_pms, way)
            self._ways[from_pms] = self._new_way()

    def _answer_at_end(self, way: _Direction) -> str:
        """Silence only if the line went on for T1 after the frame: else an answer may follow."""
        asked = way.open.at if way.open is not None else None
        waited = self._latest is not None and asked is not None and self._latest - asked >= T1_S
        return "silence" if waited else ""

    def _spoken(self, step: Spoken) -> Iterator[Row]:
        way = self._ways[step.from_pms]
        if step.at is not None and way.last_at is not None and step.at - way.last_at > self._gap_s:
            yield from self._give_up(step.from_pms, way)
        way.last_at = step.at
        for piece in way.cutter.feed(step.data):
            yield from self._read(step.from_pms, way, piece)

    def _give_up(self, from_pms: bool, way: _Direction) -> Iterator[Row]:
        for piece in way.cutter.rest():
            yield from self._read(from_pms, way, piece)
        for item in way.reader.gap():
            yield from self._item(from_pms, item, way.last_at)

    def _read(self, from_pms: bool, way: _Direction, piece: bytes) -> Iterator[Row]:
        items = way.reader.receive(piece)
        if len(items) < 2:
            way.keep(piece)
        for number, item in enumerate(items):  # the last one owns this piece, and ended others
            if number and number == len(items) - 1:
                way.keep(piece)
            yield from self._item(from_pms, item, way.last_at)

    def _item(
        self, from_pms: bool, item: Frame | Control | Refusal | Blank, at: float | None
    ) -> Iterator[Row]:
        way = self._ways[from_pms]
        self._count += 1
        data, way.raw = bytes(way.raw), bytearray()
        if not data and isinstance(item, Refusal):
            data = item.data  # noise that a line end in the same piece closed
        shown = data if self._names else self.profile.masked(data)
        match item:
            case Control(signal):
                yield from self._control(from_pms, signal, at, shown)
            case Frame(body):
                yield from self._close(way, "silence", None)
                dialect = self.profile.dialect
                if not self._names:
                    body = dialect.mask(body)
                if dialect.describe is not None:
                    decoded = describe(body, self.profile.charset, dialect)
                else:
                    decoded = self._decode(body, self.profile.charset)
                yield from self._begin(way, self._row(decoded, at, from_pms, shown))
            case Refusal(reason, _):
                yield from self._close(way, "silence", None)
                decoded = Decoded("refused", reason.value, _REFUSED.get(reason.value, ""))
                yield from self._begin(way, self._row(decoded, at, from_pms, shown))
            case Blank():
                pass  # line ends between frames say nothing

    def _row(self, decoded: Decoded, at: float | None, from_pms: bool, data: bytes) -> Row:
        return Row(
            kind=decoded.kind,
            at=at,
            from_pms=from_pms,
            decoded=decoded,
            data=data,
            number=self._count,
        )

    def _begin(self, way: _Direction, row: Row) -> Iterator[Row]:
        is_answered = row.decoded is not None and row.decoded.name not in _UNANSWERED
        if self.profile.ack and is_answered:
            way.open = row
        else:
            yield row

    def _control(
        self, from_pms: bool, signal: Signal, at: float | None, data: bytes
    ) -> Iterator[Row]:
        asker, asked = self._ways[from_pms], self._ways[not from_pms]
        is_told = self._controls
        if signal is Signal.ENQ and asker.open is not None:
            asker.open = replace(asker.open, enquiries=asker.open.enquiries + 1)
        elif signal is not Signal.ENQ and asked.open is not None:
            yield from self._close(asked, signal.value, at)
        else:
            is_told = True
        if is_told:
            words = CONTROLS[signal.value]
            if signal is Signal.ENQ and self.profile.dialect.asks_first:
                words = "may I say something?"
            decoded = Decoded("control", signal.value.upper(), words)
            yield self._row(decoded, at, from_pms, data)

    def _close(self, way: _Direction, answer: str, at: float | None) -> Iterator[Row]:
        row, way.open = way.open, None
        if row is not None:
            latency = None if at is None or row.at is None else max(0.0, at - row.at)
            yield replace(row, answer=answer, latency_s=latency)


_UNANSWERED: Final = {"garbage", "unfinished", "restarted"}
"""Noise and records without an end get no answer."""

_REFUSED: Final = {
    "lrc": "the check byte does not fit: bytes were damaged on the way",
    "no_lrc": "no check byte came after the record",
    "overlong": "no end of the record came",
    "restarted": "another record began before this one had ended",
    "unfinished": "the record stopped in the middle",
    "garbage": "bytes outside any record",
}


def rows_of(
    steps: Iterable[Step],
    profile: LineProfile | None = None,
    *,
    names: bool = False,
    controls: bool = False,
) -> Iterator[Row]:
    """All rows of a conversation that is over; see `Watcher`."""
    watcher = Watcher(profile or LineProfile(), names=names, controls=controls)
    for step in steps:
        yield from watcher.take(step)
    yield from watcher.end()
