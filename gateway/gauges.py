"""The gauges that nobody counts on the way: read when somebody asks for the metrics."""

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.clock import Clock
from gateway.house import House
from gateway.metrics import Metrics
from gateway.outbox import LANES, OPEN_STATES, Outbox, OutboxWorker, StorageFailed, Totals

ANSWER_WITHIN_S: Final = 2.0
"""A disk that hangs must not take the other metrics along: a scraper waits ten seconds."""


@dataclass(frozen=True, slots=True)
class Gauges:
    """Brings them up to date.

    data_dir    on the disk whose space is told
    """

    metrics: Metrics
    outbox: OutboxWorker
    house: House
    clock: Clock
    data_dir: Path

    async def refresh(self) -> None:
        """All of them; what the disk does not tell now keeps its last value."""
        self._time()
        self._rooms()
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                self._books(await totals_of(self.outbox))
                await self._space()
        except (OSError, StorageFailed, TimeoutError):
            self.metrics.outbox_up.set(0)
        else:
            self.metrics.outbox_up.set(1)

    def _time(self) -> None:
        self.metrics.clock.set(self.clock.epoch())
        offset = self.clock.wall().utcoffset()
        assert offset is not None  # the clock's zone is the hotel's
        self.metrics.utc_offset.set(offset.total_seconds())

    def _rooms(self) -> None:
        occupied = sum(1 for room in self.house.rooms.values() if room.guests)
        self.metrics.rooms.labels("occupied").set(occupied)
        self.metrics.rooms.labels("vacant").set(len(self.house.rooms) - occupied)

    def _books(self, totals: Totals) -> None:
        now = self.clock.epoch()
        for (lane, state), count in totals.entries.items():
            if state in OPEN_STATES:
                self.metrics.outbox_entries.labels(lane, state).set(count)
        for lane in LANES:
            oldest = totals.oldest_waiting.get(lane, now)
            self.metrics.outbox_oldest.labels(lane).set(max(0.0, now - oldest))
            self.metrics.outbox_unaccounted.labels(lane).set(totals.unaccounted(lane))
            self.metrics.set_books(
                lane,
                accepted=totals.accepted[lane],
                delivered=totals.entries[lane, "done"],
                superseded=totals.entries[lane, "superseded"],
            )

    async def _space(self) -> None:
        space = await asyncio.to_thread(shutil.disk_usage, self.data_dir)
        self.metrics.disk_free.set(space.free)
        self.metrics.disk_size.set(space.total)


async def totals_of(outbox: OutboxWorker) -> Totals:
    """What is in the file. Raises StorageFailed, also while it cannot be written."""
    if outbox.trouble:  # perhaps there is space again
        await outbox(Outbox.try_write)
    await outbox.settle()
    return await outbox(Outbox.totals)
