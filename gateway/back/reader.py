"""Reads the UCM's list of calls, and believes it only where it shows what is known already.

An empty list proves nothing: a parameter that a firmware does not understand, a list that was
cleaned, a clock that was set and another UCM all look like a night without calls. So each look
begins before the newest call that is known, and a list without that call is not believed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final, Protocol

from gateway.back.calls import PhoneCall, calls_in
from gateway.back.charges import USES, Charges
from gateway.back.lane import Lane
from gateway.clock import Clock
from gateway.drivers.legs import Leg
from gateway.logs import logger
from gateway.metrics import Metrics
from gateway.store import CallsMark, Store, StoreWorker

SETTLED_AFTER_S: Final = 20.0
"""The UCM writes the parts of a call one after the other: later than that they are all there."""
OVERLAP_S: Final = 900.0
WIDER_S: Final = (3600.0, 48 * 3600.0)
"""How far back is looked for the newest known call, where it is not where it should be."""
SWEEP_EVERY_S: Final = 86_400.0
PIECE: Final = 200
"""Calls of one transaction."""
CALL_CHANGED: Final = "call_changed_after_posting"
"""As a remark in the metrics."""
SWEEP_S: Final = 48 * 3600.0
"""Once a day, and at a start, the last two days are read again: what was listed late is found."""


class CallSource(Protocol):
    """A PBX that lists its calls."""

    async def legs(self, since: float, until: float, zone: tzinfo) -> Sequence[Leg]:
        """All legs that ended in this time. Raises DriverFailed."""


@dataclass(slots=True)
class CallReader:
    """Looks at the list of calls again and again.

    lane        where postings wait
    is_room     whether an extension is the phone of a room
    settled_after_s     how long after its end a call is left alone
    """

    source: CallSource
    charges: Charges
    lane: Lane
    store: StoreWorker
    clock: Clock
    metrics: Metrics
    is_room: Callable[[str], bool]
    settled_after_s: float = SETTLED_AFTER_S
    is_blind: bool = False
    _swept_at: float = float("-inf")

    def __post_init__(self) -> None:
        self.metrics.remarks.labels(CALL_CHANGED)
        for use in USES:  # a rate exists before the first call
            self.metrics.calls.labels(use)

    async def look(self) -> None:
        """Read what is new. Raises DriverFailed or StorageFailed: nothing of it is stored."""
        now = self.clock.epoch()
        mark = await self.store(Store.calls_mark)
        if mark is None:  # what was before us is on no bill by us
            await self.store(Store.add_calls, [], CallsMark(first=now, until=now))
            return
        until = now - self.settled_after_s
        since = mark.until - OVERLAP_S
        is_sweep = self.clock.now() - self._swept_at >= SWEEP_EVERY_S
        if is_sweep:
            since = min(since, until - SWEEP_S)
        calls = await self._calls(since, until)
        for wider_s in WIDER_S:
            if self._shows(calls, mark):
                break
            calls = await self._calls(min(since, mark.until - wider_s), until)
        if not self._shows(calls, mark):
            self._blind()
            return
        if self.is_blind:
            self.is_blind = False
            logger().info("calls_seen_again")
        self.metrics.calls_blind.set(0)
        await self._take(calls, mark)
        if is_sweep:
            self._swept_at = self.clock.now()

    async def _calls(self, since: float, until: float) -> list[PhoneCall]:
        legs = await self.source.legs(since, until, self.clock.zone)
        return calls_in(legs, self.is_room)

    @staticmethod
    def _shows(calls: Sequence[PhoneCall], mark: CallsMark) -> bool:
        return not mark.canary or any(call.key == mark.canary for call in calls)

    def _blind(self) -> None:
        self.metrics.calls_blind.set(1)
        if not self.is_blind:
            do = "see the runbook: cleaned, restored or replaced UCM, or a clock that was set"
            logger().error("calls_blind", why="the last known call is not in the list", do=do)
        self.is_blind = True

    async def _take(self, calls: Sequence[PhoneCall], mark: CallsMark) -> None:
        """Store what is new, in pieces: after an outage of days the line's records do not wait for
        all of it. The mark moves with the last piece.
        """
        ours = [call for call in calls if call.ended > mark.first]
        known = await self.store(Store.known_calls, [call.key for call in ours])
        fresh = [call for call in ours if call.key not in known]
        # A shorter one is only the end of a call that began before this look.
        longer = [call for call in ours if call.talk_s > known.get(call.key, call.talk_s)]
        await self._remark(longer)
        last = max(ours, key=lambda call: call.ended, default=None)
        moved = mark
        if last is not None and (last.ended > mark.until or not mark.canary):
            until = max(last.ended, mark.until)
            moved = CallsMark(first=mark.first, until=until, canary=last.key)
        while len(fresh) > PIECE:
            await self._store(fresh[:PIECE], mark)
            fresh = fresh[PIECE:]
        if fresh or moved != mark:
            await self._store(fresh, moved)

    async def _remark(self, changed: Sequence[PhoneCall]) -> None:
        """Calls that have become longer since: a part of them was listed late."""
        for call in changed:
            async with self.lane.writing:
                at = self.clock.epoch()
                is_posted = await self.store(Store.change_call, call.key, call.talk_s, at)
            if is_posted:
                self.metrics.remarks.labels(CALL_CHANGED).inc()
                do = "`pms-gateway postings list --state all`, then `show` tells both lengths"
                logger().warning("call_changed_after_posting", room=call.room, do=do)

    async def _store(self, calls: Sequence[PhoneCall], mark: CallsMark) -> None:
        made = [await self.charges.of(call) for call in calls]
        async with self.lane.writing:
            stored, postings = await self.store(Store.add_calls, made, mark)
            self.lane.now_is(postings)
        for row in stored:
            self.metrics.calls.labels(row.use).inc()
            if row.amount is not None:
                self.metrics.calls_amount.labels(row.use).inc(row.amount)
            if row.room:
                self.metrics.last_call.set(row.ended)
