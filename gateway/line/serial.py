"""A serial port through pyserial-asyncio, used narrowly: the only file that knows it."""

import asyncio
import contextlib
import os
import select
import termios
from typing import Final

import serial
from serial_asyncio import SerialTransport, connection_for_serial

from gateway.line.base import MAX_UNWRITTEN_BYTES, READ_BYTES, Line, LineFailed
from gateway.line.port import count_errors, modem_lines, open_port
from gateway.line.spec import SerialSpec

MAX_UNREAD_BYTES: Final = 1 << 20
"""While the disk is full nobody reads: a quarter of an hour at 9,600 baud. A port cannot make its
peer wait, so what comes after that is lost, and a peer that hears no ACK knows."""


class _Port(serial.Serial):
    """A port of which the loop says when there is something to read: pyserial would ask again."""

    def read(self, size: int = 1) -> bytes:
        try:
            data = os.read(self.fileno(), size)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise serial.SerialException(str(error)) from error
        if not data and self._has_news():  # and yet it says nothing
            raise serial.SerialException("the device is gone")
        return data

    def _has_news(self) -> bool:
        poll = select.poll()
        poll.register(self.fileno(), select.POLLIN)
        return bool(poll.poll(0))


class _Reader(asyncio.Protocol):
    """Collects what the port delivers."""

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.arrived = asyncio.Event()
        self.is_lost = False
        self.transport: SerialTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        self.arrived.set()
        if len(self.buffer) > MAX_UNREAD_BYTES and self.transport is not None:
            self.transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's shape
        self.is_lost = True
        self.arrived.set()


class SerialLine:
    """One open serial port."""

    def __init__(self, spec: SerialSpec, transport: SerialTransport, reader: _Reader) -> None:
        self._spec, self._transport, self._reader = spec, transport, reader

    async def read(self) -> bytes:
        while not self._reader.buffer:
            if self._reader.is_lost:
                return b""
            self._reader.arrived.clear()
            await self._reader.arrived.wait()
        data = bytes(self._reader.buffer[:READ_BYTES])  # no more at once: others share the loop
        del self._reader.buffer[:READ_BYTES]
        if not self._reader.is_lost:
            self._transport.resume_reading()
        return data

    async def write(self, data: bytes) -> None:
        if self._reader.is_lost:
            raise LineFailed(f"{self._spec.path} is gone: is the adapter still plugged in?")
        if self._transport.get_write_buffer_size() > MAX_UNWRITTEN_BYTES:
            raise LineFailed(f"{self._spec.path} takes no bytes: flow control must be off")
        data = data[self._write_now(data) :]
        if data:
            self._transport.write(data)

    def _write_now(self, data: bytes) -> int:
        """What the port takes at once; the transport would wait a turn of the loop, and an ACK
        with it. Returns how many bytes."""
        if self._transport.get_write_buffer_size():
            return 0
        try:
            return os.write(self._transport.serial.fileno(), data)
        except OSError:
            return 0  # full, or gone: the transport finds out

    async def close(self) -> None:
        # Never close() with data pending: it waits for a port that may be gone.
        for _ in range(5):
            if self._reader.is_lost or not self._unwritten():
                break
            await asyncio.sleep(0.1)
        if not self._reader.is_lost:
            if self._unwritten():
                # Closing waits, and with it everybody, until the port has sent what it holds.
                with contextlib.suppress(OSError, termios.error):
                    self._transport.serial.reset_output_buffer()
            self._transport.abort()
            # The port itself is closed a turn of the loop later; the next open needs it free.
            while not self._reader.is_lost:
                self._reader.arrived.clear()
                await self._reader.arrived.wait()

    def _unwritten(self) -> int:
        """Bytes that have not left yet, ours and the port's."""
        try:
            return int(self._transport.get_write_buffer_size() + self._transport.serial.out_waiting)
        except OSError:  # it is gone, and holds nothing
            return 0

    def describe(self) -> str:
        return str(self._spec)

    def error_counts(self) -> dict[str, int] | None:
        port = self._transport.serial
        if self._reader.is_lost or port is None or not port.is_open:
            return None
        return count_errors(port.fileno())

    def modem_lines(self) -> dict[str, bool] | None:
        port = self._transport.serial
        if self._reader.is_lost or port is None or not port.is_open:
            return None
        return modem_lines(port.fileno())


class SerialOpener:
    """Opens one port again and again: an unplugged adapter is an outage, not an end."""

    def __init__(self, spec: SerialSpec) -> None:
        self._spec = spec

    async def open(self) -> Line:
        # Opening may block for seconds on some adapters.
        port = await asyncio.to_thread(open_port, self._spec, _Port)
        loop = asyncio.get_running_loop()
        transport, reader = await connection_for_serial(loop, _Reader, port)
        return SerialLine(self._spec, transport, reader)

    async def close(self) -> None:
        pass  # the port belongs to the line

    def describe(self) -> str:
        return str(self._spec)
