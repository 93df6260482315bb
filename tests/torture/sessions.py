"""Thousands of telephone calls through the whole program, with everything that goes wrong at once.

Calls of every shape are made; the UCM drops replies, sends HTML and half a JSON, forgets the session
and reboots; the PMS says "not now", refuses, or says nothing, and cuts its line. In the end each
channel of a trunk is one posting: on the bill once, refused, or unknown; nothing else was posted.
"""

import asyncio
import json
import random
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway import logs
from gateway.back.states import State
from gateway.clock import Clock
from gateway.demo import stage
from gateway.store import Store
from tests.torture.figures import Figure, counted, none_of

ROOMS = tuple(str(room) for room in range(101, 121))
BATCH = 40
"""Calls between two looks at what became of them."""
FAULTS = ("drop", "reset", "html", "empty", "half", "garbage", "cookie")
EVERY = tuple(state.value for state in State)


class Ahead(Clock):
    """This machine's clock, and some time may pass at once."""

    shift = 0.0

    def epoch(self) -> float:
        return super().epoch() + self.shift


@dataclass(frozen=True)
class Outcome:
    """What a run came to. `states`: of the postings."""

    calls: int
    legs: int
    states: Counter
    broken: list


async def run(calls: int, seed: int) -> Outcome:
    """So many calls."""
    logs.set_up(quiet=True)
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as place:
        folder, clock = Path(place), Ahead(ZoneInfo("Europe/Lisbon"))
        extra = '[back]\ncharges = "timed"\npoll_s = 1\nanswer_s = 1\n'
        async with stage(folder, rooms=ROOMS, clock=clock, extra=extra) as on:
            on.ucm.phones.epoch = clock.epoch
            on.pms.start_again_s = 0.3
            on.pms.cashier.answers = lambda _: rng.choice(_ANSWERS)
            on.pms.say(*(f"GI|RN{room}|G#{room}|GNGuest|GSN|" for room in ROOMS))
            await _until(lambda: all(room.is_in for room in on.ucm.rooms.rooms.values()))
            await _until_marked(on)
            clock.shift += 3600
            charged = set()
            for first in range(0, calls, BATCH):
                numbers = range(first, min(first + BATCH, calls))
                charged |= {each for number in numbers for each in _call(on, rng, number)}
                _trouble(on, rng)
                clock.shift += 60
                on.service.back.poll.nudged.set()
                await asyncio.sleep(rng.uniform(0.2, 0.6))
            on.ucm.faults.clear()
            on.pms.cashier.answers = lambda _: "OK"
            for _ in range(1200):
                clock.shift += 700
                on.service.back.poll.nudged.set()
                on.service.back.lanes.each[0].changed.set()
                await asyncio.sleep(0.5)
                rows = await on.service.store(Store.postings, EVERY, 10**6)
                if len(rows) >= len(charged) and not on.service.back.lanes.each[0].has_work:
                    break
            complaints = [each for each in on.pms.cashier.complaints if "twice" in each]
            bills = Counter(posting.dialled for posting in on.pms.cashier.booked)
    return _judge(calls, charged, rows, bills, complaints)


_ANSWERS = (*["OK"] * 12, "RY", "RY", "NG", "UR", "")


def _call(on, rng, number):
    """One call of some shape. Returns the digits of each channel of a trunk that is charged."""
    room, digits = rng.choice(ROOMS), f"1{number:06}"
    shape = rng.randrange(7)
    phones = on.ucm.phones
    phones.nests = rng.random() < 0.5
    if shape == 0:
        phones.call(room, digits, talk_s=0)
    elif shape == 1:
        phones.call(room, rng.choice(ROOMS), talk_s=30, trunk="")
    elif shape == 2:
        phones.call("900", digits, talk_s=30)  # the kitchen
    elif shape == 3:  # a parallel call: the same second, the same room, another channel
        phones.call(room, digits, talk_s=20)
        phones.call(room, f"2{number:06}", talk_s=20)
        return [digits, f"2{number:06}"]
    elif shape == 4:  # two records of one channel
        made = phones.call(room, digits, talk_s=25)
        phones.records.append({**made, "AcctId": f"{made['AcctId']}9", "lastapp": "Dial"})
        return [digits]
    else:
        phones.call(room, digits, talk_s=rng.randrange(1, 4000))
        return [digits]
    return []


def _trouble(on, rng):
    """Something goes wrong, or nothing does."""
    kind = rng.randrange(8)
    if kind < 3:
        on.ucm.fail(rng.choice(FAULTS), action="cdrapi", times=rng.randrange(1, 3))
    elif kind == 3:
        on.ucm.fail("code", action="cdrapi", value=-9, times=2)
    elif kind == 4:
        on.ucm.reboot()
    elif kind == 5:
        on.pms.cut()
        on.pms.cashier.waits_no_more()
    elif kind == 6:
        rng.shuffle(on.ucm.phones.records)  # the order of the list is promised nowhere


def _judge(calls, charged, rows, bills, complaints) -> Outcome:
    posted = Counter(json.loads(row.body)["digits"] for row in rows)
    broken = [f"{digits} is lost" for digits in charged - posted.keys()]
    broken += [f"{digits} was posted and is no charge" for digits in posted.keys() - charged]
    broken += [f"{digits} has {count} postings" for digits, count in posted.items() if count > 1]
    broken += [f"{digits} is on {count} bills" for digits, count in bills.items() if count > 1]
    for row in rows:
        digits = json.loads(row.body)["digits"]
        if row.state in (State.WAITING.value, State.SENT.value):
            broken.append(f"{digits} is {row.state} for ever")
        if row.state == State.BOOKED.value and digits not in bills:
            broken.append(f"{digits} is said to be booked and is on no bill")
    return Outcome(calls, len(charged), Counter(row.state for row in rows), [*broken, *complaints])


async def _until(condition, within_s=60.0):
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.02)


async def _until_marked(on):
    async with asyncio.timeout(60):
        while not await on.service.store(Store.calls_mark):
            await asyncio.sleep(0.02)


def torture(scale: float, seed: int) -> list[Figure]:
    """10,000 calls."""
    outcome = asyncio.run(run(max(80, int(10_000 * scale)), seed))
    for text in outcome.broken[:10]:
        print(text, file=sys.stderr)
    return [
        counted("calls of all shapes", outcome.calls),
        counted("channels of a trunk that are charged", outcome.legs),
        *(counted(f"  of them {state}", n) for state, n in sorted(outcome.states.items())),
        none_of("charges that are lost, doubled, stuck or invented", len(outcome.broken)),
    ]
