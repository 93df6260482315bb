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
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import apsw

from gateway import logs
from gateway.app import StartFailed
from tests.torture.figures import Figure, at_most, counted, none_of
from tests.torture.virtual import VirtualLoop
from tests.torture.world import World

HOURS = 24
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
    digest: str = ""


def play(seed: int, folder: Path, hours: float = HOURS) -> Day:
    """Play one day. Deterministic: the same seed gives the same digest."""
    day = Day(seed)
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    try:
        # Healing would hide what was lost on its way: every other pair of days only reports.
        world = World(seed, folder, loop, is_serial=seed % 2 == 0, heals=seed // 2 % 2 == 0,
                      extra="" if seed % 2 == 0 else 'resync = "on-connect"\n')  # fmt: skip
        loop._latency = lambda: 0.001 if world.rng.random() < 0.99 else world.rng.random() * 2
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

    world.ucm.on_call = lambda call: note(f"ucm< {call.action} {call.room} -> {call.code}")
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
        _look(world, day)
        if world.rng.random() < 0.04:
            await trouble.clear()
            await _compare(world, day, note)
    await trouble.clear()
    await _compare(world, day, note)
    day.calls = len(world.ucm.journal)
    day.digest = digest.hexdigest()


def _deed(world: World, day: Day) -> None:
    if world.rng.random() < 0.03:
        for _ in range(world.rng.randrange(3)):
            world.hotel.silent_deed()
        records = world.hotel.resync()
    else:
        records = world.hotel.random_deed()
    day.records += len(records)
    world.pms.say(*records)


def _look(world: World, day: Day) -> None:
    """What must be true at any moment."""
    if world.service is None:
        return
    outbox = world.service.outbox.outbox
    if outbox._db is not None:
        lost = outbox.totals().unaccounted("to_ucm") if not world.disk.fault else 0
        if lost:
            day.wrong.append(f"{lost} entries unaccounted for")
    if world.peer.most_at_once > 1:
        day.wrong.append("two requests at once")
    refused = [call.at for call in world.ucm.journal if call.code == -37]
    if any(late - early < 600 for early, late in zip(refused, refused[3:], strict=False)):
        day.wrong.append("more than three failed logins in ten minutes")


async def _compare(world: World, day: Day, note) -> None:
    """In calm weather everything must be as the PMS means it."""
    note("calm")
    # What the PMS wrote into a dying socket is its own loss, and a resync that was cut short ours.
    if world.resyncs_lost() or not world.is_serial:
        records = world.hotel.resync()
        day.records += len(records)
        world.pms.say(*records)
    wrong = await world.settle(CALM_WITHIN_S)
    wrong += world.books()
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
        kinds = (self._ucm_fault, self._ucm_code, self._ucm_away, self._ucm_reboot, self._line_pulled,
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
        world.ucm.faults.clear()
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
        await asyncio.sleep(world.rng.choice((0.005, 1, 30, 400)))
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
        world.clock.off_s = rng.choice((-3600, 3600, 86400, -86400 * 20000, -7200.5, 0))
        _deed(world, self._day)
        await asyncio.sleep(rng.choice((5, 600)))
        world.clock.off_s = 0.0


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
        f"records {result.records}, calls {result.calls}, faults {result.faults}, kills {result.kills}"
    )
    print("\n".join(result.wrong) or "nothing wrong")
    sys.exit(bool(result.wrong))
