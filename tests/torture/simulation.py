"""One hotel day from one seed, in virtual time, with every fault mixed in; and what must be true.

python -m tests.torture.simulation SEED [HOURS [LINES]]    plays one day again and tells it
"""

import asyncio
import hashlib
import logging
import sys
import tempfile
import traceback
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from time import perf_counter

import apsw

from gateway import logs
from gateway.app import StartFailed
from gateway.simulators.ucm import Call
from gateway.store import StorageFailed
from tests.torture.figures import Figure, at_most, counted, none_of
from tests.torture.virtual import VirtualLoop
from tests.torture.world import ROOMS, SUITES, World, at_minute

HOURS = 24
SICK = ("15", "17", "18")
"""With these codes a UCM refuses a room for good."""
CALM_WITHIN_S = 3 * 3600.0
"""A refusal costs up to three tries a minute apart, a stop five minutes; then all must be told."""


@dataclass(slots=True)
class Day:
    """What one day came to. `wrong`: broken promises in words; empty: none."""

    seed: int
    wrong: list[str] = field(default_factory=list)
    told: deque[str] = field(default_factory=lambda: deque(maxlen=4000))
    records: int = 0
    calls: int = 0
    kills: int = 0
    faults: int = 0
    parked: int = 0
    messages: int = 0
    digest: str = ""


def play(seed: int, folder: Path, hours: float = HOURS) -> Day:
    """Play one day. Deterministic: the same seed gives the same digest."""
    day = Day(seed)
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    try:
        # Healing would hide what was lost on its way: every other pair of days only reports.
        world = World(seed, folder, loop, is_serial=seed % 2 == 0, heals=seed // 2 % 2 == 0,
                      suites=SUITES if seed // 4 % 2 == 0 else {},
                      rooms=ROOMS,
                      extra="" if seed % 2 == 0 else 'resync = "on-connect"\n')  # fmt: skip
        loop.latency = lambda: 0.001 if world.rng.random() < 0.99 else world.rng.random() * 2
        loop.run_until_complete(_live_and_end(world, day, hours))
    except Exception:  # noqa: BLE001  # a crash of the program is a finding as well
        day.wrong.append(traceback.format_exc(limit=-6))
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    return day


async def _live_and_end(world: World, day: Day, hours: float) -> None:
    try:
        await _live(world, day, hours)
    finally:
        await world.end()


async def _live(world: World, day: Day, hours: float) -> None:
    digest = hashlib.sha256()

    def note(what: str) -> None:
        line = f"{world.loop.time() - 1000:10.3f} {what}"
        day.told.append(line)
        digest.update(line.encode())

    def called(call: Call) -> None:
        note(
            f"ucm< {call.action} {call.room}{' > ' + to if (to := call.tags.get('d_address')) else ''} -> {call.code}"
        )
        world.mailboxes.is_exact = world.is_exact()
        world.on_call(call)

    world.ucm.on_call = called
    world.pms.on_record = lambda text, heard: note(f"{'gw ' if heard else 'pms'}> {text}")
    world.begin()
    trouble = _Trouble(world, day, note)
    until = world.loop.time() + hours * 3600
    while world.loop.time() < until:
        await asyncio.sleep(world.rng.expovariate(1 / 300))
        if world.rng.random() < 0.5:
            await trouble.strike()
        for _ in range(world.rng.choice((0, 1, 1, 1, 5))):
            _deed(world, day)
        for _ in range(world.rng.choice((0, 0, 1, 2))):
            world.mailboxes.leave(world.rng.choice(tuple(world.meaning.orders)))
        _look(world, day)
        if world.rng.random() < 0.04:
            await trouble.clear()
            await _compare(world, day, trouble, note)
    await trouble.clear()
    await _compare(world, day, trouble, note)
    day.calls = len(world.ucm.journal)
    day.messages = world.mailboxes.left
    day.digest = digest.hexdigest()


