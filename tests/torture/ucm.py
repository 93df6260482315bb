"""The UCM: away for days with a million rows waiting, and every way in which it can misbehave."""

import asyncio
import random
import sys
import tempfile
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path
from time import perf_counter
from zoneinfo import ZoneInfo

from gateway import logs
from gateway.clock import Clock
from gateway.drivers.base import Unreachable
from gateway.drivers.https import HttpsPeer, TlsSettings, Trust
from gateway.drivers.ucm import UcmDriver
from gateway.drivers.ucm_api import NewApi, pms_token
from gateway.drivers.ucm_wire import Words
from gateway.events import CheckIn, CheckOut, DoNotDisturb, Guest, GuestEvent, Update, WakeUp
from gateway.metrics import Metrics
from gateway.outbox import Batch, NewEntry, Outbox, OutboxWorker
from gateway.relay import Relay
from gateway.simulators.certificate import fingerprint_of, write_certificate
from gateway.simulators.pbx import Rooms
from gateway.simulators.ucm import Call, UcmSimulator
from tests.fakes import RoomsApi
from tests.torture.figures import Figure, at_most, counted, none_of
from tests.torture.virtual import VirtualLoop
from tests.torture.world import World

CAME = datetime(2026, 3, 14, 10, 0)
BACKLOG_ROOMS = tuple(str(1000 + each) for each in range(400))


# --- A long backlog ---


def _stay(rng: random.Random, room: str, number: int) -> list[GuestEvent]:
    guest = Guest(key=str(number), name="Rossi", class_of_service="1", came=CAME)
    later = Guest(key=str(number), name="Rossi-Bell", class_of_service="1", came=CAME)
    return [
        CheckIn(room=room, guest=guest),
        DoNotDisturb(room=room, on=bool(rng.randrange(2)), guest=guest),
        Update(room=room, guest=later, was=guest),
        WakeUp(room=room, at=CAME),
        CheckOut(room=room),
    ]


def fill(path: Path, rows: int, seed: int) -> None:
    """An outbox file with so many rows waiting: stays in 400 rooms, as three days bring them."""
    rng, number = random.Random(seed), 0
    box = Outbox(path)
    while number < rows:
        entries = []
        for room in BACKLOG_ROOMS:
            number += 1
            entries += [
                NewEntry(event=event, record="GI|RN…|", received_at=1.0)
                for event in _stay(rng, room, number)
            ]
        number += len(entries) - len(BACKLOG_ROOMS)
        box.put(Batch(entries=entries))
    box.close()


async def _deliver(path: Path, rows: int) -> tuple[float, float, int, list[str]]:
    """Start on this file and deliver so many rows. Returns seconds to the first call, seconds a
    row, calls, and what is wrong with the books."""
    ucm = Rooms()
    ucm.add(*BACKLOG_ROOMS)
    began = perf_counter()
    worker = OutboxWorker(Outbox(path))
    worker.outbox.house()
    metrics = Metrics(version="1", site="x")
    driver = UcmDriver(RoomsApi(ucm), Words(class_of_service={"1": 2}), metrics)
    relay = Relay(outbox=worker, driver=driver, clock=Clock(ZoneInfo("UTC")), metrics=metrics,
                  retries=3, retry_interval_s=60)  # fmt: skip
    waited = worker.outbox.totals().entries["to_ucm", "waiting"]
    first, _ = await relay._next()
    to_first = perf_counter() - began
    assert first is not None
    await relay._deliver(first)
    began, calls = perf_counter(), 1
    while waited - worker.outbox.totals().entries["to_ucm", "waiting"] < rows:
        entry, _ = await relay._next()
        if entry is None:
            await relay._fetch_anew()
            break
        await relay._deliver(entry)
        calls += 1
    each = (perf_counter() - began) / (waited - worker.outbox.totals().entries["to_ucm", "waiting"])
    wrong = worker.outbox.audit() if rows >= waited else []
    wrong += [
        f"{room} is still in" for room in BACKLOG_ROOMS if rows >= waited and ucm.rooms[room].is_in
    ]
    worker.close()
    return to_first, each, calls, wrong


