"""Bytes to frames. Knows nothing of what a body means.

checked     STX  body ........ ETX  LRC      the LRC byte may have any value, also STX or ENQ
plain       STX  body ........ ETX           nothing follows unless the site says so
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from protocols.checksums import lrc
from protocols.session import Signal
from protocols.stream import (
    ETX,
    EVIDENCE_BYTES,
    NOISE_BYTES,
    SIGNALS,
    STX,
    Blank,
    Control,
    Frame,
    Item,
    Reason,
    Refusal,
)

_SILENT: Final = b"\r\n\x00"
"""Line ends between frames, and the NUL that a UART shows for a break, and that some PMSs send."""


@dataclass(frozen=True, slots=True)
class Starts:
    """How a dialect's records begin: an STX inside a frame in front of anything else is a byte of a
    value.

    ahead   how many bytes tell
    tell    whether a record begins with these; fewer, where the frame ends before
    """

    ahead: int
    tell: Callable[[bytes], bool]


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
    longest     bytes that a body may have
    starts      what an STX inside a frame has to stand in front of to begin another; None: nothing

    Whatever comes, nothing raises, memory stays below `longest` + one chunk, and the
    reader is in step again where the next record begins. How the stream is cut changes nothing.

    Source: FIAS 2.20.24, serial and TCP transport; stray bytes between frames as seen on
    TCP-to-serial converters.
    """

    def __init__(
        self, *, lrc: bool, handshake: bool, longest: int, starts: Starts | None = None
    ) -> None:
        self._lrc = lrc
        self._longest = longest
        self._starts = starts
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
        elif byte in SIGNALS:
            self._end_noise(found)
            found.append(Control(SIGNALS[byte]))
        elif byte in _SILENT:
            self._end_noise(found)
            found.append(Blank())
        else:
            self._noise.append(byte)
            if len(self._noise) == NOISE_BYTES:
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
            case 0x02 if self._starts is None:  # STX
                self._refuse(Reason.OVERLONG if too_long else Reason.RESTARTED, found)
                self._place = _Place.INSIDE
            case 0x02:
                self._ahead = bytearray()
            case _:  # ENQ
                self._refuse(Reason.OVERLONG if too_long else Reason.UNFINISHED, found)
                found.append(Control(Signal.ENQ))
        return stop + 1

    def _keep(self, text: bytes | bytearray) -> None:
        """More of the body, as far as a body may be long."""
        if self._place is _Place.INSIDE:
            room = self._longest - len(self._body)
            self._body += text[:room]
            if len(text) > room:
                self._place = _Place.SKIPPING

    def _look_ahead(self, ahead: bytearray, data: bytes, position: int, found: list[Item]) -> int:
        """Behind an STX inside a frame: another record, or only a byte of a value?"""
        assert self._starts is not None  # nothing else looks ahead
        is_end = self._ends.match(data, position) is not None
        if not is_end:
            ahead.append(data[position])
            if len(ahead) < self._starts.ahead:
                return position + 1
        bar = b"|" if is_end and data[position] == ETX else b""  # `LS` alone is forgiven its bar
        if self._starts.tell(bytes(ahead) + bar):
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
