"""Comparison: what comes of the UCM's lists over time. When one is due, what of it is believed, and
what of it is cured.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.clock import Clock
from gateway.drivers.base import ShownRoom
from gateway.house import Actual
from gateway.logs import logger
from gateway.metrics import Metrics
from gateway.pipeline.look import Drift, Judge, drifts, settle, would_throw_out
from gateway.pipeline.outbox import Outbox

MOST_CURES: Final = 2
"""How often in a row the same difference is cured; somebody may truly have made it again."""

HELD_BRAKE: Final = (
    "the UCM's list differs in too many rooms to be believed: look at `rooms --diff`,"
    " then `rooms --heal`"
)


@dataclass(slots=True)
class Comparison:
    """The UCM's list held against what each room should show and was last known to show.

    every_s     how often at least
    heals       what differs though the PMS did not cause it is cured; else it is only shown
    heals_all   a human has looked: the next comparison cures everything
    due_at      the moment of the next one
    drifts      rooms that differed at the last one
    looked_at   when that was, seconds since 1970; None: there was none since the start
    is_known    the last list still stands for what the UCM shows; not at a start, nor after the UCM
                was away
    asked       callers that wait for a look
    is_braked   so much differed that the last list is not believed
    """

    outbox: Outbox
    judge: Judge
    clock: Clock
    metrics: Metrics
    every_s: float = 900.0
    heals: bool = True
    heals_all: bool = False
    due_at: float = float("-inf")
    drifts: tuple[Drift, ...] = ()
    looked_at: float | None = None
    is_known: bool = False
    is_braked: bool = False
    asked: list[asyncio.Future[tuple[Drift, ...] | None]] = field(default_factory=list)
    _listed: frozenset[str] = frozenset()
    _cures: Counter[Drift] = field(default_factory=Counter)
    _has_cured: bool = False

    async def now(self) -> tuple[Drift, ...] | None:
        """Compare between two calls, change nothing. None: there is no list now."""
        answer: asyncio.Future[tuple[Drift, ...] | None] = (
            asyncio.get_running_loop().create_future()
        )
        self.asked.append(answer)
        return await answer

    def answer(self, drifts: tuple[Drift, ...] | None) -> None:
        """Tell who has asked."""
        asked, self.asked = self.asked, []
        for answer in asked:
            if not answer.done():  # its caller may have been cancelled
                answer.set_result(drifts)

    def is_due(self, *, in_resync: bool, is_idle: bool) -> bool:
        """Whether the list must be read before anything else is said of a room.

        is_idle     there is nothing to be told at this moment
        """
        if not self.is_known or self.heals_all or self.asked:
            return True
        if not self.is_braked and not self._listed.isdisjoint(self.outbox.pending):
            return True  # what became of that call?
        if not self.is_braked and self.outbox.strangers:
            return True  # is he the one whom the PMS has named now?
        if self._has_cured and is_idle and not self.outbox.waiting:
            return True  # did it take?
        late_s = self.clock.now() - self.due_at
        return late_s >= 0 and not in_resync and (is_idle or late_s >= self.every_s)

    def look(self, listed: Sequence[ShownRoom]) -> tuple[Drift, ...]:
        """Rooms that differ now. Nothing comes of it."""
        self._found(settle(self.outbox.desired, self.outbox.actual, listed, self.judge))
        return self.drifts

    def take(self, listed: Sequence[ShownRoom]) -> dict[str, Actual]:
        """The actual states that are believed; what was pending in these rooms is settled."""
        outbox = self.outbox
        begun = {room: step.then[room] for room, step in outbox.pending.items()}
        settled = settle(outbox.desired, outbox.actual, listed, self.judge, begun)
        foreign = self._found(settled)
        self.is_known, self._listed = True, frozenset(settled)
        outbox.strangers.clear()
        self.due_at = self.clock.now() + self.every_s
        was_braked = self.is_braked
        self.is_braked = not self.heals_all and would_throw_out(foreign.values(), settled)
        self.metrics.brake.set(self.is_braked)
        if self.is_braked:
            if not was_braked:
                logger().error("comparison_not_believed", rooms=len(foreign), do=HELD_BRAKE)
            return {}
        by_the_pms = {
            room for room in settled if room in outbox.waiting or room not in outbox.actual
        }
        cured = self._to_cure(foreign, by_the_pms)
        self.heals_all = False
        now_is = {
            room: state
            for room, state in settled.items()
            if (room not in foreign or room in by_the_pms or room in cured)
            and (state != outbox.actual.get(room) or room in outbox.pending)
        }
        self._has_cured = not cured.isdisjoint(now_is)
        return now_is

    def _found(self, settled: dict[str, Actual]) -> dict[str, Drift]:
        """What differs is kept for who looks. Returns what the PMS did not cause, by room."""
        outbox = self.outbox
        found = drifts(outbox.desired, settled, self.judge, waiting=outbox.waiting)
        named = {drift.room: drift for drift in found if drift.kind != "unnamed"}
        self.drifts, self.looked_at = tuple(found), self.clock.epoch()
        self.metrics.rooms_drifted.set(len(named))
        self.metrics.rooms_unnamed.set(len(found) - len(named))
        return {room: drift for room, drift in named.items() if room not in outbox.left_alone}

    def _to_cure(self, foreign: dict[str, Drift], by_the_pms: set[str]) -> set[str]:
        """A cure that did not take is tried twice, until the room was right meanwhile: else a list
        that we misread would cost a guest his mailbox at each comparison.
        """
        if self.heals_all:
            self._cures.clear()
        cures = {drift: self._cures[drift] for drift in foreign.values() if drift in self._cures}
        fresh = {
            room: drift
            for room, drift in foreign.items()
            if (self.heals or self.heals_all)
            and room not in by_the_pms
            and (drift.kind == "out" or cures.get(drift, 0) < MOST_CURES)
        }
        self._cures = Counter(cures)
        self._cures.update(fresh.values())
        if fresh:
            kinds = ",".join(sorted({drift.kind for drift in fresh.values()}))
            do = "pms-gateway rooms --diff shows them"
            logger().warning("rooms_drifted", rooms=len(foreign), kinds=kinds, do=do)
        return set(fresh)