def _rss_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def _measured(path: Path, rows: int) -> tuple[float, float, int, list[str], float]:
    """In a process of its own: deliver, and the memory at the end."""
    logs.set_up(quiet=True)
    return *asyncio.run(_deliver(path, rows)), _rss_mb()


def backlog(rows: int, seed: int) -> list[Figure]:
    """A million rows against two thousand, side by side."""
    with (
        tempfile.TemporaryDirectory() as name,
        ProcessPoolExecutor(1, max_tasks_per_child=1) as pool,
    ):
        small, large = Path(name, "small.db"), Path(name, "large.db")
        fill(small, 2000, seed)
        fill(large, rows, seed)
        few = pool.submit(_measured, small, 1500).result()
        first_of_many = pool.submit(_measured, large, 1500).result()
        all_of_them = pool.submit(_measured, large, 10**9).result()
    return [
        counted("backlog: rows waiting", rows),
        at_most("backlog: start to the first call, more than with 2,000 rows, s",
                max(0.0, first_of_many[0] - few[0]), 0.1),
        at_most("backlog: time a row, as part of that with 2,000 rows", first_of_many[1] / few[1], 1.1),
        at_most("backlog: memory at the end, as part of that with 2,000 rows", all_of_them[4] / few[4], 1.1),
        counted("backlog: calls for all of it", first_of_many[2] + all_of_them[2]),
        counted("backlog: rows a second", 1 / all_of_them[1]),
        none_of("backlog: what is wrong in the end", len(all_of_them[3])),
    ]  # fmt: skip


# --- Every fault, for a thousand events each ---

Weather = Callable[[World, random.Random], Awaitable[None]]


def _fault(kind: str, **how: float) -> Weather:
    async def weather(world: World, rng: random.Random) -> None:
        world.ucm.faults.clear()
        world.ucm.fail(kind, times=rng.choice((1, 2, 3)), **how)

    return weather


async def _wedge(world: World, rng: random.Random) -> None:
    if rng.random() < 0.1:
        world.ucm.wedged = True
        await asyncio.sleep(rng.choice((30, 300)))
        world.peer.forget()
        world.ucm.reboot()


async def _away(world: World, rng: random.Random) -> None:
    if rng.random() < 0.1:
        world.peer.is_away = True
        await asyncio.sleep(rng.choice((5, 300, 7200)))
        world.peer.is_away = False


async def _ban(world: World, rng: random.Random) -> None:
    if rng.random() < 0.05:
        world.ucm._sessions.clear()
        world.ucm._banned_until = world.loop.time() + rng.choice((30, 600))


async def _permission(world: World, rng: random.Random) -> None:
    if rng.random() < 0.05:
        world.ucm.settings.pms_module = False
        await asyncio.sleep(rng.choice((10, 400)))
        world.ucm.settings.pms_module = True


WEATHERS: dict[str, Weather] = {
    "does it and drops the reply": _fault("drop"),
    "closes before anything is done": _fault("reset"),
    "never answers": _fault("hang"),
    "answers half": _fault("half"),
    "adds garbage": _fault("garbage"),
    "answers HTML": _fault("html"),
    "answers nothing": _fault("empty"),
    "drips": _fault("drip"),
    "stalls for half a second": _fault("slow", value=0.5),
    "stalls for longer than we wait": _fault("slow", value=20),
    "forgets the session in a call": _fault("cookie"),
    **{
        f"says {code}": _fault("code", value=code)
        for code in (-5, -6, -7, -8, -9, -25, -41, -45, -57)
    },
    "is wedged until it is rebooted": _wedge,
    "is away": _away,
    "has banned us": _ban,
    "has its PMS module off": _permission,
}


