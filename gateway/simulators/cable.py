"""A pseudo-terminal as a serial cable: the simulated PMS has one end, the gateway the other."""

import asyncio
import os
import pty
import tty

from gateway.line import Line


class PtyLine:
    """The master side of a pseudo-terminal: a serial cable with both ends in this machine."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._buffer = bytearray()
        self._arrived = asyncio.Event()
        os.set_blocking(descriptor, False)
        asyncio.get_running_loop().add_reader(descriptor, self._take)

    def _take(self) -> None:
        try:
            self._buffer += os.read(self._descriptor, 4096)
        except OSError:
            pass  # the other end is not open just now
        self._arrived.set()

    async def read(self) -> bytes:
        while not self._buffer:
            self._arrived.clear()
            await self._arrived.wait()
            if not self._buffer:
                await asyncio.sleep(0.05)  # an unopened other end is always "ready"
        data = bytes(self._buffer)
        self._buffer.clear()
        return data

    async def write(self, data: bytes) -> None:
        try:
            os.write(self._descriptor, data)
        except OSError:
            pass  # a cable with nothing at the other end takes bytes and loses them

    async def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)

    def describe(self) -> str:
        return "pty"

    def error_counts(self) -> dict[str, int] | None:
        return None

    def modem_lines(self) -> dict[str, bool] | None:
        return None


class PtyOpener:
    """Makes a pseudo-terminal; `path` is what the gateway opens as its serial port."""

    def __init__(self) -> None:
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)

    async def open(self) -> Line:
        return PtyLine(self._master)

    async def close(self) -> None:
        os.close(self._master)
        os.close(self._slave)

    def describe(self) -> str:
        return self.path