def _deed(world: World, day: Day) -> None:
    draw = world.rng.random()
    if draw < 0.03:
        for _ in range(world.rng.randrange(3)):
            world.hotel.silent_deed()
        records = world.hotel.resync()
    elif draw < 0.18:
        records = _order(world)
    else:
        records = world.hotel.random_deed()
    day.records += len(records)
    world.say(*records)


def _order(world: World) -> list[str]:
    """A guest wants to be called, or not any more, or not to be disturbed."""
    rng = world.rng
    room = rng.choice(world.hotel.rooms)
    stay = world.meaning.stays[world.hotel.phones[room]]
    if stay is None or not world.hotel.told[room]:
        return []
    wall = at_minute(world.clock.true_wall().replace(tzinfo=None))
    match rng.randrange(5):
        case 0 | 1:
            at = wall + timedelta(minutes=rng.choice((3, 30, 300, 1200)) + rng.randrange(60))
            stay.wake_ups.add(at)
            return [f"WR|RN{room}|DA{at:%y%m%d}|TI{at:%H%M}00|"]
        case 2 if stay.wake_ups:
            at = rng.choice(sorted(stay.wake_ups))
            stay.wake_ups.discard(at)
            return [f"WC|RN{room}|DA{at:%y%m%d}|TI{at:%H%M}00|"]
        case 3 if rng.random() < 0.5:
            stay.wake_ups.clear()
            return [f"WC|RN{room}|DA|TI|"]
        case _:
            stay.dnd = rng.random() < 0.5
            return [f"RE|RN{room}|DN{'Y' if stay.dnd else 'N'}|"]


def _look(world: World, day: Day) -> None:
    """What must be true at any moment."""
    day.wrong += world.mailboxes.wrong
    world.mailboxes.wrong.clear()
    if world.service is None:
        return
    odd = {
        why for why in world.parked().values() if not why.startswith(SICK) and "tries)" not in why
    }
    day.wrong += [f"parked although the UCM never refused it: {why}" for why in odd]
    if world.peer.most_at_once > 1:
        day.wrong.append("two requests at once")
    refused = [call.at for call in world.ucm.journal if call.code == -37]
    if any(late - early < 600 for early, late in zip(refused, refused[3:], strict=False)):
        day.wrong.append("more than three failed logins in ten minutes")


async def _compare(world: World, day: Day, trouble: "_Trouble", note) -> None:
    """In calm weather everything must be as the PMS means it, but for the phones that the UCM
    refuses; and these, once they are mended and an operator has tried them again."""
    note("calm")
    # What the PMS wrote into a dying socket is its own loss, and a resync that was cut short ours.
    if world.resyncs_lost() or not world.is_serial:
        world.meaning.doubt()
        records = world.hotel.resync()
        day.records += len(records)
        world.say(*records)
    wrong = [f"with sick rooms: {each}" for each in await world.settle(CALM_WITHIN_S)]
    _look(world, day)
    note(f"parked {sorted(world.parked().items())}")
    day.parked += len(world.parked())
    trouble.mend()
    await world.retry_parked()
    wrong += await world.settle(CALM_WITHIN_S)
    wrong += [f"{phone} is parked: {why}" for phone, why in world.parked().items()]
    wrong += world.books()
    if not wrong:
        wrong += world.mailboxes.in_calm_weather()
    if wrong:
        day.wrong.append(f"after {world.loop.time() - 1000:.0f} s: " + "; ".join(wrong))
        note(f"wrong: {wrong}")


