"""One serial port of this machine: opening it for us alone, and what its driver tells of it."""

import contextlib
import errno
import fcntl
import struct
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import serial

from gateway.line.base import LineFailed
from gateway.line.spec import SerialSpec

_TIOCGICOUNT: Final = 0x545D  # asm-generic/ioctls.h; Python's termios has no name for it
_COUNTERS: Final = struct.Struct("20i")  # linux/serial.h: eleven counters, nine reserved
_STATE: Final = struct.Struct("I")

_MODEM_LINES: Final = {
    "DTR": termios.TIOCM_DTR,
    "RTS": termios.TIOCM_RTS,
    "CTS": termios.TIOCM_CTS,
    "DSR": termios.TIOCM_DSR,
    "DCD": termios.TIOCM_CD,
    "RI": termios.TIOCM_RI,
}

_HINTS: Final = {
    errno.ENOENT: "no such device: is the adapter plugged in, and is the path its stable name?",
    errno.EACCES: "no permission: add the service's user to the group dialout",
    errno.EBUSY: "another program has the port open: end it (fuser shows which)",
    errno.EAGAIN: "another program has the port open: end it (fuser shows which)",
    errno.ENOTTY: "this is no serial port",
}


class Port(serial.Serial):
    """A port whose handshake lines need not work: FIAS uses none, and some adapters answer the wish
    to set one with EPROTO, EPIPE, EIO or ETIMEDOUT.

    unset   the handshake lines that could not be set
    """

    unset: tuple[str, ...] = ()

    def _update_dtr_state(self) -> None:
        self._try("DTR", super()._update_dtr_state)  # type: ignore[misc]

    def _update_rts_state(self) -> None:
        self._try("RTS", super()._update_rts_state)  # type: ignore[misc]

    def _try(self, name: str, set_line: Callable[[], None]) -> None:
        try:
            set_line()
        except OSError as error:
            # A pty has no such lines at all; none are expected there.
            if error.errno not in (errno.EINVAL, errno.ENOTTY):
                self.unset = (*self.unset, name)


@contextmanager
def port_errors(spec: SerialSpec) -> Iterator[None]:
    """What a port refuses, as a LineFailed that says what to do."""
    try:
        yield
    except (OSError, ValueError, termios.error) as error:
        cause = error.__context__ if isinstance(error.__context__, termios.error) else error
        number = getattr(cause, "errno", None) or (cause.args[0] if cause.args else None)
        hint = _HINTS.get(number) if isinstance(number, int) else None
        if number == errno.EINVAL:
            hint = f"this port cannot do {spec.mode}: its driver refuses the speed or the format"
        raise LineFailed(f"{spec.path}: {hint or error}") from error


def open_port(spec: SerialSpec) -> Port:
    """The port, exclusively; it may block for seconds on some adapters. Raises LineFailed."""
    with port_errors(spec):
        port = Port(
            spec.path,
            spec.baud,
            bytesize=spec.data_bits,
            parity=spec.parity,
            stopbits=spec.stop_bits,
            exclusive=True,
        )
    with contextlib.suppress(OSError):  # a pty has no such lock
        fcntl.ioctl(port.fileno(), termios.TIOCEXCL)
    return port


def count_errors(descriptor: int) -> dict[str, int] | None:
    """What the driver has counted since the port exists; None: it cannot count."""
    try:
        raw = fcntl.ioctl(descriptor, _TIOCGICOUNT, bytes(_COUNTERS.size))
    except OSError:  # a pty, a pl2303: the driver cannot count, and zero would be a lie
        return None
    _, _, _, _, _, _, framing, overrun, parity, breaks, buffer_overrun, *_ = _COUNTERS.unpack(raw)
    return {
        "framing": framing,
        "parity": parity,
        "overrun": overrun + buffer_overrun,
        "break": breaks,
    }


def modem_lines(descriptor: int) -> dict[str, bool] | None:
    """The handshake lines as they are now; None: the port has none (a pty)."""
    try:
        raw = fcntl.ioctl(descriptor, termios.TIOCMGET, bytes(_STATE.size))
    except OSError:
        return None
    (state,) = _STATE.unpack(raw)
    return {name: bool(state & bit) for name, bit in _MODEM_LINES.items()}


def mark_errors(descriptor: int) -> None:
    """Deliver a damaged byte as FF 00 and the byte, a real FF as FF FF. See `unmark`.

    Setting the speed through pyserial takes the marks away again.
    """
    attributes = termios.tcgetattr(descriptor)
    attributes[0] |= termios.INPCK | termios.PARMRK
    attributes[0] &= ~(termios.IGNPAR | termios.ISTRIP)
    termios.tcsetattr(descriptor, termios.TCSANOW, attributes)


def unmark(marked: bytes) -> tuple[bytes, frozenset[int]]:
    """The bytes of a port with `mark_errors`, and the places of the damaged ones among them.

    A mark that was cut off at the end is left out.
    """
    data, damaged = bytearray(), set()
    position = 0
    while position < len(marked):
        width, byte = 1, marked[position]
        if byte == 0xFF:
            mark = marked[position + 1 : position + 3]
            if mark[:1] == b"\x00" and len(mark) == 2:
                width, byte = 3, mark[1]
                damaged.add(len(data))
            elif mark[:1] == b"\xff":
                width = 2
            else:
                break
        data.append(byte)
        position += width
    return bytes(data), frozenset(damaged)
