"""TCP lines: `tcp:` dials, `listen:` waits for the PMS and keeps the newest peer."""

import asyncio
import contextlib
import os
import re
import socket
from collections import deque
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final

from gateway.line.base import MAX_UNWRITTEN_BYTES, READ_BYTES, Line, LineFailed
from gateway.line.gate import Gate
from gateway.line.spec import ListenSpec, TcpSpec

DIAL_WITHIN_S: Final = 10.0
CALL_WITHIN_S: Final = 2.0
"""For an address that needs no name server: the kernel repeats its call to a silent host after 1,
3 and 7 s, so a new call every few seconds finds one that is back sooner."""

# A half-open peer (power cut, cable) is noticed within 10 + 3 * 5 = 25 seconds.
KEEPALIVE_IDLE_S: Final = 10
KEEPALIVE_INTERVAL_S: Final = 5
KEEPALIVE_PROBES: Final = 3
MOST_WAITING: Final = 16
MOST_HELD_BYTES: Final = 8 << 20
"""More than a kernel keeps for a socket that is not read (net.ipv4.tcp_rmem, 6 MB at most)."""
_FRAME: Final = re.compile(rb"\x02[^\x03]*\x03")


class TcpLine(asyncio.Protocol):
    """One TCP connection, either way round.

    The buffer is our own: what a peer said before it closed, was replaced or reset the connection
    is still read, because a PMS without ACK will never say it again.
    """

    def __init__(
        self,
        gate: Gate,
        on_made: Callable[["TcpLine"], None] | None = None,
        on_data: Callable[["TcpLine"], None] | None = None,
    ) -> None:
        self._gate, self._on_made, self._on_data = gate, on_made, on_data
        self._buffer = bytearray()
        self._arrived = asyncio.Event()
        self._lost = False
        self._transport: asyncio.Transport | None = None
        self._peer = "?"

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # TCP has no other
        self._transport = transport
        peer = transport.get_extra_info("peername") or ("?", 0)
        self._peer = f"{peer[0]}:{peer[1]}"
        _watch(transport.get_extra_info("socket"), self._gate.unacked_s)
        if self._on_made is not None:
            self._on_made(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._arrived.set()
        if len(self._buffer) > READ_BYTES and self._transport is not None:
            self._transport.pause_reading()  # the peer waits, as it must when the disk does
        if self._on_data is not None:
            self._on_data(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's shape
        self._lost = True
        self._arrived.set()

    # The line's side

    @property
    def peer_address(self) -> str:
        """Who is at the other end, without the port."""
        return self._peer.rpartition(":")[0]

    @property
    def has_said_a_frame(self) -> bool:
        """A whole frame waits to be read: the least that every dialect calls one."""
        return _FRAME.search(self._buffer) is not None

    @property
    def is_lost(self) -> bool:
        """The connection is gone."""
        return self._lost

    @property
    def has_nothing_left(self) -> bool:
        """Lost, and all it said has been read."""
        return self._lost and not self._buffer

    async def read(self) -> bytes:
        while not self._buffer:
            if self._lost:
                return b""
            self._arrived.clear()
            await self._arrived.wait()
        # Who says too much is not read for a while, so that the kernel lets it wait.
        while pause := self._gate.pause_s(asyncio.get_running_loop().time()):  # noqa: ASYNC110
            await asyncio.sleep(pause)
        data = bytes(self._buffer[:READ_BYTES])  # no more at once: others share the loop
        del self._buffer[:READ_BYTES]
        self._gate.passed(len(data))
        if not self._lost and self._transport is not None:
            self._transport.resume_reading()
        return data

    async def write(self, data: bytes) -> None:
        if self._transport is None or self._lost or self._transport.is_closing():
            if self._buffer:
                return  # the answer cannot be heard, but what was said before is still to be read
            raise LineFailed(f"{self._peer} is gone")
        if self._transport.get_write_buffer_size() > MAX_UNWRITTEN_BYTES:
            raise LineFailed(f"{self._peer} takes no bytes: is its program hanging?")
        self._transport.write(data)

    async def close(self) -> None:
        if self._transport is None:
            return
        for _ in range(5):  # what was said last (LE, an ACK) still leaves; nothing waits longer
            if self._lost or not self._transport.get_write_buffer_size():
                break
            await asyncio.sleep(0.1)
        self._let_go()

    def _let_go(self) -> None:
        """A peer that takes no bytes would keep a closing socket open until the kernel gives up."""
        if self._transport is None:
            return
        if self._transport.get_write_buffer_size():
            self._transport.abort()
        else:
            self._transport.close()

    def abort(self) -> None:
        """Drop the connection at once, as a cut cable does."""
        if self._transport is not None:
            self._transport.abort()

    def replace(self) -> None:
        """A newer peer has come: this one reads as lost, once what it said is read."""
        self._take_what_came()
        self._lost = True
        self._arrived.set()
        self._let_go()

    def _take_what_came(self) -> None:
        """While nothing is read, the kernel keeps what the peer has said, and closing drops it."""
        if self._transport is None or self._lost:
            return
        descriptor = self._transport.get_extra_info("socket").fileno()
        left = MOST_HELD_BYTES  # one that goes on talking must not keep us here
        with contextlib.suppress(OSError):  # that was all of it
            while left > 0 and (data := os.read(descriptor, READ_BYTES)):
                self._buffer += data
                left -= len(data)

    def describe(self) -> str:
        return f"tcp {self._peer}"

    def error_counts(self) -> dict[str, int] | None:
        return None

    def modem_lines(self) -> dict[str, bool] | None:
        return None


class DialOpener:
    """Dials the PMS."""

    def __init__(self, spec: TcpSpec, gate: Gate) -> None:
        self._spec, self._gate = spec, gate
        self._within_s = DIAL_WITHIN_S
        with contextlib.suppress(ValueError):
            ip_address(spec.host)
            self._within_s = CALL_WITHIN_S
        self._within_s = min(self._within_s, gate.unacked_s)

    async def open(self) -> Line:
        try:
            async with asyncio.timeout(self._within_s):
                loop = asyncio.get_running_loop()
                _, line = await loop.create_connection(
                    lambda: TcpLine(self._gate), self._spec.host, self._spec.port
                )
        except TimeoutError:
            raise LineFailed(
                f"{self._spec}: no answer within {self._within_s:g} s; check address and firewall"
            ) from None
        except (OSError, UnicodeError) as error:  # UnicodeError: a host name that can be none
            why = getattr(error, "strerror", None) or error
            raise LineFailed(
                f"{self._spec}: {why}; is the PMS's interface program running?"
            ) from error
        return line

    async def close(self) -> None:
        pass  # nothing stays open between two dials

    def describe(self) -> str:
        return str(self._spec)


class ListenOpener:
    """Listens for the PMS. One peer at a time: a newer one replaces the older with its first whole
    frame.

    A PMS that was restarted dials again long before its old connection is known to be dead. But a
    monitor that dials only to see whether the port is open must not throw the PMS out.
    """

    def __init__(self, spec: ListenSpec, gate: Gate) -> None:
        self._spec, self._gate = spec, gate
        self._server: asyncio.Server | None = None
        self._waiting: deque[TcpLine] = deque()
        self._current: TcpLine | None = None
        self._silent: deque[TcpLine] = deque(maxlen=MOST_WAITING)  # beside one that is served
        self._came = asyncio.Event()

    @property
    def port(self) -> int:
        """The port that is listened on, once `open` was called."""
        if self._server is None:
            return self._spec.port
        return int(self._server.sockets[0].getsockname()[1])

    async def listen(self) -> None:
        """Bind the address. Raises LineFailed when another process has it."""
        if self._server is not None:
            return
        try:
            self._server = await asyncio.get_running_loop().create_server(
                lambda: TcpLine(self._gate, self._accept, self._listen_to),
                self._spec.host,
                self._spec.port,
            )
        except (OSError, UnicodeError) as error:  # UnicodeError: a host name that can be none
            why = getattr(error, "strerror", None) or error
            raise LineFailed(f"{self._spec}: {why}; is another gateway running?") from error

    async def open(self) -> Line:
        await self.listen()
        while True:
            while self._waiting:
                line = self._waiting.popleft()
                if not line.has_nothing_left:  # one that spoke and left is still worth reading
                    self._current = line
                    return line
            self._current = None  # a caller that asks for the next line has done with the last one
            if self._silent:
                self._waiting.append(self._silent.pop())
                continue
            self._came.clear()
            await self._came.wait()

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for line in (*self._waiting, *self._silent):
            line.replace()

    def describe(self) -> str:
        return str(self._spec)

    def _accept(self, line: TcpLine) -> None:
        # While the disk is full no line is taken, and a peer may dial without end.
        self._waiting = deque(each for each in self._waiting if not each.has_nothing_left)
        if not self._gate.lets_in(line.peer_address, asyncio.get_running_loop().time()):
            line.abort()
            return
        if len(self._waiting) >= MOST_WAITING:
            self._gate.refuse(line.peer_address)
            line.abort()
            return
        if self._current is None and not self._waiting:
            self._waiting.append(line)
            self._came.set()
            return
        self._silent = deque(
            (each for each in self._silent if not each.is_lost), maxlen=MOST_WAITING
        )
        if len(self._silent) == MOST_WAITING:
            self._silent.popleft().abort()
        self._silent.append(line)

    def _listen_to(self, line: TcpLine) -> None:
        """A peer has said something; one that says a whole frame takes the place of the older."""
        if line not in self._silent or not line.has_said_a_frame:
            return
        self._silent.remove(line)
        for older in (self._current, *self._waiting):
            if older is not None:
                older.replace()
        self._waiting.append(line)
        self._came.set()


def _watch(sock: socket.socket | None, unacked_s: float) -> None:
    """Let the kernel find out that a silent peer is dead."""
    if sock is None:
        return
    with contextlib.suppress(OSError):  # a platform without one of these keeps its defaults
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_PROBES)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(unacked_s * 1000))
