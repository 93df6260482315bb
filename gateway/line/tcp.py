"""TCP lines: `tcp:` dials, `listen:` waits for the PMS and keeps the newest peer."""

import asyncio
import contextlib
import socket
from typing import Final

from gateway.line.base import MAX_UNWRITTEN_BYTES, READ_BYTES, Line, LineFailed
from gateway.line.spec import ListenSpec, TcpSpec

DIAL_WITHIN_S: Final = 10.0

# A half-open peer (power cut, cable) is noticed within 10 + 3 * 5 = 25 seconds.
KEEPALIVE_IDLE_S: Final = 10
KEEPALIVE_INTERVAL_S: Final = 5
KEEPALIVE_PROBES: Final = 3
UNACKED_MS: Final = 20_000


class TcpLine:
    """One TCP connection, either way round."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._lost = asyncio.Event()
        peer = writer.get_extra_info("peername") or ("?", 0)
        self._peer = f"{peer[0]}:{peer[1]}"
        _watch(writer.get_extra_info("socket"))

    async def read(self) -> bytes:
        if self._lost.is_set():
            return b""
        try:
            return await self._reader.read(READ_BYTES)
        except (OSError, EOFError):
            return b""

    async def write(self, data: bytes) -> None:
        if self._writer.is_closing():
            raise LineFailed(f"{self._peer} is gone")
        if self._writer.transport.get_write_buffer_size() > MAX_UNWRITTEN_BYTES:
            raise LineFailed(f"{self._peer} takes no bytes: is its program hanging?")
        self._writer.write(data)

    async def close(self) -> None:
        with contextlib.suppress(OSError, TimeoutError):
            # What was said last (LE, an ACK) still leaves; nobody waits longer for it.
            async with asyncio.timeout(0.5):
                await self._writer.drain()
        self._writer.close()

    def replace(self) -> None:
        """A newer peer has come: this one reads as lost."""
        self._lost.set()
        self._writer.close()
        self._reader.feed_eof()

    def describe(self) -> str:
        return f"tcp {self._peer}"

    def error_counts(self) -> dict[str, int] | None:
        return None


class DialOpener:
    """Dials the PMS."""

    def __init__(self, spec: TcpSpec) -> None:
        self._spec = spec

    async def open(self) -> Line:
        try:
            async with asyncio.timeout(DIAL_WITHIN_S):
                reader, writer = await asyncio.open_connection(self._spec.host, self._spec.port)
        except TimeoutError:
            raise LineFailed(
                f"{self._spec}: no answer within {DIAL_WITHIN_S:.0f} s; check address and firewall"
            ) from None
        except OSError as error:
            raise LineFailed(
                f"{self._spec}: {error.strerror or error}; is the PMS's interface program running?"
            ) from error
        return TcpLine(reader, writer)

    async def close(self) -> None:
        pass  # nothing stays open between two dials

    def describe(self) -> str:
        return str(self._spec)


class ListenOpener:
    """Listens for the PMS. One peer at a time: a newer one replaces the older.

    A PMS that was restarted dials again long before its old connection is known to be dead.
    """

    def __init__(self, spec: ListenSpec) -> None:
        self._spec = spec
        self._server: asyncio.Server | None = None
        self._newest: TcpLine | None = None
        self._current: TcpLine | None = None
        self._came = asyncio.Event()

    @property
    def port(self) -> int:
        """The port that is listened on, once `open` was called."""
        if self._server is None:
            return self._spec.port
        return int(self._server.sockets[0].getsockname()[1])

    async def listen(self) -> None:
        """Bind the address. Raises LineFailed when somebody else has it."""
        if self._server is not None:
            return
        try:
            self._server = await asyncio.start_server(
                self._accept, self._spec.host, self._spec.port
            )
        except OSError as error:
            raise LineFailed(
                f"{self._spec}: {error.strerror or error}; is another gateway running?"
            ) from error

    async def open(self) -> Line:
        await self.listen()
        while self._newest is None:
            self._came.clear()
            await self._came.wait()
        self._current, self._newest = self._newest, None
        return self._current

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        if self._newest is not None:
            self._newest.replace()

    def describe(self) -> str:
        return str(self._spec)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for older in (self._current, self._newest):
            if older is not None:
                older.replace()
        self._newest = TcpLine(reader, writer)
        self._came.set()


def _watch(sock: socket.socket | None) -> None:
    """Let the kernel find out that a silent peer is dead."""
    if sock is None:
        return
    with contextlib.suppress(OSError):  # a platform without one of these keeps its defaults
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_PROBES)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKED_MS)
