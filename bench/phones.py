"""The whole way of a record with phones in the rooms beside without: a check-in waits for no phone."""

import asyncio
import multiprocessing
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.queues import SimpleQueue
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Final

from bench.figure import Figure, at
from bench.peers import room
from bench.program import on_a_line
from bench.whole_way import BLOCK, ROOMS, Way
from gateway.simulators.phone import PhoneSimulator

SECTION: Final = """[phones]
file = "phones.toml"
at_check_in = ["directory"]
[[phones.directory]]
name = "Reception"
number = "0"
"""


def serve(addresses: "SimpleQueue[str]", done: "Synchronized[int]") -> None:
    """A process of its own: a phone in each room, every fifth one off."""

    def note(_: str) -> None:
        done.value += 1

    async def run() -> None:
        for number in range(ROOMS):
            phone = PhoneSimulator(number=room(number), on_done=note)
            await phone.start()
            addresses.put(phone.address)
            if number % 5 == 0:
                await phone.stop()
        await asyncio.Event().wait()

    asyncio.run(run())


@contextmanager
def phones(folder: Path) -> Iterator["Synchronized[int]"]:
    """The phones, and their file in this folder. Gives the count of what was done to them."""
    context = multiprocessing.get_context("spawn")
    addresses: SimpleQueue[str] = context.SimpleQueue()
    done = context.Value("q", 0)
    process = context.Process(target=serve, args=(addresses, done), daemon=True)
    process.start()
    lines = "".join(f'"{room(number)}" = "{addresses.get()}"\n' for number in range(ROOMS))
    folder.mkdir(parents=True, exist_ok=True)
    text = f'password = "{PhoneSimulator().password}"\n[rooms]\n{lines}'
    (folder / "phones.toml").write_text(text)
    try:
        yield done
    finally:
        process.kill()
        process.join()


def measure(scale: float) -> Iterator[Figure]:
    """Two gateways by turns, one of them with a phone in each room."""
    rounds = max(2, round(20 * scale))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with (
            on_a_line(folder / "without", rooms=ROOMS) as without,
            phones(folder / "with") as count,
            on_a_line(folder / "with", rooms=ROOMS, more=SECTION) as with_phones,
        ):
            ways = {"without": Way(*without), "with": Way(*with_phones)}
            for way in ways.values():
                way.carry(2)
                way.forget()
            turns = deque(ways.values())
            for _ in range(rounds):
                turns.rotate()
                for way in turns:
                    way.carry(BLOCK)
    took, least = ways["with"], ways["without"]
    for word, share in (("p50", 0.5), ("p99", 0.99)):
        ours, theirs = at(share, took.ways), at(share, least.ways)
        yield Figure(f"whole way with phones, {word}", ours / theirs, "of without",
                     note=f"{ours:.2f} ms beside {theirs:.2f} ms, {len(took.ways)} records")  # fmt: skip
    yield Figure("requests to the phones meanwhile", count.value, note=f"{ROOMS} phones, every fifth one off")  # fmt: skip
