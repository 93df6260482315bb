"""TCP lines on real sockets, both ways round."""

import asyncio
import socket
from ipaddress import ip_network

import pytest

from gateway.line import Gate, LineFailed, ListenSpec, TcpSpec, opener_for, tcp
from gateway.line.gate import Bucket


@pytest.mark.asyncio
async def test_dialled_and_listened_lines_talk():
    listener = opener_for(ListenSpec("127.0.0.1", 0))
    await listener.listen()
    dialled, taken = await asyncio.gather(
        opener_for(TcpSpec("127.0.0.1", listener.port)).open(), listener.open()
    )
    await dialled.write(b"hello")
    assert await taken.read() == b"hello"
    await taken.close()
    assert await dialled.read() == b""  # closed by the peer: lost
    await dialled.close()
    await listener.close()


@pytest.mark.asyncio
async def test_a_newer_peer_replaces_the_older_one_with_its_first_whole_frame():
    """A restarted PMS dials long before its old connection is known to be dead."""
    listener = opener_for(ListenSpec("127.0.0.1", 0))
    await listener.listen()
    dial = opener_for(TcpSpec("127.0.0.1", listener.port))
    first_peer = await dial.open()
    first = await listener.open()
    second_peer = await dial.open()
    await second_peer.write(b"\x02LS|")
    await first_peer.write(b"still here")
    assert await asyncio.wait_for(first.read(), 2) == b"still here"
    await second_peer.write(b"\x03")
    assert await asyncio.wait_for(first.read(), 2) == b""
    second = await asyncio.wait_for(listener.open(), 2)
    assert await second.read() == b"\x02LS|\x03"
    assert await asyncio.wait_for(first_peer.read(), 2) == b""
    for line in (first, second, first_peer, second_peer):
        await line.close()
    await listener.close()


@pytest.mark.asyncio
async def test_a_monitor_that_dials_and_says_nothing_leaves_the_pms_its_line():
    listener = opener_for(ListenSpec("127.0.0.1", 0))
    await listener.listen()
    dial = opener_for(TcpSpec("127.0.0.1", listener.port))
    pms = await dial.open()
    line = await listener.open()
    monitors = [await dial.open() for _ in range(3 * tcp.MOST_WAITING)]
    await asyncio.sleep(0.05)
    assert len(listener._silent) == tcp.MOST_WAITING  # each takes an open file
    await pms.write(b"\x02GI|RN101|\x03")
    assert await asyncio.wait_for(line.read(), 2) == b"\x02GI|RN101|\x03"
    for each in (*monitors, pms, line):
        await each.close()
    await listener.close()


@pytest.mark.asyncio
async def test_a_silent_peer_takes_the_line_when_the_older_one_has_gone():
    """A PMS may wait for us to say LS."""
    listener = opener_for(ListenSpec("127.0.0.1", 0))
    await listener.listen()
    dial = opener_for(TcpSpec("127.0.0.1", listener.port))
    older = await dial.open()
    line = await listener.open()
    newer = await dial.open()
    await older.close()
    assert await asyncio.wait_for(line.read(), 2) == b""
    line = await asyncio.wait_for(listener.open(), 2)
    await line.write(b"\x02LS|\x03")
    assert await asyncio.wait_for(newer.read(), 2) == b"\x02LS|\x03"
    for each in (newer, line):
        await each.close()
    await listener.close()


@pytest.mark.asyncio
async def test_nobody_listening_is_told_with_a_question():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(LineFailed, match="interface program running"):
        await opener_for(TcpSpec("127.0.0.1", port)).open()


@pytest.mark.asyncio
async def test_a_taken_address_is_told():
    listener = opener_for(ListenSpec("127.0.0.1", 0))
    await listener.listen()
    with pytest.raises(LineFailed, match="another gateway"):
        await opener_for(ListenSpec("127.0.0.1", listener.port)).open()
    await listener.close()


@pytest.mark.asyncio
async def test_a_peer_that_reads_nothing_is_a_fault_and_not_a_wait():
    listener = opener_for(ListenSpec("127.0.0.1", 0))
    await listener.listen()
    line = await opener_for(TcpSpec("127.0.0.1", listener.port)).open()
    with pytest.raises(LineFailed, match="takes no bytes"):
        for _ in range(10_000):
            await line.write(b"x" * 4096)
    await line.close()
    await listener.close()


