"""Notes on the bytes as such, the port and the connection."""

import re
from typing import Final

from gateway.scope.explain.marks import Mark
from gateway.scope.explain.sight import Sight
from protocols.framing import is_good_frame
from protocols.stream import ENQ, STX
from protocols.transcript import Closed, Counted, Modem, Opened, Spoken, Step

AT_ONCE_S: Final = 5.0
"""A connection that ends within this time, without a word, was not wanted."""

REPLACED_S: Final = 2.0

_TELNET: Final = re.compile(rb"\xff[\xfb-\xfe].", re.DOTALL)
"""WILL, WON'T, DO, DON'T and an option (RFC 854)."""
_CALL: Final = b"\x02LS"
_MODEM: Final = frozenset({"CTS", "DSR", "DCD", "RI", "RTS", "DTR"})
_COUNTERS: Final = {
    "framing": Mark.DRIVER_FRAMING,
    "parity": Mark.DRIVER_PARITY,
    "overrun": Mark.DRIVER_OVERRUN,
    "break": Mark.DRIVER_BREAK,
}


def _comes_in_pairs(byte: int) -> bool:
    # A start bit of twice the length is the start bit and a 0; after that each bit comes twice.
    return not byte & 1 and all((byte >> bit & 1) == (byte >> bit + 1 & 1) for bit in (1, 3, 5))


_SHAPES: Final = {
    Mark.TEXT_BYTES: bytes(range(0x20, 0x7F)) + b"\r\n\t\f",
    Mark.SEVEN_BIT_BYTES: bytes(
        byte | high
        for byte in b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789|#\x02\x03\x05\x06\x15"
        for high in (0, 0x80)
    ),
    Mark.HIGH_BYTES: bytes(range(0x80, 0x100)),
    Mark.NUL_BYTES: b"\x00",
    Mark.STX_BYTES: bytes([STX]),
    Mark.ODD_BYTES: bytes(byte for byte in range(256) if byte.bit_count() % 2),
    Mark.PAIRED_BYTES: bytes(byte for byte in range(256) if _comes_in_pairs(byte)),
    Mark.FOURFOLD_BYTES: b"\x00\x78\x80\xf8",
    # A lone ENQ, ACK, NAK, STX or ETX at twice our speed is over before half of it is read.
    Mark.SKIPPED_BYTES: b"\xf8\xf9\xfc\xfe\xff",
    # A start bit for the pulse, and ones: the rest of the time the line is at rest.
    Mark.GLITCH_BYTES: b"\xff\xfe\xfc\xf8\xf0\xe0\xc0\x80\x00",
}
"""What a byte looks like, by the settings under which it would be read so."""


def note_line(sight: Sight, step: Step) -> None:
    """What this step says of the port."""
    match step:
        case Spoken(from_pms=True):
            _heard(sight, step)
        case Spoken(data=data):
            _said(sight, data)
        case Opened():
            _opened(sight, step)
        case Closed():
            _closed(sight, step)
        case Modem(lines=lines):
            sight.port.modem |= {name: on for name, on in lines.items() if name in _MODEM}
            sight.note_step(Mark.MODEM, step)
        case Counted(errors=errors):
            for name, count in errors.items():
                if name in _COUNTERS:
                    sight.note_step(_COUNTERS[name], step, count)
        case _:
            pass  # pauses, settings and comments are no news of the port


def _heard(sight: Sight, step: Spoken) -> None:
    data = step.data
    port = sight.port
    port.heard_at, port.heard_now, port.calls = sight.now, True, 0
    if not sight.profile.is_serial:
        for _ in _TELNET.finditer(data):
            sight.note_step(Mark.TELNET, step)
    if is_good_frame(data, has_check=sight.profile.lrc):
        return  # the settings are right: nothing to be seen in its bytes
    sight.note(Mark.BYTES, count=len(data))
    for mark, shape in _SHAPES.items():
        sight.note(mark, count=len(data) - len(data.translate(None, shape)))


def _said(sight: Sight, data: bytes) -> None:
    sight.said(data)
    asks = sight.profile.dialect.asks_first
    calls = data.count(
        bytes([ENQ]) if asks else _CALL
    )  # a description in many records is one call, and has had its LS
    if calls and not sight.port.calls:
        sight.port.calling_at = sight.now
    sight.port.calls += calls


def _opened(sight: Sight, step: Opened) -> None:
    port = sight.port
    was_there = port.is_open or (
        port.closed_at is not None and sight.now - port.closed_at <= REPLACED_S
    )
    if was_there and port.heard_now:
        sight.note_step(Mark.REPLACED, step)
    port.is_open, port.opened_at, port.heard_now, port.calls = True, sight.now, False, 0


def _closed(sight: Sight, step: Closed) -> None:
    port = sight.port
    sight.note_step(Mark.CLOSED, step)
    if not port.heard_now and (not port.is_open or sight.now - port.opened_at <= AT_ONCE_S):
        sight.note_step(Mark.CLOSED_AT_ONCE, step)
    port.is_open, port.closed_at = False, sight.now
