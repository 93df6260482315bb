"""Wake-ups that are ordered or cleared on the phones of the rooms.

The UCM's list shows another wake-up than we told it. Then the PMS is told, once; and it is a fact
of the hotel like one that the PMS tells: a wake-up of the PMS that the guest's own has overwritten
is told to the UCM again, before or behind it.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gateway.back.kinds import WAKE_UP_KEYED
from gateway.back.lane import Lane
from gateway.back.rows import PmsRooms, about_room
from gateway.clock import Clock
from gateway.drivers.legs import KeptWakeUp
from gateway.house import Actual, Room
from gateway.house.wake_ups import has_rung
from gateway.logs import logger
from gateway.store import LevelRow, Store, StoreWorker
from protocols.facts import WakeUpCleared, WakeUpOrdered
from protocols.postings import WakeUpKeyed


@dataclass(slots=True)
class WakeUpOrders:
    """Compares.

    rooms       of the house, by address
    actual      what a room of the UCM was last known to show; None: not known, or a call for it is
                under way
    hear        takes the fact into the house
    saw         takes note of the wake-up that a room of the UCM has now. Both with `lane.writing`
                held, and nothing runs between them
    pms_rooms   how the PMS writes them
    """

    lane: Lane
    store: StoreWorker
    clock: Clock
    rooms: Callable[[], Mapping[str, Room]]
    actual: Callable[[str], Actual | None]
    hear: Callable[[WakeUpOrdered | WakeUpCleared], Awaitable[None]]
    saw: Callable[[str, datetime | None], Awaitable[None]]
    pms_rooms: PmsRooms
    _said: dict[str, str] | None = field(default=None)

    async def compare(self, row: KeptWakeUp, began: float) -> None:
        """What the UCM keeps of one room. Raises StorageFailed.

        began   when the list was asked for: seconds since 1970
        """
        async with self.lane.writing:
            have, room = self.actual(row.room), self.rooms().get(row.room)
            if have is None or room is None or have.stay is None or room.stay != have.stay:
                return  # nobody is in, or the UCM is about to be told who is
            if await self.store(Store.was_called, row.room, began):
                return  # told since the list was read: it is looked at again
            wall = self.clock.stamp()
            if row.rang is not None and not has_rung(row.rang, wall):
                return  # it rings: looked at again when that is over
            told = _to_come(have.wake_up, wall)
            rings = _to_come(row.rings, wall)
            if rings == told:
                await self._agree(row.room, told)
            elif rings is not None:
                # What the guest himself had keyed is not his any more: the UCM has room for one.
                was_keyed = told is not None and await self._last(row.room) == _ordered(told)
                await self._keyed(WakeUpOrdered(room=row.room, at=rings), rings, rings)
                if was_keyed and told is not None:
                    await self._changed(WakeUpCleared(room=row.room, at=told), told)
            elif told is not None and row.rang is None:
                await self._keyed(WakeUpCleared(room=row.room, at=told), told, None)

    async def _agree(self, room: str, told: datetime | None) -> None:
        """Nothing is new. That the one which is told was keyed by the guest is kept in mind."""
        if told is None or await self._last(room) != _ordered(told):
            await self._note(room, "")

    async def _changed(self, fact: WakeUpCleared, at: datetime) -> None:
        """The guest has keyed another moment instead of his first one: that one is over."""
        said = WakeUpKeyed(room=await self.pms_rooms.of(fact.room), at=at, is_wanted=False)
        now = self.clock.epoch()
        cause = f"instead of {at.isoformat()} {now}"
        posting = about_room(WAKE_UP_KEYED, fact.room, said, now, cause=cause)
        await self.lane.store_levels([], [posting])
        await self.hear(fact)

    async def _keyed(
        self, fact: WakeUpOrdered | WakeUpCleared, at: datetime, rings: datetime | None
    ) -> None:
        """Told first, then a fact: cut off between the two, the fact alone is missing, and the next
        look finds it.
        """
        said = WakeUpKeyed(
            room=await self.pms_rooms.of(fact.room),
            at=at,
            is_wanted=rings is not None,
        )
        news = _ordered(at) if said.is_wanted else f"cleared {at.isoformat()}"
        if await self._note(fact.room, news, said):
            what = "ordered" if said.is_wanted else "cleared"
            logger().info("wake_up_keyed", room=fact.room, what=what)
        await self.hear(fact)
        await self.saw(fact.room, rings)

    async def _last(self, room: str) -> str:
        """What was last said of this room."""
        if self._said is None:
            rows = await self.store(Store.levels)
            self._said = {row.room: row.seen for row in rows if row.kind == WAKE_UP_KEYED}
        return self._said.get(room, "")

    async def _note(self, room: str, news: str, said: WakeUpKeyed | None = None) -> bool:
        """Store what was last said of this room, and its posting. Returns whether it is new."""
        if await self._last(room) == news:
            return False
        assert self._said is not None  # `_last` has read it
        now = self.clock.epoch()
        level = LevelRow(kind=WAKE_UP_KEYED, room=room, seen=news, at=now)
        postings = [] if said is None else [about_room(WAKE_UP_KEYED, room, said, now)]
        await self.lane.store_levels([level], postings)
        self._said[room] = news
        return True


def _to_come(at: datetime | None, wall: datetime) -> datetime | None:
    return None if at is None or has_rung(at, wall) else at


def _ordered(at: datetime) -> str:
    return f"ordered {at.isoformat()}"
