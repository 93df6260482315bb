"""`FiasSession`: one link with one PMS. Bytes and moments in; bytes, events, a deadline out."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from protocols.errors import LocalProtocolError, RecordError
from protocols.fias.acks import (
    ANSWERING,
    SENDING,
    AnswerAct,
    AnswerCause,
    Answering,
    SendAct,
    SendCause,
    Sending,
)
from protocols.fias.codec import decode, encode
from protocols.fias.controls import (
    ACCEPT_WITHIN_S,
    ACK,
    ENQ,
    MAX_ENQUIRIES,
    MAX_RESENDS,
    NAK,
    SERIAL_GAP_S,
    T1_S,
    T2_S,
    TCP_GAP_S,
)
from protocols.fias.framing import (
    Blank,
    Control,
    Frame,
    FrameReader,
    Item,
    Reason,
    Refusal,
    write_frame,
)
from protocols.fias.link import IS_UP, PATIENCE_S, Act, Cause, State, step
from protocols.fias.records import (
    LinkAlive,
    LinkConfiguration,
    LinkDescription,
    LinkEnd,
    LinkRecordWanted,
    LinkStart,
    Record,
    ResyncEnd,
    ResyncRequest,
    ResyncStart,
    Sender,
)
from protocols.session import (
    DataReceived,
    Delivered,
    Direction,
    FrameRefused,
    GaveUp,
    Handshake,
    LinkDown,
    LinkRecord,
    LinkStarted,
    LinkState,
    LinkUp,
    RecordRefused,
    ResyncOverdue,
    SessionEvent,
    Signal,
)

WANTED: Final = (
    LinkRecordWanted(
        wanted="GI",
        fields=("RN", "G#", "GN", "GF", "GL", "GV", "GA", "GD", "GS", "SF", "CS"),
    ),
    LinkRecordWanted(wanted="GO", fields=("RN", "G#", "GS", "SF")),
    LinkRecordWanted(
        wanted="GC",
        fields=("RN", "G#", "GN", "GF", "GL", "GV", "GA", "GD", "GS", "CS", "RO"),
    ),
    LinkRecordWanted(wanted="RE", fields=("RN", "CS", "DN", "RS")),
    LinkRecordWanted(wanted="WR", fields=("RN", "DA", "TI")),
    LinkRecordWanted(wanted="WC", fields=("RN", "DA", "TI")),
    LinkRecordWanted(wanted="NS", fields=("DA", "TI")),
    LinkRecordWanted(wanted="NE", fields=("DA", "TI")),
)
"""What this gateway asks a PMS to send. DR, DS, DE and link records need no LR."""

_CONTROLS: Final = {Signal.ACK: ACK, Signal.NAK: NAK, Signal.ENQ: ENQ}
_LATE_ENQ_S: Final = T1_S + T2_S + 0.5
"""A peer that missed our answer asks within T1 and T2; half a second for the adapters between."""

RESYNC_WITHIN_S: Final = 600.0
"""Between two records of a resync: one that pauses for longer will not come to its end, and nobody
may wait for that for ever. The specification has no limit; a whole house takes a few minutes."""

_PEER_GIVES_UP_S: Final = T1_S + MAX_ENQUIRIES * T2_S


@dataclass(frozen=True, slots=True, kw_only=True)
class FiasProfile:
    """How one site speaks FIAS.

    charset             one of `codec.CHARSETS`
    lrc, ack            whether frames carry a check byte, and whether they are answered
    pacing_s            pause between the records of our description
    driver_version      told in LD, at most 10 characters
    gap_s               how long a begun frame may pause
    """

    charset: str = "cp1252"
    lrc: bool = True
    ack: bool = True
    pacing_s: float = 0.5
    driver_version: str = "1.0"
    wanted: Sequence[LinkRecordWanted] = WANTED
    gap_s: float = SERIAL_GAP_S

    @classmethod
    def for_tcp(cls) -> "FiasProfile":
        """The defaults of a TCP line: no check byte, no answers, patient with segments."""
        return cls(lrc=False, ack=False, gap_s=TCP_GAP_S)


@dataclass(slots=True)
class _Outgoing:
    """A record of ours on its way, with the pause that follows it."""

    record: Record
    pause_s: float = 0.0
    resends: int = 0
    enquiries: int = 0


@dataclass(slots=True, eq=False)  # two frames of one moment are two
class _Owed:
    """A frame of the peer that has no answer yet; `verdict` True: ACK, False: NAK."""

    at: float
    verdict: bool | None = None


@dataclass(slots=True)
class FiasSession:
    """One link with one PMS, from the first byte to the last. See `protocols.session.Session`.

    stamp   gives the hotel's wall time for the DA and TI of our own records
    """

    profile: FiasProfile
    stamp: Callable[[], datetime]
    _link: State = State.CLOSED
    _reader: FrameReader = field(init=False)
    _events: deque[SessionEvent] = field(default_factory=deque)
    _output: bytearray = field(default_factory=bytearray)
    _queue: deque[_Outgoing] = field(default_factory=deque)
    _flying: _Outgoing | None = None
    _sending: Sending = Sending.IDLE
    _answer_due: float | None = None
    _send_from: float = 0.0
    _answering: Answering = Answering.NAKED
    _answered_at: float = 0.0
    _owed: deque[_Owed] = field(default_factory=deque)
    _link_due: float | None = None
    _checking_alive: bool = False
    _gap_due: float | None = None
    _resync_due: float | None = None
    _wants_resync: bool = False

    def __post_init__(self) -> None:
        self._reader = FrameReader(lrc=self.profile.lrc, handshake=self.profile.ack)

    # --- What the owner asks ---

    @property
    def is_up(self) -> bool:
        return self._link in IS_UP

    @property
    def state(self) -> str:
        return self._link.value

    @property
    def deadline(self) -> float | None:
        pacing = self._send_from if self._has_something_to_send else None
        due = (self._link_due, self._answer_due, self._gap_due, self._resync_due, pacing)
        return min((moment for moment in due if moment is not None), default=None)

    def next_event(self) -> SessionEvent | None:
        return self._events.popleft() if self._events else None

    def bytes_to_send(self) -> bytes:
        output = bytes(self._output)
        self._output.clear()
        return output

    # --- What the owner tells ---

    def opened(self, now: float) -> None:
        self._reader.reset()
        self._output.clear()
        self._owed.clear()
        self._answer(AnswerCause.RESET, now)
        self._send_from = now
        self._gap_due = None
        self._resync_due = None
        self._cause(Cause.OPENED, now)

    def lost(self, now: float) -> None:
        if self._link is State.CLOSED:
            return
        for item in self._reader.gap():
            if isinstance(item, Refusal):
                self._events.append(FrameRefused(item.reason.value, item.data))
        self._output.clear()
        self._owed.clear()
        self._gap_due = self._resync_due = None
        self._drop_outgoing(now)
        self._cause(Cause.LOST, now)

    def receive_data(self, data: bytes, now: float) -> None:
        for item in self._reader.receive(data):
            self._take(item, now)
        self._gap_due = None if self._reader.is_between_frames else now + self.profile.gap_s
        self._pump_out(now)

    def handle_timeout(self, now: float) -> None:
        if self._gap_due is not None and now >= self._gap_due:
            self._gap_due = None
            for item in self._reader.gap():
                self._take(item, now)
        if self._answer_due is not None and now >= self._answer_due:
            self._silent(now)
        if self._link_due is not None and now >= self._link_due:
            self._impatient(now)
        if self._resync_due is not None and now >= self._resync_due:
            self._resync_due = None
            self._events.append(ResyncOverdue())
        self._pump_out(now)

    def accept(self, now: float) -> None:
        self._decide(True, now)

    def refuse(self, now: float) -> None:
        self._decide(False, now)

    def ask_for_resync(self, now: float) -> None:
        if not self.is_up:
            raise LocalProtocolError("a resync was asked for while the link is down")
        self._wants_resync = True
        if not any(isinstance(each.record, ResyncRequest) for each in self._queue):
            self._queue_resync()  # once is enough, however often it was asked for
        self._pump_out(now)

    def send(self, record: Record, now: float) -> None:
        """Say a record of ours in its turn; `Delivered` or `GaveUp` tells what became of it.

        A start of the PMS before that drops it. Raises LocalProtocolError while the link is down.
        """
        if not self.is_up:
            raise LocalProtocolError(f"{record.record_id} was to be said while the link is down")
        self._queue.append(_Outgoing(record))
        self._pump_out(now)

    def _queue_resync(self) -> None:
        stamp = self.stamp()
        self._queue.append(_Outgoing(ResyncRequest(day=stamp.date(), at=stamp.time())))

    def leave(self, now: float) -> None:
        self._drop_outgoing(now)
        self._cause(Cause.LEAVE, now)
        # The goodbye does not wait for answers: nobody listens to them any more.
        while self._queue:
            self._transmit(self._queue.popleft().record)

    # --- Bytes in ---

    def _take(self, item: Item, now: float) -> None:
        match item:
            case Blank():
                # Not even a line end may come between an answer and the question for it.
                self._answer(AnswerCause.GOT_OTHER, now)
            case Control(signal):
                self._events.append(Handshake(signal, Direction.IN))
                self._take_control(signal, now)
            case Refusal(reason, data):
                self._events.append(FrameRefused(reason.value, data))
                self._take_refusal(reason, now)
            case Frame(body):
                self._heard(now)
                self._answer(AnswerCause.GOT_FRAME, now)
                self._take_body(body, now)

    def _take_control(self, signal: Signal, now: float) -> None:
        if not self.profile.ack:
            return  # counted, and without a meaning on a line that does not answer
        match signal:
            case Signal.ENQ:
                late = now - self._answered_at > _LATE_ENQ_S
                self._answer(AnswerCause.GOT_LATE_ENQ if late else AnswerCause.GOT_ENQ, now)
            case Signal.ACK:
                self._answer(AnswerCause.GOT_OTHER, now)
                self._send(SendCause.GOT_ACK, now)
            case Signal.NAK:
                self._answer(AnswerCause.GOT_OTHER, now)
                spent = self._flying is not None and self._flying.resends >= MAX_RESENDS
                self._send(SendCause.GOT_LAST_NAK if spent else SendCause.GOT_NAK, now)

    def _take_refusal(self, reason: Reason, now: float) -> None:
        if not self.profile.ack:
            return
        if reason in (Reason.LRC, Reason.NO_LRC, Reason.OVERLONG):
            if self._answering is Answering.OWING:
                self._owed.append(_Owed(now, verdict=False))
            self._answer(AnswerCause.GOT_BAD_FRAME, now)
        else:
            self._answer(AnswerCause.GOT_OTHER, now)
            self._send(SendCause.GOT_OTHER, now)

    def _take_body(self, body: bytes, now: float) -> None:
        owed = _Owed(now)
        self._owed.append(owed)
        try:
            record = decode(body, self.profile.charset)
        except RecordError as error:
            self._events.append(RecordRefused(error.reason, body, str(error)))
            return
        cause = _CAUSES.get(type(record), Cause.GOT_DATA)
        if cause is Cause.GOT_DATA and record.sender is Sender.GATEWAY:
            cause = Cause.GOT_OURS
        transition = self._cause(cause, now)
        if transition is None:
            self._events.append(
                RecordRefused(
                    "ours",
                    body,
                    f"{record.record_id} is said by a PBX only: a loop in the cable, "
                    "or another PBX on this line",
                )
            )
        elif Act.DELIVER in transition:
            if isinstance(record, ResyncStart | ResyncEnd):
                begins = isinstance(record, ResyncStart)
                self._resync_due = now + RESYNC_WITHIN_S if begins else None
            elif self._resync_due is not None and getattr(record, "swap", None):
                self._resync_due = now + RESYNC_WITHIN_S
            self._events.append(DataReceived(record, body))
        elif cause is Cause.GOT_DATA:
            self._owed.remove(owed)  # we have left: not taken, not answered, the PMS keeps it
            if not self._owed:
                self._answer(AnswerCause.RESET, now)
        else:
            self._events.append(LinkRecord(record, Direction.IN))
            owed.verdict = True  # a link record is safe at once: it is not about the hotel
            self._pay(now)

    def _heard(self, now: float) -> None:
        """Any whole frame shows that the peer is alive."""
        if self._link is State.UP:
            self._checking_alive = False
            self._link_due = now + PATIENCE_S_UP

    # --- Answers to the peer's frames ---

    def _decide(self, verdict: bool, now: float) -> None:
        for owed in self._owed:
            if owed.verdict is None:
                owed.verdict = verdict
                self._pay(now)
                self._pump_out(now)
                return
        if self._link is not State.CLOSED and self.profile.ack:
            raise LocalProtocolError("an answer was given and no frame waits for one")

    def _pay(self, now: float) -> None:
        """Answer from the oldest frame on, as far as verdicts are known."""
        while self._owed and self._owed[0].verdict is not None:
            owed = self._owed.popleft()
            if now - owed.at > _PEER_GIVES_UP_S:
                # It has dropped that record; an answer now would be taken for the next one's.
                self._answer(AnswerCause.RESET, now)
            else:
                self._answer(AnswerCause.ACCEPTED if owed.verdict else AnswerCause.REFUSED, now)
            if self._owed:  # the next frame came while this one waited
                self._answer(AnswerCause.GOT_FRAME, now)

    def _answer(self, cause: AnswerCause, now: float) -> None:
        self._answering, acts = ANSWERING[self._answering][cause]
        if not self.profile.ack:
            return
        for act in acts:
            self._say(Signal.ACK if act is AnswerAct.SAY_ACK else Signal.NAK)
            self._answered_at = now

    # --- Our own records ---

    @property
    def _has_something_to_send(self) -> bool:
        if not self._queue or self._sending is not Sending.IDLE:
            return False
        # Between DS and DE only the link itself may speak.
        return not (
            self._resync_due is not None and isinstance(self._queue[0].record, ResyncRequest)
        )

    def _pump_out(self, now: float) -> None:
        """Let the next record of ours go, when the line and its pace allow."""
        while self._has_something_to_send and now >= self._send_from:
            self._flying = self._queue.popleft()
            if self.profile.ack:
                self._send(SendCause.SEND, now)
            else:
                self._transmit(self._flying.record)
                self._arrived(now)

    def _send(self, cause: SendCause, now: float) -> None:
        self._sending, acts = SENDING[self._sending][cause]
        flying = self._flying
        for act in acts:
            if flying is None:
                raise LocalProtocolError(f"{act.name} without a record on its way")
            match act:
                case SendAct.TRANSMIT:
                    if cause is not SendCause.SEND:
                        flying.resends += 1
                    flying.enquiries = 0
                    self._transmit(flying.record, again=cause is not SendCause.SEND)
                    self._answer_due = now + T1_S
                case SendAct.ASK:
                    flying.enquiries += 1
                    self._say(Signal.ENQ)
                    self._answer_due = now + T2_S
                case SendAct.CONFIRM:
                    self._answer_due = None
                    self._arrived(now)
                case SendAct.DISCARD:
                    self._answer_due = None
                    self._flying = None
                    self._events.append(GaveUp(flying.record))
                    if cause is SendCause.SILENT_TOO_LONG:
                        self._dead(now)
                    elif cause is SendCause.GOT_LAST_NAK:
                        self._after(flying, now)  # go on as if it had been acknowledged

    def _silent(self, now: float) -> None:
        flying = self._flying
        spent = flying is not None and flying.enquiries >= MAX_ENQUIRIES
        self._send(SendCause.SILENT_TOO_LONG if spent else SendCause.SILENT, now)

    def _arrived(self, now: float) -> None:
        flying, self._flying = self._flying, None
        if flying is not None:
            if isinstance(flying.record, ResyncRequest):
                self._wants_resync = False
            self._events.append(Delivered(flying.record))
            self._after(flying, now)

    def _after(self, sent: _Outgoing, now: float) -> None:
        self._send_from = now + sent.pause_s
        last_of_description = isinstance(sent.record, LinkAlive)
        if last_of_description and self._link in (State.DESCRIBING, State.GREETED, State.RENEWING):
            self._cause(Cause.SAID_LA, now)

    def _dead(self, now: float) -> None:
        """Nobody answers on the line: for the link that is the end of its patience."""
        if self._link in _OWED_A_LIFE_SIGN:
            self._cause(Cause.LATE, now)

    def _drop_outgoing(self, now: float) -> None:
        self._queue.clear()
        self._send(SendCause.RESET, now)
        self._flying = None
        self._answer_due = None

    def _transmit(self, record: Record, *, again: bool = False) -> None:
        self._output += write_frame(encode(record, self.profile.charset), lrc=self.profile.lrc)
        if not again:
            self._events.append(LinkRecord(record, Direction.OUT))

    def _say(self, signal: Signal) -> None:
        self._output.append(_CONTROLS[signal])
        self._events.append(Handshake(signal, Direction.OUT))

    # --- The link ---

    def _impatient(self, now: float) -> None:
        if self._link is State.UP and not self._checking_alive:
            self._cause(Cause.QUIET, now)
            self._checking_alive = True
            self._link_due = now + ACCEPT_WITHIN_S
        else:
            self._cause(Cause.LATE, now)

    def _cause(self, cause: Cause, now: float) -> tuple[Act, ...] | None:
        transition = step(self._link, cause)
        if transition is None:
            return None
        was, (self._link, acts) = self._link, transition
        if self._link is not was:
            self._events.append(LinkState(self._link.value))
            if self._link is State.UP and self._wants_resync:
                self._queue_resync()  # a start of the PMS came before it could be said
        if self._link is not was or cause is Cause.LATE:
            self._checking_alive = False
            patience = PATIENCE_S[self._link]
            if patience is not None and self._link is State.RENEWING:
                patience += self._description_s  # the PMS can accept only what it has heard
            self._link_due = None if patience is None else now + patience
        for act in acts:
            self._act(act, cause)
        return acts

    def _act(self, act: Act, cause: Cause) -> None:
        stamp = self.stamp()
        match act:
            case Act.SEND_LS:
                if cause is not Cause.QUIET:
                    self._queue.clear()
                # Before a DR that a resync holds back: the alive check must not wait for its end.
                self._queue.appendleft(_Outgoing(LinkStart(day=stamp.date(), at=stamp.time())))
            case Act.SEND_LA:
                self._queue.append(_Outgoing(LinkAlive(day=stamp.date(), at=stamp.time())))
            case Act.SEND_LE:
                self._queue.clear()
                self._queue.append(_Outgoing(LinkEnd(day=stamp.date(), at=stamp.time())))
            case Act.SEND_DESCRIPTION:
                # A PMS that asks again before we have ended is in a hurry: from the beginning,
                # without pauses, or its next LS would come before our LA for ever.
                hurried = any(isinstance(each.record, LinkAlive) for each in self._queue)
                self._queue.clear()
                self._queue += self._description(stamp, 0.0 if hurried else self.profile.pacing_s)
            case Act.REPORT_START:
                self._resync_due = None  # its DE will not come, and a DR would wait for it
                self._events.append(LinkStarted())
            case Act.REPORT_UP:
                self._events.append(LinkUp())
            case Act.REPORT_DOWN:
                self._resync_due, self._wants_resync = None, False
                self._events.append(LinkDown(_WHY[cause]))
            case Act.DELIVER:
                pass  # done by the caller, who has the record

    @property
    def _description_s(self) -> float:
        """How long our description takes at its pace."""
        return self.profile.pacing_s * (len(self.profile.wanted) + 1)

    def _description(self, stamp: datetime, pause: float) -> list[_Outgoing]:
        first = LinkDescription(
            day=stamp.date(),
            at=stamp.time(),
            version=self.profile.driver_version[:10],
            interface="PB",
        )
        last = LinkAlive(day=stamp.date(), at=stamp.time())
        return [
            _Outgoing(first, pause),
            *(_Outgoing(wanted, pause) for wanted in self.profile.wanted),
            _Outgoing(last),
        ]


_CAUSES: Final[dict[type[Record], Cause]] = {
    LinkStart: Cause.GOT_LS,
    LinkAlive: Cause.GOT_LA,
    LinkEnd: Cause.GOT_LE,
    LinkConfiguration: Cause.GOT_LC,
}
_OWED_A_LIFE_SIGN: Final = frozenset(
    {State.DESCRIBING, State.GREETED, State.DESCRIBED, State.UP, State.RENEWING}
)
_WHY: Final = {
    Cause.GOT_LE: "ended",
    Cause.LATE: "late",
    Cause.LOST: "lost",
    Cause.LEAVE: "left",
}
PATIENCE_S_UP: Final = PATIENCE_S[State.UP] or 0.0
