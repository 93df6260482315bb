"""The lane to the PMS: postings leave one at a time, each under a number of its own.

What was sent is on disk before its bytes leave; its answer is taken with the record that brings it
(see `Intake`). In memory are the postings that are open, never ahead of the disk.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.back.kinds import KINDS, LEVELS, is_correction
from gateway.back.sending import (
    COUNTED,
    DO,
    GATEWAY,
    IN_DOUBT_S,
    LOOK_EVERY_S,
    NIGHT_AUDIT_AT_MOST_S,
    REMEMBERED,
    RESULTS,
    NotPossible,
    Out,
    Ready,
    fate_of,
    verdict_on,
)
from gateway.back.states import OPEN, PARKED, Cause, State, step
from gateway.clock import Clock
from gateway.logs import logger
from gateway.metrics import Metrics
from gateway.store import (
    LevelRow,
    PostingRow,
    PostingStep,
    StorageFailed,
    Store,
    StoreWorker,
    Writing,
)
from protocols.dialects import Books
from protocols.errors import CannotBeSaid, LocalProtocolError
from protocols.facts import PostingAnswered
from protocols.session import AnyRecord

Change = tuple[PostingRow, PostingStep]


@dataclass(slots=True)
class Lane:
    """Sends what waits, in its order.

    ready       see Ready
    place       where a posting goes by now, and why it must not be sent; empty: it may be
    record_of   the dialect's record for a posting: its row and its number
    say         hands a record to the link; False: the link is not up
    writing     held by whoever changes postings
    answer_s    how long an answer is waited for
    numbers_up_to   the largest number that the PMS takes
    is_acknowledged the line acknowledges records: what was written has arrived
    kinds       of postings that go over it: see `kinds`
    books       what says that a charge is booked
    """

    store: StoreWorker
    clock: Clock
    metrics: Metrics
    ready: Callable[[], Ready]
    place: Callable[[PostingRow], Awaitable[tuple[PostingRow, str]]]
    record_of: Callable[[PostingRow, int], Any]
    say: Callable[[AnyRecord], bool]
    writing: Writing
    answer_s: float = 30.0
    numbers_up_to: int = 99_999_999
    is_acknowledged: bool = True
    kinds: frozenset[str] = frozenset(KINDS)
    books: Books = Books.ANSWER
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    awake_by: float = float("inf")  # see gateway.service.watchdog.Task
    open: dict[int, PostingRow] = field(default_factory=dict)
    _out: Out | None = None
    _fate: tuple[Cause, str, float] | None = None
    _ended: deque[int] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    _written: deque[tuple[float, PostingRow]] = field(
        default_factory=lambda: deque(maxlen=REMEMBERED)
    )
    _audit_since: float | None = None
    _again: list[PostingRow] = field(default_factory=list)
    _left_sent: set[int] = field(default_factory=set)
    _told_numbers: bool = False
    _stopping: bool = False

    def __post_init__(self) -> None:
        for kind in self.kinds:
            for result in RESULTS.values():
                self.metrics.postings_total.labels(kind, result)
            self._count(kind)

    def restore(self, rows: Iterable[PostingRow]) -> None:
        """See `Lanes.restore`."""
        rows = list(rows)
        self._left_sent = {row.id for row in rows if row.state == State.SENT.value}
        self.now_is(rows)

    def are(self, rows: Iterable[PostingRow]) -> None:
        """Exactly these are open, on disk: some write has failed, and may be there all the same."""
        rows = list(rows)
        for id_ in self.open.keys() - {row.id for row in rows}:
            ended = self.open.pop(id_)
            if self._out is not None and self._out.row.id == id_:
                self._out = self._fate = None
            if ended.number is not None:
                self._ended.append(ended.number)
            self._count(ended.kind)
        self.now_is(rows)

    def stop(self) -> None:
        """Send nothing more, and let `run` return when no answer is owed any more."""
        self._stopping = True
        self.changed.set()

    async def run(self) -> None:
        """Send what waits, take note of what became of it; for ever."""
        while not self._stopping or self._out is not None:
            self.awake_by = self.clock.now()
            try:
                await self._turn()
            except StorageFailed:
                await self.clock.sleep(1.0)  # told by the store; what was sent stays so on disk
                continue
            await self._wait()

    async def _wait(self) -> None:
        wait = LOOK_EVERY_S if self.has_work else 3600.0
        self.awake_by = self.clock.now() + wait
        try:
            async with asyncio.timeout(wait):
                await self.changed.wait()
        except TimeoutError:
            pass  # something may have become due
        self.changed.clear()

    @property
    def has_work(self) -> bool:
        """Whether something waits, or an answer is owed."""
        waits = any(row.state == State.WAITING.value for row in self.open.values())
        return self._out is not None or waits

    # --- What the link says of what we sent ---

    def arrived(self, record: AnyRecord) -> None:
        """The record was acknowledged, or written: its answer is due from now on."""
        if self._out is None or record is not self._out.record:
            return
        if not KINDS[self._out.row.kind].is_answered:
            self._ends(Cause.WROTE, "")
        elif self.books is Books.ANSWER:
            self._out.due = self.clock.now() + self.answer_s
        elif self.books is Books.ACK:
            self._ends(Cause.PMS_BOOKED, "")
        else:
            self._ends(Cause.WROTE_CHARGE, "written; on this line nobody says whether it is booked")

    def given_up(self, record: AnyRecord, *, may_have_arrived: bool) -> None:
        """The link says this record no more."""
        if self._out is None or record is not self._out.record:
            return
        self._ends(
            *fate_of(self._out.row, may_have_arrived=may_have_arrived, is_up=self.ready().is_up)
        )

    def link_is_new(self) -> None:
        """The link is up, began anew, or is down: an answer that is still owed will not come."""
        if self._out is not None and self._out.due is not None:
            self._ends(Cause.NO_ANSWER, "the link broke off before the PMS answered")
        self.changed.set()

    def link_broke(self) -> None:
        """The link is down. What was written of late may have died in the socket: all but charges
        is said again, which does no harm.
        """
        self.link_is_new()
        oldest = self.clock.now() - IN_DOUBT_S
        doubtful = [row for at, row in self._written if at >= oldest]
        self._written.clear()
        self._again += [] if self.is_acknowledged else doubtful

    def _ends(self, cause: Cause, why: str, pause: float = 0.0) -> None:
        self._fate = (cause, why, pause)
        self.changed.set()

    # --- What the PMS says ---

    def answered(self, fact: PostingAnswered, drafted: Sequence[Change] = ()) -> Change | None:
        """What an answer of the PMS makes of the posting that it is for; None: no posting waits
        for one under this number.

        drafted     changes that are not stored yet, from the same records
        """
        known = {row.number: row for row in self.open.values()}
        known |= {row.number: row for row, _ in drafted}
        row = known.get(fact.number)
        verdict = None if row is None else verdict_on(row, fact, self.clock.epoch())
        return None if verdict is None else self._changed(*verdict)

    def now_is(self, rows: Iterable[PostingRow]) -> None:
        """These postings are so, on disk."""
        kinds = set()
        for row in rows:
            out = self._out
            if out is not None and row.id == out.row.id and row.state != State.SENT.value:
                if self._fate is None:  # it is an answer that ends it
                    self.metrics.posting_answer.observe(self.clock.now() - out.said_at)
                self._out = self._fate = None
            if State(row.state) in OPEN:
                self.open[row.id] = row
            else:
                self.open.pop(row.id, None)
                if row.number is not None:
                    self._ended.append(row.number)
            kinds.add(row.kind)
        for kind in kinds:
            self._count(kind)
        self.changed.set()

    def has_ended(self, number: int) -> bool:
        """See `Lanes.has_ended`."""
        return number in self._ended

    def counted(self, change: Change) -> None:
        """A change is on disk: count it."""
        row, made = change
        if (result := RESULTS.get(State(row.state))) is not None:
            self.metrics.postings_total.labels(row.kind, result).inc()
        if row.state == State.BOOKED.value:
            self.metrics.last_booked.set(made.at)
        elif row.state == State.WRITTEN.value:
            self._written.append((self.clock.now(), row))
        elif State(row.state) in PARKED:
            logger().warning("posting_parked", posting=row.id, state=row.state, do=DO[row.state])

    async def take_levels(self, levels: Sequence[LevelRow], postings: Sequence[PostingRow]) -> None:
        """What is seen now, and what is to be said of it. Raises StorageFailed."""
        async with self.writing:
            await self.store_levels(levels, postings)

    async def store_levels(
        self, levels: Sequence[LevelRow], postings: Sequence[PostingRow]
    ) -> None:
        """The same, for a caller who holds `writing`."""
        stored, gone = await self.store(Store.put_levels, levels, postings, LEVELS)
        for id_ in gone:
            self.open.pop(id_, None)
        self.now_is(stored)

    # --- What an operator says ---

    async def operate(self, id_: int, cause: Cause, who: str, why: str) -> PostingRow:
        """An operator has looked: booked, again, or drop. Raises NotPossible or StorageFailed."""
        self.changed.set()  # also if it fails: the lane has to settle that
        async with self.writing:
            if (found := await self.store(Store.posting, id_)) is None:
                raise NotPossible(f"there is no posting {id_}")
            row, _ = found
            if step(State(row.state), cause) is None:
                raise NotPossible(f"posting {id_} is {row.state}: that cannot be said of it")
            if cause is Cause.SAID_AGAIN:
                if is_correction(row):
                    raise NotPossible(f"posting {id_} takes something off a bill: do it by hand")
                row = replace(row, is_forced=True, due_at=0.0, tries=0)
            change = self._changed(row, cause, who, why)
            await self._store([change])
            return change[0]

    # --- One posting ---

    async def _turn(self) -> None:
        if self.writing.in_doubt:
            async with self.writing:
                pass  # it is settled at the door
        if self._again:
            async with self.writing:
                why = "the line broke off behind it: said again"
                rows = [self._changed(row, Cause.SAY_AGAIN, GATEWAY, why) for row in self._again]
                await self._store(rows)
                self._again.clear()
        elif self._out is not None:
            await self._look_after(self._out)
        elif self._adrift():
            async with self.writing:
                await self._store([self._cut_off(row) for row in self._adrift()])
            self._left_sent.clear()  # what is adrift from now on was never said
        elif self._next() is not None:
            await self._send()

    async def _look_after(self, out: Out) -> None:
        if out.due is not None and self.clock.now() >= out.due and self._fate is None:
            self._ends(Cause.NO_ANSWER, f"the PMS did not answer within {self.answer_s:g} s")
        if self._fate is None:
            return
        async with self.writing:
            if self._out is None or self._fate is None:
                return  # its answer came meanwhile
            cause, why, pause = self._fate
            row = replace(out.row, due_at=self.clock.epoch() + pause if pause else 0.0)
            await self._store([self._changed(row, cause, GATEWAY, why)])

    def _next(self) -> PostingRow | None:
        """The posting to be sent next; None: none, or not now."""
        ready, now = self.ready(), self.clock.epoch()
        self._audit_since = (self._audit_since or now) if ready.night_audit else None
        audits = self._audit_since is not None and now - self._audit_since < NIGHT_AUDIT_AT_MOST_S
        if self._stopping or not ready.is_up or ready.in_resync or audits:
            return None
        waiting = [
            row
            for row in self.open.values()
            if row.state == State.WAITING.value and row.due_at <= now
        ]
        return min(waiting, key=lambda row: row.id, default=None)

    async def _send(self) -> None:
        async with self.writing:
            row = self._next()  # an operator, or a record, may have come before us
            if row is None:
                return
            why = self._cannot_be_said(row)
            if not row.is_forced and not why:
                row, why = await self.place(row)
            if why:
                await self._store([self._changed(row, Cause.HOLD, GATEWAY, why)])
                return
            sent, made = self._changed(row, Cause.SEND, GATEWAY, "")
            sent = replace(sent, tries=row.tries + 1)
            number = await self._numbered(sent, made)
            if number is None:
                return
            sent = replace(sent, number=number or None)
            record = self.record_of(sent, number)
            self._out, self._fate = Out(sent, record, self.clock.now()), None
            self.now_is([sent])
            try:
                is_said = self.say(record)
            except LocalProtocolError:
                is_said = False
            if not is_said:
                self._ends(Cause.NOT_ARRIVED, "the link went down before it was sent")

    def _cannot_be_said(self, row: PostingRow) -> str:
        """Why the line has no record for it; empty: it has one. Asked before it counts as sent."""
        try:
            self.record_of(row, 1)
        except CannotBeSaid as error:
            return str(error)
        return ""

    async def _numbered(self, sent: PostingRow, made: PostingStep) -> int | None:
        """Store that it is sent. Returns its number, 0 for what has none; None: none is free."""
        if not KINDS[sent.kind].is_answered:
            await self.store(Store.change_postings, [(sent, made)])
            return 0
        number = await self.store(Store.send_posting, sent, made, up_to=self.numbers_up_to)
        if number is None and not self._told_numbers:
            do = "every number was used within a week: raise back.numbers_up_to"
            logger().error("no_posting_number", do=do)
        self._told_numbers = number is None
        return number

    def _adrift(self) -> list[PostingRow]:
        """Sent, by the disk's word, and nobody waits for an answer."""
        return [row for row in self.open.values() if row.state == State.SENT.value]

    def _cut_off(self, row: PostingRow) -> Change:
        if row.id not in self._left_sent:
            return self._changed(row, Cause.NOT_ARRIVED, GATEWAY, "it was not said")
        if not KINDS[row.kind].is_answered:
            return self._changed(row, Cause.SAY_AGAIN, GATEWAY, "the gateway was stopped meanwhile")
        why = "the gateway was stopped before the PMS answered"
        return self._changed(row, Cause.NO_ANSWER, GATEWAY, why)

    def _changed(self, row: PostingRow, cause: Cause, who: str, why: str) -> Change:
        state = step(State(row.state), cause)
        assert state is not None  # the caller has looked, or it is ours to know
        made = PostingStep(
            posting=row.id, at=self.clock.epoch(), state=state.value, who=who, why=why
        )
        return replace(row, state=state.value, reason=why), made

    async def _store(self, changes: list[Change]) -> None:
        await self.store(Store.change_postings, changes)
        self.now_is(row for row, _ in changes)
        for change in changes:
            self.counted(change)

    def _count(self, kind: str) -> None:
        states = [State(row.state) for row in self.open.values() if row.kind == kind]
        for word, which in COUNTED.items():
            count = sum(state in which for state in states)
            self.metrics.postings.counts[kind, word] = count
