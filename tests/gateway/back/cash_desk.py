"""A lane over a real store, with a PMS that does as it is told."""

import asyncio
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gateway.back.kinds import CALL
from gateway.back.lane import Lane
from gateway.back.lanes import Lanes
from gateway.back.sending import Ready
from gateway.back.states import State
from gateway.clock import Clock
from gateway.metrics import Metrics
from gateway.store import Batch, PostingRow, StorageFailed, Store, StoreWorker, Writing
from protocols.facts import PostingAnswered, Verdict

VERDICTS = {"OK": Verdict.BOOKED, "RY": Verdict.AGAIN, "NA": Verdict.NIGHT_AUDIT}


class Wound(Clock):
    """A clock that is wound by hand."""

    def __init__(self):
        super().__init__(ZoneInfo("Europe/Lisbon"))
        self.at = 1_000_000.0

    def now(self):
        return self.at

    def epoch(self):
        return self.at

    async def sleep(self, seconds):
        self.at += seconds


@dataclass(frozen=True)
class Said:
    """A record as the lane hands it out; `record_id` as every record has it."""

    cause: str
    number: int
    record_id: str = "PS"


class Desk:
    """One lane, and the line behind it.

    wire    what was handed to the link and has neither arrived nor been given up
    late    why a posting may not be sent, by its cause
    fails   "before" or "after": the next commit fails so
    """

    def __init__(self, path, **how):
        self.path, self.how, self.clock = path, how, Wound()
        self.ready = Ready(is_up=True, in_resync=False, night_audit=False)
        self.wire, self.late, self.fails = [], {}, ""
        self.store = self.lane = None
        self.start()

    def start(self):
        """As at the start of the service."""
        store = Store(self.path)
        rows = store.open_postings()
        self.store = StoreWorker(store)
        self.metrics = Metrics(version="0", site="s")
        self.lane = Lane(
            store=self._write,
            clock=self.clock,
            metrics=self.metrics,
            ready=lambda: self.ready,
            place=self._place,
            record_of=self.record_of,
            say=self._say,
            writing=Writing(self.store),
            **self.how,
        )
        self.lane.writing.settle.append(Lanes((self.lane,)).settle)
        self.lane.restore(rows)

    def record_of(self, row, number):
        return Said(row.cause, number)

    def crash(self):
        """Power fails, and comes back."""
        self.store.close()
        self.fails = ""
        self.start()

    def close(self):
        self.store.close()

    async def _write(self, method, *args, **kwargs):
        if method in (Store.posting, Store.open_postings):
            return await self.store(method, *args, **kwargs)  # no commit
        fails, self.fails = self.fails, ""
        if fails == "before":
            raise StorageFailed("the disk is full")
        result = await self.store(method, *args, **kwargs)
        if fails == "after":
            raise StorageFailed("the disk did not say whether it was stored")
        return result

    async def _place(self, row):
        return row, self.late.get(row.cause, "")

    def _say(self, record):
        if self.ready.is_up:
            self.wire.append(record)
        return self.ready.is_up

    # --- What happens ---

    async def add(self, *causes):
        rows = [
            PostingRow(kind=CALL, cause=cause, room="101", body="{}", guests=("4711",),
                       state=State.WAITING.value, at=self.clock.at)
            for cause in causes
        ]  # fmt: skip
        self.lane.now_is(await self.store(Store.add_postings, rows))

    async def turn(self, count=1):
        """Let the lane do what it has to do now."""
        for _ in range(count):
            try:
                await self.lane._turn()
            except StorageFailed:
                self.clock.at += 1

    async def answer(self, number, answer="OK"):
        """The PMS's answer comes with a record, and is stored with it; returns whether some posting
        waited for it."""
        verdict = VERDICTS.get(answer, Verdict.REFUSED)
        fact = PostingAnswered(number=number, answer=answer, verdict=verdict, meaning="-")
        async with self.lane.writing:
            change = self.lane.answered(fact)
            if change is None:
                return False
            await self.store(Store.put, Batch(postings=[change]))
            self.lane.now_is([change[0]])
            self.lane.counted(change)
            return True

    def states(self):
        """The state of each posting on disk, by its cause."""
        every = tuple(state.value for state in State)
        rows = asyncio.run(self.store(Store.postings, every, 1000))
        return {row.cause: row.state for row in rows}