def misbehave(name: str, seed: int, events: int) -> list[str]:
    """So many records with a UCM that has this one habit. Returns what is wrong in the end."""
    logs.set_up(quiet=True)
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    with tempfile.TemporaryDirectory() as folder:
        world = World(seed, Path(folder), loop, is_serial=True)
        try:
            return loop.run_until_complete(_misbehave(world, name, events))
        finally:
            asyncio.set_event_loop(None)
            loop.close()


async def _misbehave(world: World, name: str, events: int) -> list[str]:
    world.begin()
    await world.pms.link_up()
    said = 0
    while said < events:
        records = world.hotel.random_deed()
        said += len(records)
        world.pms.say(*records)
        await WEATHERS[name](world, world.rng)
        await asyncio.sleep(world.rng.choice((0.1, 5, 30)))
    world.ucm.faults.clear()
    wrong = await world.settle(3 * 3600)
    wrong += world.books()
    refused = [call.at for call in world.ucm.journal if call.code == -37]
    if any(late - early < 600 for early, late in zip(refused, refused[3:], strict=False)):
        wrong.append("more than three failed logins in ten minutes")
    if world.peer.most_at_once > 1:
        wrong.append("two requests at once")
    parked = world.service.outbox.outbox.rows(["parked"]) if world.service else []
    wrong += [f"parked: {row.error}" for row in parked]
    await world.end()
    return [f"{name}: {each}" for each in wrong]


# --- Delivery at length ---


async def _calls_of_a_resync(world: World, changed: int) -> tuple[int, int]:
    """A full house is told twice, so many rooms differently. Returns calls and rooms of the second."""
    world.begin()
    await world.pms.link_up()
    for room in world.rooms[::2]:
        world.hotel.check_in(room, silent=True)
    world.pms.say(*world.hotel.resync())
    wrong = await world.settle(6 * 3600)
    assert not wrong, wrong[:3]
    before = len(world.ucm.calls())
    taken = world.hotel.taken
    for room in world.rng.sample(taken, changed):
        guest = world.hotel.guests[world.hotel.inside[room][0]]
        guest.name = "Changed"
    world.pms.say(*world.hotel.resync())
    wrong = await world.settle(6 * 3600)
    assert not wrong, wrong[:3]
    calls = [call for call in world.ucm.calls()[before:] if call.action != "listPMSRoom"]
    await world.end()
    return len(calls), len({call.room for call in calls})


async def _wait_of_the_healthy(world: World, poisoned: int) -> float:
    """How long a record waits for the UCM, on average, while so many other rooms are refused."""
    world.begin()
    await world.pms.link_up()
    said: dict[str, float] = {}
    waits: list[float] = []

    def heard(call: Call) -> None:
        if call.applied and call.room in said:
            waits.append(world.loop.time() - said.pop(call.room))

    world.ucm.on_call = heard
    for room in world.rooms[:poisoned]:
        world.ucm.fail("code", value=-25, room=room, times=-1)
        world.pms.say(f"GI|RN{room}|G#9{room}|GNPoison|GSN|")
    await asyncio.sleep(10)  # the line itself needs a moment for them
    healthy = world.rooms[50:]
    for turn in range(10):
        for room in healthy:
            said[room] = world.loop.time()
            world.pms.say(*(world.hotel.check_out if turn % 2 else world.hotel.check_in)(room))
            await asyncio.sleep(1)
    assert len(waits) >= 9 * len(healthy)
    await world.end()
    return sum(waits) / len(waits)


def in_world(play: Callable[[World], Awaitable[object]], seed: int, rooms: int) -> object:
    """Play something in a world of its own, with so many rooms, over a silent serial line."""
    logs.set_up(quiet=True)
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    with tempfile.TemporaryDirectory() as folder:
        names = tuple(str(1000 + each) for each in range(rooms))
        world = World(seed, Path(folder), loop, is_serial=True, rooms=names)
        try:
            return loop.run_until_complete(play(world))  # type: ignore[arg-type]  # a coroutine
        finally:
            asyncio.set_event_loop(None)
            loop.close()


