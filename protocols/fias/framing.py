"""Bytes to frames and frames to bytes. Knows nothing of what a body means.

serial   STX  body ........ ETX  LRC      the LRC byte may have any value, also STX or ENQ
TCP      STX  body ........ ETX           nothing follows unless the site says so
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from protocols.checksums import lrc
from protocols.fias.controls import (
    ACK,
    ENQ,
    ETX,
    MAX_BODY_BYTES,
    NAK,
    RECORD_START_BYTES,
    STX,
    begins_record,
)
from protocols.fias.wire import ENVELOPE, ENVELOPE_WITH_LRC
from protocols.session import Signal

EVIDENCE_BYTES: Final = 256
"""How many bytes of refused input are kept for the technician."""

GARBAGE_RUN_BYTES: Final = 64
"""Noise is reported in runs of at most this many bytes, so that it cannot be silent for ever."""


class Reason(Enum):
    """Why bytes are no frame. The values are metric labels."""

    LRC = "lrc"  # the check byte does not match
    OVERLONG = "overlong"  # more than MAX_BODY_BYTES before ETX
    RESTARTED = "restarted"  # another record begins inside a frame: its end was lost
    UNFINISHED = "unfinished"  # the sender stopped inside a frame, or asked in the middle of it
    NO_LRC = "no_lrc"  # ETX came and no check byte behind it
    GARBAGE = "garbage"  # bytes outside any frame


@dataclass(frozen=True, slots=True)
class Frame:
    """The body of one good frame, without STX, ETX and LRC; may be empty."""

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

_SIGNALS: Final = {ACK: Signal.ACK, NAK: Signal.NAK, ENQ: Signal.ENQ}
_SILENT: Final = b"\r\n\x00"  # line ends between frames, and the NUL a UART shows for a break


class _Place(Enum):
    """Where in the stream the reader stands."""

    OUTSIDE = "outside"
    INSIDE = "inside"  # after STX
    SKIPPING = "skipping"  # after STX, and too long already
    CHECKING = "checking"  # after ETX, before the check byte


class FrameReader:
    """Turns a stream, cut anywhere, into frames, controls and refusals.

    lrc         a check byte follows ETX and is found by its position alone
    handshake   the line answers: then ENQ inside a frame is the peer asking about a frame
                whose end we missed, not data

    Whatever comes, nothing raises, memory stays below MAX_BODY_BYTES + one chunk, and the
    reader is in step again where the next record begins. How the stream is cut changes nothing.

    Source: FIAS 2.20.24, serial and TCP transport; stray bytes between frames as seen on
    TCP-to-serial converters.
    """

    def __init__(self, *, lrc: bool, handshake: bool, max_body_bytes: int = MAX_BODY_BYTES) -> None:
        self._lrc = lrc
        self._max_body_bytes = max_body_bytes
        ends = rb"\x02\x03\x05" if handshake else rb"\x02\x03"
        self._ends = re.compile(rb"[%b]" % ends)
        self.reset()

    def reset(self) -> None:
        """Forget a half frame: the line is a new one."""
        self._place = _Place.OUTSIDE
        self._body = bytearray()
        self._noise = bytearray()
        self._ahead: bytearray | None = None  # what stands behind an STX inside a frame
        self._too_long = False

    @property
    def is_between_frames(self) -> bool:
        """Nothing half read is waiting for more bytes."""
        return self._place is _Place.OUTSIDE and not self._noise

    def receive(self, data: bytes) -> list[Item]:
        """What these bytes completed, in their order."""
        found: list[Item] = []
        position = 0
        while position < len(data):
            if self._place is _Place.OUTSIDE:
                position = self._read_outside(data, position, found)
            elif self._ahead is not None:
                position = self._look_ahead(self._ahead, data, position, found)
            elif self._place is _Place.CHECKING:
                position = self._read_check_byte(data, position, found)
            else:
                position = self._read_inside(data, position, found)
        return found

    def gap(self) -> list[Item]:
        """The stream has paused for too long: give up what is half read."""
        found: list[Item] = []
        self._end_noise(found)
        if self._ahead is not None:
            self._put_back(self._ahead)
        match self._place:
            case _Place.INSIDE:
                self._refuse(Reason.UNFINISHED, found)
            case _Place.SKIPPING:
                self._refuse(Reason.OVERLONG, found)
            case _Place.CHECKING:
                self._refuse(Reason.NO_LRC, found)
            case _Place.OUTSIDE:
                pass  # nothing half read but noise, and that is told above
        return found

    def _read_outside(self, data: bytes, position: int, found: list[Item]) -> int:
        byte = data[position]
        if byte == STX:
            self._end_noise(found)
            self._place = _Place.INSIDE
        elif byte in _SIGNALS:
            self._end_noise(found)
            found.append(Control(_SIGNALS[byte]))
        elif byte in _SILENT:
            self._end_noise(found)
            found.append(Blank())
        else:
            self._noise.append(byte)
            if len(self._noise) == GARBAGE_RUN_BYTES:
                self._end_noise(found)
        return position + 1

    def _read_inside(self, data: bytes, position: int, found: list[Item]) -> int:
        end = self._ends.search(data, position)
        stop = end.start() if end else len(data)
        self._keep(data[position:stop])
        if end is None:
            return stop
        too_long = self._place is _Place.SKIPPING
        match data[stop]:
            case 0x03 if self._lrc:  # ETX
                # The check byte of a frame that is refused anyway still has to be swallowed.
                self._too_long = too_long
                self._place = _Place.CHECKING
            case 0x03:
                if too_long:
                    self._refuse(Reason.OVERLONG, found)
                else:
                    found.append(Frame(bytes(self._body)))
                    self._leave_frame()
            case 0x02:  # STX
                self._ahead = bytearray()
            case _:  # ENQ
                self._refuse(Reason.OVERLONG if too_long else Reason.UNFINISHED, found)
                found.append(Control(Signal.ENQ))
        return stop + 1

    def _keep(self, text: bytes | bytearray) -> None:
        """More of the body, as far as a body may be long."""
        if self._place is _Place.INSIDE:
            room = self._max_body_bytes - len(self._body)
            self._body += text[:room]
            if len(text) > room:
                self._place = _Place.SKIPPING

    def _look_ahead(self, ahead: bytearray, data: bytes, position: int, found: list[Item]) -> int:
        """Behind an STX inside a frame: another record, or only a byte of a value?"""
        is_end = self._ends.match(data, position) is not None
        if not is_end:
            ahead.append(data[position])
            if len(ahead) < RECORD_START_BYTES:
                return position + 1
        bar = b"|" if is_end and data[position] == ETX else b""  # `LS` alone is forgiven its bar
        if begins_record(bytes(ahead) + bar):
            too_long = self._place is _Place.SKIPPING
            self._refuse(Reason.OVERLONG if too_long else Reason.RESTARTED, found)
            self._place = _Place.INSIDE
            self._keep(ahead)
        else:
            self._put_back(ahead)
        return position if is_end else position + 1

    def _put_back(self, ahead: bytearray) -> None:
        self._ahead = None
        self._keep(bytes([STX]) + ahead)

    def _read_check_byte(self, data: bytes, position: int, found: list[Item]) -> int:
        check = data[position]
        if self._too_long:
            self._refuse(Reason.OVERLONG, found)
        elif check == lrc(bytes(self._body)) ^ ETX:
            found.append(Frame(bytes(self._body)))
            self._leave_frame()
        else:
            self._refuse(Reason.LRC, found)
            if check == STX:  # a peer without LRC: this is already its next frame
                self._place = _Place.INSIDE
        return position + 1

    def _refuse(self, reason: Reason, found: list[Item]) -> None:
        found.append(Refusal(reason, bytes(self._body[:EVIDENCE_BYTES])))
        self._leave_frame()

    def _leave_frame(self) -> None:
        self._body.clear()
        self._ahead = None
        self._place = _Place.OUTSIDE

    def _end_noise(self, found: list[Item]) -> None:
        if self._noise:
            found.append(Refusal(Reason.GARBAGE, bytes(self._noise)))
            self._noise.clear()


def is_good_frame(data: bytes, *, has_check: bool) -> bool:
    """Whether these bytes are one whole frame, and its check byte fits."""
    if len(data) < 2 + has_check or data[0] != STX or data[-1 - has_check] != ETX:
        return False
    return not has_check or lrc(data[1:-1]) == data[-1]


def write_frame(body: bytes, *, lrc: bool) -> bytes:
    """One body as it goes over the line.

    body    neither STX nor ETX in it (the codec sees to that)
    """
    checked = {"checked": {"value": {"body": body}}}
    return bytes((ENVELOPE_WITH_LRC if lrc else ENVELOPE).build(checked))
