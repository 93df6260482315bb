"""Records in, entries out: understood, applied to the house and stored in one transaction.

Here a record becomes ours. Before `take` returns nothing of it may be acknowledged; after it,
nothing of it can be lost.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from time import perf_counter
from typing import Any, Final

from gateway.clock import Clock
from gateway.events import EVENT_NAMES, GuestEvent
from gateway.house import House, Remark, Told
from gateway.logs import logger
from gateway.metrics import Metrics
from gateway.outbox import (
    Batch,
    NewEntry,
    Outbox,
    OutboxWorker,
    Refused,
    StorageFailed,
)
from gateway.rooms import RoomMap
from protocols.errors import RecordError
from protocols.facts import (
    Fact,
    GuestArrived,
    GuestLeft,
    ResyncEnded,
    ResyncVoided,
)
from protocols.session import DataReceived, RecordRefused

REPEAT_WINDOW_S: Final = 15.0
"""A peer asks three times for a lost answer, 3 s apart, and then sends the record again."""

NO_USE: Final = "no_use"
"""The remark on a record that is understood and means nothing to a phone system."""

Normalize = Callable[[Any], tuple[Fact, ...]]


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A batch whose commit failed: it may be on disk all the same."""

    received: Sequence[object]
    batch: Batch
    accepted: int
    mentions: Mapping[str, bool]
    reports: list[Callable[[], None]]