class _Trouble:
    """Everything that goes wrong in a cupboard."""

    def __init__(self, world: World, day: Day, note) -> None:
        self._world, self._day, self._note = world, day, note

    async def strike(self) -> None:
        """One fault; some last for a while, and others come meanwhile."""
        world, rng = self._world, self._world.rng
        kinds = (self._room_refused, self._operator_tries, self._ucm_fault, self._ucm_code, self._ucm_away, self._ucm_reboot, self._line_pulled,
                 self._line_noise, self._pms_again, self._gateway_killed, self._disk_fails,
                 self._disk_full, self._clock_jumps)  # fmt: skip
        kind = rng.choice(kinds)
        self._note(f"fault {kind.__name__}")
        self._day.faults += 1
        await kind()
        if world.service is None:
            await self._restart()

    async def clear(self) -> None:
        """Calm weather: everything works from now on."""
        world = self._world
        world.ucm.faults[:] = [fault for fault in world.ucm.faults if fault.times < 0]
        world.ucm.wedged = False
        world.peer.is_away = False
        world.cable.plug()
        world.cable.noise = 0.0
        world.disk.fault = None
        world.clock.off_s = 0.0
        if world.service is None:
            await self._restart()

    async def _restart(self) -> None:
        world = self._world
        for _ in range(100):
            try:
                world.switch_on()
            except StartFailed:  # the disk is still full: systemd tries again
                await asyncio.sleep(5)
                if world.rng.random() < 0.2:
                    world.disk.fault = None
            else:
                return
        raise AssertionError("it never started again")

    def mend(self) -> None:
        """No room is refused any more."""
        self._world.ucm.faults.clear()

    async def _room_refused(self) -> None:
        """From now on the UCM says no to everything about one room."""
        world, rng = self._world, self._world.rng
        phone, code = rng.choice(tuple(world.meaning.orders)), int(rng.choice(SICK))
        world.ucm.fail("code", value=code, room=phone, times=-1)
        for _ in range(rng.randrange(3)):
            _deed(world, self._day)

    async def _operator_tries(self) -> None:
        """One who has mended the cause, or only hopes so."""
        world, rng = self._world, self._world.rng
        sick = [fault for fault in world.ucm.faults if fault.times < 0]
        if sick and rng.random() < 0.7:
            world.ucm.faults.remove(rng.choice(sick))
        with suppress(StorageFailed):
            await world.retry_parked()

    async def _ucm_fault(self) -> None:
        rng = self._world.rng
        kind = rng.choice(("drop", "reset", "hang", "slow", "drip", "html", "empty", "half",
                           "garbage", "cookie"))  # fmt: skip
        self._world.ucm.fail(kind, times=rng.choice((1, 1, 3, 10)), value=rng.choice((0.5, 3, 14)))

    async def _ucm_code(self) -> None:
        rng = self._world.rng
        code = rng.choice((-5, -6, -7, -8, -9, -25, -41, -45, -46, -51, -57))
        action = rng.choice((None, "checkin", "checkout", "mov", "update"))
        # No more refusals in a row than a row has tries: a parked row is right, but no calm.
        self._world.ucm.fail("code", value=code, action=action, times=rng.choice((1, 2)))

    async def _ucm_away(self) -> None:
        world = self._world
        world.peer.is_away = True
        for _ in range(world.rng.choice((1, 1, 1, 1, 6))):
            await asyncio.sleep(world.rng.choice((1, 30, 600, 3600)))
            for _ in range(world.rng.randrange(6)):
                _deed(world, self._day)
        await asyncio.sleep(world.rng.choice((1, 30, 600)))
        world.peer.is_away = False

    async def _ucm_reboot(self) -> None:
        world = self._world
        world.ucm.wedged = world.rng.random() < 0.5
        await asyncio.sleep(world.rng.choice((1, 200)))
        world.peer.is_away = True
        await asyncio.sleep(120)
        world.peer.forget()
        world.ucm.reboot()
        world.peer.is_away = False

    async def _line_pulled(self) -> None:
        world = self._world
        world.cable.pull()
        for _ in range(world.rng.choice((1, 1, 1, 10))):
            await asyncio.sleep(world.rng.choice((0.005, 1, 30, 400, 1200)))
            _deed(world, self._day)
        world.cable.plug()

    async def _line_noise(self) -> None:
        world = self._world
        world.cable.noise = world.rng.choice((1e-4, 1e-3, 1e-2))
        for _ in range(world.rng.randrange(5)):
            _deed(world, self._day)
        await asyncio.sleep(world.rng.choice((5, 60)))
        world.cable.noise = 0.0

    async def _pms_again(self) -> None:
        self._world.pms.start_again()

    async def _gateway_killed(self) -> None:
        world = self._world
        for _ in range(world.rng.randrange(4)):
            _deed(world, self._day)
        await asyncio.sleep(world.rng.random() * world.rng.choice((0.05, 0.5, 20)))
        self._day.kills += 1
        await world.kill(power=world.rng.random() < 0.5)
        await asyncio.sleep(world.rng.choice((0.1, 2, 60)))

    async def _disk_fails(self) -> None:
        world, rng = self._world, self._world.rng
        at = world.disk.operations + rng.randrange(1, 40)
        code = rng.choice(
            (apsw.SQLITE_IOERR_WRITE, apsw.SQLITE_IOERR_FSYNC, -apsw.SQLITE_IOERR_WRITE)
        )
        wanted = "sync" if code == apsw.SQLITE_IOERR_FSYNC else "write"
        last = at + rng.choice((0, 3, 100))

        def fault(operation: str, number: int) -> int | None:
            return code if operation == wanted and at <= number <= last else None

        world.disk.fault = fault
        for _ in range(rng.randrange(1, 4)):
            _deed(world, self._day)
        await asyncio.sleep(rng.choice((1, 20)))
        world.disk.fault = None

    async def _disk_full(self) -> None:
        world, rng = self._world, self._world.rng
        world.disk.fault = lambda operation, _: (
            apsw.SQLITE_FULL if operation in ("write", "open") else None
        )
        for _ in range(rng.randrange(1, 4)):
            _deed(world, self._day)
        await asyncio.sleep(rng.choice((1, 30, 300)))
        world.disk.fault = None

    async def _clock_jumps(self) -> None:
        world, rng = self._world, self._world.rng
        world.meaning.was_late()
        world.clock.off_s = rng.choice((-3600, 3600, 86400, -86400 * 20000, -7200.5, 0))
        _deed(world, self._day)
        await asyncio.sleep(rng.choice((5, 600)))
        world.clock.off_s = 0.0
        world.meaning.was_late()


