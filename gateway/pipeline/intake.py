"""Records in, rooms out: understood, applied to the house and stored in one transaction.

Here a record becomes ours. Before `take` returns nothing of it may be acknowledged; after it,
nothing of it can be lost.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from time import perf_counter
from typing import Any, Final

from gateway.back.lanes import Lanes
from gateway.clock import Clock
from gateway.house import House, Ledger, Room, Told
from gateway.house.states import NOTHING_HEARD
from gateway.house.wake_ups import minute
from gateway.logs import logger
from gateway.metrics import Metrics
from gateway.pipeline import residence
from gateway.pipeline.draft import Doubt, Draft
from gateway.pipeline.happened import happened
from gateway.pipeline.outbox import Outbox
from gateway.pipeline.repeats import Repeats, digest_of
from gateway.pipeline.reports import NO_POSTING, Ear, tell
from gateway.pipeline.room_map import RoomMap
from gateway.store import (
    Batch,
    Heard,
    Refused,
    Resident,
    StorageFailed,
    Store,
    StoreWorker,
    Writing,
)
from gateway.store.text import from_json, to_json
from protocols.errors import RecordError
from protocols.facts import (
    Fact,
    GuestArrived,
    GuestLeft,
    NightAudit,
    PostingAnswered,
    ResyncEnded,
    ResyncVoided,
    WakeUpCleared,
    WakeUpOrdered,
)
from protocols.session import DataReceived, RecordRefused

MOST_ROOMS: Final = 20_000
"""Six times the rooms of the largest UCM. A peer that invents room numbers must not fill memory."""


@dataclass(slots=True)
class Intake:
    """The desk where records are taken in, one batch after the other.

    guests          the line of the guests
    repeats         knows a record that comes again because our answer to it was lost; None: the
                    line has no answers
    charset         how a record's bytes are shown to the operator
    changed         set after each commit that may have given the UCM side something to do
    stored          set after each commit: something else may be due in the house next
    lanes           the way back, which hears what the PMS answers to postings; None: there is none
    rang            hears of each wake-up that must have rung: room, the moment as it was ordered,
                    and whether the UCM knew of it in time
    writing         held by whoever changes rooms or postings
    """

    house: House
    rooms: RoomMap
    outbox: Outbox
    store: StoreWorker
    guests: Ear
    clock: Clock
    metrics: Metrics
    repeats: Repeats | None = None
    charset: str = "cp1252"
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    stored: asyncio.Event = field(default_factory=asyncio.Event)
    lanes: Lanes | None = None
    rang: Callable[[str, datetime, bool], None] | None = None
    writing: Writing = field(init=False)
    _writes: int = 0
    _doubt: Doubt | None = None
    _adopted: list[Sequence[object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.writing = Writing(self.store)
        self.writing.settle.append(self._settle)

    @property
    def last(self) -> tuple[str, float] | None:
        """Id and moment of the last record of the hotel; None: none since the start."""
        return self.guests.reports.last

    @property
    def ledger(self) -> Ledger:
        """What of a resync and of a night audit is known."""
        return self.house.ledger

    def restore(self, writes: int) -> None:
        """How often the store was written, at a start."""
        self._writes = writes

    async def take(
        self,
        received: Sequence[DataReceived | RecordRefused],
        evidence: Sequence[Refused] = (),
        ear: Ear | None = None,
    ) -> None:
        """Take everything that one read brought.

        evidence    bytes that were no frame, kept for the technician
        ear         of the line; None: that of the guests

        Raises StorageFailed: nothing of it is taken, the house is as before.
        """
        ear = ear or self.guests
        async with self.writing:
            if any(each is received for each in self._adopted):
                self._adopted = [each for each in self._adopted if each is not received]
                return  # it was stored, although its commit failed
            try:
                await self._take(received, evidence, ear)
            except StorageFailed:
                raise
            except Exception:  # noqa: BLE001  # told below, with the one record that caused it
                self.house.book.rollback()
                for item in received:
                    await self._take_alone(item, ear)

    async def _take_alone(self, item: DataReceived | RecordRefused, ear: Ear) -> None:
        """One record after the other, so that one we cannot bear does not take others along."""
        try:
            await self._take([item], (), ear)
        except StorageFailed:
            raise
        except Exception as error:  # noqa: BLE001  # a bug of ours: kept, told, and the line goes on
            self.house.book.rollback()
            logger().error("our_fault", error=type(error).__name__, do="report it with the record")
            advice = f"our own fault ({type(error).__name__}): report it with this record"
            await self._take([RecordRefused("our_fault", item.body, advice)], (), ear)

    async def _take(
        self,
        received: Sequence[DataReceived | RecordRefused],
        evidence: Sequence[Refused],
        ear: Ear,
    ) -> None:
        draft = Draft(refused=list(evidence))
        now = self.clock.epoch()
        for item in received:
            if isinstance(item, RecordRefused):
                self._refuse(draft, item, now, ear)
            else:
                self._understand(draft, item, now, ear)
        await self._put(draft, received)

    async def void_resync(self) -> bool:
        """The link is gone or begins anew: a running resync will not come to its end.

        return  one was running. Raises StorageFailed.
        """
        async with self.writing:
            if not self.house.ledger.in_resync:
                return False
            await self._apply(ResyncVoided(), "(end of the link)", background=True)
            return True

    async def hear(self, fact: WakeUpOrdered | WakeUpCleared) -> None:
        """Somebody keyed this on the phone of the room, by its address. The caller holds `writing`.
        Raises StorageFailed.
        """
        await self._apply(fact, "(phone)", background=False)

    async def _apply(self, fact: Fact, said: str, *, background: bool) -> None:
        draft = Draft()
        told = self.house.apply(fact, self.clock.wall())
        self._collect(draft, told, said, self.clock.epoch(), background=background)
        draft.reports.append(lambda: self.guests.reports.remark(told.remarks))
        await self._put(draft, ())

    async def forget(self, older_than: timedelta) -> None:
        """Let go of guests who were announced so long ago and never came. Raises StorageFailed."""
        async with self.writing:
            self.house.forget(self.clock.stamp() - older_than)
            await self._put(Draft(), ())

    async def tick(self) -> None:
        """Let what is due in the house come true. Raises StorageFailed."""
        async with self.writing:
            draft, now = Draft(), self.clock.epoch()
            told = self.house.tick(self.clock.wall())
            for room, at in told.rung:
                have = self.outbox.actual.get(room)
                was_told = have is not None and have.wake_up == minute(at)
                draft.reports.append(partial(self._rang, room, at, was_told=was_told))
            self._collect(draft, told, "(clock)", now, background=False)
            draft.reports.append(lambda: self.guests.reports.remark(told.remarks))
            await self._put(draft, ())

    def _rang(self, room: str, at: datetime, *, was_told: bool) -> None:
        if not was_told:
            self.guests.reports.missed(room)
        if self.rang is not None:
            self.rang(room, at, was_told)

    def _understand(self, draft: Draft, item: DataReceived, now: float, ear: Ear) -> None:
        record: Any = item.record
        try:
            said = ear.normalize(record)
        except RecordError as error:
            self._refuse(draft, RecordRefused(error.reason, item.body, str(error)), now, ear)
            return
        if answers := [fact for fact in said if isinstance(fact, PostingAnswered)]:
            self._take_answer(draft, item, answers[0], now, ear)
            return
        if ear.is_for_charges and not all(isinstance(each, NightAudit) for each in said):
            draft.reports.append(lambda: ear.reports.record(record, understood=False))
            return
        named = {
            self.rooms.address_of(room): room
            for name in ("room", "old_room")
            if (room := getattr(record, name, None))
        }
        rooms = named.keys()
        if len(self.house.rooms) >= MOST_ROOMS and not rooms <= self.house.rooms.keys():
            advice = f"more than {MOST_ROOMS} rooms: does the PMS send room numbers?"
            self._refuse(draft, RecordRefused("too_many_rooms", item.body, advice), now, ear)
            return
        digest = digest_of(item.body, self.house.ledger)
        if self.repeats is not None and self.repeats.has(rooms, digest, now, draft.heard):
            draft.reports.append(lambda: ear.reports.repeat(record.record_id))
            return
        facts = [fact for each in said if (fact := self.rooms.translate(each)) is not None]
        draft.pms_rooms.update(named)
        text = item.body.decode(self.charset, "replace")
        wall = self.clock.wall()
        for fact in facts:
            background = isinstance(fact, ResyncEnded) or (
                isinstance(fact, GuestArrived | GuestLeft) and fact.in_resync
            )
            assert not isinstance(fact, PostingAnswered)  # taken above
            told = self.house.apply(fact, wall)
            self._collect(draft, told, text, now, background=background)
            draft.reports.append(lambda told=told: ear.reports.remark(told.remarks))  # type: ignore[misc]
            if self.repeats is not None:  # a record of another room may have changed this one
                draft.heard.update(dict.fromkeys(told.rooms - rooms, (b"", now)))
        if self.repeats is not None:
            draft.heard.update(dict.fromkeys(rooms, (digest, now)))
        draft.reports.append(lambda: ear.reports.record(record, understood=bool(facts)))

    def _take_answer(
        self, draft: Draft, item: DataReceived, answer: PostingAnswered, now: float, ear: Ear
    ) -> None:
        """What became of a posting of ours. One that comes again finds it done already."""
        record: Any = item.record
        lanes = self.lanes
        if lanes is None:
            draft.reports.append(lambda: ear.reports.record(record, understood=False))
        elif (change := lanes.answered(answer, draft.postings)) is not None:
            draft.postings.append(change)
            draft.reports.append(lambda: ear.reports.record(record, understood=True))
        elif lanes.has_ended(answer.number):
            draft.reports.append(lambda: ear.reports.repeat(record.record_id))
        else:
            self._refuse(draft, RecordRefused("no_posting", item.body, NO_POSTING), now, ear)

    def _collect(
        self, draft: Draft, told: Told, record: str, at: float, *, background: bool
    ) -> None:
        draft.collect(told, record, at, background=background)
        rooms = [room for room in told.rooms if room in self.house.rooms]
        known = self.outbox.desired
        before = {room: draft.desired.get(room) or known.get(room, NOTHING_HEARD) for room in rooms}
        after = {room: self.house.rooms[room].desired() for room in rooms}
        draft.desired.update(after)
        draft.events += happened(before, after)

    def _refuse(self, draft: Draft, item: RecordRefused, now: float, ear: Ear) -> None:
        refused = Refused(at=now, reason=item.reason, body=item.body, advice=item.advice)
        draft.refused.append(refused)
        draft.reports.append(lambda: ear.reports.refused(item))

    async def _put(self, draft: Draft, received: Sequence[object]) -> None:
        """Store what the house has become; then, and only then, it is so."""
        batch = self._batch(draft)
        if batch.is_empty:
            self._is_so(batch, draft)
            return
        started = perf_counter()
        try:
            # A batch that was begun is finished, even when we are told to stop meanwhile.
            self._writes = await self.store(Store.put, batch)
        except StorageFailed:
            mentions = self.house.book.changed_mentions()
            self._doubt = Doubt(received, batch, draft, mentions)
            self.house.book.rollback()
            self.metrics.outbox_failures.inc()
            raise
        self.metrics.outbox_commit.observe(perf_counter() - started)
        self._is_so(batch, draft)

    def _batch(self, draft: Draft) -> Batch:
        changed, ledger = self.house.book.changed_rooms(), self.house.book.changed_ledger()
        rooms = {}
        for room in changed.keys() | draft.heard.keys():
            cause = draft.causes.get(room) if room in changed else None
            rooms[room] = Heard(
                house=to_json(changed[room]) if room in changed else None,
                heard=draft.heard.get(room),
                cause=self._cause(room, cause) if cause is not None else None,
            )
        return Batch(
            rooms=rooms,
            ledger=None if ledger is None else to_json(ledger),
            refused=draft.refused,
            residents=[] if self.lanes is None else self._residents(draft),
            postings=draft.postings,
        )

    def _residents(self, draft: Draft) -> list[Resident]:
        now, zone = self.clock.epoch(), self.clock.zone
        return residence.changes(self.house.book, draft.pms_rooms, now, zone)

    def _cause(self, room: str, cause: tuple[str, float, bool]) -> tuple[str, float, bool]:
        record, at, background = cause
        return self.outbox.cause(room, record, at, background=background)

    def _is_so(self, batch: Batch, draft: Draft) -> None:
        self.house.book.commit()
        if self.repeats is not None:
            self.repeats.heard.update(draft.heard)
        if self.lanes is not None and batch.postings:
            self.lanes.now_is(row for row, _ in batch.postings)
            draft.reports += [partial(self.lanes.counted, change) for change in batch.postings]
        changed = {room for room, heard in batch.rooms.items() if heard.house is not None}
        for room in changed | draft.causes.keys():
            if room in self.house.rooms:  # what has come to nothing was never heard of
                cause = draft.causes.get(room)
                self.outbox.heard(
                    room,
                    self.house.rooms[room].desired(),
                    None if cause is None else self._cause(room, cause),
                )
        if changed or draft.causes or batch.ledger is not None:  # a resync may have ended
            self.changed.set()
        self.stored.set()
        draft.reports.append(lambda: self.guests.reports.events(draft.events))
        # After the answer to the PMS: the PMS waits for that, and nothing waits for this.
        asyncio.get_running_loop().call_soon(tell, draft.reports)

    async def _settle(self, is_anew: bool) -> None:
        """Find out what became of a batch whose commit failed: the store alone knows. One that was
        damaged has made way for an empty one: then the house is written into it.
        """
        doubt, self._doubt = self._doubt, None
        if is_anew:
            await self._write_all()
        elif doubt is not None:
            try:
                writes = await self.store(Store.writes)
            except StorageFailed:
                self._doubt = doubt
                raise
            if writes != self._writes:
                self._writes = writes
                self._adopted += [doubt.received] if doubt.received else []
                self._adopt(doubt)

    async def _write_all(self) -> None:
        rooms = {room: Heard(house=to_json(kept)) for room, kept in self.house.rooms.items()}
        now, zone = self.clock.epoch(), self.clock.zone
        batch = Batch(
            rooms=rooms,
            ledger=to_json(self.house.ledger),
            residents=residence.all_of(self.house.rooms, [], now, zone),
        )
        self._writes = await self.store(Store.put, batch)
        self.store.is_anew = False
        if self.repeats is not None:
            self.repeats.heard.clear()
        await self.store(Store.told, self.outbox.told(self.outbox.entries))

    def _adopt(self, doubt: Doubt) -> None:
        """The batch was stored after all: the house is made what it was to become."""
        batch = doubt.batch
        rooms = {
            room: from_json(Room, heard.house)
            for room, heard in batch.rooms.items()
            if heard.house is not None
        }
        ledger = None if batch.ledger is None else from_json(Ledger, batch.ledger)
        self.house.book.adopt(rooms, ledger, doubt.mentions)
        self._is_so(batch, doubt.draft)
