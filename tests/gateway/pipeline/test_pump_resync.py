"""A resync on the PMS side: asked for, void, asked for again, missing."""

import asyncio
import socket
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs

from gateway.clock import Clock
from gateway.line import Gate
from gateway.line.tcp import TcpLine
from gateway.pipeline.pump import MOST_RESYNCS_ASKED, Resync
from tests.gateway.pipeline.scripted import ScriptedLine, frame, pump_on


@pytest.mark.asyncio
async def test_a_resync_is_asked_for_at_once_on_a_quiet_line(tmp_path):
    """Nobody speaks, and the next thing to do is in five minutes."""
    here, there = socket.socketpair()
    listener = SocketOpener(here)
    async with pump_on(tmp_path, ack=False) as pump:
        pump.opener, pump.clock = listener, Clock(ZoneInfo("UTC"))
        running = asyncio.create_task(pump.run())
        reader, writer = await asyncio.open_connection(sock=there)
        async with asyncio.timeout(10):
            writer.write(b"\x02LS|\x03")
            await reader.readuntil(b"LA|")
            writer.write(b"\x02LA|\x03")
            while not pump.session.is_up:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            assert pump.ask_for_resync()
            assert b"DR|" in await reader.readuntil(b"DR|")
        pump.stop()
        await running
        writer.close()


class SocketOpener:
    """One line over a socket that is there already."""

    def __init__(self, sock):
        self.sock = sock

    async def open(self):
        _, line = await asyncio.get_running_loop().create_connection(
            lambda: TcpLine(Gate()), sock=self.sock
        )
        return line

    async def close(self):
        pass

    def describe(self):
        return "a socket"


@pytest.mark.asyncio
async def test_a_resync_is_void_when_the_line_is_lost_and_when_the_link_begins_anew(tmp_path):
    for ending in ([], [frame("LS|", lrc=False), frame("DE|", lrc=False)]):
        line = ScriptedLine(
            [frame("GI|RN101|G#1|GNA|GSN|", lrc=False),
             b"".join([frame("DS|", lrc=False), frame("GI|RN101|G#2|GNB|SF|", lrc=False), *ending])]
        )  # fmt: skip
        async with pump_on(tmp_path, line, ack=False) as pump:
            await pump.run()
            assert [guest.name for guest in pump.desk.house.rooms["101"].guests] == ["A", "B"]
            assert not pump.desk.house.ledger.in_resync


@pytest.mark.asyncio
async def test_a_resync_is_asked_for_when_the_site_says_so(tmp_path):
    line = ScriptedLine([frame("LA|", lrc=False)], waits=asyncio.Event())
    async with pump_on(tmp_path, line, ack=False, resync=Resync.EACH_TIME) as pump:
        running = asyncio.ensure_future(pump.run())
        while b"DR|" not in line.written:
            await asyncio.sleep(0.01)
        pump.stop()
        await asyncio.wait_for(running, 5)
        assert line.written.endswith(b"|\x03")
        assert b"\x02LE|" in line.written  # it says goodbye


@pytest.mark.asyncio
async def test_a_resync_that_broke_off_is_asked_for_again_a_few_times_and_then_told(tmp_path):
    """Each line is lost in the middle of the resync that was asked for."""
    up = frame("LA|", lrc=False)
    broken = [up, frame("DS|", lrc=False), frame("GI|RN101|G#1|GNA|SF|", lrc=False)]
    lines = [ScriptedLine(broken) for _ in range(MOST_RESYNCS_ASKED + 2)]
    async with pump_on(tmp_path, *lines, ack=False) as pump:
        with capture_logs() as said:
            await pump.run()
        asked = [line.written.count(b"\x02DR|") for line in lines]
        assert asked == [0, *[1] * MOST_RESYNCS_ASKED, 0]
        assert [each["event"] for each in said].count("resync_broken") == 1
        assert pump.desk.metrics.registry.get_sample_value("pmsgw_resync_missing") == 1


@pytest.mark.asyncio
async def test_a_resync_that_comes_to_its_end_is_not_missing_any_more(tmp_path):
    up = frame("LA|", lrc=False)
    broken = ScriptedLine([up, frame("DS|", lrc=False)])
    whole = ScriptedLine([up, frame("DS|", lrc=False), frame("DE|", lrc=False)])
    again = ScriptedLine([up])
    async with pump_on(tmp_path, broken, whole, again, ack=False) as pump:
        await pump.run()
        assert pump.desk.metrics.registry.get_sample_value("pmsgw_resync_missing") == 0
        assert [line.written.count(b"\x02DR|") for line in (broken, whole, again)] == [0, 1, 0]
