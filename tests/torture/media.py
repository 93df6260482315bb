"""The line on real sockets and pseudo-terminals: resets, unplugged cables, dead and deaf peers.

The peers here are raw file descriptors: they break every rule of good manners.
"""

import asyncio
import contextlib
import os
import random
import socket
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from gateway.line import ListenSpec, SerialSpec, TcpSpec
from gateway.line.base import MAX_UNWRITTEN_BYTES, READ_BYTES
from tests.torture.bench import Bench, Held, running, watching_the_loop
from tests.torture.figures import Figure, at_most, counted, none_of
from tests.torture.noise import framed
from tests.torture.rude import Outlet, go_dark, listening_port, medium_of, unacknowledged

LOSSES: Final = 1000
QUICK: Final = 20.0
KEPT_KIB: Final = 8192
BACK_WITHIN_S: Final = 3.0
NOTICED_WITHIN_S: Final = 30.0
BLOCKED_S: Final = 0.5


def on_real_media(scale: float, seed: int) -> list[Figure]:
    """All of it, one after the other."""
    return asyncio.run(_all(scale, random.Random(seed)))


async def _all(scale: float, rng: random.Random) -> list[Figure]:
    losses = max(10, int(LOSSES * scale))
    outage_s = max(4.0, 40.0 * scale)
    figures = []
    with TemporaryDirectory() as name:
        folder = Path(name)
        for kind in ("tcp", "listen", "pty"):
            figures += await many_losses(folder, kind, losses, rng)
        figures += await replaced(folder, max(10, int(100 * scale)))
        cures = [await cure(folder, kind, outage_s) for kind in ("tcp", "silent", "listen", "pty")]
        for kind, seconds in zip(("refused", "silent", "listening", "pty"), cures, strict=True):
            what = (
                f"first record taken after an outage of {outage_s:.0f} s, {kind}, s after the cure"
            )
            figures.append(at_most(what, seconds, BACK_WITHIN_S))
        if scale >= 0.5:  # half a minute each; the short form winds the same options down
            figures += await half_open(folder)
        for kind in ("tcp", "pty"):
            figures += await deaf_peer(folder, kind, max(2.0, 20.0 * scale))
        figures += await wrong_baud(folder, max(1.0, 10.0 * scale), rng)
    return figures


# --- A thousand losses ---


