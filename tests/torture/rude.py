"""Peers without manners, on raw file descriptors: they reset, unplug, go dark and never read."""

import asyncio
import ctypes
import fcntl
import os
import pty
import socket
import struct
import termios
import tty
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gateway.line import ListenSpec, SerialSpec, TcpSpec
from gateway.line.tcp import ListenOpener
from tests.torture.bench import Bench

_SO_ATTACH_FILTER: Final = 26  # asm-generic/socket.h
_DROP_ALL: Final = struct.pack("HBBI", 0x06, 0, 0, 0)  # BPF: return 0, take no byte


def reset(sock: socket.socket) -> None:
    """Close with a RST, as a crashed or firewalled peer does."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def go_dark(sock: socket.socket) -> None:
    """From now on no packet reaches this socket, and so none is answered: its power is cut."""
    program = ctypes.create_string_buffer(_DROP_ALL)
    sock.setsockopt(
        socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(program))
    )


def unacknowledged(sock: socket.socket) -> int:
    """Bytes that this socket's kernel would still say again."""
    return int.from_bytes(fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4)), "little")


@dataclass(slots=True)
class Outlet:
    """Where a serial adapter is plugged in: a path behind which ptys come and go."""

    path: Path
    master: int = -1
    _slave: int = -1

    def plug_in(self) -> None:
        """A new device behind the old name."""
        self.master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self.master, False)
        fresh = self.path.with_suffix(".new")
        fresh.symlink_to(os.ttyname(self._slave))
        fresh.replace(self.path)

    def pull_out(self) -> None:
        """Both ends of the pty and its name are gone."""
        self.path.unlink()
        os.close(self.master)
        os.close(self._slave)

    def write(self, data: bytes) -> int:
        """As much as the device takes."""
        try:
            return os.write(self.master, data)
        except BlockingIOError:
            return 0


@dataclass(slots=True)
class Medium:
    """One way to reach the gateway, and to leave it.

    connect     gives what writes to the gateway; may wait
    lose        breaks it in the rudest way
    """

    spec: TcpSpec | ListenSpec | SerialSpec
    connect: Callable[[Bench], Awaitable[Callable[[bytes], object]]]
    lose: Callable[[], None]
    close: Callable[[], None] = field(default=lambda: None)


def medium_of(kind: str, folder: Path) -> Medium:
    """`tcp`: the gateway dials; `listen`: it is dialled; `pty`: a serial adapter."""
    loop = asyncio.get_running_loop()
    peers: list[socket.socket] = []

    def lose_peer() -> None:
        while peers:
            reset(peers.pop())

    if kind == "pty":
        outlet = Outlet(folder / "adapter")

        async def plug_in(bench: Bench) -> Callable[[bytes], object]:
            before = bench.opener.opened
            outlet.plug_in()
            # What is said to a port that nobody has open is lost on every serial line.
            await bench.until(lambda: bench.opener.opened > before, 60)
            return outlet.write

        return Medium(SerialSpec(str(outlet.path)), plug_in, outlet.pull_out)
    if kind == "tcp":
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)  # a deaf one is full soon
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.setblocking(False)

        async def take(_: Bench) -> Callable[[bytes], object]:
            peer, _ = await loop.sock_accept(server)
            peers.append(peer)
            return peer.send

        return Medium(TcpSpec(*server.getsockname()), take, lose_peer, server.close)

    async def dial(bench: Bench) -> Callable[[bytes], object]:
        await bench.until(lambda: listening_port(bench) != 0)
        peers.append(socket.create_connection(("127.0.0.1", listening_port(bench))))
        return peers[-1].send

    return Medium(ListenSpec("127.0.0.1", 0), dial, lose_peer)


def listening_port(bench: Bench) -> int:
    """Where this bench listens; 0: not yet."""
    opener = bench.opener.opener
    assert isinstance(opener, ListenOpener)
    return opener.port
