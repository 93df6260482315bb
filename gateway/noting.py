"""What was delivered, until it is noted on disk: several deliveries to a commit.

After a kill, what was called and not noted is called again; twice is as once, and the driver finds
out what the PBX has. So a note may wait a moment for the next ones: half the work for the disk.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from gateway.clock import Clock
from gateway.events import GuestEvent, Move, rooms_of
from gateway.outbox import Entry, Outbox, OutboxWorker, StorageFailed

T = TypeVar("T")

NOTE_WITHIN_S: Final = 0.05
"""A quick UCM takes several calls in this time: one commit for all of them."""


@dataclass(slots=True)
class Noting:
    """Entries that were delivered. Every method raises StorageFailed; then they are still here.

    delivered   not on disk yet, and not on the way there; after a failure perhaps they are
    called      ids of rows that were called and are not noted: another call for one is unsure
    """

    outbox: OutboxWorker
    clock: Clock
    delivered: list[Entry] = field(default_factory=list)
    called: set[int] = field(default_factory=set)
    _in_a_hurry: asyncio.Event = field(default_factory=asyncio.Event)
    _in_doubt: set[int] = field(default_factory=set)
    _task: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.outbox.settle = self.now

    @property
    def _rows(self) -> int:
        """How many rows of the file are delivered and still look as if they waited. -1: after a
        failure nobody knows; as many as that never wait.
        """
        return -1 if self._in_doubt else sum(1 + len(entry.folded) for entry in self.delivered)

    def comes_first(self, event: GuestEvent) -> bool:
        """What was delivered must be noted before this is called: after a kill both would be called
        again, and a room that somebody has moved out of or into is not the same the second time.
        """
        return any(
            isinstance(event, Move) or isinstance(entry.event, Move)
            for entry in self.delivered
            if not set(rooms_of(entry.event)).isdisjoint(rooms_of(event))
        )

    def has_all(self, waiting: int) -> bool:
        """So many rows seem to wait, and each of them is delivered."""
        return bool(self.delivered) and waiting == self._rows

    def add(self, entry: Entry) -> None:
        """This one was delivered."""
        self.delivered.append(entry)
        self.outbox.delivered = self._rows

    def forget(self) -> None:
        """Another file is in the place of the one that these were to be noted in."""
        self.delivered.clear()
        self.called.clear()
        self._in_doubt.clear()
        self.outbox.delivered = 0

    async def soon(self) -> None:
        """Note what was delivered, with what is delivered until then."""
        if self._task is None or self._task.done():
            await self._end()
            self._task = asyncio.ensure_future(self._in_a_moment())

    async def now(self) -> None:
        """Note what was delivered."""
        await self._end()
        if self.delivered:
            await self._note_with(Outbox.done)

    async def now_with(self, method: Callable[..., T], *more: Any, **how: Any) -> T:
        """Note what was delivered by a method of Outbox that does more. Returns what it returns."""
        await self._end()
        return await self._note_with(method, *more, **how)

    async def _end(self) -> None:
        """What is being noted is noted."""
        task, self._task = self._task, None
        if task is not None:
            self._in_a_hurry.set()
            try:
                await task
            finally:
                self._in_a_hurry.clear()

    async def _in_a_moment(self) -> None:
        try:
            async with asyncio.timeout(NOTE_WITHIN_S):
                await self._in_a_hurry.wait()
        except TimeoutError:
            pass  # nobody is in a hurry
        if self.delivered:
            await self._note_with(Outbox.done)

    async def _note_with(self, method: Callable[..., T], *more: Any, **how: Any) -> T:
        delivered, self.delivered, self.outbox.delivered = self.delivered, [], 0
        ids = {entry.id for entry in delivered}
        try:
            answer = await self.outbox(method, delivered, self.clock.epoch(), *more, **how)
        except (StorageFailed, asyncio.CancelledError):  # cancelled: who looked has given up
            self.delivered = delivered + self.delivered
            self._in_doubt |= ids
            self.outbox.delivered = self._rows
            raise
        self._in_doubt -= ids
        self.outbox.delivered = self._rows
        self.called -= ids
        return answer
