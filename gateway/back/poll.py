"""Asks the UCM again and again, as long as it answers."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from gateway.drivers.base import DriverFailed
from gateway.logs import logger
from gateway.store import StorageFailed

Look = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class Poll:
    """One look after the other, then a pause.

    looks       each may raise DriverFailed or StorageFailed: what it would have found is still
                there at the next one
    may_ask     whether the UCM may be asked now
    failed      hears why it did not answer
    nudged      set it, and the pause is over; not before `shortest_s`, because a UCM must not be
                kept busy by its own events
    always      looks that do not ask the UCM: done also while it is away, before the others
    """

    looks: Sequence[Look]
    may_ask: Callable[[], bool]
    failed: Callable[[DriverFailed], None]
    every_s: float = 20.0
    shortest_s: float = 1.0
    always: list[Look] = field(default_factory=list)
    nudged: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """For ever."""
        while True:
            for look in self.always:
                await self._try(look)
            is_whole = self.may_ask()
            for look in self.looks:
                is_whole = is_whole and self.may_ask()
                if is_whole:
                    await self._try(look)
            pause = min(self.shortest_s, self.every_s)
            await asyncio.sleep(pause)
            if not is_whole:
                continue  # as soon as it may be asked again
            try:
                async with asyncio.timeout(self.every_s - pause):
                    await self.nudged.wait()
            except TimeoutError:
                pass  # time to look again
            self.nudged.clear()

    async def _try(self, look: Look) -> None:
        try:
            await look()
        except DriverFailed as error:
            self.failed(error)
        except StorageFailed:
            pass  # told by the store
        except Exception as error:  # noqa: BLE001  # a bug met in a list must not stop rooms
            name = type(error).__name__
            logger().error("our_fault", error=name, do="report it with the UCM's list")
