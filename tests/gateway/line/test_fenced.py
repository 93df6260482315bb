"""Whatever goes out of a gateway of a pair waits until it may be begun."""

import asyncio
import time

import pytest

from gateway.drivers.ucm.fenced import FencedPeer
from gateway.line import ListenSpec, TcpSpec, opener_for
from gateway.line.fenced import Fence, FencedOpener


class Peer:
    """A UCM that is only counted."""

    certificate_ends = None
    certificate = b""
    asked = 0

    async def post(self, content, max_bytes):
        self.asked += 1
        return content

    async def get(self, query, max_bytes):
        self.asked += 1
        return query

    async def close(self):
        self.asked = -1


@pytest.mark.asyncio
async def test_neither_dials_nor_writes_once_it_may_not():
    until = [0.0]
    far = opener_for(ListenSpec("127.0.0.1", 0))
    await far.listen()
    opener = FencedOpener(opener_for(TcpSpec("127.0.0.1", far.port)), Fence(lambda: until[0]))
    dialling, heard = asyncio.create_task(opener.open()), asyncio.create_task(far.open())
    await asyncio.sleep(0.2)
    assert not dialling.done()
    assert not heard.done()
    until[0] = time.monotonic() + 3600
    near, other = await dialling, await heard
    await near.write(b"one")
    assert await other.read() == b"one"
    until[0] = 0.0
    writing = asyncio.create_task(near.write(b"two"))
    reading = asyncio.create_task(other.read())
    await asyncio.sleep(0.2)
    assert not reading.done()
    await other.write(b"heard all the same")
    assert await near.read() == b"heard all the same"
    until[0] = time.monotonic() + 3600
    await writing
    assert await reading == b"two"
    assert near.describe() == f"tcp 127.0.0.1:{far.port}"
    assert (near.error_counts(), near.modem_lines()) == (None, None)
    for each in (near, other, opener, far):
        await each.close()


@pytest.mark.asyncio
async def test_a_ucm_is_not_asked_once_it_may_not():
    until, peer = [0.0], Peer()
    fenced = FencedPeer(peer, Fence(lambda: until[0]).passed)
    asking = asyncio.create_task(fenced.post(b"x", 1))
    await asyncio.sleep(0.2)
    assert peer.asked == 0
    until[0] = time.monotonic() + 3600
    assert await asking == b"x"
    assert await fenced.get("y", 1) == "y"
    fenced.certificate = b"new"
    assert (peer.asked, peer.certificate) == (2, b"new")
    await fenced.close()
    assert peer.asked == -1