def one(seed: int, hours: float = HOURS) -> Day:
    """Play one day in a folder of its own, quietly."""
    logs.set_up(quiet=True)
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        day = play(seed, Path(folder) / "site", hours)
    day.told.clear()
    return day


def torture(scale: float, seed: int) -> list[Figure]:
    """10,000 days at full scale."""
    seeds = range(seed, seed + max(2, int(10_000 * scale)))
    started = perf_counter()
    with ProcessPoolExecutor() as pool:
        days = list(pool.map(one, seeds, chunksize=4))
    broken = [day for day in days if day.wrong]
    for day in broken[:20]:
        print(f"seed {day.seed}: {day.wrong[0]}", file=sys.stderr)
    again = [one(day.seed).digest == day.digest for day in days[:3]]
    return [
        counted("simulated hotel days", len(days)),
        counted("records said by the PMS", sum(day.records for day in days)),
        counted("calls to the UCM", sum(day.calls for day in days)),
        counted("faults", sum(day.faults for day in days)),
        counted("rooms that were parked in calm weather", sum(day.parked for day in days)),
        counted("messages left in mailboxes", sum(day.messages for day in days)),
        counted("crashes and power cuts", sum(day.kills for day in days)),
        counted("days a second", len(days) / (perf_counter() - started)),
        none_of("days with a broken promise", len(broken)),
        at_most("of three days played again, those that went otherwise", again.count(False), 0),
    ]


if __name__ == "__main__":
    logs.set_up(verbose="-v" in sys.argv, quiet="-v" not in sys.argv)
    seed_of_day, hours_of_day, lines = (*sys.argv[1:], "24", "60")[:3]
    with tempfile.TemporaryDirectory() as place:
        result = play(int(seed_of_day), Path(place) / "site", float(hours_of_day))
    print("\n".join(list(result.told)[-int(lines) :]))
    print(
        f"records {result.records}, calls {result.calls}, faults {result.faults},"
        f" kills {result.kills}, parked {result.parked}, messages {result.messages}"
    )
    print("\n".join(result.wrong) or "nothing wrong")
    sys.exit(bool(result.wrong))
