"""A serial line on a real pseudo-terminal."""

import asyncio
import os
import pty
import tty

import pytest

from gateway.line import LineFailed, SerialSpec, opener_for


@pytest.fixture
def cable():
    """Both ends of a null-modem cable: our descriptor, and the path the gateway opens."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    yield master, os.ttyname(slave)
    for descriptor in (master, slave):
        try:
            os.close(descriptor)
        except OSError:
            pass  # the test pulled the cable


@pytest.mark.asyncio
async def test_bytes_go_both_ways_unchanged(cable):
    master, path = cable
    line = await opener_for(SerialSpec(path)).open()
    everything = bytes(range(256))
    os.write(master, everything)
    got = b""
    while len(got) < 256:
        got += await asyncio.wait_for(line.read(), 2)
    assert got == everything
    await line.write(everything)
    await asyncio.sleep(0.1)
    assert os.read(master, 512) == everything
    assert line.error_counts() is None  # a pty cannot count, and zero would be a lie
    await line.close()


@pytest.mark.asyncio
async def test_an_unplugged_adapter_reads_as_lost(cable):
    master, path = cable
    line = await opener_for(SerialSpec(path)).open()
    os.close(master)
    assert await asyncio.wait_for(line.read(), 2) == b""
    with pytest.raises(LineFailed, match="plugged in"):
        await line.write(b"x")
    await line.close()


@pytest.mark.asyncio
async def test_a_missing_device_is_told_with_a_question():
    with pytest.raises(LineFailed, match="is the adapter plugged in"):
        await opener_for(SerialSpec("/dev/no-such-adapter")).open()


@pytest.mark.asyncio
async def test_a_port_is_opened_by_one_program_only(cable):
    _, path = cable
    line = await opener_for(SerialSpec(path)).open()
    with pytest.raises(LineFailed, match="another program"):
        await opener_for(SerialSpec(path)).open()
    await line.close()
    again = await opener_for(SerialSpec(path)).open()
    await again.close()


@pytest.mark.asyncio
async def test_a_peer_that_takes_nothing_is_a_fault(cable):
    _, path = cable
    line = await opener_for(SerialSpec(path)).open()
    with pytest.raises(LineFailed, match="flow control"):
        for _ in range(100):
            await line.write(b"x" * 1024)
            await asyncio.sleep(0)
    await asyncio.wait_for(line.close(), 2)
