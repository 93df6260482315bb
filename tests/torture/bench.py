"""The real pump, intake and outbox on a real medium, and what it holds on to."""

import asyncio
import contextlib
import gc
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import Any

from gateway.clock import Clock
from gateway.line import Line, LineFailed, LineSpec, Opener, opener_for
from gateway.metrics import Metrics
from gateway.pipeline.pump import Pump
from gateway.store import Store, StoreWorker
from protocols.fias import FiasProfile, FiasSession
from tests.torture.desk import intake_over
from tests.torture.noise import framed


class QuickClock(Clock):
    """A clock whose seconds are shorter, for pauses that are not what is measured."""

    def __init__(self, times: float) -> None:
        super().__init__(UTC)
        self._times = times

    def now(self) -> float:
        return time.monotonic() * self._times

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds / self._times)


@dataclass(slots=True)
class Held:
    """What a process holds on to."""

    descriptors: int
    tasks: int
    kib: int

    @classmethod
    def now(cls) -> "Held":
        """Counted after a collection, so that only what is kept counts."""
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return cls(
            len(os.listdir("/proc/self/fd")),  # noqa: PTH208  # the names are all that is wanted
            len(asyncio.all_tasks()),
            pages * os.sysconf("SC_PAGESIZE") // 1024,
        )


@dataclass(slots=True)
class Watched:
    """An opener that counts, and remembers the newest line."""

    opener: Opener
    opened: int = 0
    failed: int = 0
    line: Line | None = None

    async def open(self) -> Line:
        try:
            self.line = await self.opener.open()
        except LineFailed:
            self.failed += 1
            raise
        self.opened += 1
        return self.line

    async def close(self) -> None:
        await self.opener.close()

    def describe(self) -> str:
        return self.opener.describe()


@dataclass(slots=True)
class Bench:
    """One running pump.

    complaints      what the event loop was told of: exceptions nobody caught
    """

    pump: Pump
    opener: Watched
    complaints: list[str] = field(default_factory=list)
    _count: int = 0

    def record(self) -> tuple[str, bytes]:
        """A room nobody has heard of, and the frame that brings a guest into it."""
        self._count += 1
        room = f"R{self._count}"
        return room, framed(b"GI|RN%s|G#%d|GNGuest|GSN|" % (room.encode(), self._count))

    async def taken(self, room: str, within_s: float = 20.0) -> None:
        """Until this room's guest is on disk."""
        async with asyncio.timeout(within_s):
            while room not in self.pump.desk.house.rooms:
                await asyncio.sleep(0.002)

    async def until(self, true: Callable[[], bool], within_s: float = 20.0) -> None:
        """Until something is so."""
        async with asyncio.timeout(within_s):
            while not true():
                await asyncio.sleep(0.002)


@asynccontextmanager
async def running(
    folder: Path, spec: LineSpec, *, times: float = 1.0, ack: bool = True
) -> AsyncIterator[Bench]:
    """A pump on this line until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    clock = QuickClock(times)
    metrics = Metrics(version="1", site="t")
    store = StoreWorker(Store(folder / "outbox.db"))
    intake = intake_over(store, clock, metrics, answers=ack)
    session = FiasSession(FiasProfile(pacing_s=0, lrc=True, ack=ack), clock.stamp)
    opener = Watched(opener_for(spec))
    # The longest pauses by lot: what is promised must hold for them.
    pump = Pump(opener=opener, session=session, desk=intake, clock=clock, metrics=metrics.guests,
                answers=ack, rng=lambda: 1.0)  # fmt: skip
    bench = Bench(pump, opener)

    def complained(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        bench.complaints.append(f"{context.get('message')}: {context.get('exception')!r}")

    loop = asyncio.get_running_loop()
    loop.set_exception_handler(complained)
    task = asyncio.ensure_future(pump.run())
    try:
        yield bench
    finally:
        pump.stop()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(task, 10)
        store.close()
        loop.set_exception_handler(None)


def _waited_for_a_processor() -> float:
    """Seconds this thread was ready to run and did not (schedstat in /proc); 0 where no kernel tells."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0


@asynccontextmanager
async def watching_the_loop(lags: list[float]) -> AsyncIterator[None]:
    """Note how late a short sleep comes back: how long the event loop was blocked. What it waited
    for a processor is the machine's fault, not the program's, and is left out."""

    async def watch() -> None:
        while True:
            began, waited = time.monotonic(), _waited_for_a_processor()
            await asyncio.sleep(0.01)
            queued = _waited_for_a_processor() - waited
            lags.append(time.monotonic() - began - 0.01 - queued)

    task = asyncio.ensure_future(watch())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
