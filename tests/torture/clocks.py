"""Time: a machine clock that jumps, nights of 23 and 25 hours, a leap day; wake-ups all the same."""

import asyncio
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from gateway import logs
from tests.torture.figures import Figure, at_most, counted, none_of
from tests.torture.virtual import VirtualLoop
from tests.torture.world import ZONE, World

JUMPS_S = (3600, -3600, 86_400, -86_400, 5 * 86_400, 0.7, -7200.5, 30 * 86_400)
NO_CLOCK_S = -56 * 365.25 * 86_400  # a board without a battery: 1970
NIGHTS = {
    "an hour is missing": datetime(2026, 3, 28, 20, tzinfo=ZONE),
    "an hour comes twice": datetime(2026, 10, 24, 20, tzinfo=ZONE),
    "29 February": datetime(2028, 2, 28, 20, tzinfo=ZONE),
    "the last night of a year": datetime(2027, 12, 31, 20, tzinfo=ZONE),
}


async def _jump(world: World, jumps: int) -> list[str]:
    """The clock jumps before each record; in the end the UCM is as the PMS means it."""
    world.begin()
    await world.pms.link_up()
    slowest = 0.0
    for number in range(jumps):
        world.clock.off_s = NO_CLOCK_S if number % 50 == 0 else world.rng.choice(JUMPS_S)
        before = world.loop.time()
        if number % 7 == 0:
            world.ucm.fail("reset", times=1)  # a pause is running when the clock jumps
        world.say(*world.hotel.random_deed())
        await world.pms.all_said()
        while world.waiting():
            await asyncio.sleep(0.1)
        slowest = max(slowest, world.loop.time() - before)
        if number % 25 == 0:
            await world.kill(power=False)  # started at the wrong time, too
            world.switch_on()
            await world.pms.link_up()
    world.clock.off_s = 0.0
    wrong = await world.settle(600) + world.books()
    if slowest > 150:  # one refusal and one pause, each at most retry_interval_s, and a new link
        wrong.append(f"a record waited {slowest:.0f} s")
    await world.end()
    return wrong


async def _night(world: World) -> list[str]:
    """Two wake-ups a room through the night: the UCM always knows the next one, in wall time."""
    world.begin()
    await world.pms.link_up()
    wrong: list[str] = []
    room = world.rooms[0]
    world.say(*world.hotel.check_in(room))
    night = world.start.replace(tzinfo=None)
    orders = [
        datetime.combine(night.date() + timedelta(days=1), datetime.min.time())
        + timedelta(minutes=minutes)
        for minutes in (5, 55, 65, 70, 125, 185, 390)
    ]
    world.pms.say(*(f"WR|RN{room}|DA{at:%y%m%d}|TI{at:%H%M}00|" for at in orders))
    rung: list[str] = []
    until = world.loop.time() + 12 * 3600
    while world.loop.time() < until:
        await asyncio.sleep(5)
        wall = world.clock.true_wall().replace(tzinfo=None)
        known = world.ucm.rooms.rooms[room].wake_up
        if known is not None and f"{wall:%Y%m%d}" == known[0] and f"{wall:%H%M}" == known[1]:
            text = f"{known[0]} {known[1]}"
            if text not in rung:
                rung.append(text)
    wanted = [f"{at:%Y%m%d %H%M}" for at in orders if _exists(at)]
    if [each for each in rung if each in wanted] != wanted:
        wrong.append(f"rung at {rung}, ordered for {wanted}")
    wrong += world.books()
    await world.end()
    return wrong


def _exists(at: datetime) -> bool:
    """A moment that the hotel's clocks show that night."""
    back = at.replace(tzinfo=ZONE).astimezone(tz=None).astimezone(ZONE).replace(tzinfo=None)
    return back == at


def play(seed: int, jumps: int = 0, night: str = "") -> list[str]:
    """Either of them in a world of its own. Returns what is wrong."""
    logs.set_up(quiet=True)
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    with tempfile.TemporaryDirectory() as folder:
        how = {"start": NIGHTS[night]} if night else {}
        world = World(seed, Path(folder), loop, is_serial=True, **how)  # type: ignore[arg-type]  # it is one
        try:
            found = loop.run_until_complete(_night(world) if night else _jump(world, jumps))
        finally:
            asyncio.set_event_loop(None)
            loop.close()
    return [f"{night or 'jumps'}: {each}" for each in found]


def torture(scale: float, seed: int) -> list[Figure]:
    """1,000 jumps, four nights."""
    jumps = max(40, int(1000 * scale / 4))
    with ProcessPoolExecutor() as pool:
        jumped = list(pool.map(partial(play, jumps=jumps), range(seed, seed + 4)))
        nights = [pool.submit(play, seed, night=night) for night in NIGHTS]
        slept = [future.result() for future in nights]
    for text in [each for found in jumped + slept for each in found][:10]:
        print(text, file=sys.stderr)
    return [
        counted("jumps of the clock", 4 * jumps),
        none_of("what was wrong after them", sum(map(len, jumped))),
        counted("odd nights", len(NIGHTS)),
        at_most("wrong wake-ups in them", sum(map(len, slept)), 0),
    ]
