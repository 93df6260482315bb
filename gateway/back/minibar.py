"""What guests take from their minibars. The UCM has no list of events, only how much was taken by
now: the difference to what was seen before is posted, in one transaction with what is seen.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final, Protocol

from gateway.back.kinds import MINIBAR
from gateway.back.lane import Lane
from gateway.back.rows import PmsRooms
from gateway.back.states import State
from gateway.clock import Clock
from gateway.drivers.base import DriverFailed
from gateway.drivers.legs import Taken
from gateway.house import Actual, Room
from gateway.house.residents import residents
from gateway.house.states import STRANGER
from gateway.logs import logger
from gateway.store import LevelRow, PostingRow, StorageFailed, Store, StoreWorker
from gateway.store.text import from_json, to_json
from protocols.postings import ArticlesTaken

AT_ONCE: Final = 10
"""Rooms of one look: one request each."""
MOST_OF_ONE: Final = 99
"""Source: FIAS, M# has two digits; a larger number is said in several pairs."""
LARGEST_ARTICLE: Final = 9999
"""Source: FIAS, MA has four digits."""
_PRICE: Final = re.compile(r"[0-9]{1,7}(\.[0-9]{1,6})?")
CORRECTED: Final = "minibar_corrected"
NO_ARTICLE: Final = "no_article"
NO_PRICE: Final = "no_price"


class MinibarSource(Protocol):
    """A PBX that keeps what was taken. Both raise DriverFailed."""

    async def goods(self) -> Mapping[str, str]:
        """The code of each article, by its name."""

    async def taken(self, room: str) -> Sequence[Taken] | None:
        """What was taken from the minibar of this room by now; None: it cannot be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a stay had taken when it was looked at last, and in which room it was.

    changes     how often it was found changed: what makes two postings of it two
    """

    stay: int
    room: str
    guests: tuple[str, ...]
    goods: Mapping[str, int]
    changes: int


