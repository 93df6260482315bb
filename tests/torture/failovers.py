"""A pair of gateways whose holder is killed, frozen and cut off, again and again, while guests come
and go and telephone. What each gateway says is noted on its own wires.

Never do both speak: between the first word of the one and the next word of the other lies a change
of the holder. All that was acknowledged arrives, and each call is on a bill once, or an operator
can see that nobody knows.
"""

import asyncio
import json
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise

from gateway.back.states import State
from gateway.config import load
from gateway.store import Store
from gateway.store.postgres import PostgresStore
from tests.postgres import Cluster
from tests.story.pair import ROOMS, House
from tests.torture.figures import Figure, counted, none_of

SETTLED_S = 20.5
BACK = '[back]\ncharges = "timed"\npoll_s = 1\nanswer_s = 1\n'
HOWS = ("kill", "freeze", "cut off", "cut from the database", "hand over")


@dataclass
class Outcome:
    """What a run came to. `takeovers`: seconds from the fault to the other one's first word."""

    counts: Counter = field(default_factory=Counter)
    takeovers: list = field(default_factory=list)
    overlaps: list = field(default_factory=list)
    calls: int = 0
    postings: Counter = field(default_factory=Counter)
    broken: list = field(default_factory=list)


class Play:
    """One house through its rounds."""

    def __init__(self, house, cluster, seed):
        self.house, self.cluster = house, cluster
        self.rng = random.Random(seed)
        self.out = Outcome()

    async def begin(self):
        self.house.left.start()
        self.at_work = await self.house.holder()
        self.house.right.start()
        await self.house.pms.link_up()
        for room in ROOMS:
            self.house.pms.say(*self.house.hotel.check_in(room))
        await self.house.agreed()
        await asyncio.sleep(SETTLED_S + 2)  # calls that end from now on are settled at once

    async def round(self, how, number):
        house = self.house
        holder, other = self.at_work, house.other(self.at_work)
        await self.standing_by(other)
        self.deeds(number)
        await asyncio.sleep(self.rng.uniform(0, 1.5))
        at = time.monotonic()
        spoken = len(house.spoken)
        heal = self.break_(holder, how)
        self.deeds(number + 0.5)
        async with asyncio.timeout(30 + 3 * house.lease_s):
            while not any(name == other.name for _, name, _ in house.spoken[spoken:]):
                await asyncio.sleep(0.02)
        first = next(when for when, name, _ in house.spoken[spoken:] if name == other.name)
        self.at_work = other
        self.out.takeovers.append(first - at)
        self.out.counts[how] += 1
        await asyncio.sleep(self.rng.uniform(0, 1))
        heal()
        try:
            await house.agreed(60)
        except TimeoutError:
            self.out.broken.append(f"round {number}, {how}: {house.differences()[:3]}")
        self.judge_speakers(spoken, holder.name, other.name, how)

    def deeds(self, number):
        """A few guests, and a call that is settled at once."""
        house = self.house
        for _ in range(self.rng.randrange(1, 4)):
            house.pms.say(*house.hotel.random_deed())
        room = self.rng.choice(house.hotel.taken or ROOMS)
        ended = house.ucm.phones.epoch() - SETTLED_S
        digits = f"00{int(number * 10):07}"
        house.ucm.phones.call(room, digits, talk_s=7, ring_s=0, ended=ended)

    async def standing_by(self, gateway):
        async with asyncio.timeout(40):
            while await gateway.role() != "standby" or not await gateway.sees():
                await asyncio.sleep(0.05)

    def break_(self, gateway, how):
        """Returns what mends it."""
        match how:
            case "kill":
                gateway.signal(signal.SIGKILL)
                gateway.process.wait(10)
                return gateway.start
            case "hand over":
                gateway.signal(signal.SIGTERM)
                return lambda: (gateway.process.wait(20), gateway.start())
            case "freeze":
                gateway.signal(signal.SIGSTOP)
                return lambda: gateway.signal(signal.SIGCONT)
            case "cut off":
                return self.cut(gateway.wires)
            case "cut from the database":
                return self.cut(gateway.wires[2:])
        raise AssertionError(how)

    @staticmethod
    def cut(wires):
        for wire in wires:
            wire.cut()
        return lambda: [wire.mend() for wire in wires]

    def judge_speakers(self, since, old, new, how):
        """From the new one's first word on, the old one says nothing more."""
        words = self.house.spoken[since:]
        changes = sum(a[1] != b[1] for a, b in pairwise(words))
        if changes > 1 or words[-1][1] != new:
            first = next(i for i, (_, name, _) in enumerate(words) if name == new)
            late = [(when - words[first][0], len(data)) for when, name, data in words[first:]
                    if name == old]  # fmt: skip
            self.out.overlaps.append(f"{how}: {old} after {new}: {late[:4]}")
        del self.house.spoken[:]

    async def database_dies(self):
        """No change of the holder is asked for: after it, the hotel's truth is there."""
        self.cluster.stop(signal.SIGKILL)
        await asyncio.sleep(self.rng.uniform(0, 2))
        self.deeds(self.out.counts.total() + 0.7)
        await asyncio.to_thread(self.cluster.start)
        try:
            await self.house.agreed(60)
        except TimeoutError:
            self.out.broken.append(f"database killed: {self.house.differences()[:3]}")
        self.out.counts["database killed"] += 1
        del self.house.spoken[:]

    async def end(self):
        """Let what is on its way arrive, then hold the bills against the calls."""
        await asyncio.sleep(12)
        house = self.house
        for gateway in (house.left, house.right):
            gateway.signal(signal.SIGTERM)
        for gateway in (house.left, house.right):
            await asyncio.to_thread(gateway.process.wait, 20)
        store = Store(PostgresStore(self.cluster.url, load(house.left.config).house_schema))
        rows = store.postings(tuple(state.value for state in State), 10**6)
        store.close()
        digits = Counter(json.loads(row.body)["digits"] for row in rows)
        heard = Counter(posting.dialled for posting in house.pms.cashier.heard)
        billed = {posting.dialled for posting in house.pms.cashier.booked}
        broken = self.out.broken
        made = {record["dst"] for record in house.ucm.phones.records}
        broken += [f"{each}: {count} postings" for each, count in digits.items() if count > 1]
        broken += [f"{each}: sent {count} times" for each, count in heard.items() if count > 1]
        broken += [f"{each} is lost" for each in made - digits.keys()]
        for row in rows:
            number = json.loads(row.body)["digits"]
            if row.state in (State.WAITING.value, State.SENT.value):
                broken.append(f"{number} still {row.state}")
            if row.state == State.BOOKED.value and number not in billed:
                broken.append(f"{number} is said to be booked and is on no bill")
        broken += [each for each in house.pms.cashier.complaints if "twice" in each]
        self.out.calls = len(made)
        self.out.postings = Counter(row.state for row in rows)


