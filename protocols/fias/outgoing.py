"""Our own records on their way: one at a time, in order, and again when the peer did not get it."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from protocols.errors import LocalProtocolError
from protocols.fias.acks import SENDING, SendAct, SendCause, Sending
from protocols.fias.controls import MAX_ENQUIRIES, MAX_RESENDS, T1_S, T2_S
from protocols.fias.records import Record


class End(Enum):
    """What became of a record of ours."""

    DELIVERED = auto()  # acknowledged or, on a line without answers, written
    REFUSED = auto()  # the last NAK: we go on as if it had been acknowledged
    NOT_TAKEN = auto()  # so too, and each NAK came straight behind its frame, never after an ENQ
    UNANSWERED = auto()  # there are no answers on this line
    DROPPED = auto()  # the line is gone, or new
    NOT_SAID = auto()  # so too, before it went out


_ENDS = {
    SendCause.GOT_LAST_NAK: End.REFUSED,
    SendCause.SILENT_TOO_LONG: End.UNANSWERED,
    SendCause.RESET: End.DROPPED,
}


@dataclass(slots=True)
class Waiting:
    """A record of ours that is to be said, with the pause that follows it.

    was_asked   we had to ask for an answer to it: a NAK to an ENQ proves nothing, the peer may have
                taken the frame and forgotten its answer
    is_told     its giver hears also when it is dropped before it went out
    """

    record: Record
    pause_s: float = 0.0
    resends: int = 0
    enquiries: int = 0
    was_asked: bool = False
    is_told: bool = False


@dataclass(slots=True, kw_only=True)
class Outgoing:
    """The sender's side of a line.

    is_answered whether the peer answers our records
    transmit    puts a record on the line, the first time or again
    ask         puts the question for the answer on the line
    may_go      whether a record may be said now
    ended       what became of a record
    """

    is_answered: bool
    transmit: Callable[[Record, bool], None]
    ask: Callable[[], None]
    may_go: Callable[[Record], bool]
    ended: Callable[[Record, End, float], None]
    queue: deque[Waiting] = field(default_factory=deque)
    _flying: Waiting | None = None
    _state: Sending = Sending.IDLE
    _answer_due: float | None = None
    _from: float = 0.0

    @property
    def deadline(self) -> float | None:
        """When `handle_timeout` or `pump` has something to do."""
        return self._from if self._has_next else self._answer_due

    @property
    def _has_next(self) -> bool:
        is_free = self._state is Sending.IDLE
        return bool(self.queue) and is_free and self.may_go(self.queue[0].record)

    def opened(self, now: float) -> None:
        """A new line: its first record may go at once."""
        self._from = now

    def clear(self, now: float) -> None:
        """What has not gone out yet is not said."""
        dropped = [each for each in self.queue if each.is_told]
        self.queue.clear()
        for each in dropped:
            self.ended(each.record, End.NOT_SAID, now)

    def drop(self, now: float) -> None:
        """Nothing of ours will be said any more on this line."""
        self.clear(now)
        self._cause(SendCause.RESET, now)
        self._flying = self._answer_due = None

    def pump(self, now: float) -> None:
        """Let the next record go, when the line and its pace allow."""
        while self._has_next and now >= self._from:
            self._flying = self.queue.popleft()
            if self.is_answered:
                self._cause(SendCause.SEND, now)
            else:
                self.transmit(self._flying.record, False)
                self._end(End.DELIVERED, now)

    def handle_timeout(self, now: float) -> None:
        """Ask for an answer that has not come in time, or give up."""
        if self._answer_due is not None and now >= self._answer_due:
            spent = self._flying is not None and self._flying.enquiries >= MAX_ENQUIRIES
            self._cause(SendCause.SILENT_TOO_LONG if spent else SendCause.SILENT, now)

    def got_ack(self, now: float) -> None:
        """The peer has it."""
        self._cause(SendCause.GOT_ACK, now)

    def got_nak(self, now: float) -> None:
        """The peer wants it again."""
        spent = self._flying is not None and self._flying.resends >= MAX_RESENDS
        self._cause(SendCause.GOT_LAST_NAK if spent else SendCause.GOT_NAK, now)

    def got_other(self, now: float) -> None:
        """A byte that is no answer."""
        self._cause(SendCause.GOT_OTHER, now)

    def _cause(self, cause: SendCause, now: float) -> None:
        self._state, acts = SENDING[self._state][cause]
        flying = self._flying
        for act in acts:
            if flying is None:
                raise LocalProtocolError(f"{act.name} without a record on its way")
            match act:
                case SendAct.TRANSMIT:
                    again = cause is not SendCause.SEND
                    flying.resends += again
                    flying.enquiries = 0
                    self.transmit(flying.record, again)
                    self._answer_due = now + T1_S
                case SendAct.ASK:
                    flying.enquiries += 1
                    flying.was_asked = True
                    self.ask()
                    self._answer_due = now + T2_S
                case SendAct.CONFIRM:
                    self._end(End.DELIVERED, now)
                case SendAct.DISCARD:
                    end = _ENDS[cause]
                    if end is End.REFUSED and not flying.was_asked:
                        end = End.NOT_TAKEN
                    self._end(end, now)

    def _end(self, end: End, now: float) -> None:
        flying, self._flying, self._answer_due = self._flying, None, None
        assert flying is not None  # who ends was on its way
        if end in (End.DELIVERED, End.REFUSED, End.NOT_TAKEN):
            self._from = now + flying.pause_s
        self.ended(flying.record, end, now)
