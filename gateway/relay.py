"""The UCM side: due entries go out, one at a time; the long retry, from seconds to days."""

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.clock import Clock
from gateway.drivers.base import (
    Driver,
    DriverFailed,
    Paused,
    Refused,
    Rejected,
    SessionRefused,
    Unreachable,
)
from gateway.events import EVENT_NAMES
from gateway.logs import logger
from gateway.metrics import Metrics
from gateway.noting import Noting
from gateway.outbox import Entry, Outbox, OutboxWorker, StorageCorrupt, StorageFailed
from gateway.reconcile import Drift, Reconciler

PROBE_EVERY_S: Final = 45.0
"""The dashboard wants to know within a minute that a quiet UCM has died."""

AT_ONCE: Final = 128
"""Rows of different rooms that are fetched together. While one is called, those before it are
noted as delivered: the disk and the UCM work at the same time."""

FIRST_PAUSE_S: Final = 1.0
LOOK_AGAIN_S: Final = 1.0


@dataclass(slots=True)
class Relay:
    """Delivers what waits in the lane `to_ucm`.

    retries             how often a row is tried again after a passing refusal, before it is parked
    retry_interval_s    between such tries, and the longest pause to an absent UCM
    marks_calls         note on disk that a call is made, before it is made: for a UCM that cannot
                        be asked later what became of it
    """

    outbox: OutboxWorker
    driver: Driver
    clock: Clock
    metrics: Metrics
    retries: int
    retry_interval_s: float
    marks_calls: bool = False
    reconciler: Reconciler | None = None
    rng: Callable[[], float] = random.random
    awake_by: float = float("inf")  # see gateway.watchdog.Task
    ucm_up: bool = False
    ucm_trouble: str = "not asked yet"
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _shut_until: float = float("-inf")
    _shut_pause_s: float = FIRST_PAUSE_S
    _asked: list[asyncio.Future[tuple[Drift, ...] | None]] = field(default_factory=list)
    _alone: set[int] = field(default_factory=set)
    _row_pause_s: dict[int, float] = field(default_factory=dict)
    _asked_at: float = float("-inf")
    _ready: deque[Entry] = field(default_factory=deque)
    _noting: Noting = field(init=False)
    _file: int = field(init=False)

    def __post_init__(self) -> None:
        self._noting = Noting(self.outbox, self.clock)
        self._file = self.outbox.outbox.number

    def stop(self) -> None:
        """Finish the call in flight and let `run` return."""
        self._stopping.set()
        self.outbox.new_entries.set()

    async def run(self) -> None:
        """Deliver, probe when there is nothing to deliver, for ever."""
        while not self._stopping.is_set():
            self.awake_by = self.clock.now()
            if self.outbox.outbox.number != self._file:
                self._begin_anew()
            wait = self._shut_until - self.awake_by
            if wait > 0:
                self._tell_who_asked(None)
                await self._nap(wait)
                continue
            try:
                entry, stored = (None, None) if self._asked else await self._next()
                if self.reconciler is not None and (
                    self._asked or self.reconciler.is_due(idle=entry is None)
                ):
                    await self._fetch_anew()
                    await self._reconcile(self.reconciler)
                elif entry is not None:
                    await self._deliver(entry, stored)
                elif self.clock.now() - self._asked_at >= PROBE_EVERY_S:
                    await self._probe()
                else:
                    await self._wait_for_work()
            except StorageCorrupt:
                self.metrics.outbox_failures.inc()
            except StorageFailed as error:
                # What is done and not yet noted is noted later; after a kill it is called again,
                # and twice is as once.
                self.metrics.outbox_failures.inc()
                logger().error("outbox_failed", error=str(error), do="free the disk; trying again")
                self._tell_who_asked(None)
                await self._nap(1.0)
        with contextlib.suppress(StorageFailed):
            await self._fetch_anew()
        self.awake_by = self.clock.now()

    def _begin_anew(self) -> None:
        """Another file is in the old one's place: compare, to find out what was lost with it."""
        self._file = self.outbox.outbox.number
        self._ready.clear()
        self._noting.forget()
        if self.reconciler is not None:
            self.reconciler.want(anew=True)

    async def _next(self) -> tuple[Entry | None, "asyncio.Future[None] | None"]:
        """The next row to deliver, and the future of one that is not stored yet; what was delivered
        is noted on the way. Raises StorageFailed."""
        coming, self.outbox.coming = self.outbox.coming, None
        is_held = self.marks_calls or (coming and self._noting.comes_first(coming.entry.event))
        if coming is not None and not is_held:
            self.outbox.new_entries.clear()
            self._ready.clear()
            return coming.entry, coming.stored
        if self.outbox.new_entries.is_set():
            self._ready.clear()  # a live record goes before what a resync has brought
        elif not (self._ready or self.marks_calls) and self._noting.has_all(self.outbox.waiting):
            await self._noting.soon()
            return None, None
        if not self._ready:
            self.outbox.new_entries.clear()
            self._ready += await self._noting.now_with(
                Outbox.turn,
                1 if self.marks_calls else AT_ONCE,
                longest_pause_s=2 * self.retry_interval_s + FIRST_PAUSE_S,
                alone=self._alone,
            )
        return self._ready.popleft() if self._ready else None, None

    async def _fetch_anew(self) -> None:
        """What was fetched may not be what is due now. Raises StorageFailed."""
        self._ready.clear()
        await self._noting.now()

    async def _wait_for_work(self) -> None:
        waiting = self.outbox.waiting
        until_probe = max(0.0, PROBE_EVERY_S - (self.clock.now() - self._asked_at))
        if self.reconciler is not None:
            until_probe = min(until_probe, max(LOOK_AGAIN_S, self.reconciler.due_in()))
        # Rows that wait out a refusal become due by the clock, not by an event.
        wait = min(LOOK_AGAIN_S, until_probe) if waiting else until_probe
        self.awake_by = self.clock.now() + wait
        try:
            async with asyncio.timeout(wait):
                await self.outbox.new_entries.wait()
        except TimeoutError:
            pass  # time to look again

    async def _nap(self, seconds: float) -> None:
        self.awake_by = self.clock.now() + seconds
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass  # slept well

    # --- One entry ---

    async def _deliver(self, entry: Entry, stored: "asyncio.Future[None] | None" = None) -> None:
        """Tell the UCM. `stored`: not before that; what is said is made ready meanwhile."""
        kind, room = EVENT_NAMES[type(entry.event)], entry.event.room
        self._asked_at = self.clock.now()
        unsure = entry.unsure or entry.id in self._noting.called
        if self.marks_calls and not entry.unsure:
            await self.outbox(Outbox.mark, entry, unsure=True)
        self._noting.called.add(entry.id)
        try:
            warning = await self.driver.apply(
                entry.event, unsure=unsure, repairs=entry.repairs, after=stored
            )
            if stored is not None:
                await stored  # there was nothing to say
        except StorageFailed as failure:
            # It was never said, and another will have its number.
            self._noting.called.discard(entry.id)
            if isinstance(failure, StorageCorrupt):
                raise
            return  # who takes records in has told, and asks for this one again
        except DriverFailed as error:
            try:
                await self._fetch_anew()
            finally:
                await self._failed(entry, kind, room, error, unsure=unsure)
                self._noting.called.discard(entry.id)
            return
        except Exception as error:  # noqa: BLE001  # a bug met on one row must not stop the others
            why = f"our own fault ({type(error).__name__}): report it"
            await self._park(entry, kind, room, why, unsure=True)
            return
        self._noting.add(entry)
        self._answered()
        self._row_pause_s.pop(entry.id, None)
        self._alone.discard(entry.id)
        took = max(0.0, self.clock.epoch() - entry.received_at)
        # Told while the next call is under way.
        asyncio.get_running_loop().call_soon(self._tell_delivered, kind, room, took, warning)
        if self._ready:
            await self._noting.soon()

    def _tell_delivered(self, kind: str, room: str, took_s: float, warning: str | None) -> None:
        self.metrics.delivery.labels(kind).observe(took_s)
        if warning:
            logger().warning("delivered_with_warning", kind=kind, room=room, why=warning)
        else:
            logger().info("delivered", kind=kind, room=room)

    async def _failed(
        self, entry: Entry, kind: str, room: str, error: DriverFailed, *, unsure: bool
    ) -> None:
        now = self.clock.epoch()
        attempts = entry.attempts
        match error:
            case Rejected() if entry.folded:
                # Perhaps only one of them cannot be borne: each by itself, in their order.
                self._answered()
                self._alone.update((entry.id, *entry.folded))
                await self._unmark(entry, unsure=unsure)
            case Rejected():
                self._answered()
                await self._park(entry, kind, room, str(error), unsure=unsure)
            case Refused():
                self._answered()
                attempts += 1
                if attempts > self.retries:
                    why = f"{error} ({attempts} tries)"
                    await self._park(entry, kind, room, why, unsure=unsure)
                    return
                self.metrics.ucm_retries.labels(self.driver.action_of(entry.event), "refused").inc()
                due_at = now + self.retry_interval_s
                await self._later(entry, due_at, error, attempts, unsure=unsure)
                logger().warning(
                    "refused",
                    kind=kind,
                    room=room,
                    why=str(error),
                    again_in_s=self.retry_interval_s,
                )
            case SessionRefused(sent=sent):
                self.metrics.ucm_retries.labels(self.driver.action_of(entry.event), "session").inc()
                # Each try costs a login, and the next row's would too.
                self._unanswered(Unreachable("body", str(error), sent=sent))
                due_at = now + self.retry_interval_s
                await self._later(entry, due_at, error, attempts, unsure=unsure or sent)
            case Unreachable(sent=sent):
                self.metrics.ucm_retries.labels(
                    self.driver.action_of(entry.event), error.kind
                ).inc()
                shut = self._unanswered(error)
                if sent:
                    # Perhaps it is this row that the UCM cannot bear: the others go first when
                    # it is asked again, so that they are not held back.
                    pause = self._row_pause_s.get(entry.id, FIRST_PAUSE_S)
                    pause = min(pause, self.retry_interval_s)
                    self._row_pause_s[entry.id] = pause * 2
                    await self._later(entry, now + shut + pause, error, attempts, unsure=True)
                else:
                    await self._unmark(entry, unsure=unsure)
            case Paused(sent=sent):
                if sent:
                    await self._later(entry, now, error, attempts, unsure=True)
                else:
                    await self._unmark(entry, unsure=unsure)
                self._shut(error)
            case _:
                raise error

    async def _unmark(self, entry: Entry, *, unsure: bool) -> None:
        """It is known what became of the call: as unsure as before."""
        if self.marks_calls:
            await self.outbox(Outbox.mark, entry, unsure=unsure)

    async def _park(self, entry: Entry, kind: str, room: str, why: str, *, unsure: bool) -> None:
        await self.outbox(Outbox.park, entry, self.clock.epoch(), why, unsure=unsure)
        self._row_pause_s.pop(entry.id, None)
        self._alone.discard(entry.id)
        logger().error("parked", kind=kind, room=room, why=why)

    async def _later(
        self, entry: Entry, due_at: float, error: DriverFailed, attempts: int, *, unsure: bool
    ) -> None:
        await self.outbox(Outbox.later, entry, due_at, str(error), attempts=attempts, unsure=unsure)

    # --- The UCM as a whole ---

    async def _probe(self) -> None:
        self._asked_at = self.clock.now()
        try:
            await self.driver.probe()
        except Unreachable as error:
            self._unanswered(error)
        except Paused as error:
            self._shut(error)
        else:
            self._answered()

    async def compare_now(self) -> tuple[Drift, ...] | None:
        """Compare with the UCM between two calls. None: it gives no list now."""
        if self.reconciler is None or self._shut_until > self.clock.now():
            return None
        answer: asyncio.Future[tuple[Drift, ...] | None] = (
            asyncio.get_running_loop().create_future()
        )
        self._asked.append(answer)
        self.outbox.new_entries.set()
        return await answer

    def _tell_who_asked(self, drifts: tuple[Drift, ...] | None) -> None:
        asked, self._asked = self._asked, []
        for answer in asked:
            if not answer.done():  # who asked may have gone
                answer.set_result(drifts)

    @property
    def known_drifts(self) -> Sequence[Drift]:
        """Rooms that differed at the last comparison; none before the first."""
        return (self.reconciler.drifts or ()) if self.reconciler is not None else ()

    async def _reconcile(self, reconciler: Reconciler) -> None:
        """Hold the UCM's list against the house; it is a probe too."""
        reconciler.later()
        try:
            listed = await self.driver.rooms()
        except Unreachable as error:
            if error.kind != "body":  # it is there, only its list is not; the probe knows more
                self._unanswered(error)
        except Paused as error:
            self._shut(error)
        else:
            if listed is not None:
                self._asked_at = self.clock.now()
                self._answered()
                await reconciler.reconcile(listed)
                self._tell_who_asked(reconciler.drifts)
        finally:
            self._tell_who_asked(None)

    def _answered(self) -> None:
        if not self.ucm_up:
            logger().info("ucm_up")
            if self.reconciler is not None:  # nobody knows what it was told, or forgot, meanwhile
                self.reconciler.want(anew=True)
        self.ucm_up, self.ucm_trouble = True, ""
        self._shut_pause_s = FIRST_PAUSE_S
        self.metrics.ucm_up.set(1)

    def _unanswered(self, error: Unreachable) -> float:
        """The UCM is away: returns for how many seconds it is not asked."""
        if self.ucm_up or self.ucm_trouble != str(error):
            logger().warning("ucm_unreachable", kind=error.kind, why=str(error))
        self._down(str(error))
        # Jitter, so that many gateways do not fall on a UCM that has just come back.
        pause = min(self._shut_pause_s, self.retry_interval_s)
        self._shut_until = self.clock.now() + pause * (0.5 + self.rng() / 2)
        self._shut_pause_s = pause * 2
        self._asked_at = float("-inf")  # the first thing to do then is to ask
        return pause

    def _shut(self, error: Paused) -> None:
        self._shut_until = self.clock.now() + error.seconds
        self._asked_at = float("-inf")
        if error.loud:
            self._down(str(error))
            logger().error("ucm_stopped", why=str(error), again_in_s=error.seconds)
        else:
            logger().warning("ucm_paused", why=str(error), again_in_s=error.seconds)

    def _down(self, why: str) -> None:
        self.ucm_up, self.ucm_trouble = False, why
        self.metrics.ucm_up.set(0)
