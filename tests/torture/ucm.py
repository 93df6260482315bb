"""The UCM: away for days for a million records, and every way in which it can misbehave."""

import asyncio
import random
import sys
import tempfile
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter

from gateway import logs
from gateway.drivers.base import Unreachable
from gateway.drivers.ucm.api import NewApi, pms_token
from gateway.drivers.ucm.https import HttpsPeer, TlsSettings, Trust
from gateway.metrics import Metrics
from gateway.simulators.certificate import fingerprint_of, write_certificate
from gateway.simulators.hotel import Hotel, differences
from gateway.simulators.ucm import Call, UcmSimulator
from protocols.fias import decode
from protocols.session import DataReceived
from tests.site import Site
from tests.torture.figures import Figure, at_most, counted, none_of
from tests.torture.virtual import VirtualLoop
from tests.torture.world import World

BACKLOG_ROOMS = tuple(str(1000 + each) for each in range(400))


# --- A long backlog ---


@dataclass(frozen=True, slots=True)
class Outage:
    """What it took to make a UCM true again that had been away for so many records.

    calls       moves are counted beside them
    first_s     from the start of a new gateway to its first call
    """

    calls: int
    moves: int
    first_s: float
    rss_mb: float
    wrong: list[str]


async def _hear(site: Site, hotel: Hotel, records: int) -> None:
    """So many records while nothing is told to the UCM."""
    said = 0
    while said < records:
        bodies = [record.encode("utf-8") for _ in range(100) for record in hotel.random_deed()]
        await site.intake.take([DataReceived(decode(body, "utf-8"), body) for body in bodies])
        said += len(bodies)


async def _outage(path: Path, records: int, seed: int) -> Outage:
    """A full house, an outage, and a gateway that starts anew when the UCM is back."""
    site = Site(path, BACKLOG_ROOMS)
    hotel = Hotel(rooms=BACKLOG_ROOMS, seed=seed)
    await site.hear(*hotel.resync())
    await site.rest(most=10_000)
    await _hear(site, hotel, 1000)
    await site.rest(most=10_000)
    await _hear(site, hotel, records)
    before, began = len(site.api.calls), perf_counter()
    site.start()
    while len(site.api.calls) == before:
        await site.turn()
    first_s = perf_counter() - began
    await site.rest(most=10_000)
    done = [action for action, _, fate in site.api.calls[before:] if fate == "ok"]
    moves = done.count("mov")
    wrong = site.wrong() + differences(hotel, site.ucm.rooms)
    site.store.store.close()
    return Outage(len(done) - moves, moves, first_s, _rss_mb(), wrong)


def _rss_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def _measured(path: Path, records: int, seed: int) -> Outage:
    """In a process of its own."""
    logs.set_up(quiet=True)
    return asyncio.run(_outage(path, records, seed))


def backlog(records: int, seed: int) -> list[Figure]:
    """A million records against two thousand, side by side: an outage costs by its rooms."""
    with (
        tempfile.TemporaryDirectory() as name,
        ProcessPoolExecutor(1, max_tasks_per_child=1) as pool,
    ):
        few = pool.submit(_measured, Path(name, "small.db"), 2000, seed).result()
        many = pool.submit(_measured, Path(name, "large.db"), records, seed).result()
    rooms = len(BACKLOG_ROOMS)
    return [
        counted("outage: records that the UCM missed", records),
        at_most("outage: start to the first call, more than after 2,000 records, s",
                max(0.0, many.first_s - few.first_s), 0.1),
        at_most("outage: memory at the end, as part of that after 2,000 records", many.rss_mb / few.rss_mb, 1.1),
        counted("outage: guests who had moved", many.moves),
        at_most("outage: calls a room beside the moves", many.calls / rooms, 2),
        at_most("outage: moves a room", many.moves / rooms, 1),
        none_of("outage: what is wrong in the end", len(many.wrong) + len(few.wrong)),
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
        world.ucm.new_api.session = None
        world.ucm.new_api.banned_until = world.loop.time() + rng.choice((30, 600))


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
        world.say(*records)
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
    wrong += [f"{phone} is parked: {why}" for phone, why in world.parked().items()]
    await world.end()
    return [f"{name}: {each}" for each in wrong]


# --- Delivery at length ---


async def _calls_of_a_resync(world: World, changed: int) -> tuple[int, int]:
    """A full house is told twice, so many rooms differently. Returns calls and rooms of the second."""
    world.begin()
    await world.pms.link_up()
    for room in world.rooms[::2]:
        world.hotel.check_in(room, silent=True)
    world.say(*world.hotel.resync())
    wrong = await world.settle(6 * 3600)
    assert not wrong, wrong[:3]
    before = len(world.ucm.calls())
    taken = world.hotel.taken
    for room in world.rng.sample(taken, changed):
        guest = world.hotel.guests[world.hotel.inside[room][0]]
        guest.name = "Changed"
    world.say(*world.hotel.resync())
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
            world.say(*(world.hotel.check_out if turn % 2 else world.hotel.check_in)(room))
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
            ucm.context.load_cert_chain(pem)  # type: ignore[union-attr]  # it was started with TLS
            ucm.cut()
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
    """A million records; a thousand events for each habit; 3,000 rooms."""
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
