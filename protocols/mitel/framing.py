"""Bytes to texts, controls and noise. A text has no check byte: STX, characters, ETX."""

from dataclasses import dataclass
from typing import Final

from protocols.mitel.controls import ACK, ENQ, ETX, MAX_TEXT_BYTES, NAK, STX
from protocols.session import Signal

EVIDENCE_BYTES: Final = 256
"""How many bytes of refused input are kept for the technician."""
NOISE_BYTES: Final = 64
"""Noise is told in runs of at most this many bytes, so that it cannot be silent for ever."""

_SIGNALS: Final = {ENQ: Signal.ENQ, ACK: Signal.ACK, NAK: Signal.NAK}
_SILENT: Final = b"\r\n\x00"
"""Between two transactions: line ends, and the NULs that PMSs at two hotels sent."""


@dataclass(frozen=True, slots=True)
class Text:
    """What stood between STX and ETX; may be empty."""

    body: bytes


@dataclass(frozen=True, slots=True)
class Control:
    """ENQ, ACK or NAK outside a text."""

    signal: Signal


@dataclass(frozen=True, slots=True)
class Refusal:
    """Bytes that are no text.

    reason      a label: overlong, restarted, unfinished, garbage
    """

    reason: str
    data: bytes


Item = Text | Control | Refusal


class Reader:
    """Cuts a stream. Any bytes are legal, cut anywhere."""

    def __init__(self) -> None:
        self._text: bytearray | None = None
        self._noise = bytearray()
        self._skips = False

    @property
    def is_between(self) -> bool:
        """Whether nothing has been begun: a pause means nothing."""
        return self._text is None and not self._noise and not self._skips

    def receive(self, data: bytes) -> list[Item]:
        """What these bytes complete."""
        found: list[Item] = []
        for byte in data:
            if self._text is not None:
                self._inside(byte, found)
            else:
                self._outside(byte, found)
        return found

    def gap(self) -> list[Item]:
        """The sender has paused for too long inside a text, or behind noise."""
        found: list[Item] = []
        self._end_noise(found)
        if self._text is not None:
            found.append(Refusal("unfinished", bytes(self._text[:EVIDENCE_BYTES])))
        self._text, self._skips = None, False
        return found

    def _outside(self, byte: int, found: list[Item]) -> None:
        if byte == STX:
            self._end_noise(found)
            self._text, self._skips = bytearray(), False
        elif byte in _SIGNALS:
            self._end_noise(found)
            self._skips = False
            found.append(Control(_SIGNALS[byte]))
        elif self._skips:
            self._skips = byte != ETX  # the rest of an overlong text was told with it
        elif byte not in _SILENT:
            self._noise.append(byte)
            if len(self._noise) >= NOISE_BYTES:
                self._end_noise(found)

    def _inside(self, byte: int, found: list[Item]) -> None:
        assert self._text is not None  # `receive` knows it
        if byte == ETX:
            found.append(Text(bytes(self._text)))
            self._text = None
        elif byte == STX:
            found.append(Refusal("restarted", bytes(self._text)))
            self._text = bytearray()
        elif byte == ENQ:
            found += [Refusal("unfinished", bytes(self._text)), Control(Signal.ENQ)]
            self._text = None
        else:
            self._text.append(byte)
            if len(self._text) > MAX_TEXT_BYTES:
                found.append(Refusal("overlong", bytes(self._text)))
                self._text, self._skips = None, True

    def _end_noise(self, found: list[Item]) -> None:
        if self._noise:
            found.append(Refusal("garbage", bytes(self._noise)))
            self._noise.clear()


def write_text(body: bytes) -> bytes:
    """The bytes of one text."""
    return bytes([STX, *body, ETX])
