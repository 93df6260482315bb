"""What a stream of bytes is made of, in every dialect: frames, controls, and what is neither."""

from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from protocols.session import Signal

EVIDENCE_BYTES: Final = 256
"""How many bytes of refused input are kept for the technician."""
NOISE_BYTES: Final = 64
"""Noise is told in runs of at most this many bytes, so that it cannot be silent for ever."""

STX: Final = 0x02
ETX: Final = 0x03
ENQ: Final = 0x05
ACK: Final = 0x06
NAK: Final = 0x15

SIGNALS: Final = {ACK: Signal.ACK, NAK: Signal.NAK, ENQ: Signal.ENQ}
CONTROLS: Final = {signal: byte for byte, signal in SIGNALS.items()}


class Reason(Enum):
    """Why bytes are no frame. The values are metric labels."""

    LRC = "lrc"  # the check byte does not match
    OVERLONG = "overlong"  # longer than any record, and no end
    RESTARTED = "restarted"  # another record begins inside a frame: its end was lost
    UNFINISHED = "unfinished"  # the sender stopped inside a frame, or asked in the middle of it
    NO_LRC = "no_lrc"  # the end came and no check byte behind it
    GARBAGE = "garbage"  # bytes outside any frame


@dataclass(frozen=True, slots=True)
class Frame:
    """The body of one good frame, without what begins, ends and checks it; may be empty."""

    body: bytes


@dataclass(frozen=True, slots=True)
class Control:
    """A lone ACK, NAK or ENQ between frames."""

    signal: Signal


@dataclass(frozen=True, slots=True)
class Refusal:
    """Bytes that are no frame; `data` holds the first EVIDENCE_BYTES of them."""

    reason: Reason
    data: bytes


@dataclass(frozen=True, slots=True)
class Blank:
    """A line end or a break between frames: nothing to tell, but a byte all the same."""


Item = Frame | Control | Refusal | Blank


class Reads(Protocol):
    """Turns a stream, cut anywhere, into what it is made of. Any bytes are legal; none raises."""

    def receive(self, data: bytes) -> list[Item]:
        """What these bytes completed, in their order."""

    def gap(self) -> list[Item]:
        """The stream has paused for too long: give up what is half read."""


class Cuts(Protocol):
    """Cuts a stream for a reader's eye: the pieces, put together, are the stream."""

    @property
    def is_empty(self) -> bool:
        """Nothing is half there."""

    def feed(self, data: bytes) -> list[bytes]:
        """The pieces that these bytes completed, in their order."""

    def rest(self) -> list[bytes]:
        """What is half there, because the stream has paused or ended."""