async def run(rounds, seed, *, lease_s=1.0, hows=HOWS, database_every=10):
    """So many changes of the holder: each takes some six seconds with a lease of one."""
    cluster = await asyncio.to_thread(Cluster)
    try:
        with tempfile.TemporaryDirectory() as folder:
            house = House(folder, cluster.address, "torture", lease_s=lease_s, ack=True, extra=BACK)
            async with house:
                play = Play(house, cluster, seed)
                await play.begin()
                for number in range(rounds):
                    how = hows[number % len(hows)]
                    try:
                        await play.round(how, number)
                        if database_every and number % database_every == database_every - 1:
                            await play.database_dies()
                    except TimeoutError:
                        play.out.broken.append(f"round {number}, {how}: nobody took over")
                        break
                    if number % 10 == 9:
                        print(f"{number + 1} {play.out.overlaps} {play.out.broken}",
                              file=sys.stderr, flush=True)  # fmt: skip
                with suppress(TimeoutError):
                    await play.end()
                if play.out.broken or play.out.overlaps:
                    for gateway in (house.left, house.right):
                        text = gateway.log.read_text()[-6000:]
                        print(f"--- {gateway.name}\n{text}", file=sys.stderr)
                return play.out
    finally:
        cluster.remove()


def torture(scale: float, seed: int) -> list[Figure]:
    """490 changes with a lease of a second, 10 with the default."""
    short = asyncio.run(run(max(5, int(490 * scale)), seed))
    real = asyncio.run(run(max(5, int(10 * scale)), seed, lease_s=10, database_every=0))
    figures = []
    for name, out in (("1 s", short), ("10 s", real)):
        for text in (*out.overlaps[:10], *out.broken[:10]):
            print(text, file=sys.stderr)
        late = sorted(out.takeovers)
        figures += [
            counted(f"lease {name}: changes of the holder", len(late)),
            counted(f"lease {name}: {dict(out.counts)}", ""),
            none_of(f"lease {name}: both have spoken", len(out.overlaps)),
            none_of(f"lease {name}: lost, doubled or stuck", len(out.broken)),
            counted(f"lease {name}: calls, and their postings {dict(out.postings)}", out.calls),
            counted(f"lease {name}: take-over p50, s", late[len(late) // 2]),
            counted(f"lease {name}: take-over p99, s", late[int(len(late) * 0.99)]),
        ]
    return figures
