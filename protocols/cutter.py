"""A stream cut for a reader's eye: whole frames, lone answers, runs of anything else.

Unlike `framing` it judges nothing and loses nothing: the pieces, put together, are the stream.
"""

import re
from typing import Final

from protocols.checksums import lrc
from protocols.framing import Starts
from protocols.stream import ETX, NOISE_BYTES, STX

_INSIDE_ENDS: Final = re.compile(rb"[\x02\x03\x05]")
_OUTSIDE_ENDS: Final = re.compile(rb"[\x02\x05\x06\x15]")


class Cutter:
    """Cuts one direction of a line; see `framing.FrameReader` for what it is told."""

    def __init__(self, *, lrc: bool, longest: int, starts: Starts | None = None) -> None:
        self._lrc = lrc
        self._longest = longest
        self._starts = starts
        self._piece = bytearray()
        self._is_inside = False
        self._owes_check = False
        self._ahead: bytearray | None = None

    @property
    def is_empty(self) -> bool:
        """Nothing is half there."""
        return not self._piece and self._ahead is None

    def feed(self, data: bytes) -> list[bytes]:
        """The pieces that these bytes completed, in their order."""
        pieces: list[bytes] = []
        position = 0
        while position < len(data):
            if self._ahead is not None:
                position = self._look_ahead(self._ahead, data, position, pieces)
            elif self._owes_check:
                position = self._take_check(data, position, pieces)
            elif self._is_inside:
                position = self._take_inside(data, position, pieces)
            else:
                position = self._take_outside(data, position, pieces)
        return pieces

    def rest(self) -> list[bytes]:
        """What is half there, because the stream has paused or ended. A frame stays begun."""
        if self._ahead is not None:
            self._piece += bytes([STX]) + self._ahead
            self._ahead = None
        piece = bytes(self._piece)
        self._piece.clear()
        return [piece] if piece else []

    def _take_check(self, data: bytes, position: int, pieces: list[bytes]) -> int:
        self._owes_check = False
        byte = data[position]
        if byte == STX and self._piece and byte != lrc(bytes(self._piece[1:])):
            pieces += self.rest()  # no check byte at all: the next frame
            return position
        self._piece.append(byte)
        pieces += self.rest()
        return position + 1

    def _take_inside(self, data: bytes, position: int, pieces: list[bytes]) -> int:
        room = max(1, self._longest - len(self._piece))
        end = _INSIDE_ENDS.search(data, position, position + room)
        if end is None:
            self._piece += data[position : position + room]
            if len(self._piece) >= self._longest:
                self._is_inside = False
                pieces += self.rest()
            return min(len(data), position + room)
        self._piece += data[position : end.start()]
        if data[end.start()] == STX and self._starts is None:
            pieces += self.rest()
            self._piece.append(STX)
            return end.end()
        if data[end.start()] == STX:
            self._ahead = bytearray()
            return end.end()
        self._is_inside = False
        if data[end.start()] != ETX:
            pieces += self.rest()
            return end.start()
        self._piece.append(ETX)
        self._owes_check = self._lrc
        if not self._lrc:
            pieces += self.rest()
        return end.end()

    def _look_ahead(self, ahead: bytearray, data: bytes, position: int, pieces: list[bytes]) -> int:
        """Behind an STX inside a frame; see `framing`."""
        assert self._starts is not None  # nothing else looks ahead
        is_end = _INSIDE_ENDS.match(data, position) is not None
        if not is_end:
            ahead.append(data[position])
            if len(ahead) < self._starts.ahead:
                return position + 1
        bar = b"|" if is_end and data[position] == ETX else b""
        self._ahead = None
        if self._starts.tell(bytes(ahead) + bar):
            pieces += self.rest()
        self._piece += bytes([STX]) + ahead
        return position if is_end else position + 1

    def _take_outside(self, data: bytes, position: int, pieces: list[bytes]) -> int:
        end = _OUTSIDE_ENDS.search(data, position)
        stop = end.start() if end else len(data)
        while position < stop:
            taken = data[position : min(stop, position + NOISE_BYTES - len(self._piece))]
            self._piece += taken
            position += len(taken)
            if len(self._piece) >= NOISE_BYTES:
                pieces += self.rest()
        if end is None:
            return position
        pieces += self.rest()
        self._piece.append(data[position])
        if data[position] == STX:
            self._is_inside = True
        else:
            pieces += self.rest()
        return position + 1
