"""The WebSocket over real TLS: login, events, heartbeat, and every way in which it ends."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from gateway.clock import Clock, local_zone
from gateway.drivers.ucm.https import tls_context
from gateway.drivers.ucm.websocket import REFUSED_PAUSE_S, UcmEvents
from gateway.simulators.certificate import write_certificate
from gateway.simulators.ucm import UcmSimulator
from tests.gateway.drivers.ucm.bench import pinned

NAMES = ("PMSRoomStatus", "PMSWakeupStatus")


class Naps(Clock):
    """Waits nothing, and notes how long it should."""

    def __init__(self):
        super().__init__(local_zone())
        self.naps = []

    async def sleep(self, seconds):
        self.naps.append(seconds)
        await asyncio.sleep(0.005)


@asynccontextmanager
async def listening(tmp_path, pem=None, **settings):
    """A UCM, who listens to it, and what was heard."""
    ucm = UcmSimulator()
    ucm.rooms.add("101")
    own = write_certificate(tmp_path)
    port = await ucm.start(own)
    heard, ups = [], []
    events = UcmEvents(
        **{
            "url": f"wss://127.0.0.1:{port}/websockify",
            "username": ucm.settings.ws_username,
            "password": ucm.settings.ws_password,
            "context": tls_context(pinned(pem or own), lambda _: None),
            "names": NAMES,
            "clock": Naps(),
            "heard": heard.append,
            "connected": lambda: ups.append(1),
            "gone": lambda: ups.append(0),
            **settings,
        }
    )
    task = asyncio.create_task(events.run())
    try:
        yield ucm, events, heard, ups
    finally:
        task.cancel()
        await ucm.stop()


async def until(condition, within_s=10.0):
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.mark.asyncio
@pytest.mark.parametrize("as_list", [False, True])
async def test_events_are_heard_behind_a_login(tmp_path, as_list):
    async with listening(tmp_path) as (ucm, events, heard, ups):
        ucm.sockets.as_list = as_list
        await until(lambda: ucm.sockets.listeners)
        await until(lambda: ups == [1])
        ucm.ring("101", "1")
        ucm.leave_message("101")  # nobody asked for it
        ucm.key_status("101", 5)
        await until(lambda: len(heard) == 2)
        assert [(each.label, each.extension) for each in heard] == [
            ("wake_up", "101"),
            ("room_status", "101"),
        ]
        assert events.trouble == ""


@pytest.mark.asyncio
async def test_a_heartbeat_is_answered(tmp_path):
    async with listening(tmp_path) as (ucm, _, heard, _):
        await until(lambda: ucm.sockets.listeners)
        ucm.sockets.say({"action": "heartbeat", "transactionid": "77"})
        await until(lambda: "77" in ucm.sockets.heartbeats)
        assert heard == []


@pytest.mark.asyncio
async def test_behind_a_closed_fence_not_even_a_heartbeat_is_answered(tmp_path):
    """Another gateway may be logged in by now."""
    is_open = asyncio.Event()
    is_open.set()
    async with listening(tmp_path, passed=is_open.wait) as (ucm, *_):
        await until(lambda: ucm.sockets.listeners)
        ucm.sockets.say({"action": "heartbeat", "transactionid": "77"})
        await until(lambda: "77" in ucm.sockets.heartbeats)
        is_open.clear()
        ucm.sockets.say({"action": "heartbeat", "transactionid": "78"})
        await asyncio.sleep(0.3)
        assert "78" not in ucm.sockets.heartbeats
        is_open.set()
        await until(lambda: "78" in ucm.sockets.heartbeats)


@pytest.mark.asyncio
async def test_a_ucm_that_comes_back_is_listened_to_again(tmp_path):
    async with listening(tmp_path) as (ucm, events, _, ups):
        for turn in range(1, 4):
            await until(lambda turn=turn: ups.count(1) == turn and ucm.sockets.listeners)
            ucm.cut()
            await until(lambda: not ucm.sockets.listeners)
        await until(lambda: ups.count(1) == 4)
        assert max(events.clock.naps) <= 2.0


@pytest.mark.asyncio
async def test_a_wrong_password_is_not_tried_again_and_again(tmp_path):
    async with listening(tmp_path, password="wrong") as (ucm, events, _, ups):
        await until(lambda: events.clock.naps)
        assert events.clock.naps[0] == REFUSED_PAUSE_S
        assert "-37" in events.trouble
        assert ucm.sockets.logins == 0
        assert set(ups) == {0}


@pytest.mark.asyncio
async def test_another_certificate_hears_not_a_byte(tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    pem = write_certificate(other)
    async with listening(tmp_path, pem=pem) as (ucm, events, _, _):
        await until(lambda: len(events.clock.naps) > 1)
        assert ucm.sockets.requests == 0
        assert "Certificate" in events.trouble or "SSL" in events.trouble


@pytest.mark.asyncio
async def test_noise_on_the_websocket_ends_nothing(tmp_path):
    async with listening(tmp_path) as (ucm, _, heard, ups):
        await until(lambda: ucm.sockets.listeners)
        for listener in ucm.sockets.listeners:
            for text in ("", "[1, 2]", '{"message": 7}', '{"message": [null, {"action": []}]}'):
                listener.protocol.send_text(text.encode())
            listener.flush()
        ucm.key_status("101", 5)
        await until(lambda: heard)
        assert ups == [1]
