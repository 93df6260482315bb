"""`FiasSession`: one link with one PMS. Bytes and moments in; bytes, events, a deadline out."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from protocols.errors import LocalProtocolError, RecordError
from protocols.fias.answers import Answers
from protocols.fias.codec import decode, encode
from protocols.fias.controls import ACCEPT_WITHIN_S
from protocols.fias.framing import frame_reader, write_frame
from protocols.fias.link import IS_UP, PATIENCE_S, Act, Cause, State, step
from protocols.fias.outgoing import End, Outgoing, Waiting
from protocols.fias.profile import FiasProfile
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
from protocols.framing import FrameReader
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
from protocols.stream import CONTROLS, Blank, Control, Frame, Item, Reason, Refusal

_REMEMBERED: Final = 64
"""Records of ours that may come back: a description has ten, and is said again and again."""

RESYNC_WITHIN_S: Final = 600.0
"""Between two records of a resync: one that pauses for longer will not come to its end, and
waiting for ever is no answer. The specification has no limit; a whole house takes a few minutes."""


@dataclass(slots=True)
class FiasSession:
    """One link with one PMS, from the first byte to the last. See `protocols.session.Session`.

    stamp   gives the hotel's wall time for the DA and TI of our own records
    """

    profile: FiasProfile
    stamp: Callable[[], datetime]
    _link: State = State.CLOSED
    _reader: FrameReader = field(init=False)
    _answers: Answers = field(init=False)
    _outgoing: Outgoing = field(init=False)
    _events: deque[SessionEvent] = field(default_factory=deque)
    _output: bytearray = field(default_factory=bytearray)
    _link_due: float | None = None
    _checking_alive: bool = False
    _gap_due: float | None = None
    _resync_due: float | None = None
    _wants_resync: bool = False
    _said: deque[bytes] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    _is_echoed: bool = False  # what only we say has come back

    def __post_init__(self) -> None:
        self._reader = frame_reader(lrc=self.profile.lrc, handshake=self.profile.ack)
        self._answers = Answers(self._say if self.profile.ack else None)
        self._outgoing = Outgoing(
            is_answered=self.profile.ack,
            transmit=self._transmit,
            ask=lambda: self._say(Signal.ENQ),
            may_go=self._may_go,
            ended=self._ended,
        )

    # --- What the owner asks ---

    @property
    def is_up(self) -> bool:
        return self._link in IS_UP

    @property
    def state(self) -> str:
        return self._link.value

    @property
    def deadline(self) -> float | None:
        due = (self._link_due, self._outgoing.deadline, self._gap_due, self._resync_due)
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
        self._answers.reset(now)
        self._outgoing.opened(now)
        self._gap_due = self._resync_due = None
        self._said.clear()
        self._is_echoed = False
        self._cause(Cause.OPENED, now)

    def lost(self, now: float) -> None:
        if self._link is State.CLOSED:
            return
        for item in self._reader.gap():
            if isinstance(item, Refusal):
                self._events.append(FrameRefused(item.reason.value, item.data))
        self._output.clear()
        self._answers.reset(now)
        self._gap_due = self._resync_due = None
        self._outgoing.drop(now)
        self._cause(Cause.LOST, now)

    def receive_data(self, data: bytes, now: float) -> None:
        for item in self._reader.receive(data):
            self._take(item, now)
        self._gap_due = None if self._reader.is_between_frames else now + self.profile.gap_s
        self._outgoing.pump(now)

    def handle_timeout(self, now: float) -> None:
        if self._gap_due is not None and now >= self._gap_due:
            self._gap_due = None
            for item in self._reader.gap():
                self._take(item, now)
        self._outgoing.handle_timeout(now)
        if self._link_due is not None and now >= self._link_due:
            self._impatient(now)
        if self._resync_due is not None and now >= self._resync_due:
            self._resync_due = None
            self._events.append(ResyncOverdue())
        self._outgoing.pump(now)

    def accept(self, now: float) -> None:
        self._decide(now, verdict=True)

    def refuse(self, now: float) -> None:
        self._decide(now, verdict=False)

    def ask_for_resync(self, now: float) -> None:
        if not self.is_up:
            raise LocalProtocolError("a resync was asked for while the link is down")
        self._wants_resync = True
        if not any(isinstance(each.record, ResyncRequest) for each in self._outgoing.queue):
            self._queue_resync()  # once is enough, however often it was asked for
        self._outgoing.pump(now)

    def send(self, record: Record, now: float) -> None:
        if not self.is_up:
            raise LocalProtocolError(f"{record.record_id} was to be said while the link is down")
        self._outgoing.queue.append(Waiting(record, is_told=True))
        self._outgoing.pump(now)

    def _queue_resync(self) -> None:
        stamp = self.stamp()
        request = ResyncRequest(day=stamp.date(), at=stamp.time())
        self._outgoing.queue.append(Waiting(request))

    def leave(self, now: float) -> None:
        self._outgoing.drop(now)
        self._cause(Cause.LEAVE, now)
        # The goodbye does not wait for answers: they are not read any more.
        while self._outgoing.queue:
            self._transmit(self._outgoing.queue.popleft().record, False)

    # --- Bytes in ---

    def _take(self, item: Item, now: float) -> None:
        match item:
            case Blank():
                self._answers.got_other(now)
            case Control(signal):
                self._events.append(Handshake(signal, Direction.IN))
                if self.profile.ack:  # without a meaning on a line that does not answer
                    self._take_control(signal, now)
            case Refusal(reason, data):
                self._events.append(FrameRefused(reason.value, data))
                if self.profile.ack:
                    self._take_refusal(reason, now)
            case Frame(body):
                self._heard(now)
                self._take_body(body, now)

    def _take_control(self, signal: Signal, now: float) -> None:
        match signal:
            case Signal.ENQ:
                self._answers.got_enq(now)
            case Signal.ACK:
                self._answers.got_other(now)
                self._outgoing.got_ack(now)
            case Signal.NAK:
                self._answers.got_other(now)
                self._outgoing.got_nak(now)

    def _take_refusal(self, reason: Reason, now: float) -> None:
        if reason in (Reason.LRC, Reason.NO_LRC, Reason.OVERLONG):
            self._answers.got_bad_frame(now)
        else:
            self._answers.got_other(now)
            self._outgoing.got_other(now)

    def _take_body(self, body: bytes, now: float) -> None:
        owed = self._answers.owe(now)
        try:
            record = decode(body, self.profile.charset)
        except RecordError as error:
            self._events.append(RecordRefused(error.reason, body, str(error)))
            return
        cause = _CAUSES.get(type(record), Cause.GOT_DATA)
        if cause is Cause.GOT_DATA and record.sender is Sender.GATEWAY:
            cause = Cause.GOT_OURS
            self._is_echoed = True
        elif self._is_echoed and body in self._said:
            cause = Cause.GOT_OURS  # an LS or LA of ours, from a loop: no PMS has said it
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
            self._answers.withdraw(owed, now)  # we have left: the PMS keeps it
        else:
            self._events.append(LinkRecord(record, Direction.IN))
            # A link record is safe at once: it is not about the hotel.
            self._answers.settle(owed, now, verdict=True)

    def _heard(self, now: float) -> None:
        """Any whole frame shows that the peer is alive."""
        if self._link is State.UP:
            self._checking_alive = False
            self._link_due = now + PATIENCE_S_UP

    def _decide(self, now: float, *, verdict: bool) -> None:
        if self._answers.decide(now, verdict=verdict):
            self._outgoing.pump(now)
        elif self._link is not State.CLOSED and self.profile.ack:
            raise LocalProtocolError("an answer was given and no frame waits for one")

    # --- Our own records ---

    def _may_go(self, record: Record) -> bool:
        """Between DS and DE only the link itself may speak."""
        return self._resync_due is None or isinstance(record, _OF_THE_LINK)

    def _ended(self, record: Record, end: End, now: float) -> None:
        if end is End.DELIVERED:
            if isinstance(record, ResyncRequest):
                self._wants_resync = False
            self._events.append(Delivered(record))
        else:
            self._events.append(GaveUp(record, may_have_arrived=end not in _NOT_ARRIVED))
        if end is End.UNANSWERED and self._link in _OWED_A_LIFE_SIGN:
            self._cause(Cause.LATE, now)  # for the link that is the end of its patience
        is_described = end in _GOES_ON and isinstance(record, LinkAlive)
        if is_described and self._link in (State.DESCRIBING, State.GREETED, State.RENEWING):
            self._cause(Cause.SAID_LA, now)

    def _transmit(self, record: Record, again: bool) -> None:
        body = encode(record, self.profile.charset)
        self._said.append(body)
        self._output += write_frame(body, lrc=self.profile.lrc)
        if not again:
            self._events.append(LinkRecord(record, Direction.OUT))

    def _say(self, signal: Signal) -> None:
        self._output.append(CONTROLS[signal])
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
                patience += self.profile.description_s  # the PMS can accept only what it has heard
            self._link_due = None if patience is None else now + patience
        for act in acts:
            self._act(act, cause, now)
        return acts

    def _act(self, act: Act, cause: Cause, now: float) -> None:
        stamp = self.stamp()
        day, at = stamp.date(), stamp.time()
        queue = self._outgoing.queue
        match act:
            case Act.SEND_LS:
                if cause is not Cause.QUIET:
                    self._outgoing.clear(now)
                # Before a DR that a resync holds back: the alive check must not wait for its end.
                queue.appendleft(Waiting(LinkStart(day=day, at=at)))
            case Act.SEND_LA:
                queue.append(Waiting(LinkAlive(day=day, at=at)))
            case Act.SEND_LE:
                self._outgoing.clear(now)
                queue.append(Waiting(LinkEnd(day=day, at=at)))
            case Act.SEND_DESCRIPTION:
                # A PMS that asks again before we have ended is in a hurry: from the beginning,
                # without pauses, or its next LS would come before our LA for ever.
                hurried = any(isinstance(each.record, LinkAlive) for each in queue)
                self._outgoing.clear(now)
                pause_s = 0.0 if hurried else self.profile.pacing_s
                queue += [Waiting(record, pause_s) for record in self.profile.description(stamp)]
                queue[-1].pause_s = 0.0
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


_CAUSES: Final[dict[type[Record], Cause]] = {
    LinkStart: Cause.GOT_LS,
    LinkAlive: Cause.GOT_LA,
    LinkEnd: Cause.GOT_LE,
    LinkConfiguration: Cause.GOT_LC,
}
_OF_THE_LINK: Final = (LinkStart, LinkAlive, LinkEnd, LinkDescription, LinkRecordWanted)
_NOT_ARRIVED: Final = frozenset({End.NOT_TAKEN, End.NOT_SAID})
_GOES_ON: Final = frozenset({End.DELIVERED, End.REFUSED, End.NOT_TAKEN})
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
