"""`MitelSession`: one link with one PMS. Bytes and moments in; bytes, events, a deadline out."""

from collections import deque
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Final

from protocols.errors import LocalProtocolError, RecordError
from protocols.framing import FrameReader
from protocols.mitel.codec import decode, encode
from protocols.mitel.controls import ANSWER_S, ENQUIRIES, GAP_S, RESYNC_WITHIN_S, TEXT_TRIES
from protocols.mitel.framing import frame_reader, write_text
from protocols.mitel.handshake import Act, Cause, Link, News, Turn, link, turn
from protocols.mitel.records import (
    AreYouThere,
    CheckIn,
    CheckOut,
    FromPms,
    Initialise,
    Name,
    Restriction,
    ResyncBegins,
    ResyncEnds,
    ToPms,
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
    LinkState,
    LinkUp,
    RecordRefused,
    ResyncOverdue,
    SessionEvent,
    Signal,
)
from protocols.stream import CONTROLS, Blank, Control, Frame, Item, Reason, Refusal

_CAUSES: Final = {
    Signal.ENQ: Cause.GOT_ENQ,
    Signal.ACK: Cause.GOT_ACK,
    Signal.NAK: Cause.GOT_NAK,
}
_NO_TEXT: Final = frozenset({Reason.OVERLONG})
"""What was whole enough to be answered: with NAK."""


class _Answer(Enum):
    """What is owed for something of the PMS, in the order in which it came."""

    OPEN = auto()  # a record on its way to the disk
    BAD = auto()  # what is no record, on its way there too: refused in any case
    ACK = auto()
    NAK = auto()


@dataclass(slots=True)
class _Saying:
    """A record of ours, and how often it was tried.

    may_have_arrived    its text was said once, and not answered
    """

    record: ToPms
    enquiries: int = 0
    texts: int = 0
    may_have_arrived: bool = False


