"""Everything that goes over the service's line, as steps of a transcript, to all listeners."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from gateway.clock import Clock
from gateway.scope.profile import LineProfile
from protocols.transcript import Closed, Counted, Modem, Opened, Remarked, Spoken, Step

PAUSE_S: Final = 0.5
"""Half a frame is told after a pause of this length: a silent sender must be seen too."""

STEP_S: Final = 1.0
"""A wall clock that disagrees by more than this has been set; less is drift, and would make the
time between a frame and its answer wrong."""

MOST_WORDS: Final = 200

Listener = Callable[[Step], None]


class Recorder:
    """The ear at the line (see `gateway.line.tap.Ear`). Bytes are cut into frames and answers; the
    moment of each is that of its last byte. Listeners are called in order.

    on_failure      told of what a listener, or the cutting, raises: who reads the line does not
                    hear of it; None: it is raised
    """

    def __init__(
        self,
        profile: LineProfile,
        clock: Clock,
        on_failure: Callable[[Exception], None] | None = None,
    ) -> None:
        self.profile = profile
        self.is_open = False
        self.modem: dict[str, bool] | None = None
        self.errors: dict[str, int] | None = None
        self._clock = clock
        self._offset = clock.epoch() - clock.now()
        self._listeners: list[Listener] = []
        self._cutters = {from_pms: profile.cutter() for from_pms in (True, False)}
        self._last_at = {True: 0.0, False: 0.0}
        self._why = ""
        self._on_failure = on_failure

    @contextmanager
    def told_to(self, listener: Listener) -> Iterator[None]:
        """Tell this listener every step while inside."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    def now(self) -> float:
        """Seconds since 1970; goes on evenly unless the machine's clock is set."""
        offset = self._clock.epoch() - self._clock.now()
        if abs(offset - self._offset) > STEP_S:
            self._offset = offset
        return self._clock.now() + self._offset

    # --- What the line tells ---

    def opened(self, line: str) -> None:
        self.is_open = True
        self._why = ""
        self.modem = self.errors = None
        at = self.now()
        self._tell(self.profile.as_step(at))
        self._tell(Opened(line, at=at))

    def closed(self, why: str) -> None:
        if not self.is_open and why == self._why:
            return  # one failure after the other, all the same
        self.is_open = False
        self._why = why
        for from_pms in self._cutters:
            self._flush(from_pms)
            self._cutters[from_pms] = self.profile.cutter()
        self._tell(Closed(why, at=self.now()))

    def heard(self, data: bytes) -> None:
        self._spoken(data, from_pms=True)

    def said(self, data: bytes) -> None:
        self._spoken(data, from_pms=False)

    def looked(self, errors: dict[str, int] | None, modem: dict[str, bool] | None) -> None:
        if errors is not None:
            before, self.errors = self.errors, errors
            new = {
                kind: count - (before or errors)[kind]
                for kind, count in errors.items()
                if count > (before or errors).get(kind, 0)
            }
            if new:
                self._tell(Counted(new, at=self.now()))
        if modem is not None and modem != self.modem:
            self.modem = modem
            self._tell(Modem(modem, at=self.now()))

    def remark(self, words: str) -> None:
        """What somebody wants to be found in the capture at this moment."""
        words = " ".join(words.split())[:MOST_WORDS]
        if words:
            self._tell(Remarked(words, at=self.now()))

    def tick(self) -> None:
        """Tell what is half there and has paused."""
        now = self.now()
        for from_pms, at in self._last_at.items():
            if now - at > PAUSE_S:
                self._flush(from_pms)

    def _spoken(self, data: bytes, *, from_pms: bool) -> None:
        at = self._last_at[from_pms] = self.now()
        try:
            pieces = self._cutters[from_pms].feed(data)
        except Exception as error:  # noqa: BLE001  # told to on_failure, or raised
            self._failed(error)
            self._cutters[from_pms] = self.profile.cutter()
            return
        for piece in pieces:
            self._tell(Spoken(from_pms, piece, at=at))

    def _flush(self, from_pms: bool) -> None:
        for piece in self._cutters[from_pms].rest():
            self._tell(Spoken(from_pms, piece, at=self._last_at[from_pms]))

    def _tell(self, step: Step) -> None:
        for listener in self._listeners:
            try:
                listener(step)
            except Exception as error:  # noqa: BLE001  # told to on_failure, or raised
                self._failed(error)

    def _failed(self, error: Exception) -> None:
        if self._on_failure is None:
            raise error
        self._on_failure(error)
