"""One hotel day from one seed, in virtual time, with every fault mixed in; and what must be true.

python -m tests.torture.simulation SEED [HOURS [LINES]]    plays one day again and tells it
"""

import asyncio
import hashlib
import logging
import sys
import tempfile
import traceback
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from time import perf_counter

from gateway import logs
from gateway.simulators.ucm import Call
from tests.torture.deeds import Day, deed
from tests.torture.figures import Figure, at_most, counted, none_of
from tests.torture.trouble import SICK, Trouble
from tests.torture.virtual import VirtualLoop
from tests.torture.world import ROOMS, SUITES, World

HOURS = 24
CALM_WITHIN_S = 3 * 3600.0
"""A refusal costs up to three tries a minute apart, a stop five minutes; then all must be told."""


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
    trouble = Trouble(world, day, note)
    until = world.loop.time() + hours * 3600
    while world.loop.time() < until:
        await asyncio.sleep(world.rng.expovariate(1 / 300))
        if world.rng.random() < 0.5:
            await trouble.strike()
        for _ in range(world.rng.choice((0, 1, 1, 1, 5))):
            deed(world, day)
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


async def _compare(world: World, day: Day, trouble: "Trouble", note) -> None:
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
