"""A serial line on a real pseudo-terminal."""

import asyncio
import os
import pty
import tty

import pytest
import serial

from gateway.line import LineFailed, SerialSpec, opener_for
from gateway.line.serial import MAX_UNREAD_BYTES, _Port


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


@pytest.mark.asyncio
async def test_a_port_nobody_reads_fills_a_bounded_buffer_and_goes_on_later(cable):
    """While the disk is full the pump does not read, for hours perhaps."""
    master, path = cable
    line = await opener_for(SerialSpec(path)).open()
    os.set_blocking(master, False)
    written = silent = 0
    while silent < 50 and written < 3 * MAX_UNREAD_BYTES:
        try:
            written += os.write(master, b"x" * 4096)
            silent = 0
        except BlockingIOError:
            silent += 1
        await asyncio.sleep(0)
    assert MAX_UNREAD_BYTES < written < MAX_UNREAD_BYTES + 65536
    got = 0
    while got < written:
        got += len(await asyncio.wait_for(line.read(), 2))
    await line.close()


@pytest.mark.asyncio
async def test_closing_does_not_wait_for_a_port_that_sends_nothing(cable, monkeypatch):
    """Draining it would hold up the whole event loop, at 1,200 baud for half a minute."""
    _, path = cable
    line = await opener_for(SerialSpec(path)).open()
    steps = []
    monkeypatch.setattr(serial.Serial, "out_waiting", 4096)
    monkeypatch.setattr(serial.Serial, "reset_output_buffer", lambda _: steps.append("discard"))
    monkeypatch.setattr(serial.Serial, "flush", lambda _: steps.append("drain"))
    await asyncio.wait_for(line.close(), 2)
    assert steps == ["discard", "drain"]


def test_a_port_that_was_woken_for_nothing_is_not_gone():
    master, slave = pty.openpty()
    port = _Port(os.ttyname(slave), 9600)
    try:
        assert port.read(64) == b""
        os.write(master, b"\x05")
        assert port.read(64) == b"\x05"
        os.close(slave)
        os.close(master)
        with pytest.raises(serial.SerialException):
            port.read(64)
    finally:
        port.close()