@dataclass(slots=True)
class Minibar:
    """Looks at one occupied room after the other.

    rooms       of the house, by address
    actual      what a room of the UCM was last known to show
    stays       the number of the last stay there ever was
    pms_rooms   how the PMS writes them
    totals      the amount is ours: the UCM's prices; else the PMS prices the articles
    decimals    of the currency
    """

    source: MinibarSource
    lane: Lane
    store: StoreWorker
    clock: Clock
    rooms: Callable[[], Mapping[str, Room]]
    actual: Callable[[], Mapping[str, Actual]]
    stays: Callable[[], int]
    pms_rooms: PmsRooms
    totals: bool = False
    decimals: int = 2
    outlet: str = ""
    _seen: dict[int, Seen] | None = None
    _first_stay: int = 0
    _last: str = ""
    _is_told: bool = False
    _empty: set[int] = field(default_factory=set)
    _wanted: set[str] = field(default_factory=set)

    def nudge(self, room: str) -> None:
        """Something was keyed in this room: it is looked at first."""
        self._wanted.add(room)

    async def look(self) -> None:
        """Look at some rooms. Raises DriverFailed or StorageFailed."""
        await self._known()
        actual = self.actual()
        occupied = sorted(
            room
            for room, here in self.rooms().items()
            if here.guests and room in actual and actual[room].stay == here.stay
        )
        wanted, self._wanted = self._wanted & set(occupied), set()
        behind = [room for room in occupied if room > self._last]
        turn = [room for room in (*behind, *occupied) if room not in wanted]
        for room in (*sorted(wanted), *dict.fromkeys(turn[:AT_ONCE])):
            await self.look_at(room)
            if room not in wanted:
                self._last = room

    async def before_check_out(self, room: str) -> None:
        """The UCM forgets with the check-out what was taken. What cannot be read is not waited
        for: the mailbox of the guest has to go.
        """
        try:
            await self.look_at(room)
        except Exception as error:  # noqa: BLE001  # a bug in a list must not keep a mailbox
            do = "look at the minibar: what was taken last may not be on the bill"
            is_known = isinstance(error, DriverFailed | StorageFailed)
            why = str(error) if is_known else type(error).__name__
            logger().warning("minibar_not_read", room=room, why=why, do=do)

    async def look_at(self, room: str) -> None:
        """Raises DriverFailed or StorageFailed: nothing of it is stored."""
        seen = await self._known()
        have, here = self.actual().get(room), self.rooms().get(room)
        if have is None or have.stay in (None, STRANGER):
            return
        assert have.stay is not None  # said above
        taken = await self.source.taken(room)
        if taken is None:
            self._tell_unread()
            return
        is_there = here is not None and here.stay == have.stay
        before = seen.get(have.stay)
        guests = before.guests if before is not None else ()
        if here is not None and is_there:
            guests = tuple(sorted(residents(here)))
        goods: Counter[str] = Counter()
        for each in taken:
            goods[each.name] += each.count
        was = before.goods if before is not None else {}
        if goods:
            self._empty.discard(have.stay)
        is_same = before is not None and (before.room, before.guests) == (room, guests)
        if goods == was and (is_same or before is None):
            return
        if was and not goods and have.stay not in self._empty:
            self._empty.add(have.stay)  # a UCM that has just started may say so: once is not enough
            return
        now = Seen(
            stay=have.stay,
            room=room,
            guests=guests,
            goods=dict(sorted(goods.items())),
            changes=1 if before is None else before.changes + 1,
        )
        postings = []
        if before is not None or have.stay > self._first_stay:
            news = {name: goods[name] - was.get(name, 0) for name in (*goods, *was)}
            # A PBX that does not take it along when the guest moves begins again with nothing.
            is_reset = before is not None and before.room != room and not goods
            postings = [] if is_reset else await self._postings(room, now, news, taken)
        level = LevelRow(kind=MINIBAR, room=room, seen=to_json(now), at=self.clock.epoch())
        await self.lane.take_levels([level], postings)
        seen[have.stay] = now

    def _tell_unread(self) -> None:
        if not self._is_told:
            do = "`doctor` says what is missing: the UCM's minibar page, or a permission"
            logger().warning("minibar_not_listed", why="the UCM lists no minibar", do=do)
        self._is_told = True

    async def _postings(
        self, room: str, now: Seen, news: Mapping[str, int], taken: Iterable[Taken]
    ) -> list[PostingRow]:
        more = {name: count for name, count in news.items() if count > 0}
        less = {name: count for name, count in news.items() if count < 0}
        rows = []
        if more:
            codes = await self._articles(more)
            lacking = ", ".join(sorted(set(more) - codes.keys()))
            amount = self._amount(more, taken) if self.totals else None
            why = ""
            if lacking and not self.totals:
                why = (
                    f"{NO_ARTICLE}: the UCM has no number from 1 to {LARGEST_ARTICLE} for {lacking}"
                )
            elif amount is None and self.totals:
                why = f"{NO_PRICE}: the UCM has no price for {', '.join(sorted(more))}"
            rows.append(await self._row(room, now, codes, more, amount, why))
        if less:
            words = ", ".join(f"{-count} {name}" for name, count in sorted(less.items()))
            why = f"{CORRECTED}: {words} fewer than before: take it off the bill by hand"
            codes = await self._articles(less)
            rows.append(await self._row(room, now, codes, less, None, why))
        return rows

    async def _row(
        self,
        room: str,
        now: Seen,
        codes: Mapping[str, int],
        counts: Mapping[str, int],
        amount: int | None,
        why: str,
    ) -> PostingRow:
        at = self.clock.epoch()
        said = ArticlesTaken(
            room=await self.pms_rooms.of(room),
            at=datetime.fromtimestamp(at, self.clock.zone).replace(tzinfo=None, microsecond=0),
            articles=tuple(
                (codes.get(name, 0), piece)
                for name, count in sorted(counts.items())
                for piece in _pieces(count)
            ),
            amount=amount,
            outlet=self.outlet,
        )
        return PostingRow(
            kind=MINIBAR,
            cause=f"{MINIBAR}/{now.stay}/{now.changes}/{'less' if said.is_correction else 'more'}",
            room=room,
            body=to_json(said),
            guests=now.guests,
            state=State.HELD.value if why else State.WAITING.value,
            at=at,
            reason=why,
        )

    async def _articles(self, names: Iterable[str]) -> dict[str, int]:
        """The numbers of these articles, as far as they have one. Raises DriverFailed."""
        codes = await self.source.goods()  # an article may have another number by now
        return {
            name: int(code)
            for name in names
            if (code := codes.get(name, "")).isdecimal()
            and len(code) <= 4
            and 0 < int(code) <= LARGEST_ARTICLE
        }

    def _amount(self, more: Mapping[str, int], taken: Iterable[Taken]) -> int | None:
        """In minor units; None: one of them has no price."""
        prices = {each.name: each.price for each in taken}
        if not all(_PRICE.fullmatch(prices[name]) for name in more):
            return None
        total = sum(Decimal(prices[name]) * count for name, count in more.items())
        return int((total * 10**self.decimals).to_integral_value())

    async def _known(self) -> dict[int, Seen]:
        """What was seen before. Stays that are older than the first look ever are on no bill by
        us: of them only what is taken from then on counts.
        """
        if self._seen is not None:
            return self._seen
        seen: dict[int, Seen] = {}
        first = None
        for row in await self.store(Store.levels):
            if row.kind == MINIBAR and row.room:
                kept = from_json(Seen, row.seen)
                known = seen.get(kept.stay)  # in the room that he has moved out of
                if known is None or known.changes < kept.changes:
                    seen[kept.stay] = kept
            elif row.kind == MINIBAR:
                first = int(row.seen)
        if first is None:
            first = self.stays()
            level = LevelRow(kind=MINIBAR, room="", seen=str(first), at=self.clock.epoch())
            await self.lane.take_levels([level], [])
        self._seen, self._first_stay = seen, first
        return seen


def _pieces(count: int) -> Iterable[int]:
    """As numbers that M# can hold."""
    sign = -1 if count < 0 else 1
    full, rest = divmod(abs(count), MOST_OF_ONE)
    return (*(sign * MOST_OF_ONE for _ in range(full)), *((sign * rest,) if rest else ()))
