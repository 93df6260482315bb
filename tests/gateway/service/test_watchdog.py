"""The sign of life goes to a real datagram socket, and stops with whatever is stuck."""

import asyncio
import os
import socket
import threading
import time
from contextlib import contextmanager

import pytest

from gateway.demo import stage
from gateway.drivers.base import Answer
from gateway.service.daemon import watchdog
from gateway.service.watchdog import STUCK_AFTER_S, Notifier, Task, Watchdog
from gateway.store import StorageFailed
from tests.fakes import HandClock


@contextmanager
def listener(name):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(name)
        sock.settimeout(5)
        yield sock


def heard(sock):
    """Everything that was said and not yet listened to."""
    sock.setblocking(False)
    said = []
    try:
        while True:
            said.append(sock.recv(4096).decode())
    except BlockingIOError:
        return said


@pytest.fixture
def systemd(tmp_path):
    (tmp_path / "site").mkdir()
    with listener(str(tmp_path / "notify")) as sock:
        yield sock, {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"}


async def well():
    return None


async def fine():
    return "link up"


def watch(notifier, *, tasks=None, ask_disk=well):
    return Watchdog(
        notifier=notifier, clock=HandClock(), tasks=tasks or {}, ask_disk=ask_disk, status=fine
    )


async def watched_for(dog, seconds):
    running = asyncio.ensure_future(dog.run())
    await asyncio.sleep(seconds)
    running.cancel()


def test_lines_arrive_as_one_datagram_also_under_an_abstract_name(systemd):
    sock, environ = systemd
    Notifier(environ).tell("READY=1", "STATUS=up")
    assert sock.recv(4096) == b"READY=1\nSTATUS=up"
    name = f"pms-gateway-test-{os.getpid()}"
    with listener(f"\0{name}") as hidden:
        Notifier({"NOTIFY_SOCKET": f"@{name}"}).tell("STOPPING=1")
        assert hidden.recv(4096) == b"STOPPING=1"


def test_a_reload_says_when_it_began(systemd):
    sock, environ = systemd
    before = time.monotonic_ns() // 1000
    Notifier(environ).reloading()
    word, moment = sock.recv(4096).decode().splitlines()
    assert word == "RELOADING=1"
    assert before <= int(moment.removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000


def test_nobody_listening_is_no_error(tmp_path):
    Notifier({}).tell("READY=1")
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "nobody")}).tell("READY=1")


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, 0.0),
        ({"WATCHDOG_USEC": "60000000"}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, 0.0),  # meant for another process
        ({"WATCHDOG_USEC": "soon"}, 0.0),
    ],
)
def test_the_watchdog_is_only_ours_if_systemd_says_so(environ, seconds):
    assert Notifier(environ).watchdog_s == seconds


@pytest.mark.asyncio
async def test_signs_of_life_come_twice_as_often_as_they_must(systemd, monkeypatch):
    sock, environ = systemd
    pauses, sleep = [], asyncio.sleep

    async def no_sleep(seconds):
        pauses.append(seconds)
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", no_sleep)
    running = asyncio.ensure_future(watch(Notifier(environ)).run())
    while len(pauses) < 5:
        await sleep(0)
    running.cancel()
    said = heard(sock)
    assert said[0] == "READY=1\nSTATUS=started"
    assert said[1:5] == ["WATCHDOG=1\nSTATUS=link up"] * 4
    assert set(pauses) == {0.1}  # of the 0.2 s that systemd gives


@pytest.mark.asyncio
async def test_without_a_watchdog_there_is_still_a_status(systemd, monkeypatch):
    sock, environ = systemd
    monkeypatch.setattr("gateway.service.watchdog.LOOK_EVERY_S", 0.05)
    await watched_for(watch(Notifier({"NOTIFY_SOCKET": environ["NOTIFY_SOCKET"]})), 0.3)
    assert "STATUS=link up" in heard(sock)[-1]


@pytest.mark.asyncio
async def test_a_task_is_stuck_when_it_overslept_and_never_while_it_waits_for_its_peer():
    dog = watch(Notifier({}))
    now = dog.clock.now()
    dog.tasks = {"line": Task(lambda: now + 10), "relay": Task(lambda: float("inf"))}
    dog.clock.wind(10 + STUCK_AFTER_S)
    assert await dog.stuck(1) == ""
    dog.clock.wind(1)
    assert await dog.stuck(1) == "line"
    dog.clock.wind(1e6)
    assert await dog.stuck(1) == "line"


