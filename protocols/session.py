"""`Session`: what every dialect's link session offers, and the events it reports.

A session is fed bytes and moments and asked, after each feeding, for events, for bytes to
write and for the one moment at which it wants to be woken. It never waits and never writes.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol


class Direction(Enum):
    """Which way something went: `IN` from the PMS, `OUT` to it."""

    IN = "in"
    OUT = "out"


class Signal(Enum):
    """The three answers and questions of a serial line, named for metrics."""

    ACK = "ack"
    NAK = "nak"
    ENQ = "enq"


class AnyRecord(Protocol):
    """The least that every dialect's record has: its id on the wire."""

    @property
    def record_id(self) -> str: ...


@dataclass(frozen=True, slots=True)
class LinkUp:
    """Both sides have said that the link is alive: data may be sent."""


@dataclass(frozen=True, slots=True)
class LinkDown:
    """The link was up and no longer is. `why`: ended, late, lost or left."""

    why: str


@dataclass(frozen=True, slots=True)
class LinkStarted:
    """The PMS began the link anew, perhaps while it was up: a running resync will not end."""


@dataclass(frozen=True, slots=True)
class LinkState:
    """The link has a new state; `to` is one of a closed set of words."""

    to: str


@dataclass(frozen=True, slots=True)
class DataReceived:
    """A record about the hotel. Answer it: one `accept()` or one `refuse()`, in order.

    body    its bytes as they came, the evidence for a refusal
    """

    record: AnyRecord
    body: bytes


@dataclass(frozen=True, slots=True)
class RecordRefused:
    """A whole frame that is no record. Keep it, then `accept()`: sending it again cannot help."""

    reason: str
    body: bytes
    advice: str


@dataclass(frozen=True, slots=True)
class FrameRefused:
    """Bytes that are no frame; already answered where the line answers at all.

    reason  one of the words of `stream.Reason`
    data    the first bytes of it, at most `stream.EVIDENCE_BYTES`
    """

    reason: str
    data: bytes


@dataclass(frozen=True, slots=True)
class LinkRecord:
    """A record of the link itself was heard or said: for counting, nothing to answer."""

    record: AnyRecord
    direction: Direction


@dataclass(frozen=True, slots=True)
class Handshake:
    """An ACK, NAK or ENQ went over the line."""

    signal: Signal
    direction: Direction


@dataclass(frozen=True, slots=True)
class Delivered:
    """A record given to `send` was acknowledged (or, on a line without answers, written)."""

    record: AnyRecord


@dataclass(frozen=True, slots=True)
class GaveUp:
    """A record of ours is not said any more: refused, never acknowledged, or the link is new.

    may_have_arrived    False: the PMS has certainly not got it
    """

    record: AnyRecord
    may_have_arrived: bool = True


@dataclass(frozen=True, slots=True)
class ResyncOverdue:
    """The PMS has begun to tell every room and has gone on for too long without an end."""


SessionEvent = (
    LinkUp
    | LinkDown
    | LinkStarted
    | LinkState
    | DataReceived
    | RecordRefused
    | FrameRefused
    | LinkRecord
    | Handshake
    | Delivered
    | GaveUp
    | ResyncOverdue
)


class Session(Protocol):
    """One link with one PMS. All moments are monotonic seconds and never go back."""

    @property
    def is_up(self) -> bool:
        """Whether data may be sent now."""

    @property
    def state(self) -> str:
        """The state of the link as a word, from a closed set: a label, a log value."""

    @property
    def deadline(self) -> float | None:
        """When `handle_timeout` wants to be called; None: only bytes can change anything."""

    def opened(self, now: float) -> None:
        """The line has opened. Forgets everything of an earlier line."""

    def lost(self, now: float) -> None:
        """The line is gone; what was not acknowledged will never be."""

    def receive_data(self, data: bytes, now: float) -> None:
        """Bytes arrived, cut anywhere. Any bytes are legal here; none raises."""

    def handle_timeout(self, now: float) -> None:
        """The deadline has come (or not yet: then nothing happens)."""

    def next_event(self) -> SessionEvent | None:
        """The oldest event not yet taken, or None."""

    def accept(self, now: float) -> None:
        """The oldest unanswered `DataReceived` or `RecordRefused` is safe on disk."""

    def refuse(self, now: float) -> None:
        """The oldest unanswered one could not be stored: ask for it again where the line can."""

    def ask_for_resync(self, now: float) -> None:
        """Ask the PMS to tell every room. Raises LocalProtocolError unless the link is up."""

    def send(self, record: Any, now: float) -> None:
        """Say a record of the dialect in its turn; one `Delivered` or `GaveUp` tells what became
        of it. Raises LocalProtocolError unless the link is up."""

    def leave(self, now: float) -> None:
        """Say goodbye: the PMS keeps its records until the next start."""

    def bytes_to_send(self) -> bytes:
        """What to write now, whole frames and answers in their order; empty: nothing."""
