"""How wake-ups ended: each that must have rung is owed one result, until it is said.

A UCM tells it twice, and neither is sure: its list keeps one wake-up of a room, its events carry no
date, are not sent again, and come before or behind the list. Either is taken; who was woken is
awake, whatever the other says.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from gateway.back.kinds import WAKE_UP
from gateway.back.lane import Lane
from gateway.back.rows import PmsRooms, about_room
from gateway.clock import Clock
from gateway.drivers.legs import KeptWakeUp
from gateway.house import Room
from gateway.house.wake_ups import minute
from gateway.logs import logger
from gateway.metrics import Metrics
from gateway.store import LevelRow, PostingRow, Store, StoreWorker
from protocols.postings import Ending, WakeUpEnded

NO_RESULT_AFTER: Final = timedelta(minutes=5)
"""Behind the last try. Then the desk is told that nobody knows whether the guest was woken."""
LONG_AGO: Final = datetime(1970, 1, 1)  # noqa: DTZ001  # hotel time has no zone
EARLY: Final = timedelta(seconds=20)
"""So far ahead of ours the UCM's clock may be, and its event before our minute."""
KEPT_EVENTS: Final = 8
"""Of one extension: a UCM may send one for each try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """A wake-up that must have rung, and of which no result was said yet.

    at          as it was ordered
    stay        who was called: he may be in another room by now
    was_told    the UCM knew of it in time
    """

    room: str
    at: datetime
    stay: int | None
    was_told: bool


@dataclass(frozen=True, slots=True)
class Result:
    """What the PMS is told. `is_known`: the UCM said so."""

    ending: Ending
    is_known: bool = True

    @property
    def word(self) -> str:
        """As a label."""
        return self.ending.value if self.is_known else "no_result"


NO_RESULT: Final = Result(Ending.FAILED, is_known=False)
Key = tuple[str, datetime]


@dataclass(slots=True)
class WakeUpResults:
    """Keeps what is owed, and says what is known. In memory what is on disk, never more.

    rooms       of the house, by address
    pms_rooms   how the PMS writes them
    tries       how long the UCM tries to wake a room
    says        whether the PMS is told; if not, results are counted only
    """

    lane: Lane
    store: StoreWorker
    clock: Clock
    metrics: Metrics
    rooms: Callable[[], Mapping[str, Room]]
    pms_rooms: PmsRooms
    tries: timedelta
    says: bool = True
    _owed: dict[Key, Owed] | None = None
    _last: dict[str, datetime] = field(default_factory=dict)
    _before: dict[Key, datetime] = field(default_factory=dict)
    _noted: dict[Key, float] = field(default_factory=dict)
    _rung: list[Owed] = field(default_factory=list)
    _events: dict[str, list[tuple[datetime, Ending]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for result in (*(Result(ending) for ending in Ending), NO_RESULT):
            self.metrics.wake_ups.labels(result.word)

    @property
    def owes(self) -> bool:
        """Whether a wake-up that has rung has no result yet."""
        return bool(self._owed or self._rung)

    def rang(self, room: str, at: datetime, was_told: bool) -> None:
        """The UCM must have called this room by now."""
        here = self.rooms().get(room)
        stay = None if here is None else here.stay
        self._rung.append(Owed(room=room, at=at, stay=stay, was_told=was_told))

    def ended(self, extension: str, ending: Ending) -> None:
        """An event of the UCM says how the wake-up of this extension ended."""
        events = self._events.setdefault(extension, [])
        events.append((self.clock.stamp(), ending))
        del events[:-KEPT_EVENTS]

    async def settle(self, rows: Mapping[str, KeptWakeUp] | None = None) -> None:
        """Say what is known by now. Raises StorageFailed: it is said the next time.

        rows    what the UCM keeps of each room; None: it was not asked
        """
        if self._owed is None:
            self._owed = await self._restored()
        owed, last, now = dict(self._owed), dict(self._last), self.clock.epoch()
        rung = tuple(self._rung)
        for each in rung:
            if each.at > last.get(each.room, LONG_AGO):  # a restart looks back for an hour
                owed[each.room, each.at] = each
                self._before[each.room, each.at] = last.get(each.room, LONG_AGO)
                last[each.room] = each.at
        over = {
            key: result
            for key in owed
            if (result := self._result(owed, key, rows, now)) is not None
        }
        left = {key: each for key, each in owed.items() if key not in over}
        changed = {room for room, _ in over} | {each.room for each in rung}
        levels = [self._level(room, last[room], left) for room in sorted(changed)]
        postings = [await self._posting(key, over[key].ending) for key in over]
        if levels:
            await self.lane.take_levels(levels, postings if self.says else ())
        del self._rung[: len(rung)]
        self._owed, self._last = left, last
        self._noted = {key: self._noted.get(key, now) for key in left}
        self._before = {key: at for key, at in self._before.items() if key in left}
        for (room, at), result in over.items():
            self.metrics.wake_ups.labels(result.word).inc()
            if result is NO_RESULT:
                do = "ask the guest; then look at the UCM's wake-up page"
                logger().error("wake_up_without_result", room=room, ordered=f"{at:%H:%M}", do=do)

    def _result(
        self,
        owed: Mapping[Key, Owed],
        key: Key,
        rows: Mapping[str, KeptWakeUp] | None,
        now: float,
    ) -> Result | None:
        """What became of it; None: that cannot be said yet."""
        each, wall = owed[key], self.clock.stamp()
        if not each.was_told:
            return Result(Ending.FAILED)
        at = minute(each.at)
        rooms = self._rooms_of(each)
        found = [
            row.ending
            for room in rooms
            if (row := (rows or {}).get(room)) is not None
            and row.rang == at
            and row.ending is not None
        ]
        later = [other for room, other in owed if room == each.room and other > each.at]
        is_alone = at - self._before.get(key, LONG_AGO) > NO_RESULT_AFTER  # else it is another's
        since = at - EARLY if is_alone else at
        found += [
            ending
            for room in rooms
            for moment, ending in self._events.get(room, ())
            if since <= moment and not any(next_at <= moment for next_at in later)
        ]
        if Ending.ANSWERED in found:
            return Result(Ending.ANSWERED)
        if found and wall >= at + self.tries:
            return Result(found[-1])  # before that the UCM may try again
        # Nobody knows, only if somebody was asked: behind a start, the list first, or time for it.
        has_asked = rows is not None
        has_waited = now - self._noted.get(key, now) >= NO_RESULT_AFTER.total_seconds()
        is_late = wall >= at + self.tries + NO_RESULT_AFTER
        return NO_RESULT if is_late and (has_asked or has_waited) else None

    def _rooms_of(self, owed: Owed) -> list[str]:
        """Where a result may stand: a UCM takes the wake-up along when the guest moves."""
        moved = [
            number
            for number, room in self.rooms().items()
            if owed.stay is not None and room.stay == owed.stay and number != owed.room
        ]
        return [owed.room, *moved]

    # --- What is stored ---

    async def _restored(self) -> dict[Key, Owed]:
        owed = {}
        for row in await self.store(Store.levels):
            if row.kind != WAKE_UP:
                continue
            kept = json.loads(row.seen)
            self._last[row.room] = datetime.fromisoformat(kept["last"])
            for at, stay, was_told in kept["owed"]:
                moment = datetime.fromisoformat(at)
                each = Owed(room=row.room, at=moment, stay=stay, was_told=was_told)
                owed[row.room, moment] = each
        return owed

    def _level(self, room: str, last: datetime, owed: Mapping[Key, Owed]) -> LevelRow:
        kept = [
            [each.at.isoformat(), each.stay, each.was_told]
            for each in owed.values()
            if each.room == room
        ]
        seen = json.dumps({"last": last.isoformat(), "owed": kept})
        return LevelRow(kind=WAKE_UP, room=room, seen=seen, at=self.clock.epoch())

    async def _posting(self, key: Key, ending: Ending) -> PostingRow:
        room, at = key
        said = WakeUpEnded(room=await self.pms_rooms.of(room), at=at, ending=ending)
        return about_room(WAKE_UP, room, said, self.clock.epoch(), cause=at.isoformat())
