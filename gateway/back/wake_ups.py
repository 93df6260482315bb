"""Looks at the wake-ups that the UCM keeps, for their results and for what is keyed on phones."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from gateway.back.wake_up_orders import WakeUpOrders
from gateway.back.wake_up_results import WakeUpResults
from gateway.clock import Clock
from gateway.drivers.legs import KeptWakeUp
from gateway.logs import logger
from gateway.store import Store, StoreWorker

ASKED_AGAIN_S: Final = 3600.0
"""A UCM without this list is asked for it again so often: its firmware may be new by then."""


class WakeUpSource(Protocol):
    """A PBX that keeps one wake-up of each room. Raises DriverFailed."""

    async def wake_ups(self, wall: datetime) -> Sequence[KeptWakeUp] | None:
        """All of them; None: this PBX has no list of them."""


@dataclass(slots=True)
class WakeUps:
    """One list, and what the two make of it.

    told        rooms and the wake-ups to come that the UCM was told of
    tell_again  the UCM does not know of this room's any more
    orders      None: what is keyed on phones is nobody's business
    """

    source: WakeUpSource
    store: StoreWorker
    clock: Clock
    results: WakeUpResults
    told: Callable[[], Mapping[str, datetime]]
    tell_again: Callable[[str], Awaitable[None]]
    orders: WakeUpOrders | None = None
    _no_list_until: float = float("-inf")
    _told_again: dict[str, datetime] = field(default_factory=dict)

    async def look(self) -> None:
        """Ask the UCM. Raises DriverFailed or StorageFailed."""
        now, began = self.clock.now(), self.clock.epoch()
        if now < self._no_list_until:
            return
        rows = await self.source.wake_ups(self.clock.stamp())
        if rows is None:
            why = "this UCM lists no wake-ups for the API user"
            do = "results come by its events only: see `doctor`"
            logger().warning("no_wake_up_list", why=why, do=do)
            self._no_list_until = now + ASKED_AGAIN_S
            return
        await self.results.settle({row.room: row for row in rows})
        if self.orders is not None:
            for row in rows:
                await self.orders.compare(row, began)
        await self._compare({row.room for row in rows}, began)

    async def _compare(self, listed: Collection[str], began: float) -> None:
        """A room that was told and is not listed: the UCM was replaced, or restored from a backup.
        Each wake-up is told again once: still not there, and the list shows less than we think.
        """
        for room, at in self.told().items():
            if room in listed or self._told_again.get(room) == at:
                continue
            if await self.store(Store.was_called, room, began):
                continue  # told since the list was read
            self._told_again[room] = at
            logger().warning("wake_up_forgotten", room=room, do="the UCM is told of it again")
            await self.tell_again(room)
