"""A serial line on a real pseudo-terminal."""

import asyncio
import errno
import os
import pty
import termios
import tty

import pytest
import serial
from structlog.testing import capture_logs

from gateway import logs
from gateway.line import LineFailed, SerialSpec, opener_for
from gateway.line.port import open_port
from gateway.line.serial import MAX_UNREAD_BYTES


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


@pytest.mark.asyncio
@pytest.mark.parametrize("code", [errno.EPROTO, errno.EPIPE, errno.EIO, errno.ETIMEDOUT])
async def test_an_adapter_whose_handshake_lines_cannot_be_set_is_a_line_and_told_once(
    cable, monkeypatch, code
):
    _, path = cable

    def refuse(self):
        raise OSError(code, os.strerror(code))

    for name in ("_update_dtr_state", "_update_rts_state"):
        monkeypatch.setattr(serial.Serial, name, refuse)
    logs.set_up()
    opener = opener_for(SerialSpec(path))
    with capture_logs() as said:
        for _ in range(2):
            line = await opener.open()
            await line.close()
    assert [(each["event"], each["lines"]) for each in said] == [
        ("handshake_lines_not_set", "DTR and RTS")
    ]


@pytest.mark.asyncio
@pytest.mark.parametrize("later", [False, True], ids=["at once", "when asyncio takes it over"])
async def test_a_port_whose_driver_refuses_the_format_is_a_line_that_does_not_open(
    cable, monkeypatch, later
):
    _, path = cable
    configure, calls = serial.Serial._reconfigure_port, []

    def refuse(self, *args, **kwargs):
        calls.append(self)
        if len(calls) > later:
            raise termios.error(errno.EINVAL, "Invalid argument")
        configure(self, *args, **kwargs)

    monkeypatch.setattr(serial.Serial, "_reconfigure_port", refuse)
    with pytest.raises(LineFailed, match="this port cannot do 7e1"):
        await opener_for(SerialSpec(path, 9600, 7, "E", 1)).open()


def test_a_file_that_is_no_port_is_said_to_be_none():
    with pytest.raises(LineFailed, match="this is no serial port"):
        open_port(SerialSpec("/dev/null", 9600))
