"""`CallRecordSession`: a charge port. Records go out one at a time; only answers come in."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from protocols.call_records.turns import IS_UP, Act, Cause, State, turn
from protocols.call_records.wire import LONGEST, write_costed, write_raw
from protocols.checksums import lrc
from protocols.errors import LocalProtocolError
from protocols.lines import LineReader
from protocols.session import (
    AnyRecord,
    Delivered,
    Direction,
    FrameRefused,
    GaveUp,
    Handshake,
    LinkDown,
    LinkRecord,
    LinkState,
    LinkUp,
    SessionEvent,
    Signal,
)
from protocols.stream import CONTROLS, ETX, EVIDENCE_BYTES, STX, Control, Frame, Refusal

ANSWER_S: Final = 3.0
"""For each answer."""
ENQUIRIES: Final = 20
"""Without an answer the PMS counts as down; then it is asked every ANSWER_S for ever."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a record goes over the line.

    asks        ENQ first, and the record behind the ACK
    is_answered the record has an answer
    frame       a record as its bytes
    """

    asks: bool
    is_answered: bool
    frame: Callable[[Any], bytes]


def holidex(property_: str) -> Delivery:
    """ENQ, then STX record ETX and a check byte."""

    def frame(record: Any) -> bytes:
        checked = write_costed(record, property_) + bytes([ETX])
        return bytes([STX, *checked, lrc(checked)])

    return Delivery(asks=True, is_answered=True, frame=frame)


def costed_line(property_: str, *, is_answered: bool) -> Delivery:
    """A line between LF and CR LF."""
    return Delivery(
        asks=False,
        is_answered=is_answered,
        frame=lambda record: b"\n" + write_costed(record, property_) + b"\r\n",
    )


def smdr() -> Delivery:
    """A line, to whom it may concern."""
    return Delivery(asks=False, is_answered=False, frame=lambda record: write_raw(record) + b"\r\n")


@dataclass(slots=True)
class CallRecordSession:
    """See `protocols.session.Session`. The PMS says nothing of its own here: what is no answer is
    refused, and there is nothing to accept.
    """

    delivery: Delivery
    _state: State = State.CLOSED
    _reader: LineReader = field(default_factory=lambda: LineReader(longest=LONGEST))
    _events: deque[SessionEvent] = field(default_factory=deque)
    _output: bytearray = field(default_factory=bytearray)
    _queue: deque[AnyRecord] = field(default_factory=deque)
    _due: float | None = None
    _enquiries: int = 0

    # --- What the owner asks ---

    @property
    def is_up(self) -> bool:
        return self._state in IS_UP

    @property
    def state(self) -> str:
        return "up" if self.is_up else self._state.value

    @property
    def deadline(self) -> float | None:
        return self._due

    def next_event(self) -> SessionEvent | None:
        return self._events.popleft() if self._events else None

    def bytes_to_send(self) -> bytes:
        output = bytes(self._output)
        self._output.clear()
        return output

    # --- What the owner tells ---

    def opened(self, now: float) -> None:
        self._reader = LineReader(longest=LONGEST)
        self._output.clear()
        self._enquiries = 0
        self._cause(Cause.OPENED_TO_ASK if self.delivery.asks else Cause.OPENED, now)

    def lost(self, now: float) -> None:
        self._cause(Cause.LOST, now)
        self._give_up_all()

    def receive_data(self, data: bytes, now: float) -> None:
        for item in self._reader.receive(data):
            match item:
                case Control(Signal.ENQ):
                    self._events.append(Handshake(Signal.ENQ, Direction.IN))
                case Control(signal):
                    self._events.append(Handshake(signal, Direction.IN))
                    self._enquiries = 0
                    is_yes = signal is Signal.ACK
                    self._cause(Cause.GOT_ACK if is_yes else Cause.GOT_NAK, now)
                case Frame(body=noise):
                    self._events.append(FrameRefused("garbage", noise[:EVIDENCE_BYTES]))
                case Refusal(reason, noise):
                    self._events.append(FrameRefused(reason.value, noise))
        self._go_on(now)

    def handle_timeout(self, now: float) -> None:
        if self._due is not None and now >= self._due:
            self._cause(Cause.LATE, now)
        self._go_on(now)

    def accept(self, now: float) -> None:
        """Nothing waits for it, ever."""

    def refuse(self, now: float) -> None:
        """Nothing waits for it, ever."""

    def ask_for_resync(self, now: float) -> None:  # noqa: ARG002  # every session is asked
        raise LocalProtocolError("a charge port has no resync")

    def send(self, record: AnyRecord, now: float) -> None:
        if not self.is_up:
            raise LocalProtocolError(f"{record.record_id} was to be said while the link is down")
        self._queue.append(record)
        self._go_on(now)

    def leave(self, now: float) -> None:
        self._cause(Cause.LEAVE, now)
        self._give_up_all()

    # --- Turns ---

    def _go_on(self, now: float) -> None:
        while self._queue and self._state is State.FREE:
            if self.delivery.asks:
                self._cause(Cause.ASK, now)
            else:
                self._cause(Cause.TELL if self.delivery.is_answered else Cause.WRITE, now)

    def _cause(self, cause: Cause, now: float) -> None:
        was = self._state
        self._state, acts = turn(was, cause)
        waits = self._state in (State.WAITING, State.ASKED, State.BUSY, State.TOLD)
        self._due = now + ANSWER_S if waits else None
        if self._state is not was and (was in IS_UP) != (self._state in IS_UP):
            self._events.append(LinkState(self.state))
        for act in acts:
            self._act(act, cause)
        if self._enquiries >= ENQUIRIES and self._state is State.FREE:
            self._cause(Cause.DEAF, now)
            self._give_up_all()

    def _act(self, act: Act, cause: Cause) -> None:
        match act:
            case Act.SAY_ENQ:
                self._output.append(CONTROLS[Signal.ENQ])
                self._events.append(Handshake(Signal.ENQ, Direction.OUT))
            case Act.SAY_RECORD:
                self._output += self.delivery.frame(self._queue[0])
                self._events.append(LinkRecord(self._queue[0], Direction.OUT))
            case Act.ARRIVED:
                self._events.append(Delivered(self._queue.popleft()))
            case Act.REFUSED:
                self._events.append(GaveUp(self._queue.popleft(), may_have_arrived=False))
            case Act.UNANSWERED:
                self._events.append(GaveUp(self._queue.popleft()))
            case Act.UNHEARD:
                self._enquiries += 1
            case Act.IS_UP:
                self._enquiries = 0
                self._events.append(LinkUp())
            case Act.IS_DOWN:
                self._events.append(LinkDown(_WHY[cause]))

    def _give_up_all(self) -> None:
        """What was never said."""
        while self._queue:
            self._events.append(GaveUp(self._queue.popleft(), may_have_arrived=False))


_WHY: Final = {Cause.DEAF: "late", Cause.LOST: "lost", Cause.LEAVE: "left"}
