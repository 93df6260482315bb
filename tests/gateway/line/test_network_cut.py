"""A network that is cut and mended: what was written meanwhile is not delivered when another gateway
may be at work.

The peer is in a network namespace of its own, at the other end of a virtual cable.
"""

import asyncio
import itertools
import os
import socket
import subprocess
import sys
import threading

import pytest

from gateway.drivers.base import Unreachable
from gateway.drivers.sockets import giving_up_after
from gateway.drivers.ucm.https import HttpsPeer, TlsSettings, Trust
from gateway.line import Gate, LineFailed, TcpSpec, opener_for

_NUMBERS = itertools.count()
MACS = ("02:00:00:00:00:01", "02:00:00:00:00:02")
PORT = 5010
UNACKED_S = 0.5
PEER = """
import socket, sys
server = socket.create_server((sys.argv[1], int(sys.argv[2])))
print("listens", flush=True)
while True:
    wire = server.accept()[0]
    try:
        while said := wire.recv(4096):
            print(said, flush=True)
            if b"POST" in said:
                wire.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\n{}")
    except OSError:
        pass
"""


def ip(words):
    """iproute2."""
    return subprocess.run(["ip", *words.split()], capture_output=True, check=True)


class Peer:
    """A program that says what it hears, behind a cable that can be cut."""

    def __init__(self):
        number, process = next(_NUMBERS), os.getpid()
        self.name = f"pmsgw{process % 100_000}n{number}"
        net = f"10.{200 + number}.{process % 250}"  # others run beside it
        self.ours, self.address = f"{net}.1", f"{net}.2"
        self.heard = ""

    def lay(self):
        ours, (our_mac, their_mac) = f"{self.name}a", MACS
        ip(f"link add {ours} type veth peer name far netns {self.name}")
        ip(f"addr add {self.ours}/24 dev {ours}")
        ip(f"link set {ours} address {our_mac} up")
        self.inside(f"addr add {self.address}/24 dev far")
        self.inside(f"link set far address {their_mac} up")
        # Without these a packet waits three seconds for ARP, below TCP.
        ip(f"neigh add {self.address} lladdr {their_mac} dev {ours} nud permanent")
        self.inside(f"neigh add {self.ours} lladdr {our_mac} dev far nud permanent")

    def inside(self, words):
        ip(f"-n {self.name} {words}")

    def run(self):
        command = f"ip netns exec {self.name} {sys.executable} -c".split()
        command += [PEER, self.address, str(PORT)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "listens\n"
        self.reader = threading.Thread(target=self._listen)
        self.reader.start()

    def _listen(self):
        for line in self.process.stdout:
            self.heard += line

    def cut(self):
        self.inside("link set far down")

    def mend(self):
        self.inside("link set far up")

    def end(self):
        self.process.kill()
        self.reader.join()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def peer():
    peer = Peer()
    try:
        ip(f"netns add {peer.name}")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("only root may make a network namespace, with iproute2")
    try:
        peer.lay()
        peer.run()
        yield peer
        peer.end()
    finally:
        ip(f"netns del {peer.name}")


async def heard_in_time(peer):
    async with asyncio.timeout(5):
        while "in time" not in peer.heard:
            await asyncio.sleep(0.02)


async def mended_and_heard(peer):
    """What the peer hears in the seconds in which a kernel would say it again."""
    await asyncio.sleep(3 * UNACKED_S)
    peer.mend()
    await asyncio.sleep(2.5)
    return peer.heard


def test_the_limit_is_told_in_milliseconds():
    assert giving_up_after(UNACKED_S) == [(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 500)]


@pytest.mark.parametrize("unacked_s", [UNACKED_S, 20.0])
@pytest.mark.asyncio
async def test_what_a_line_could_not_deliver_in_time_is_never_delivered(peer, unacked_s):
    line = await opener_for(TcpSpec(peer.address, PORT), Gate(unacked_s=unacked_s)).open()
    await line.write(b"in time")
    await heard_in_time(peer)
    peer.cut()
    await line.write(b"too late")
    await line.close()
    heard = await mended_and_heard(peer)
    assert ("too late" in heard) == (unacked_s > UNACKED_S)  # else this cable cuts nothing


@pytest.mark.asyncio
async def test_a_request_that_could_not_be_delivered_in_time_is_never_delivered(peer):
    tls = TlsSettings(trust=Trust.INSECURE)
    ucm = HttpsPeer(
        f"http://{peer.address}:{PORT}/api", tls=tls, timeout_s=UNACKED_S, unacked_s=UNACKED_S
    )
    await ucm.post(b"in time", 100)
    await heard_in_time(peer)
    peer.cut()
    with pytest.raises(Unreachable):
        await ucm.post(b"too late", 100)
    await ucm.close()
    assert "too late" not in await mended_and_heard(peer)


@pytest.mark.asyncio
async def test_a_dial_is_given_up_in_the_same_time(peer):
    """One that is answered later would throw out the gateway that is at work by then."""
    opener = opener_for(TcpSpec(peer.address, PORT), Gate(unacked_s=UNACKED_S))
    await (await opener.open()).close()
    peer.cut()
    with pytest.raises(LineFailed, match=f"no answer within {UNACKED_S} s"):
        await opener.open()