def at_length(scale: float, seed: int) -> list[Figure]:
    """A resync of 3,000 rooms of which 10 changed; 50 rooms that cannot be told."""
    rooms = max(100, int(3000 * scale))
    calls, told = in_world(partial(_calls_of_a_resync, changed=10), seed, rooms)  # type: ignore[misc]
    well = in_world(partial(_wait_of_the_healthy, poisoned=0), seed, 250)
    sick = in_world(partial(_wait_of_the_healthy, poisoned=50), seed, 250)
    assert isinstance(well, float)
    assert isinstance(sick, float)
    return [
        counted("resync: rooms told again, ten of them changed", rooms),
        Figure("resync: rooms called for", told, "10", ok=told == 10),
        Figure("resync: calls", calls, "10", ok=calls == 10),
        at_most("50 rooms that are refused: wait of the others, as part of that without", sick / well, 1.05),
    ]  # fmt: skip


# --- A certificate that changes ---


async def _swap(times: int, folder: Path) -> list[str]:
    """The UCM shows another certificate, and the right one again: the wrong one hears nothing."""
    right, wrong = folder / "right", folder / "wrong"
    for each in (right, wrong):
        each.mkdir()
    pems = write_certificate(right), write_certificate(wrong)
    ucm = UcmSimulator()
    ucm.rooms.add("101")
    port = await ucm.start(pems[0])
    pin = bytes.fromhex(fingerprint_of(pems[0]).removeprefix("sha256:").replace(":", ""))
    peer = HttpsPeer(f"https://127.0.0.1:{port}/api", timeout_s=5,
                     tls=TlsSettings(trust=Trust.PINNED, fingerprint=pin))  # fmt: skip
    metrics = Metrics(version="1", site="x")
    settings = ucm.settings
    api = NewApi(peer, username=settings.username, password=settings.password, metrics=metrics,
                 token=pms_token(settings.pms_username, settings.pms_password))  # fmt: skip
    found = []
    for number in range(times):
        for pem, is_right in ((pems[1], False), (pems[0], True)):
            ucm._context.load_cert_chain(pem)  # type: ignore[union-attr]  # it was started with TLS
            for writer in tuple(ucm._writers):
                writer.transport.abort()
            await asyncio.sleep(0.02)  # what is pooled is seen to be gone
            heard = len(ucm.journal)
            try:
                await api.probe()
            except Unreachable as error:
                if is_right and error.kind != "reset":
                    found.append(f"swap {number}: {error.kind}")
                elif not is_right and (error.sent or error.kind not in ("tls", "reset")):
                    found.append(f"swap {number}: {error.kind}, sent {error.sent}")
            else:
                if not is_right:
                    found.append(f"swap {number}: the wrong one was asked")
            if not is_right and len(ucm.journal) != heard:
                found.append(f"swap {number}: the wrong one heard a request")
    await api.probe()
    await api.close()
    await ucm.stop()
    return found


def swapped_certificates(times: int) -> list[str]:
    """What was wrong when the certificate changed so often."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_swap(times, Path(folder)))


def torture(scale: float, seed: int) -> list[Figure]:
    """A million rows; a thousand events for each habit; 3,000 rooms."""
    events = max(60, int(1000 * scale))
    with ProcessPoolExecutor() as pool:
        wrong = [
            text
            for found in pool.map(partial(misbehave, seed=seed, events=events), WEATHERS)
            for text in found
        ]
    for text in wrong[:10]:
        print(text, file=sys.stderr)
    return [
        counted("habits of a UCM", len(WEATHERS)),
        counted("records under each", events),
        none_of("what was wrong after any of them", len(wrong)),
        none_of("what was wrong in 100 swaps of the certificate", len(swapped_certificates(100))),
        *at_length(scale, seed),
        *backlog(max(20_000, int(1_000_000 * scale)), seed),
    ]
