"""Frames as FIAS writes them.

serial   STX  body ........ ETX  LRC
TCP      STX  body ........ ETX           nothing follows unless the site says so

Source: FIAS 2.20.24, serial and TCP transport.
"""

from typing import Final

from protocols.cutter import Cutter
from protocols.fias.controls import MAX_BODY_BYTES, RECORD_START_BYTES, begins_record
from protocols.fias.wire import ENVELOPE, ENVELOPE_WITH_LRC
from protocols.framing import FrameReader, Starts

STARTS: Final = Starts(ahead=RECORD_START_BYTES, tell=begins_record)


def frame_reader(*, lrc: bool, handshake: bool) -> FrameReader:
    """One that finds them in a stream."""
    return FrameReader(lrc=lrc, handshake=handshake, longest=MAX_BODY_BYTES, starts=STARTS)


def cutter(*, lrc: bool) -> Cutter:
    """One that cuts a stream at them."""
    return Cutter(lrc=lrc, longest=MAX_BODY_BYTES, starts=STARTS)


def write_frame(body: bytes, *, lrc: bool) -> bytes:
    """One body as it goes over the line.

    body    neither STX nor ETX in it (the codec sees to that)
    """
    checked = {"checked": {"value": {"body": body}}}
    return bytes((ENVELOPE_WITH_LRC if lrc else ENVELOPE).build(checked))