@dataclass(slots=True)
class Intake:
    """The desk where records are taken in, one batch after the other.

    normalize       the dialect's upper end
    answers         the line acknowledges records: then a lost answer brings one again
    charset         how a record's bytes are shown to the operator
    """

    house: House
    rooms: RoomMap
    outbox: OutboxWorker
    normalize: Normalize
    clock: Clock
    metrics: Metrics
    answers: bool
    charset: str = "cp1252"
    _heard: dict[str, tuple[bytes, float]] = field(default_factory=dict)
    _doubt: "_Doubt | None" = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _ticking: asyncio.Event = field(default_factory=asyncio.Event)
    _deadline: datetime | None = None

    def __post_init__(self) -> None:
        # A series that begins with its first event has no step that a Prometheus could see.
        for word in (*(remark.value for remark in Remark), NO_USE):
            self.metrics.remarks.labels(word)
        for word in EVENT_NAMES.values():
            self.metrics.guest_events.labels(word)

    def remember(self, heard: dict[str, tuple[bytes, float]]) -> None:
        """What the outbox file knows of the last records, after a start."""
        self._heard = dict(heard)

    async def take(
        self,
        received: Sequence[DataReceived | RecordRefused],
        evidence: Sequence[Refused] = (),
    ) -> None:
        """Take everything that one read brought.

        evidence    bytes that were no frame, kept for the technician

        Raises StorageFailed: nothing of it is taken, the house is as before.
        """
        async with self._lock:
            if await self._was_stored(received):
                return
            try:
                await self._take(received, evidence)
            except StorageFailed:
                raise
            except Exception:  # noqa: BLE001  # told below, with the one record that caused it
                self.house.rollback()
                for item in received:
                    await self._take_alone(item)

    async def _take_alone(self, item: DataReceived | RecordRefused) -> None:
        """One record after the other, so that one we cannot bear does not take others along."""
        try:
            await self._take([item], ())
        except StorageFailed:
            raise
        except Exception as error:  # noqa: BLE001  # a bug of ours: kept, told, and the line goes on
            self.house.rollback()
            logger().error("our_fault", error=type(error).__name__, do="report it with the record")
            advice = f"our own fault ({type(error).__name__}): report it with this record"
            await self._take([RecordRefused("our_fault", item.body, advice)], ())

    async def _take(
        self, received: Sequence[DataReceived | RecordRefused], evidence: Sequence[Refused]
    ) -> None:
        batch = Batch(refused=list(evidence))
        now = self.clock.epoch()
        reports: list[Callable[[], None]] = []
        for item in received:
            if isinstance(item, RecordRefused):
                self._refuse(batch, item, now, reports)
            else:
                self._understand(batch, item, now, reports)
        await self._store(batch, received, reports)

    async def reconcile(
        self, events_of: Callable[[House, frozenset[str]], list[GuestEvent]]
    ) -> int:
        """Store what a comparison with the PBX comes to, while nothing else is taken.

        events_of   from the house and the rooms in which something still waits
        return      how many events

        Raises StorageFailed: nothing is stored.
        """
        async with self._lock:
            await self._was_stored(())
            waiting = await self.outbox(Outbox.rooms_waiting)
            told = Told(tuple(events_of(self.house, waiting)))
            batch = Batch()
            self._collect(batch, told, "(reconciliation)", self.clock.epoch(), background=True)
            await self._store(batch, (), [lambda: self._report(told)])
            return len(told.events)

    async def void_resync(self) -> None:
        """The link is gone or begins anew: a running resync will not come to its end."""
        async with self._lock:
            await self._was_stored(())
            if not self.house.ledger.in_resync:
                return
            batch = Batch()
            told = self.house.apply(ResyncVoided(), self.clock.wall())
            self._collect(batch, told, "(end of the link)", self.clock.epoch(), background=True)
            await self._store(batch, (), [lambda: self._report(told)])

    async def forget(self, older_than: timedelta) -> None:
        """Let go of guests who were announced so long ago and never came. Raises StorageFailed."""
        async with self._lock:
            await self._was_stored(())
            self.house.forget(self.clock.stamp() - older_than)
            await self._store(Batch(), (), [])

    async def run(self) -> None:
        """Let the house's own deadlines come true: late departures, next wake-ups. For ever."""
        while True:
            self._deadline = due = self.house.deadline()
            wait = 30.0 if due is None else (due - self.clock.wall()).total_seconds()
            if wait > 0:
                self._ticking.clear()
                try:
                    # Wall time may jump, so no nap is longer than half a minute. Not wait_for:
                    # in 3.11 it swallows a cancellation that meets the end of what it waits for.
                    async with asyncio.timeout(min(wait, 30.0)):
                        await self._ticking.wait()
                except TimeoutError:
                    pass  # nothing new was taken meanwhile: look at the clock
                continue
            try:
                await self._tick()
            except StorageFailed as error:
                logger().error("outbox_failed", error=str(error), do="free the disk; trying again")
                await self.clock.sleep(5)

    async def _tick(self) -> None:
        async with self._lock:
            await self._was_stored(())
            batch = Batch()
            told = self.house.tick(self.clock.wall())
            self._collect(batch, told, "(clock)", self.clock.epoch(), background=False)
            await self._store(batch, (), [lambda: self._report(told)])

    def _understand(
        self, batch: Batch, item: DataReceived, now: float, reports: list[Callable[[], None]]
    ) -> None:
        record: Any = item.record
        rooms = {
            self.rooms.address_of(room)
            for name in ("room", "old_room")
            if (room := getattr(record, name, None))
        }
        digest = self._digest(item.body) if self.answers else b""
        if self.answers and rooms and self._is_repeat(rooms, digest, now, batch):
            reports.append(lambda: self._count_repeat(record.record_id))
            return
        try:
            facts = self.normalize(record)
        except RecordError as error:
            refusal = RecordRefused(error.reason, item.body, str(error))
            self._refuse(batch, refusal, now, reports)
            return
        text = item.body.decode(self.charset, "replace")
        wall = self.clock.wall()
        for fact in facts:
            background = isinstance(fact, ResyncEnded) or (
                isinstance(fact, GuestArrived | GuestLeft) and fact.in_resync
            )
            told = self.house.apply(self.rooms.translate(fact), wall)
            self._collect(batch, told, text, now, background=background)
            reports.append(lambda told=told: self._report(told))  # type: ignore[misc]
            if self.answers:  # a record of another room may have changed this one
                batch.heard.update(dict.fromkeys(told.rooms - rooms, (b"", now)))
        if self.answers:
            batch.heard.update(dict.fromkeys(rooms, (digest, now)))
        reports.append(lambda: self._count(record, understood=bool(facts)))

    def _digest(self, body: bytes) -> bytes:
        """What is compared with the next record: the same text says something else in a resync."""
        ledger = self.house.ledger
        salt = b"%d" % (ledger.resync * 2 + ledger.in_resync)
        return blake2b(body, digest_size=16, salt=salt).digest()

    def _is_repeat(self, rooms: set[str], digest: bytes, now: float, batch: Batch) -> bool:
        """The same text for the same rooms, nothing of them in between, within the window.

        Never "this text was seen before": a guest may truly check in twice with the same text.
        """
        for room in rooms:
            last = batch.heard.get(room) or self._heard.get(room)
            if last is None or last[0] != digest or not 0 <= now - last[1] <= REPEAT_WINDOW_S:
                return False
        return True

    def _refuse(
        self, batch: Batch, item: RecordRefused, now: float, reports: list[Callable[[], None]]
    ) -> None:
        refused = Refused(at=now, reason=item.reason, body=item.body, advice=item.advice)
        batch.refused.append(refused)
        reports.append(lambda: self._report_refusal(item))

    @staticmethod
    def _collect(batch: Batch, told: Told, text: str, now: float, *, background: bool) -> None:
        batch.entries += (
            NewEntry(event=event, record=text, received_at=now, background=background)
            for event in told.events
        )

    async def _store(
        self, batch: Batch, received: Sequence[object], reports: list[Callable[[], None]]
    ) -> None:
        batch.rooms = self.house.changed_rooms()
        batch.ledger = self.house.changed_ledger()
        if batch.is_empty:
            self._stored(batch, reports)
            return
        started = perf_counter()
        accepted = self.outbox.accepted
        try:
            # A batch that was begun is finished, even when we are told to stop meanwhile.
            stored = self.outbox.put(batch)
            if batch.entries:  # what the relay asks now is answered right behind it
                self.outbox.new_entries.set()
            await stored
        except StorageFailed:
            mentions = self.house.changed_mentions()
            self.house.rollback()
            self._doubt = _Doubt(received, batch, accepted, mentions, reports)
            self.metrics.outbox_failures.inc()
            raise
        self.metrics.outbox_commit.observe(perf_counter() - started)
        self._stored(batch, reports)

    def _stored(self, batch: Batch, reports: list[Callable[[], None]]) -> None:
        self.house.commit()
        self._heard.update(batch.heard)
        if batch.ledger is not None:  # the end of a resync wakes the relay too
            self.outbox.new_entries.set()
        if self.house.deadline() != self._deadline:
            self._ticking.set()
        # Told when the PMS has its answer: it waits for that, and nobody for this.
        asyncio.get_running_loop().call_soon(_tell, reports)

    async def _was_stored(self, received: Sequence[object]) -> bool:
        """Find out what became of a batch whose commit failed: the file alone knows.

        A file that was damaged has made way for an empty one: then the house is written into it.

        return  it is stored, and these are the records it came from: nothing is left to do

        Raises StorageFailed while the file cannot be read or written.
        """
        if self.outbox.is_anew:
            self._doubt = None
            await self.outbox(Outbox.put, Batch(rooms=self.house.rooms, ledger=self.house.ledger))
            self.outbox.is_anew = False
            self._heard.clear()
        if self._doubt is None:
            return False
        totals = await self.outbox(Outbox.totals)
        doubt, self._doubt = self._doubt, None
        if totals.accepted["to_ucm"] > doubt.accepted:
            self.house.adopt(doubt.batch.rooms, doubt.batch.ledger, doubt.mentions)
            self._stored(doubt.batch, doubt.reports)
            return doubt.received is received
        return False

    # --- What the edges see ---

    def _report(self, told: Told) -> None:
        for event in told.events:
            word = EVENT_NAMES[type(event)]
            self.metrics.guest_events.labels(word).inc()
            logger().info("guest_event", kind=word, room=event.room)
        for remark in told.remarks:
            self.metrics.remarks.labels(remark.value).inc()

    def _report_refusal(self, item: RecordRefused) -> None:
        self.metrics.records_refused.labels(item.reason).inc()
        logger().warning("record_refused", reason=item.reason, do=item.advice)

    def _count(self, record: Any, *, understood: bool) -> None:
        self.metrics.last_record.set(self.clock.epoch())
        self.metrics.records.labels(record.record_id or "other", "in").inc()
        self.metrics.fields_unknown.inc(len(record.extra))
        self.metrics.fields_odd.inc(len(record.odd))
        if not understood:
            self.metrics.remarks.labels(NO_USE).inc()
        if record.odd:
            ids = ",".join(sorted({field_id for field_id, _ in record.odd}))
            logger().warning(
                "field_unreadable", record=record.record_id, fields=ids, do="taken as absent"
            )

    def _count_repeat(self, record_id: str) -> None:
        self.metrics.records.labels(record_id, "in").inc()
        self.metrics.records_repeated.inc()
        logger().info("record_repeated", record=record_id)


def _tell(reports: Sequence[Callable[[], None]]) -> None:
    for report in reports:
        report()
