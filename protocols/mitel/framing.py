"""A text between STX and ETX, without a check byte.

Source: MiVoice Business help, PMS interface.
"""

from protocols.cutter import Cutter
from protocols.framing import FrameReader
from protocols.mitel.controls import MAX_TEXT_BYTES
from protocols.stream import ETX, STX


def frame_reader() -> FrameReader:
    """One that finds texts in a stream."""
    return FrameReader(lrc=False, handshake=True, longest=MAX_TEXT_BYTES)


def cutter() -> Cutter:
    """One that cuts a stream at them."""
    return Cutter(lrc=False, longest=MAX_TEXT_BYTES)


def write_text(body: bytes) -> bytes:
    """The bytes of one text."""
    return bytes([STX, *body, ETX])
