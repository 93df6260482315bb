"""A serial port through pyserial-asyncio, used narrowly: the only file that knows it."""

import asyncio
import contextlib
import termios
from typing import Final

from serial_asyncio import SerialTransport, connection_for_serial

from gateway.line.base import MAX_UNWRITTEN_BYTES, READ_BYTES, Line, LineFailed
from gateway.line.port import count_errors, modem_lines, open_port, port_errors
from gateway.line.spec import SerialSpec
from gateway.logs import logger

MAX_UNREAD_BYTES: Final = 1 << 20
"""While the disk is full the line is not read: a quarter of an hour at 9,600 baud. A port cannot
make its peer wait, so what comes after that is lost, and a peer that hears no ACK knows."""


class SerialLine(asyncio.Protocol):
    """One open serial port."""

    _transport: SerialTransport  # from `connection_made` on

    def __init__(self, spec: SerialSpec) -> None:
        self._spec = spec
        self._buffer = bytearray()
        self._arrived = asyncio.Event()
        self._lost = False

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._arrived.set()
        if len(self._buffer) > MAX_UNREAD_BYTES:
            self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's shape
        self._lost = True
        self._arrived.set()

    # The line's side

    async def read(self) -> bytes:
        while not self._buffer:
            if self._lost:
                return b""
            self._arrived.clear()
            await self._arrived.wait()
        data = bytes(self._buffer[:READ_BYTES])  # no more at once: others share the loop
        del self._buffer[:READ_BYTES]
        if not self._lost:
            self._transport.resume_reading()
        return data

    async def write(self, data: bytes) -> None:
        if self._lost:
            raise LineFailed(f"{self._spec.path} is gone: is the adapter still plugged in?")
        if self._transport.get_write_buffer_size() > MAX_UNWRITTEN_BYTES:
            raise LineFailed(f"{self._spec.path} takes no bytes: flow control must be off")
        self._transport.write(data)

    async def close(self) -> None:
        # Never close() with data pending: it waits for a port that may be gone.
        for _ in range(5):
            if self._lost or not self._unwritten():
                break
            await asyncio.sleep(0.1)
        if not self._lost:
            if self._unwritten():
                # Closing waits, and with it everybody, until the port has sent what it holds.
                with contextlib.suppress(OSError, termios.error):
                    self._transport.serial.reset_output_buffer()
            self._transport.abort()
            # The port itself is closed a turn of the loop later; the next open needs it free.
            while not self._lost:
                self._arrived.clear()
                await self._arrived.wait()

    def _unwritten(self) -> int:
        """Bytes that have not left yet, ours and the port's."""
        try:
            return int(self._transport.get_write_buffer_size() + self._transport.serial.out_waiting)
        except OSError:  # it is gone, and holds nothing
            return 0

    def describe(self) -> str:
        return str(self._spec)

    def error_counts(self) -> dict[str, int] | None:
        return count_errors(self._transport.serial.fileno()) if self._is_open else None

    def modem_lines(self) -> dict[str, bool] | None:
        return modem_lines(self._transport.serial.fileno()) if self._is_open else None

    @property
    def _is_open(self) -> bool:
        port = self._transport.serial
        return not self._lost and port is not None and port.is_open


class SerialOpener:
    """Opens one port again and again: an unplugged adapter is an outage, not an end."""

    def __init__(self, spec: SerialSpec) -> None:
        self._spec = spec
        self._told_unset = False

    async def open(self) -> Line:
        # Opening may block for seconds on some adapters.
        port = await asyncio.to_thread(open_port, self._spec)
        if port.unset and not self._told_unset:
            self._told_unset = True
            names = " and ".join(port.unset)
            do = "nothing: FIAS needs no handshake lines; if the PMS waits for one, bridge it"
            logger().warning("handshake_lines_not_set", port=self._spec.path, lines=names, do=do)
        loop = asyncio.get_running_loop()
        line = SerialLine(self._spec)
        try:
            with port_errors(self._spec):
                transport, _ = await connection_for_serial(loop, lambda: line, port)
        except LineFailed:
            port.close()
            raise
        line.connection_made(transport)  # the loop tells it a turn later
        return line

    async def close(self) -> None:
        pass  # the port belongs to the line

    def describe(self) -> str:
        return str(self._spec)
