"""Lines of text, as call records and their answers go over a wire: the same two as `framing` and
`cutter` have for frames.
"""

from typing import Final

from protocols.session import Signal
from protocols.stream import (
    EVIDENCE_BYTES,
    SIGNALS,
    Blank,
    Control,
    Frame,
    Item,
    Reason,
    Refusal,
)

_ENDS: Final = b"\r\n\x0c"
_NOTHING: Final = b"\x00"
_LETTERS: Final = {ord("y"): Signal.ACK, ord("n"): Signal.NAK}
"""Some systems answer with a letter; no line begins with one of these."""


class LineReader:
    """Turns a stream, cut anywhere, into lines, answers and refusals. Any bytes are legal.

    longest     bytes that a line may have
    """

    def __init__(self, *, longest: int) -> None:
        self._longest = longest
        self._line = bytearray()
        self._skips = False

    @property
    def is_between_frames(self) -> bool:
        """Nothing half read is waiting for more bytes."""
        return not self._line and not self._skips

    def receive(self, data: bytes) -> list[Item]:
        """What these bytes completed, in their order."""
        found: list[Item] = []
        for byte in data:
            found += self._take(byte)
        return found

    def gap(self) -> list[Item]:
        """The sender has paused inside a line."""
        self._skips = False
        line, self._line = bytes(self._line), bytearray()
        return [Refusal(Reason.UNFINISHED, line[:EVIDENCE_BYTES])] if line else []

    def _take(self, byte: int) -> list[Item]:
        if byte in _ENDS:
            self._skips = False
            line, self._line = bytes(self._line), bytearray()
            return [Frame(line)] if line else [Blank()]
        if self._skips:
            return []
        if byte in SIGNALS:
            return [*self.gap(), Control(SIGNALS[byte])]
        if not self._line and byte in _LETTERS:
            return [Control(_LETTERS[byte])]
        if byte in _NOTHING:
            return [] if self._line else [Blank()]
        self._line.append(byte)
        if len(self._line) <= self._longest:
            return []
        line, self._line, self._skips = bytes(self._line), bytearray(), True
        return [Refusal(Reason.OVERLONG, line[:EVIDENCE_BYTES])]


class LineCutter:
    """Cuts a stream at line ends and answers, for a reader's eye: nothing is lost."""

    def __init__(self, *, longest: int) -> None:
        self._longest = longest
        self._piece = bytearray()

    @property
    def is_empty(self) -> bool:
        """Nothing is half there."""
        return not self._piece

    def feed(self, data: bytes) -> list[bytes]:
        """The pieces that these bytes completed, in their order. A line keeps what ends it, and an
        LF in front of it.
        """
        pieces: list[bytes] = []
        for byte in data:
            has_text = bool(self._piece.strip(_ENDS + _NOTHING))
            is_answer = byte in SIGNALS or (not has_text and byte in _LETTERS)
            if is_answer or (self._ends_with_end(has_text) and byte not in _ENDS):
                pieces += self.rest()
            self._piece.append(byte)
            is_over = is_answer or (has_text and byte == ord("\n"))
            if is_over or len(self._piece) > self._longest:
                pieces += self.rest()
        return pieces

    def rest(self) -> list[bytes]:
        """What is half there, because the stream has paused or ended."""
        piece, self._piece = bytes(self._piece), bytearray()
        return [piece] if piece else []

    def _ends_with_end(self, has_text: bool) -> bool:
        return has_text and self._piece[-1] in _ENDS
