"""Resync after resync of a large house, with live records between: nobody times out, nobody waits.

The real service between the simulated PMS and the simulated UCM, on loopback or on a pty.
"""

import asyncio
import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from gateway.demo import Stage, stage
from gateway.simulators.ucm import Call
from tests.torture.figures import Figure, at_most, counted, none_of

ROOMS: Final = 2000
RESYNCS: Final = 20
LIVE_EACH: Final = 20
LEAVES_WITHIN_S: Final = 5.0


@dataclass(slots=True)
class Stopwatch:
    """When a live record was said, and how long the UCM waited for it."""

    said: dict[str, float] = field(default_factory=dict)
    took: dict[str, float] = field(default_factory=dict)

    def on_record(self, record: str, from_gateway: bool) -> None:
        """The PMS says something."""
        if not from_gateway and record.startswith("GC|"):
            self.said[record.split("|GN")[1].rstrip("|")] = time.monotonic()

    def on_call(self, call: Call) -> None:
        """The UCM was asked something."""
        for value in call.tags.values():
            if call.applied and value in self.said and value not in self.took:
                self.took[value] = time.monotonic() - self.said[value]


def resyncs(scale: float, seed: int) -> list[Figure]:
    """Twenty on loopback, and two on a serial line where each record is acknowledged."""
    rooms = max(40, int(ROOMS * min(1.0, scale * 5)))
    over_tcp = asyncio.run(_resyncs(seed, rooms, max(2, int(RESYNCS * scale)), serial=False))
    over_serial = asyncio.run(_resyncs(seed, rooms, max(1, int(2 * scale)), serial=True))
    return over_tcp + over_serial


async def _resyncs(seed: int, rooms: int, times: int, *, serial: bool) -> list[Figure]:
    rng, watch = random.Random(seed), Stopwatch()
    numbers = tuple(str(1000 + each) for each in range(rooms))
    with TemporaryDirectory() as folder:
        async with stage(Path(folder), serial=serial, rooms=numbers, seed=seed) as on:
            on.pms.on_record, on.ucm.on_call = watch.on_record, watch.on_call
            async with asyncio.timeout(60):
                await on.pms.link_up()
            for room in numbers[: rooms * 4 // 5]:
                on.hotel.check_in(room, silent=True)
            began = time.monotonic()
            for turn in range(times):
                on.pms.say(*_with_live_records(on, rng, turn))
                async with asyncio.timeout(600):
                    await on.pms.all_said()
                    # Without ACK a socket takes twenty resyncs at once, and a record behind them
                    # would be measured by how many were put in front of it.
                    while _heard(on, "DE") <= turn:
                        await asyncio.sleep(0.01)
                for _ in range(rooms // 20):
                    on.hotel.silent_deed()
            on.pms.say(*on.hotel.resync())  # the silent deeds of the last turn, too
            differences = await on.settle(600)
            took = time.monotonic() - began
            transitions = on.service.metrics.registry.get_sample_value
            ups = transitions("pmsgw_link_transitions_total", {"to": "up"})
            late = transitions("pmsgw_link_transitions_total", {"to": "calling"}) or 0
            on.pms.on_record = on.ucm.on_call = None
    name = f"{times} resyncs of {rooms:,} rooms, {'serial' if serial else 'TCP'}"
    return [
        counted(f"{name}: all of it, s", round(took, 1)),
        counted(f"{name}: live records between", len(watch.said)),
        none_of(f"{name}: times the link was not up, or began anew",
                on.pms.links - 1 + int(ups or 0) - 1 + int(late if not serial else 0)),
        none_of(f"{name}: live records the UCM never heard of", len(watch.said) - len(watch.took)),
        at_most(f"{name}: a live record until the UCM has it, the worst, s",
                max(watch.took.values(), default=0.0), LEAVES_WITHIN_S),
        none_of(f"{name}: rooms that differ in the end", len(differences)),
        none_of(f"{name}: complaints of the PMS", len(on.pms.complaints)),
    ]  # fmt: skip


def _heard(on: Stage, record: str) -> float:
    labels = {"record": record, "direction": "in"}
    return on.service.metrics.registry.get_sample_value("pmsgw_records_total", labels) or 0


def _with_live_records(on: Stage, rng: random.Random, turn: int) -> list[str]:
    """A resync, and reception changing names in rooms that it has told already."""
    records = on.hotel.resync()
    # Guests whom the UCM shows already: news of the others belongs behind their arrival. One
    # piece of news each: two that wait together are one call.
    shown = [
        room
        for room in on.hotel.taken
        if on.ucm.rooms.rooms[room].account == on.hotel.told[room][0]
    ]
    for each, room in enumerate(rng.sample(shown, min(LIVE_EACH, len(shown)))):
        guest = on.hotel.guests[on.hotel.told[room][0]]
        guest.name = f"Live{turn}x{each}"
        at = rng.randrange(len(records) // 2, len(records))
        records.insert(at, f"GC|RN{room}|G#{guest.number}|GN{guest.name}|")
    return records
