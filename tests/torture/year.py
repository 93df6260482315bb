"""A hotel year in virtual time: 400 rooms, day after day, with the troubles that a year brings.

python -m tests.torture.year [--days 365] [--seed 1]: a line a week, and the verdict
"""

import argparse
import asyncio
import gc
import sys
import tempfile
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from time import perf_counter

from gateway import logs
from tests.torture.figures import Figure, at_most, counted, none_of
from tests.torture.virtual import VirtualLoop
from tests.torture.world import World

ROOMS = tuple(str(floor * 100 + door) for floor in range(1, 11) for door in range(1, 41))
SETTLED_AFTER_DAYS = 14
"""From then on nothing may grow: caches are warm, and the journal is purged after a week."""


@dataclass(slots=True)
class Night:
    """What is measured each night."""

    day: int
    wrong: list[str]
    rss_kb: int
    file_bytes: int
    descriptors: int


@dataclass(slots=True)
class Year:
    """A hotel and its nights."""

    world: World
    nights: list[Night] = field(default_factory=list)
    records: int = 0
    calls: int = 0

    async def live(self, days: int, *, tell: bool) -> None:
        """So many days, each with its night."""
        self.world.begin()
        await self.world.pms.link_up()
        began = perf_counter()
        for day in range(days):
            await self._day(day)
            self.nights.append(await self._night(day))
            if tell and day % 7 == 6:
                last = self.nights[-1]
                print(
                    f"day {day + 1}: {self.records:,} records, {self.calls:,} calls, "
                    f"{last.rss_kb // 1024} MiB, file {last.file_bytes // 1024} KiB, "
                    f"{last.descriptors} descriptors, {perf_counter() - began:.0f} s, "
                    f"{'; '.join(last.wrong) or 'agreed'}",
                    flush=True,
                )
        await self.world.end()

    async def _day(self, day: int) -> None:
        """Departures in the morning, arrivals in the afternoon, wake-ups ordered in the evening."""
        world, hotel, rng = self.world, self.world.hotel, self.world.rng
        hotel.today = (world.start + timedelta(days=day)).date()
        deeds = []
        for _ in range(rng.randrange(90, 140)):
            deeds.append((rng.triangular(1, 6, 4), "out"))  # hours after six in the morning
            deeds.append((rng.triangular(7, 16, 10), "in"))
        deeds += [(rng.uniform(1, 16), "other") for _ in range(rng.randrange(60, 120))]
        deeds += [(rng.triangular(13, 16, 15), "wake") for _ in range(60)]
        if day % 7 == 3:
            deeds.append((rng.uniform(2, 15), "reboot"))
        if day % 30 == 11:
            deeds.append((rng.uniform(2, 15), "line"))
        began = world.loop.time()
        for hour, deed in sorted(deeds):
            await asyncio.sleep(max(0.0, began + hour * 3600 - world.loop.time()))
            await self._do(deed)
        await asyncio.sleep(max(0.0, began + 16.5 * 3600 - world.loop.time()))

    async def _do(self, deed: str) -> None:
        world, hotel, rng = self.world, self.world.hotel, self.world.rng
        match deed:
            case "out" if hotel.taken:
                self._say(*hotel.check_out(rng.choice(hotel.taken)))
            case "in" if hotel.free:
                room = rng.choice(hotel.free)
                self._say(*hotel.check_in(room))
                if rng.random() < 0.3:
                    self._say(*hotel.check_in(room))
            case "other" if hotel.taken and hotel.free:
                room = rng.choice(hotel.taken)
                draw = rng.random()
                if draw < 0.1:
                    self._say(*hotel.move(room, rng.choice(hotel.free)))
                elif draw < 0.8:
                    self._say(*hotel.change(room))
                else:
                    self._say(*hotel.restrict(room))
            case "wake" if hotel.taken:
                at = datetime.combine(
                    hotel.today + timedelta(days=1),
                    time(rng.randrange(5, 9), rng.randrange(0, 60, 5)),
                )
                room = rng.choice(hotel.taken)
                if (stay := world.meaning.stays[room]) is not None:
                    stay.wake_ups.add(at)
                self._say(f"WR|RN{room}|DA{at:%y%m%d}|TI{at:%H%M}00|")
            case "reboot":
                world.peer.is_away = True
                await asyncio.sleep(150)
                world.ucm.reboot()
                world.peer.is_away = False
            case "line":
                world.cable.noise = 0.003
                await asyncio.sleep(60)
                world.cable.pull()
                await asyncio.sleep(600)
                world.cable.plug()
                world.cable.noise = 0.0
                world.pms.start_again()
            case _:
                pass  # a full or an empty house

    async def _night(self, day: int) -> Night:
        """The audit, and then everything must agree."""
        world = self.world
        began = world.loop.time()
        stamp = f"DA{world.hotel.today:%y%m%d}|TI020000|"
        self._say(f"NS|{stamp}", f"NE|{stamp}")
        if day % 7 == 6:
            self._say(*world.hotel.resync())
        wrong = await world.settle(2 * 3600)
        wrong += [f"{phone} is parked: {why}" for phone, why in world.parked().items()]
        if day % 7 == 6:
            wrong += world.books()
        self.calls += len(world.ucm.journal)
        world.ucm.journal.clear()
        here = {number for numbers in world.hotel.inside.values() for number in numbers}
        for number in set(world.hotel.guests) - here:
            del world.hotel.guests[number]
        await asyncio.sleep(max(0.0, began + 7.5 * 3600 - world.loop.time()))
        gc.collect()
        return Night(
            day,
            wrong,
            _rss_kb(),
            sum(len(each.seen) for each in world.disk.files.values()),
            len(list(Path("/proc/self/fd").iterdir())),
        )

    def _say(self, *records: str) -> None:
        self.records += len(records)
        self.world.say(*records)


def _rss_kb() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    return 0


def live(days: int, seed: int, *, rooms: tuple[str, ...] = ROOMS, tell: bool = False) -> Year:
    """So many days of a hotel."""
    logs.set_up(quiet=True)
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    with tempfile.TemporaryDirectory() as folder:
        world = World(seed, Path(folder), loop, is_serial=True, rooms=rooms)
        year = Year(world)
        try:
            loop.run_until_complete(year.live(days, tell=tell))
        finally:
            asyncio.set_event_loop(None)
            loop.close()
    return year


def figures(year: Year) -> list[Figure]:
    """Flat or not, agreed or not."""
    early = year.nights[min(SETTLED_AFTER_DAYS, len(year.nights) - 1)]
    late = year.nights[-1]
    return [
        counted("nights", len(year.nights)),
        counted("records", year.records),
        counted("requests to the UCM", year.calls),
        none_of(
            "nights on which not all rooms agreed", sum(bool(each.wrong) for each in year.nights)
        ),
        at_most(
            "memory at the end, as part of that after two weeks", late.rss_kb / early.rss_kb, 1.1
        ),
        at_most(
            "file at the end, as part of that after two weeks",
            late.file_bytes / early.file_bytes,
            1.25,
        ),
        at_most("descriptors more than after two weeks", late.descriptors - early.descriptors, 0),
    ]


def main() -> None:
    """Arguments, and the verdict as exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    found = figures(live(given.days, given.seed, tell=True))
    for figure in found:
        print(f"  {figure}")
    sys.exit(not all(figure.ok for figure in found))


if __name__ == "__main__":
    main()