@pytest.mark.asyncio
async def test_a_disk_that_says_no_has_answered():
    async def full():
        raise StorageFailed("full")

    assert await watch(Notifier({}), ask_disk=full).stuck(1) == ""


@pytest.mark.asyncio
async def test_who_watches_is_not_what_fails(systemd):
    async def broken():
        raise ValueError("a mistake of ours")

    sock, environ = systemd
    dog = watch(Notifier(environ), ask_disk=broken)
    dog.status = broken
    await watched_for(dog, 0.3)
    assert "WATCHDOG=1\nSTATUS=unknown: a mistake of ours" in heard(sock)


@pytest.mark.asyncio
async def test_a_blocked_loop_gives_no_sign(systemd):
    sock, environ = systemd
    running = asyncio.ensure_future(watch(Notifier(environ)).run())
    await asyncio.sleep(0.3)
    heard(sock)
    time.sleep(0.6)  # noqa: ASYNC251  # the fault that is meant
    assert heard(sock) == []
    await asyncio.sleep(0.3)
    assert heard(sock)  # back
    running.cancel()


@pytest.mark.asyncio
async def test_a_blocked_disk_stops_the_signs_of_a_real_service(tmp_path, systemd):
    sock, environ = systemd
    async with stage(tmp_path / "site") as on:
        dog = watchdog(on.service, Notifier(environ))
        running = asyncio.ensure_future(dog.run())
        await asyncio.sleep(0.5)
        assert any(each.startswith("WATCHDOG=1\nSTATUS=link ") for each in heard(sock))
        release = threading.Event()
        blocked = asyncio.ensure_future(on.service.store(lambda _: release.wait()))
        await asyncio.sleep(0.3)
        heard(sock)
        assert await dog.stuck(0.2) == "outbox"
        await asyncio.sleep(0.5)
        assert not [each for each in heard(sock) if "WATCHDOG=1" in each]
        release.set()
        await asyncio.sleep(3)
        assert [each for each in heard(sock) if "WATCHDOG=1" in each]
        await blocked
        running.cancel()


@contextmanager
def hanging(monkeypatch, cls, name):
    """This method does not return before the end of the block."""
    end = asyncio.Event()

    async def hang(*_, **__):
        await end.wait()
        return Answer()

    monkeypatch.setattr(cls, name, hang)
    yield
    end.set()


def impatient(service, grace_s):
    """The watchdog of a service, with less patience."""
    dog = watchdog(service, Notifier({}))
    dog.tasks = {name: Task(task.awake_by, grace_s) for name, task in dog.tasks.items()}
    return dog


@pytest.mark.asyncio
async def test_a_line_task_that_hangs_in_its_turn_is_stuck(tmp_path, systemd, monkeypatch):
    async with stage(tmp_path / "site") as on:
        dog = impatient(on.service, 1.0)
        await asyncio.sleep(1.5)
        assert await dog.stuck(1) == ""
        with hanging(monkeypatch, type(on.service.intake), "take"):
            on.pms.say(f"GI|RN{on.hotel.rooms[0]}|G#1|GNRossi|GSN|")
            await asyncio.sleep(2)
            assert await dog.stuck(1) == "line"


@pytest.mark.asyncio
async def test_a_call_that_never_ends_is_stuck(tmp_path, systemd, monkeypatch):
    async with stage(tmp_path / "site") as on:
        dog = impatient(on.service, 1.0)
        with hanging(monkeypatch, type(on.service._driver), "apply"):
            on.pms.say(f"GI|RN{on.hotel.rooms[0]}|G#1|GNRossi|GSN|")
            await on.pms.all_said()
            await asyncio.sleep(2)
            assert await dog.stuck(1) == "relay"


@pytest.mark.asyncio
async def test_days_without_a_peer_are_no_hang(tmp_path, systemd):
    async with stage(tmp_path / "site") as on:
        pump, relay = on.service.pump, on.service.relay
        await asyncio.sleep(0.5)
        assert pump.awake_by > on.service.clock.now()  # the session's next deadline, or never
        assert relay.awake_by > on.service.clock.now()
        assert await impatient(on.service, 0.5).stuck(1) == ""


@pytest.mark.asyncio
async def test_a_task_that_ended_by_mistake_is_stuck(tmp_path, systemd):
    async with stage(tmp_path / "site") as on:
        dog = impatient(on.service, 1.0)
        await asyncio.sleep(0.5)
        on.service.relay.stop()  # as if it had returned by itself
        on.service.pump.stop()
        await asyncio.sleep(2)
        assert await dog.stuck(1) == "line, relay"