async def many_losses(folder: Path, kind: str, losses: int, rng: random.Random) -> list[Figure]:
    """Lost after a record, in the middle of one, before any, and while we write."""
    medium = medium_of(kind, folder)
    async with running(folder / kind, medium.spec, times=QUICK) as bench:
        held = None
        for number in range(losses):
            if number == max(5, losses // 5):  # everything that is made once has been made
                held = Held.now()
            say = await medium.connect(bench)
            room, frame = bench.record()
            match rng.randrange(4):
                case 0:
                    pass  # lost before it said anything
                case 1:
                    say(frame[: rng.randrange(1, len(frame))])
                case 2:
                    say(frame + b"\x05" * 100 + framed(b"LS|"))  # an answer is being written
                    await bench.taken(room)
                case _:
                    say(frame)
                    await bench.taken(room)
            medium.lose()
        say = await medium.connect(bench)
        room, frame = bench.record()
        say(frame)
        await bench.taken(room)
        assert held is not None
        after = Held.now()
        medium.lose()
        medium.close()
        complaints = [each for each in bench.complaints if "Fatal write error" not in each]
    name = {"tcp": "resets, we dial", "listen": "resets, we are dialled", "pty": "unplugged ptys"}
    return [
        counted(f"{name[kind]}: lines lost", losses),
        at_most(f"{name[kind]}: file descriptors more than before", after.descriptors - held.descriptors, 2),
        at_most(f"{name[kind]}: tasks more than before", after.tasks - held.tasks, 1),
        at_most(f"{name[kind]}: KiB more than before", after.kib - held.kib, KEPT_KIB),
        none_of(f"{name[kind]}: exceptions nobody caught {complaints[:1] or ''}", len(complaints)),
    ]  # fmt: skip


async def replaced(folder: Path, peers: int) -> list[Figure]:
    """Newer peers dial and speak while the older ones stay: only the newest keeps a line."""
    async with running(folder / "replaced", ListenSpec("127.0.0.1", 0)) as bench:
        await bench.until(lambda: listening_port(bench) != 0)
        address = ("127.0.0.1", listening_port(bench))
        before = Held.now()
        older = []
        for _ in range(peers):
            older.append(socket.create_connection(address))
            room, frame = bench.record()
            older[-1].send(frame)
            await bench.taken(room)
        more = Held.now().descriptors - before.descriptors - peers
        for peer in older:
            peer.close()
    return [at_most(f"{peers} peers at once, each newer: lines we keep", more, 1)]


# --- Back after an outage ---


async def cure(folder: Path, kind: str, outage_s: float, *, times: float = 1.0) -> float:
    """How long after the cure the first record is on disk, when the outage was a long one.

    times   how much quicker than ours the gateway's seconds are; all of these are its own
    """
    if kind == "silent":
        return await _cure_of_silence(folder, outage_s)
    medium = medium_of(kind, folder)
    async with running(folder / f"cure-{kind}", medium.spec, times=times) as bench:
        say = await medium.connect(bench)
        room, frame = bench.record()
        say(frame)
        await bench.taken(room)
        medium.lose()
        address = (medium.spec.host, medium.spec.port) if isinstance(medium.spec, TcpSpec) else None
        medium.close()
        await asyncio.sleep(outage_s / times)
        began = time.monotonic()
        if address:
            server = socket.create_server(address)
            server.setblocking(False)
            peer, _ = await asyncio.get_running_loop().sock_accept(server)
            say = peer.send
        else:
            say = await medium.connect(bench)
        room, frame = bench.record()
        say(frame)
        await bench.taken(room, 60)
        seconds = time.monotonic() - began
        if address:
            peer.close()
            server.close()
        else:
            medium.lose()
    return seconds * times


async def _cure_of_silence(folder: Path, outage_s: float) -> float:
    """A host that drops our calls: a listener whose queue is full drops them as a dead host does."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        address = server.getsockname()
        in_the_way = socket.create_connection(address)
        async with running(folder / "silent", TcpSpec(*address)) as bench:
            await asyncio.sleep(outage_s)
            assert not bench.opener.opened, "the host was not silent"
            began = time.monotonic()
            server.accept()[0].close()
            in_the_way.close()
            server.setblocking(False)
            peer, _ = await asyncio.get_running_loop().sock_accept(server)
            room, frame = bench.record()
            peer.send(frame)
            await bench.taken(room, 60)
            seconds = time.monotonic() - began
            peer.close()
    return seconds


# --- Dead, deaf and garbled peers ---


async def half_open(folder: Path) -> list[Figure]:
    """A peer whose power is cut, while nothing is said and while we speak."""
    quiet, busy = await asyncio.gather(
        noticed_after(folder / "quiet", speaks=False), noticed_after(folder / "busy", speaks=True)
    )
    return [
        at_most("a dead peer is noticed while nothing is said, s", quiet, NOTICED_WITHIN_S),
        at_most("a dead peer is noticed while we speak, s", busy, NOTICED_WITHIN_S),
    ]


async def noticed_after(folder: Path, *, speaks: bool) -> float:
    """Seconds until the pump gives up a line whose peer answers no packet any more."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        spec = TcpSpec(*server.getsockname())
        async with running(folder, spec, times=5, ack=speaks) as bench:
            peer, _ = await asyncio.get_running_loop().sock_accept(server)
            room, frame = bench.record()
            peer.send(frame)
            await bench.taken(room)
            if not speaks:  # let our LS leave: then nothing of ours is under way
                await bench.until(lambda: bench.pump.state == "calling")
                peer.send(b"\x02LA|\x03" + bytes([0x4C ^ 0x41 ^ 0x7C ^ 0x03]))
                await bench.until(lambda: bench.pump.state == "up")
            # A dead peer repeats nothing: all it ever said must have arrived before.
            await bench.until(lambda: unacknowledged(peer) == 0)
            go_dark(peer)
            began = time.monotonic()
            await bench.until(lambda: bench.pump.line == "", 90)
            seconds = time.monotonic() - began
            peer.close()
    return seconds


async def deaf_peer(folder: Path, kind: str, seconds: float) -> list[Figure]:
    """A peer that never reads, and makes us say much: XOFF held, a hung program."""
    medium = medium_of(kind, folder)
    lags: list[float] = []
    async with running(folder / f"deaf-{kind}", medium.spec, times=QUICK) as bench:
        say = await medium.connect(bench)
        await bench.until(lambda: bench.pump.state != "closed")
        narrow(bench)
        lines, held, unwritten = bench.opener.opened, Held.now(), 0
        known, until = lines, time.monotonic() + seconds
        async with watching_the_loop(lags):
            while time.monotonic() < until or (
                bench.opener.opened == lines and time.monotonic() < until + 20
            ):
                if kind == "tcp" and bench.opener.opened > known:
                    known = bench.opener.opened
                    say = await medium.connect(bench)  # the hung program keeps the old ones too
                    narrow(bench)
                with contextlib.suppress(OSError):
                    say(b"\x05" * 512)  # every ENQ is answered with a NAK
                unwritten = max(unwritten, _unwritten(bench))
                await asyncio.sleep(0.001)
        after = Held.now()
        given_up = bench.opener.opened - lines
        medium.lose()
        medium.close()
    # Each of its own sockets that hangs is a descriptor of this process too.
    more = after.descriptors - held.descriptors - (given_up if kind == "tcp" else 0)
    name = f"{kind}: a peer that never reads"
    return [
        Figure(f"{name}: lines given up", given_up, "at least 1", given_up > 0),
        at_most(f"{name}: bytes waiting for it", unwritten, MAX_UNWRITTEN_BYTES + READ_BYTES),
        at_most(f"{name}: KiB more than before", after.kib - held.kib, KEPT_KIB),
        at_most(f"{name}: descriptors more than before", more, 2),
        at_most(f"{name}: event loop blocked, s", max(lags), BLOCKED_S),
    ]


def narrow(bench: Bench) -> None:
    """Less room in our kernel's buffer, which takes megabytes before a write is refused."""
    transport = getattr(bench.opener.line, "_transport", None)
    if isinstance(transport, asyncio.Transport):
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)


