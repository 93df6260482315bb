"""What is known of a line at this moment: its counts, and what only the order of things tells."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Final

from gateway.scope.explain.marks import Mark, Tally
from gateway.scope.explain.values import Confidence, Evidence, Speech
from gateway.scope.profile import LineProfile
from gateway.scope.rows import Row
from protocols.transcript import Step, show_bytes, show_step

_SHOWN_BYTES: Final = 80
_SENT_BYTES: Final = 2048
_OUT_OF_ORDER_S: Final = 60.0
"""Moments that go back by less were told in another order; by more, the clock was set."""

_LAST_MOMENT: Final = 2.5e11  # the year 9999, and then some: no clock shows it
_LONGEST_WAIT_S: Final = 1e9

_NO_WORDS: Final = bytes(
    set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
)
_SHAPES: Final = _NO_WORDS + b"fx"
"""A wrong speed makes f and x of control bytes; nobody is called by these two alone."""


class Clock:
    """Seconds since the first step. A machine clock that jumps back cannot turn it back, and
    steps without a moment move it by their pauses alone."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self._moment: float | None = None

    def to(self, moment: float | None) -> float:
        """It is this moment now."""
        if moment is None or not abs(moment) < _LAST_MOMENT:
            return self.elapsed
        before = moment if self._moment is None else self._moment
        if moment >= before:
            self.elapsed += moment - before
        elif before - moment < _OUT_OF_ORDER_S:
            return self.elapsed
        self._moment = moment
        return self.elapsed

    def wait(self, seconds: float) -> None:
        """A pause."""
        seconds = min(max(0.0, seconds), _LONGEST_WAIT_S)
        self.elapsed += seconds
        if self._moment is not None:
            self._moment += seconds

    def moment(self, elapsed: float | None) -> float | None:
        """The other way round: what a clock showed then."""
        if elapsed is None or self._moment is None:
            return None
        return self._moment - (self.elapsed - elapsed)


@dataclass(slots=True)
class Port:
    """The connection and who was heard on it."""

    is_open: bool = False
    opened_at: float = 0.0
    closed_at: float | None = None
    heard_at: float | None = None
    heard_now: bool = False  # since it opened
    calls: int = 0  # LS of ours since anything was heard
    calling_at: float = 0.0  # when the first of them was said
    modem: dict[str, bool] = field(default_factory=dict)
    sent: bytearray = field(default_factory=bytearray)
    unechoed: int = 0  # records of ours since the last one that came back


@dataclass(slots=True)
class Frames:
    """What the last frame of the PMS was."""

    last_check: int | None = None  # what its check byte would be
    is_answered: bool = False
    asked: int = 0  # how often the PMS asked for that answer again
    last_body: bytes = b""
    last_at: float = 0.0
    other: str = ""  # the dialect of which they are
    asked_at: float | None = None  # when the PMS last asked for its turn; None: it has used it


@dataclass(slots=True)
class Link:
    """Who said what of the link. Moments are None where nothing is waited for."""

    is_known: bool = False  # its beginning was seen; a capture may begin in the middle
    up_since: float | None = None
    has_guests: bool = False  # a GI, GO or GC came since then
    is_describing: bool = False
    described_at: float | None = None
    checked_at: float | None = None
    ended_at: float | None = None
    la_at: float | None = None
    calls: int = 0  # our LS since the PMS said LS or LA
    resync_asked_at: float | None = None
    resync_at: float | None = None
    our_stamp: datetime | None = None
    our_stamp_at: float = 0.0
    clock_off_s: float = 0.0


@dataclass(slots=True)
class Postings:
    """Charges. `open`: the number of the one whose answer is owed; None: none is."""

    open: int | None = None


@dataclass(slots=True)
class Sight:
    """All that a rule may look at."""

    profile: LineProfile
    tally: Tally
    clock: Clock = field(default_factory=Clock)
    port: Port = field(default_factory=Port)
    frames: Frames = field(default_factory=Frames)
    link: Link = field(default_factory=Link)
    postings: Postings = field(default_factory=Postings)

    @property
    def now(self) -> float:
        """Seconds since the first step."""
        return self.clock.elapsed

    def __getitem__(self, mark: Mark) -> int:
        return self.tally[mark]

    @property
    def speech(self) -> Speech:
        """How this line is spoken."""
        dialect = self.profile.dialect
        if dialect.asks_first:
            return Speech.TURNS
        return Speech.FIELDS if dialect.describe is None else Speech.ANY

    @property
    def is_deaf(self) -> bool:
        """We have called for a while, and not one byte came back."""
        port = self.port
        return port.calls >= 3 and self.now - port.calling_at >= 20

    def note(self, mark: Mark, row: Row | None = None, count: int = 1) -> None:
        """Count it; the row, where there is one, is the evidence."""
        show = partial(self._shown, row, self.clock.moment(row.at)) if row else None
        self.tally.add(mark, self.now, count, show)

    def note_step(self, mark: Mark, step: Step, count: int = 1) -> None:
        """Count it; the step, which is no bytes, is the evidence."""
        show = partial(self._shown_step, step, self.clock.moment(self.now))
        self.tally.add(mark, self.now, count, show)

    def said(self, data: bytes) -> None:
        """Our own bytes, to know them when they come back."""
        self.port.sent = (self.port.sent + data)[-_SENT_BYTES:]

    def _shown_step(self, step: Step, at: float | None) -> Evidence:
        text = show_step(replace(step, at=None), charset=self.profile.charset)
        return Evidence(at, text[:_SHOWN_BYTES])

    def _shown(self, row: Row, at: float | None) -> Evidence:
        # Masked as a whole, then cut: the end of a frame says what may be shown of its beginning.
        data = row.data
        if data.translate(None, _SHAPES):
            data = self.profile.masked(data)
        who = "pms>" if row.from_pms else "gw >"
        text = f"{who} {show_bytes(data[:_SHOWN_BYTES], self.profile.charset)}"
        return Evidence(at, text)


@dataclass(frozen=True, slots=True)
class Told:
    """What a rule says when its fault is there.

    marks   their evidence is shown; the first one is counted
    """

    words: str
    do: str
    marks: tuple[Mark, ...]
    confidence: Confidence = Confidence.CERTAIN
