"""When a capture begins and when it ends: by what happens on the line, not by a clock."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from gateway.scope.profile import LineProfile
from gateway.scope.rows import Row, Watcher
from protocols.transcript import Settings, Step

ALLOWED: Final = "nak, timeout, lrc, noise, errors, close or text:WORDS"

MOST_BEFORE: Final = 10_000
"""Steps without a moment are never too old, and must not be too many."""

Condition = Callable[[Row], bool]

_CONDITIONS: Final[dict[str, Condition]] = {
    "nak": lambda row: row.answer == "nak",
    "timeout": lambda row: row.answer == "silence" or row.enquiries > 0,
    "lrc": lambda row: row.decoded is not None and row.decoded.name in ("lrc", "no_lrc"),
    "noise": lambda row: row.kind == "refused",
    "errors": lambda row: row.kind == "errors",
    "close": lambda row: row.kind == "close",
}


def condition(text: str) -> Condition:
    """The condition that a word names. Raises ValueError with what is allowed."""
    if text in _CONDITIONS:
        return _CONDITIONS[text]
    word, colon, words = text.partition(":")
    if word != "text" or not colon or not words:
        raise ValueError(f"{text!r} is no trigger: expected {ALLOWED}")
    return lambda row: words in row.words or words.encode("utf-8") in row.data


@dataclass(slots=True)
class Gate:
    """Lets the steps of a capture through from one condition to another.

    start, stop     None: from the beginning; to the end
    before_s        what had happened shortly before the start is part of it
    after_s         and what happens shortly after the stop

    A row is complete when its answer came, so a condition on an answer holds from then on.
    """

    profile: LineProfile
    start: Condition | None = None
    stop: Condition | None = None
    before_s: float = 30.0
    after_s: float = 5.0
    is_over: bool = False
    _watcher: Watcher = field(init=False)
    _has_begun: bool = False
    _ends_at: float | None = None
    _before: deque[Step] = field(default_factory=lambda: deque(maxlen=MOST_BEFORE))
    _settings: Settings | None = None

    def __post_init__(self) -> None:
        self._watcher = Watcher(self.profile, names=True)
        self._has_begun = self.start is None

    def take(self, step: Step) -> Iterator[Step]:
        """The steps that belong to the capture, now that this one has come."""
        if self.is_over:
            return
        at = step.at
        if self._ends_at is not None and at is not None and at > self._ends_at:
            self.is_over = True
            return
        rows = self._watcher.take(step) + (self._watcher.late(at) if at is not None else [])
        if self._has_begun:
            yield step
        else:
            self._remember(step)
        yield from self._judge(rows, at)

    def tick(self, now: float) -> Iterator[Step]:
        """The steps that belong to the capture because nothing came: a silence begins and ends it
        as well. `now`: seconds since 1970."""
        if self._ends_at is not None and now > self._ends_at:
            self.is_over = True
        if not self.is_over:
            yield from self._judge(self._watcher.late(now), now)

    def _judge(self, rows: list[Row], at: float | None) -> Iterator[Step]:
        if not self._has_begun and self.start is not None:
            if any(map(self.start, rows)):  # what begins it does not end it
                self._has_begun = True
                if self._settings is not None:
                    yield self._settings  # what follows cannot be read without them
                yield from self._before
                self._before.clear()
        elif self.stop is not None and self._ends_at is None and any(map(self.stop, rows)):
            self._ends_at = (at or 0.0) + self.after_s

    def _remember(self, step: Step) -> None:
        if isinstance(step, Settings):
            self._settings = step
            return
        self._before.append(step)
        while (
            step.at is not None
            and self._before[0].at is not None
            and self._before[0].at < step.at - self.before_s
        ):
            self._before.popleft()
