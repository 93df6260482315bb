"""Our ACK or NAK for each frame of the peer, in the order of its frames."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from protocols.fias.acks import ANSWERING, AnswerAct, AnswerCause, Answering
from protocols.fias.controls import MAX_ENQUIRIES, T1_S, T2_S
from protocols.session import Signal

_LATE_ENQ_S: Final = T1_S + T2_S + 0.5
"""A peer that missed our answer asks within T1 and T2; half a second for the adapters between."""
_PEER_GIVES_UP_S: Final = T1_S + MAX_ENQUIRIES * T2_S


@dataclass(slots=True, eq=False)  # two frames of one moment are two
class Owed:
    """A frame of the peer that has no answer yet; `verdict` True: ACK, False: NAK."""

    at: float
    verdict: bool | None = None


@dataclass(slots=True)
class Answers:
    """The receiver's side of a line.

    say     puts an answer on the line; None: this line does not answer, and frames are only
            counted
    """

    say: Callable[[Signal], None] | None
    _state: Answering = Answering.NAKED
    _answered_at: float = 0.0
    _owed: deque[Owed] = field(default_factory=deque)

    def reset(self, now: float) -> None:
        """No answer is waited for any more."""
        self._owed.clear()
        self._cause(AnswerCause.RESET, now)

    def owe(self, now: float) -> Owed:
        """A whole frame has come. Its verdict is due by `settle`, `decide` or `withdraw`."""
        self._cause(AnswerCause.GOT_FRAME, now)
        self._owed.append(owed := Owed(now))
        return owed

    def decide(self, now: float, *, verdict: bool) -> bool:
        """The verdict on the oldest frame without one. False: there is none."""
        for owed in self._owed:
            if owed.verdict is None:
                self.settle(owed, now, verdict=verdict)
                return True
        return False

    def settle(self, owed: Owed, now: float, *, verdict: bool) -> None:
        """The verdict on this frame; it is said when those before it are."""
        owed.verdict = verdict
        while self._owed and self._owed[0].verdict is not None:
            first = self._owed.popleft()
            if now - first.at > _PEER_GIVES_UP_S:
                # It has dropped that record; an answer now would be taken for the next one's.
                self._cause(AnswerCause.RESET, now)
            else:
                self._cause(AnswerCause.ACCEPTED if first.verdict else AnswerCause.REFUSED, now)
            if self._owed:  # the next frame came while this one waited
                self._cause(AnswerCause.GOT_FRAME, now)

    def withdraw(self, owed: Owed, now: float) -> None:
        """This frame gets no answer."""
        self._owed.remove(owed)
        if not self._owed:
            self._cause(AnswerCause.RESET, now)

    def got_bad_frame(self, now: float) -> None:
        """A frame whose check failed, or that was too long: NAK, in its turn."""
        if self._state is Answering.OWING:
            self._owed.append(Owed(now, verdict=False))
        self._cause(AnswerCause.GOT_BAD_FRAME, now)

    def got_other(self, now: float) -> None:
        """Any byte that belongs to no frame; not even a line end may come between an answer and
        the question for it.
        """
        self._cause(AnswerCause.GOT_OTHER, now)

    def got_enq(self, now: float) -> None:
        """The peer asks for our last answer."""
        late = now - self._answered_at > _LATE_ENQ_S
        self._cause(AnswerCause.GOT_LATE_ENQ if late else AnswerCause.GOT_ENQ, now)

    def _cause(self, cause: AnswerCause, now: float) -> None:
        self._state, acts = ANSWERING[self._state][cause]
        if self.say is not None:
            for act in acts:
                self.say(Signal.ACK if act is AnswerAct.SAY_ACK else Signal.NAK)
                self._answered_at = now
