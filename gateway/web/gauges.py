"""The gauges that are not counted on the way: each is read when the metrics are asked for."""

import asyncio
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.back.states import PARKED, State
from gateway.clock import Clock
from gateway.house import House
from gateway.metrics import Metrics
from gateway.pipeline.outbox import Outbox
from gateway.store import PostingRow, StorageFailed, Store, StoreWorker

ANSWER_WITHIN_S: Final = 2.0
"""A disk that hangs must not take the other metrics along: a scraper waits ten seconds."""


@dataclass(frozen=True, slots=True)
class Gauges:
    """Brings them up to date.

    data_dir    on the disk whose space is told
    postings    what goes back to the PMS and is not done
    standbys    how many could take over now
    """

    metrics: Metrics
    outbox: Outbox
    store: StoreWorker
    house: House
    clock: Clock
    data_dir: Path
    postings: Callable[[], Iterable[PostingRow]] = tuple
    standbys: Callable[[], int] = int

    async def refresh(self) -> None:
        """All of them; what the disk does not tell now keeps its last value."""
        self._time()
        self._rooms()
        self._outbox()
        self._postings()
        self.metrics.pair_standbys.set(self.standbys())
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await try_disk(self.store)
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

    def _outbox(self) -> None:
        counts = {"waiting": len(self.outbox.waiting), "parked": len(self.outbox.parked)}
        for state, count in counts.items():
            self.metrics.outbox_entries.labels("to_ucm", state).set(count)
        now = self.clock.epoch()
        oldest = self.outbox.oldest_waiting()
        waited = 0.0 if oldest is None else max(0.0, now - oldest)
        self.metrics.outbox_oldest.labels("to_ucm").set(waited)

    def _postings(self) -> None:
        rows = list(self.postings())
        waiting = [row.at for row in rows if row.state == State.WAITING.value]
        parked = sum(State(row.state) in PARKED for row in rows)
        for state, count in (("waiting", len(waiting)), ("parked", parked)):
            self.metrics.outbox_entries.labels("to_pms", state).set(count)
        waited = max(0.0, self.clock.epoch() - min(waiting)) if waiting else 0.0
        self.metrics.outbox_oldest.labels("to_pms").set(waited)

    async def _space(self) -> None:
        space = await asyncio.to_thread(shutil.disk_usage, self.data_dir)
        self.metrics.disk_free.set(space.free)
        self.metrics.disk_size.set(space.total)


async def try_disk(store: StoreWorker) -> None:
    """Raises StorageFailed while the store cannot be written."""
    if store.trouble:  # perhaps there is space again
        await store(Store.try_write)
    else:
        await store(Store.writes)
