"""The UCM side: pick a room, plan, call, record what is now actual. One call at a time.

Whenever it is not known what the UCM shows (a lost reply, a start, a UCM that was away), its list
is read before anything else is said. A UCM without a list is told exactly the same call again.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import perf_counter
from typing import Final

from gateway.clock import Clock
from gateway.drivers.base import (
    Answer,
    Driver,
    DriverFailed,
    Interrupted,
    Outcome,
    Paused,
    Refused,
    Rejected,
    SessionRefused,
    ShownRoom,
    Unreachable,
)
from gateway.drivers.calls import CheckIn, CheckOut, Move, name_of
from gateway.house import Actual
from gateway.house.states import NOTHING_HEARD, STRANGER
from gateway.logs import logger
from gateway.metrics import Metrics
from gateway.pipeline.compare import HELD_BRAKE, Comparison
from gateway.pipeline.outbox import Outbox
from gateway.pipeline.plan import OUT, is_out, is_strangers
from gateway.pipeline.reach import FIRST_PAUSE_S, Reach
from gateway.pipeline.step import PARKED, WAITING, Step
from gateway.store import StorageFailed, Store, StoreWorker

PROBE_EVERY_S: Final = 45.0
"""The dashboard wants to know within a minute that a quiet UCM has died."""

CLOCK_STEP: Final = timedelta(seconds=2)  # more: the wall clock was set, or summer time began
LOOK_AGAIN_S: Final = 1.0
MOST_CONTRADICTIONS: Final = 2  # then what a UCM says of a room is a refusal like any other

HELD_LINK: Final = "the UCM shows a stranger: he is left alone until the PMS's link is up"


@dataclass(slots=True)
class Relay:
    """Makes the UCM show what the PMS said last.

    retries             how often a room is tried again after a passing refusal, before it is parked
    retry_interval_s    between such tries, and the longest pause to an absent UCM
    comparison          what comes of the UCM's lists
    reach               whether the UCM answers
    changed             set when there may be something to do
    """

    outbox: Outbox
    store: StoreWorker
    driver: Driver
    clock: Clock
    metrics: Metrics
    changed: asyncio.Event
    retries: int
    retry_interval_s: float
    comparison: Comparison
    reach: Reach
    is_link_up: Callable[[], bool] = lambda: True
    in_resync: Callable[[], bool] = lambda: False
    awake_by: float = float("inf")  # see gateway.service.watchdog.Task
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _was_up: bool = True
    _began: datetime | None = None  # when the monotonic clock was 0, by the hotel's clock
    _was_in_resync: bool = False
    _contradictions: Counter[str] = field(default_factory=Counter)
    _lost: Counter[str] = field(default_factory=Counter)

    def stop(self) -> None:
        """Finish the call in flight and let `run` return."""
        self._stopping.set()
        self.changed.set()

    async def run(self) -> None:
        """Tell, look, probe when there is nothing to tell; for ever."""
        while not self._stopping.is_set():
            self.awake_by = self.clock.now()
            wait = self.reach.shut_until - self.awake_by
            if wait > 0:
                self.comparison.answer(None)
                await self._nap(wait)
                continue
            try:
                await self._turn()
            except StorageFailed:
                # The result of a call may be stored late: after a crash the UCM is looked at.
                self.metrics.outbox_failures.inc()
                self.comparison.answer(None)
                await self._nap(1.0)
        self.awake_by = self.clock.now()

    async def _turn(self) -> None:
        self._notice()
        room = self.outbox.next(self.clock.epoch())
        if self._must_look(is_idle=room is None):
            await self._look()
        elif room is not None:
            await self._tell(room)
        elif self.clock.now() - self.reach.asked_at >= PROBE_EVERY_S:
            await self._probe()
        else:
            await self._wait_for_work()

    def _notice(self) -> None:
        """The link came up, a resync ended: what was held may be told, and is compared."""
        is_up, in_resync = self.is_link_up(), self.in_resync()
        began = self.outbox.wall() - timedelta(seconds=self.clock.now())
        has_jumped = self._began is not None and abs(began - self._began) > CLOCK_STEP
        if (is_up and not self._was_up) or has_jumped:  # other wake-ups may be the next by now
            self.outbox.look_again()
        self._began = began
        if self._was_in_resync and not in_resync:
            self.comparison.due_at = self.clock.now()
        self._was_up, self._was_in_resync = is_up, in_resync

    async def _wait_for_work(self) -> None:
        now = self.clock.now()
        wait = max(0.0, PROBE_EVERY_S - (now - self.reach.asked_at))
        if self.driver.has_list:
            wait = min(wait, max(LOOK_AGAIN_S, self.comparison.due_at - now))
        if self.outbox.waiting:  # what waits out a refusal becomes due by the clock
            wait = min(wait, LOOK_AGAIN_S)
        self.awake_by = now + wait
        try:
            async with asyncio.timeout(wait):
                await self.changed.wait()
        except TimeoutError:
            pass  # time to look again
        self.changed.clear()

    async def _nap(self, seconds: float) -> None:
        self.awake_by = self.clock.now() + seconds
        with contextlib.suppress(TimeoutError):  # slept well
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    # --- One room ---

    async def _tell(self, room: str) -> None:
        """Make the next call for this room."""
        step = self.outbox.pending.get(room) or self.outbox.step(room)
        if step is None:
            self.outbox.look_at(room)
            return
        repeated = self.outbox.pending_before(step)
        step = repeated or step
        now = self.clock.epoch()
        if (due_at := self.outbox.due_at(step, now)) is not None:
            self.outbox.put_off(room, due_at)
            return
        if self._is_protected(step):
            self.outbox.hold(room, HELD_LINK if not self.is_link_up() else HELD_BRAKE)
            return
        await self._call(step, is_repeated=repeated is not None)

    def _is_protected(self, step: Step) -> bool:
        """A stranger whom the list shows: reception may have checked him in while the PMS was away,
        or we misread the list.
        """
        is_stranger = self.outbox.actual.get(step.call.room, OUT).stay == STRANGER
        may_go = self.is_link_up() and not self.comparison.is_braked
        has_list = self.driver.has_list
        return isinstance(step.call, CheckOut) and is_stranger and has_list and not may_go

    async def _call(self, step: Step, *, is_repeated: bool) -> None:
        if not self._trusts_list:  # what became of it could not be found out later
            self.outbox.unclear(step)
            await self.store(Store.told, self.outbox.told(step.rooms))
        self.reach.asked()
        at, started = self.clock.epoch(), perf_counter()
        try:
            answer = await self.driver.apply(step.call)
        except DriverFailed as error:
            result = self._failed(step, error, is_repeated=is_repeated)
        except Exception as error:  # noqa: BLE001  # a bug met on one room must not stop the others
            why = f"our own fault ({type(error).__name__}): report it"
            self._park(step, why)
            result = "our fault"
        else:
            self._answered()
            result = str(answer.code)
            if self._take_answer(step, answer, is_repeated=is_repeated):
                self._report(step, answer.warning)
        record = self.outbox.entries[step.call.room].record
        line = step.line(at, result, perf_counter() - started, record)
        await self.store(Store.told, self.outbox.told(step.rooms), [line])

    @property
    def _trusts_list(self) -> bool:
        return self.driver.has_list and not self.comparison.is_braked

    def _take_answer(self, step: Step, answer: Answer, *, is_repeated: bool) -> bool:
        """What the UCM's answer says of the rooms of a call. Returns whether it is done."""
        self.outbox.clear(step)
        call, actual, outcome = step.call, self.outbox.actual, answer.outcome
        if outcome is Outcome.DONE or (is_repeated and _says_done(step, outcome)):
            self._now_is(step.then)
            return True
        room = call.from_room if outcome is Outcome.NOT_IN and isinstance(call, Move) else call.room
        have = actual.get(room, OUT)
        if outcome is Outcome.NOT_IN and isinstance(call, CheckOut):
            self._now_is({room: is_out(have, in_doubt=True)})
            return True
        if outcome is Outcome.NOT_IN and have.stay is None:
            # This UCM keeps nothing for a room that is out: it is told with the next guest.
            self._now_is(step.then)
            return True
        self._contradictions[room] += 1
        if outcome is Outcome.TAKEN and self._contradictions[room] > 1:
            self._park(step, "24: the room to move to stays checked in: look at it on the UCM")
        elif self._contradictions[room] > MOST_CONTRADICTIONS:
            why = f"{answer.code}: the UCM contradicts itself about this room: look at it there"
            self._refused(step, why)
        elif outcome is Outcome.NOT_IN:
            self._now_is({room: is_out(have, in_doubt=False)})
        elif self._trusts_list:
            self.outbox.unclear(step)  # who is in? the list will tell
        else:
            want = self.outbox.desired.get(room, NOTHING_HEARD)
            theirs = is_strangers(have)
            adopted = Actual(stay=want.stay, tags=None, status_said=have.status_said)
            self._now_is({room: adopted if want.adopts else theirs})
        return False

    def _now_is(self, actual: Mapping[str, Actual]) -> None:
        self.outbox.now_is(actual)
        for room in actual:
            self._lost.pop(room, None)
            if room not in self.outbox.waiting:
                self._contradictions.pop(room, None)

    def _report(self, step: Step, warning: str) -> None:
        """A call was done."""
        kind, room = name_of(step.call), step.call.room
        entry = self.outbox.entries[room]
        if entry.record:
            took_s = max(0.0, self.clock.epoch() - entry.since)
            self.metrics.delivery.labels(kind).observe(took_s)
        if warning:
            logger().warning("delivered_with_warning", kind=kind, room=room, why=warning)
        else:
            logger().info("delivered", kind=kind, room=room)

    # --- A call that failed ---

    def _failed(self, step: Step, error: DriverFailed, *, is_repeated: bool) -> str:
        """What a failure means for the call's rooms and for the UCM. Returns the journal's word."""
        action = self.driver.action_of(step.call)
        if not is_repeated:
            self.outbox.clear(step)  # it was not done, unless said otherwise below
        elif isinstance(error, Rejected):
            self.outbox.forget(step)
        match error:
            case Rejected(code=code):
                self._answered()
                self._park(step, str(error))
                return str(code)
            case Refused(code=code):
                self._answered()
                self.metrics.ucm_retries.labels(action, "refused").inc()
                self._refused(step, str(error))
                return str(code)
            case SessionRefused(code=code):
                self.metrics.ucm_retries.labels(action, "session").inc()
                # Each try costs a login, and the next room's would too.
                self.reach.unanswered("body", str(error), at_least_s=self.reach.longest_pause_s)
                return str(code)
            case Interrupted():
                self.metrics.ucm_retries.labels(action, "session").inc()
                self._lose(step, str(error), pause_s=0.0)
                if self._lost[step.call.room] > 1:
                    self.reach.unanswered("body", str(error), at_least_s=self.reach.longest_pause_s)
                return "interrupted"
            case Unreachable(kind=kind, sent=sent):
                self.metrics.ucm_retries.labels(action, kind).inc()
                pause_s = self.reach.unanswered(kind, str(error))
                if sent:
                    self._lose(step, str(error), pause_s=pause_s)
                return kind
            case Paused(code=code):
                self.reach.shut(error)
                return str(code)
            case _:
                raise error

    def _lose(self, step: Step, why: str, *, pause_s: float) -> None:
        """The call may have been done. Perhaps it is this very call that the UCM cannot bear: so
        that it holds no other room back, it waits longer each time, and the others go first.
        """
        room = step.call.room
        tries = self._lost[room]
        self._lost[room] += 1
        if tries:
            pause_s += min(FIRST_PAUSE_S * 2**tries, self.retry_interval_s)
        due_at = self.clock.epoch() + pause_s if pause_s else 0.0
        self.outbox.unclear(step)
        before = self.outbox.refusals(room)
        self.outbox.went_wrong(room, WAITING, why, attempts=before, due_at=due_at)

    def _refused(self, step: Step, why: str) -> None:
        """A passing reason: a few tries, then a human must look."""
        room = step.call.room
        attempts = 1 + self.outbox.refusals(room)
        if attempts > self.retries:
            self._park(step, f"{why} ({attempts} tries)")
            return
        due_at = self.clock.epoch() + self.retry_interval_s
        self.outbox.went_wrong(room, WAITING, why, attempts=attempts, due_at=due_at)
        kind = name_of(step.call)
        logger().warning("refused", kind=kind, room=room, why=why, again_in_s=self.retry_interval_s)

    def _park(self, step: Step, why: str) -> None:
        room = step.call.room
        self._contradictions.pop(room, None)
        self.outbox.went_wrong(room, PARKED, why, attempts=1 + self.outbox.refusals(room))
        for each in step.rooms[1:]:  # a guest who cannot move leaves his old room all the same
            self.outbox.look_at(each)
        logger().error("parked", kind=name_of(step.call), room=room, why=why)

    # --- The UCM's list ---

    def _must_look(self, *, is_idle: bool) -> bool:
        if not self.driver.has_list:
            self.comparison.answer(None)
            return False
        return self.comparison.is_due(in_resync=self.in_resync(), is_idle=is_idle)

    async def _look(self) -> None:
        """Read the list: what it shows is actual. It is a probe too."""
        try:
            listed = await self.driver.rooms()
        except Unreachable as error:
            self.reach.unanswered(error.kind, str(error))
        except Paused as error:
            self.reach.shut(error)
        else:
            self.reach.asked()
            self._answered()
            if listed is not None:
                await self._take_list(listed)
        finally:
            self.comparison.answer(None)

    async def _take_list(self, listed: Sequence[ShownRoom]) -> None:
        if self.comparison.asked:  # who only looks changes nothing
            self.comparison.answer(self.comparison.look(listed))
            return
        was_braked = self.comparison.is_braked
        now_is = self.comparison.take(listed)
        if was_braked and not self.comparison.is_braked:
            self.outbox.look_again()
        if now_is:
            self.outbox.settle(now_is, since=self.clock.epoch())
            await self.store(Store.told, self.outbox.told(now_is))

    # --- The UCM as a whole ---

    def _answered(self) -> None:
        if self.reach.answered():
            self.comparison.is_known = False  # it may have forgotten anything meanwhile

    async def _probe(self) -> None:
        self.reach.asked()
        try:
            await self.driver.probe()
        except Unreachable as error:
            self.reach.unanswered(error.kind, str(error))
        except Paused as error:
            self.reach.shut(error)
        else:
            self._answered()


def _says_done(step: Step, outcome: Outcome) -> bool:
    """The answer to exactly the same call, made again, that says that it had been done."""
    match step.call:
        case CheckIn():
            return outcome is Outcome.ALREADY_IN and step.was_out
        case CheckOut():
            return outcome is Outcome.NOT_IN
        case Move():
            return True
        case _:
            return False