@dataclass(slots=True)
class MitelSession:
    """One link with one PMS. See `protocols.session.Session`.

    room_first  this PMS writes the room in front of a name
    """

    room_first: bool = False
    _link: Link = Link.CLOSED
    _turn: Turn = Turn.FREE
    _reader: FrameReader = field(default_factory=frame_reader)
    _events: deque[SessionEvent] = field(default_factory=deque)
    _output: bytearray = field(default_factory=bytearray)
    _owed: deque[_Answer] = field(default_factory=deque)
    _queue: deque[_Saying] = field(default_factory=deque)
    _turn_due: float | None = None
    _gap_due: float | None = None
    _resync_due: float | None = None
    _ask_from: float = 0.0

    # --- What the owner asks ---

    @property
    def is_up(self) -> bool:
        return self._link is Link.UP

    @property
    def state(self) -> str:
        return self._link.value

    @property
    def deadline(self) -> float | None:
        wants = self._ask_from if self._may_ask else None
        due = (self._turn_due, self._gap_due, self._resync_due, wants)
        return min((moment for moment in due if moment is not None), default=None)

    @property
    def _may_ask(self) -> bool:
        """During a resync, and while answers are owed, the PMS has the line."""
        is_free = self._turn is Turn.FREE and not self._owed and self._resync_due is None
        return bool(self._queue) and is_free and self.is_up

    def next_event(self) -> SessionEvent | None:
        return self._events.popleft() if self._events else None

    def bytes_to_send(self) -> bytes:
        output = bytes(self._output)
        self._output.clear()
        return output

    # --- What the owner tells ---

    def opened(self, now: float) -> None:
        self._begin()
        self._ask_from = now
        self._news(News.OPENED)

    def lost(self, now: float) -> None:  # noqa: ARG002  # every session is told
        if self._link is Link.CLOSED:
            return
        self._refuse(self._reader.gap())
        self._give_up_all()
        self._begin()
        self._news(News.LOST, "lost")

    def receive_data(self, data: bytes, now: float) -> None:
        for item in self._reader.receive(data):
            self._take(item, now)
        self._gap_due = None if self._reader.is_between_frames else now + GAP_S
        self._go_on(now)

    def handle_timeout(self, now: float) -> None:
        if self._gap_due is not None and now >= self._gap_due:
            self._gap_due = None
            self._refuse(self._reader.gap())
        if self._turn_due is not None and now >= self._turn_due:
            self._cause(Cause.LATE, now)
        if self._resync_due is not None and now >= self._resync_due:
            self._resync_due = None
            self._events.append(ResyncOverdue())
        self._go_on(now)

    def accept(self, now: float) -> None:
        self._decide(_Answer.ACK, now)

    def refuse(self, now: float) -> None:
        self._decide(_Answer.NAK, now)

    def ask_for_resync(self, now: float) -> None:
        if not self.is_up:
            raise LocalProtocolError("a resync was asked for while the link is down")
        if not any(isinstance(each.record, Initialise) for each in self._queue):
            self._queue.append(_Saying(Initialise()))
        self._go_on(now)

    def send(self, record: ToPms, now: float) -> None:
        if not self.is_up:
            raise LocalProtocolError(f"{record.record_id} was to be said while the link is down")
        self._queue.append(_Saying(record))
        self._go_on(now)

    def leave(self, now: float) -> None:  # noqa: ARG002  # every session is told
        self._give_up_all()
        self._turn, self._turn_due, self._resync_due = Turn.FREE, None, None
        self._news(News.LEAVE, "left")

    # --- Bytes in ---

    def _take(self, item: Item, now: float) -> None:
        if isinstance(item, Refusal):
            self._refuse([item])
        if isinstance(item, Refusal | Blank):
            return
        if self._link is Link.LEFT:
            return  # the PMS keeps it
        self._news(News.HEARD)
        if isinstance(item, Control):
            self._events.append(Handshake(item.signal, Direction.IN))
            self._cause(_CAUSES[item.signal], now)
        else:
            self._cause(Cause.GOT_TEXT, now, item)

    def _refuse(self, items: list[Item]) -> None:
        for item in items:
            if isinstance(item, Refusal):
                self._events.append(FrameRefused(item.reason.value, item.data))
                if item.reason in _NO_TEXT:
                    self._owed.append(_Answer.NAK)

    def _text(self, body: bytes, now: float) -> None:
        try:
            record = decode(body, room_first=self.room_first)
        except RecordError as error:
            self._owed.append(_Answer.BAD)
            self._events.append(RecordRefused(error.reason, body, str(error)))
            return
        if isinstance(record, AreYouThere):
            self._owed.append(_Answer.ACK)
            self._events.append(LinkRecord(record, Direction.IN))
            return
        self._owed.append(_Answer.OPEN)
        self._events.append(DataReceived(self._in_its_place(record, now), body))

    def _in_its_place(self, record: FromPms, now: float) -> FromPms:
        """The record, marked if it is part of a resync."""
        if isinstance(record, ResyncBegins):
            self._resync_due = now + RESYNC_WITHIN_S
        elif isinstance(record, ResyncEnds):
            self._resync_due = None
        elif self._resync_due is not None:
            self._resync_due = now + RESYNC_WITHIN_S
            if isinstance(record, CheckIn | CheckOut | Name | Restriction):
                return replace(record, swap=True)
        return record

    # --- Answers ---

    def _decide(self, answer: _Answer, now: float) -> None:
        for place, owed in enumerate(self._owed):
            if owed in (_Answer.OPEN, _Answer.BAD):
                self._owed[place] = _Answer.NAK if owed is _Answer.BAD else answer
                break
        else:
            if self._link not in (Link.CLOSED, Link.LEFT):
                raise LocalProtocolError("an answer was given and no text waits for one")
        self._go_on(now)

    def _go_on(self, now: float) -> None:
        """Answer what can be answered, in order; then say what is to be said."""
        while self._owed and self._owed[0] in (_Answer.ACK, _Answer.NAK):
            answer = self._owed.popleft()
            self._say(Signal.ACK if answer is _Answer.ACK else Signal.NAK)
        if self._may_ask and now >= self._ask_from:
            self._cause(Cause.WANT, now)

    def _say(self, signal: Signal) -> None:
        self._output.append(CONTROLS[signal])
        self._events.append(Handshake(signal, Direction.OUT))

    # --- Turns ---

    def _cause(self, cause: Cause, now: float, text: Frame | None = None) -> None:
        was = self._turn
        self._turn, acts = turn(self._turn, cause)
        if self._turn is not was or cause in (Cause.GOT_ENQ, Cause.LATE):
            self._turn_due = None if self._turn is Turn.FREE else now + ANSWER_S
        for act in acts:
            self._act(act, now, text)

    def _act(self, act: Act, now: float, text: Frame | None) -> None:
        match act:
            case Act.ASK:
                self._queue[0].enquiries += 1
                self._say(Signal.ENQ)
            case Act.TELL:
                saying = self._queue[0]
                saying.texts += 1
                saying.enquiries = 0
                self._output += write_text(encode(saying.record))
                if saying.texts == 1:
                    self._events.append(LinkRecord(saying.record, Direction.OUT))
            case Act.LET:
                self._owed.append(_Answer.ACK)
            case Act.TAKE:
                assert text is not None  # GOT_TEXT brings it
                self._text(text.body, now)
            case Act.TOLD:
                self._events.append(Delivered(self._queue.popleft().record))
            case Act.REFUSED:
                if self._queue[0].texts >= TEXT_TRIES:
                    self._give_up(self._queue.popleft())
            case Act.UNANSWERED:
                self._queue[0].may_have_arrived = True
                if self._queue[0].texts >= TEXT_TRIES:
                    self._deaf()
            case Act.PUT_OFF:
                self._queue[0].enquiries = 0  # it is there
            case Act.UNHEARD:
                if self._queue[0].enquiries >= ENQUIRIES:
                    self._deaf()

    def _deaf(self) -> None:
        """The PMS is down. What waits is its giver's again: he has it on disk."""
        self._give_up_all()
        self._news(News.DEAF, "late")

    def _give_up_all(self) -> None:
        while self._queue:
            self._give_up(self._queue.popleft())

    def _give_up(self, saying: _Saying) -> None:
        may_have = saying.may_have_arrived or (self._turn is Turn.TOLD and saying.texts > 0)
        self._events.append(GaveUp(saying.record, may_have_arrived=may_have))

    # --- The link ---

    def _begin(self) -> None:
        self._reader = frame_reader()
        self._output.clear()
        self._owed.clear()
        self._turn, self._turn_due, self._gap_due, self._resync_due = Turn.FREE, None, None, None

    def _news(self, news: News, why: str = "") -> None:
        was, self._link = self._link, link(self._link, news)
        if self._link is was:
            return
        self._events.append(LinkState(self._link.value))
        if self._link is Link.UP:
            self._events.append(LinkUp())
        elif was is Link.UP:
            self._resync_due = None
            self._events.append(LinkDown(why))