def _unwritten(bench: Bench) -> int:
    transport = getattr(bench.opener.line, "_transport", None)
    try:
        return int(transport.get_write_buffer_size()) if transport is not None else 0
    except AttributeError:
        return 0  # closed meanwhile


async def wrong_baud(folder: Path, seconds: float, rng: random.Random) -> list[Figure]:
    """What a wrong speed reads like, XOFF among it; then the speed is right."""
    outlet = Outlet(folder / "baud")
    outlet.plug_in()
    async with running(folder / "wrong-baud", SerialSpec(str(outlet.path))) as bench:
        garbage, until = 0, time.monotonic() + seconds
        while time.monotonic() < until:
            garbage += outlet.write(rng.randbytes(rng.randrange(1, 400)) + b"\x13")
            drain(outlet.master)
            await asyncio.sleep(0.01)
        began = time.monotonic()
        room, frame = bench.record()
        while room not in bench.pump.desk.house.rooms:
            outlet.write(frame)  # a PMS that gets no ACK sends it again
            await asyncio.sleep(0.1)
            drain(outlet.master)
        back = time.monotonic() - began
        opened = bench.opener.opened
        rooms = len(bench.pump.desk.house.rooms)
    outlet.pull_out()
    return [
        counted("wrong speed: bytes of garbage, XOFF among them", garbage),
        none_of("wrong speed: records made of garbage", rooms - 1),
        none_of("wrong speed: lines lost over it", opened - 1),
        at_most("wrong speed: first record after it is right, s", back, BACK_WITHIN_S),
    ]


def drain(descriptor: int) -> bytes:
    """What the gateway has said."""
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""