@pytest.mark.asyncio
async def test_dead_peers_are_noticed_by_the_kernel():
    listener = opener_for(ListenSpec("127.0.0.1", 0))
    await listener.listen()
    line = await opener_for(TcpSpec("127.0.0.1", listener.port)).open()
    sock = line._transport.get_extra_info("socket")
    option = sock.getsockopt
    assert option(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    idle = option(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
    probes = option(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) * option(
        socket.IPPROTO_TCP, socket.TCP_KEEPCNT
    )
    assert idle + probes <= 30
    assert option(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) <= 30_000
    await line.close()
    await listener.close()


@pytest.mark.asyncio
async def test_a_cancelled_read_loses_nothing():
    listener = opener_for(ListenSpec("127.0.0.1", 0))
    await listener.listen()
    dialled = await opener_for(TcpSpec("127.0.0.1", listener.port)).open()
    taken = await listener.open()
    for _ in range(5):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await taken.read()
    await dialled.write(b"kept")
    assert await taken.read() == b"kept"
    await dialled.close()
    await taken.close()
    await listener.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("ending", ["closed", "reset", "replaced"])
async def test_what_a_peer_said_before_it_left_is_still_read(ending):
    """A PMS without ACK will never say it again."""
    listener = opener_for(ListenSpec("127.0.0.1", 0))
    await listener.listen()
    dial = opener_for(TcpSpec("127.0.0.1", listener.port))
    peer = await dial.open()
    line = await listener.open() if ending != "closed" else None
    await peer.write(b"the last record")
    await asyncio.sleep(0.05)
    newer = None
    match ending:
        case "closed":  # before anybody took the line at all
            await peer.close()
        case "reset":
            peer.abort()
        case "replaced":
            newer = await dial.open()
            await newer.write(b"\x02LS|\x03")
    await asyncio.sleep(0.05)
    line = line or await listener.open()
    assert await asyncio.wait_for(line.read(), 2) == b"the last record"
    assert await asyncio.wait_for(line.read(), 2) == b""
    for each in (peer, line, newer):
        if each is not None:
            await each.close()
    await listener.close()


@pytest.mark.asyncio
async def test_what_the_kernel_holds_for_nobody_is_still_read_when_a_newer_peer_has_come():
    """The disk is full, nobody reads, and the PMS dials again."""
    listener = opener_for(ListenSpec("127.0.0.1", 0))
    await listener.listen()
    record = b"\x02GI|RN101|G#4711|GNBerger|GSN|\x03"
    with socket.create_connection(("127.0.0.1", listener.port)) as peer:
        line = await listener.open()
        for _ in range(10):
            peer.sendall(record * 500)
            await asyncio.sleep(0.01)
        newer = await opener_for(TcpSpec("127.0.0.1", listener.port)).open()
        await newer.write(b"\x02LS|\x03")
        await asyncio.sleep(0.05)
    said = b""
    while data := await asyncio.wait_for(line.read(), 2):
        said += data
    assert said == record * 5000
    for each in (line, newer):
        await each.close()
    await listener.close()


@pytest.mark.asyncio
async def test_a_host_name_that_can_be_none_is_a_failure_and_no_crash():
    with pytest.raises(LineFailed):
        await opener_for(TcpSpec("pms..local", 5010)).open()


@pytest.mark.asyncio
async def test_a_deaf_peer_is_let_go_at_once():
    """Its unwritten bytes must not keep the socket open until the kernel gives up."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        line = await opener_for(TcpSpec(*server.getsockname())).open()
        peer, _ = server.accept()
        sock = line._transport.get_extra_info("socket")
        with pytest.raises(LineFailed, match="takes no bytes"):
            for _ in range(10_000):
                await line.write(b"x" * 4096)
        await asyncio.wait_for(line.close(), 2)
        await asyncio.sleep(0)
        assert sock.fileno() == -1
        peer.close()


@pytest.mark.asyncio
async def test_peers_that_come_and_go_while_nobody_takes_them_are_forgotten():
    listener = opener_for(ListenSpec("127.0.0.1", 0))
    await listener.listen()
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", listener.port)):
            await asyncio.sleep(0.005)
    with socket.create_connection(("127.0.0.1", listener.port)) as last:
        last.send(b"here")
        await asyncio.sleep(0.05)
        assert len(listener._waiting) <= 2
        line = await listener.open()
        assert await asyncio.wait_for(line.read(), 2) == b"here"
        await line.close()
    await listener.close()


@pytest.mark.asyncio
async def test_a_silent_host_is_called_anew_after_two_seconds():
    """The kernel repeats its own call after 1, 3 and 7 s: too late for one that is back."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        first = socket.create_connection(server.getsockname())  # the queue is full: calls drop
        with first, pytest.raises(LineFailed, match="no answer within 2 s"):
            await opener_for(TcpSpec(*server.getsockname())).open()


def test_a_name_has_time_for_a_slow_name_server():
    assert opener_for(TcpSpec("pms.hotel.example", 5010))._within_s == 10


@pytest.mark.asyncio
async def test_one_read_is_never_so_much_that_others_must_wait():
    listener = opener_for(ListenSpec("127.0.0.1", 0))
    await listener.listen()
    peer = await opener_for(TcpSpec("127.0.0.1", listener.port)).open()
    line = await listener.open()
    said = bytes(range(256)) * 1024
    peer._transport.write(said)
    got, sizes = bytearray(), []
    while len(got) < len(said):
        data = await asyncio.wait_for(line.read(), 2)
        sizes.append(len(data))
        got += data
    assert bytes(got) == said
    assert max(sizes) <= 16384
    for each in (peer, line, listener):
        await each.close()


@pytest.mark.asyncio
async def test_only_the_pms_may_dial():
    refused = []
    allow = (ip_network("10.0.0.5/32"), ip_network("127.0.0.2/32"))
    listener = opener_for(ListenSpec("127.0.0.1", 0), Gate(allow, refused.append))
    await listener.listen()
    stranger = await opener_for(TcpSpec("127.0.0.1", listener.port)).open()
    async with asyncio.timeout(5):
        assert await stranger.read() == b""
    assert refused == ["127.0.0.1"]
    _, pms = await asyncio.open_connection("127.0.0.1", listener.port, local_addr=("127.0.0.2", 0))
    pms.write(b"hello")
    async with asyncio.timeout(5):
        line = await listener.open()
        assert await line.read() == b"hello"
    stranger = await opener_for(TcpSpec("127.0.0.1", listener.port)).open()
    pms.write(b" again")
    async with asyncio.timeout(5):
        assert await line.read() == b" again"  # a stranger replaces nobody
    pms.close()
    await stranger.close()
    await line.close()
    await listener.close()


@pytest.mark.parametrize(
    ("address", "may"),
    [("10.0.0.5", True), ("::ffff:10.0.0.5", True), ("10.0.0.6", False), ("::1", False), ("?", False), ("", False)],
)  # fmt: skip
def test_an_address_is_compared_as_a_number(address, may):
    assert Gate((ip_network("10.0.0.5"),)).lets_in(address, 0) is may


@pytest.mark.asyncio
async def test_who_dials_without_end_is_refused_while_nobody_takes_lines():
    refused = []
    listener = opener_for(ListenSpec("127.0.0.1", 0), Gate((), refused.append))
    await listener.listen()
    writers = []
    for _ in range(tcp.MOST_WAITING + 5):
        _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(b"\x02x\x03")  # what it said is kept until it is read
        writers.append(writer)
        await asyncio.sleep(0.01)
    assert len(refused) == 5
    for writer in writers:
        writer.close()
    await listener.close()


def test_who_dials_too_often_is_sent_away_until_he_calms_down():
    refused = []
    gate = Gate((), refused.append)
    gate._dials = Bucket(per_s=10, at_once=3)
    assert [gate.lets_in("10.0.0.5", now) for now in (0, 0, 0, 0, 0.05, 0.11, 0.12)] == [
        True, True, True, True, False, True, False
    ]  # fmt: skip
    assert refused == ["10.0.0.5", "10.0.0.5"]


@pytest.mark.asyncio
async def test_a_flood_is_slowed_down_and_nothing_of_it_is_lost():
    slowed = []
    gate = Gate(on_slowed=lambda: slowed.append(True))
    gate._bytes = Bucket(per_s=100_000, at_once=20_000)
    listener = opener_for(ListenSpec("127.0.0.1", 0), gate)
    await listener.listen()
    peer = await opener_for(TcpSpec("127.0.0.1", listener.port)).open()
    line = await listener.open()
    said = bytes(range(256)) * 256  # 65,536 bytes: 20,000 at once, the rest takes 0.3 s
    peer._transport.write(said)
    got, impatient = bytearray(), 0
    while len(got) < len(said):
        try:
            got += await asyncio.wait_for(line.read(), 0.02)
        except TimeoutError:
            impatient += 1  # as the pump is, when a deadline of the link comes first
    assert bytes(got) == said
    assert impatient
    assert slowed
    for each in (peer, line, listener):
        await each.close()
