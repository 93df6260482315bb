"""The PMS side: bytes in are fed to the session, what they bring is taken in, then answered."""

import asyncio
import random
from asyncio import timeout as within
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, TypeVar

from gateway.back.lane import Lane
from gateway.clock import Clock
from gateway.line import Line, LineFailed, Opener
from gateway.logs import logger
from gateway.metrics import LineMetrics
from gateway.pipeline.desk import Desk
from gateway.pipeline.moments import Moments
from gateway.pipeline.noise import Noise
from gateway.store import StorageFailed
from protocols.session import (
    AnyRecord,
    DataReceived,
    Delivered,
    Direction,
    FrameRefused,
    GaveUp,
    Handshake,
    LinkDown,
    LinkRecord,
    LinkStarted,
    LinkState,
    LinkUp,
    RecordRefused,
    ResyncOverdue,
    Session,
    SessionEvent,
)

T = TypeVar("T")

FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 1.5
"""Whoever plugs the cable in again looks at the line: it is back within three seconds, also after
a long outage. An attempt costs nothing, and its failure is told once."""
LONGEST_UNHEARD_PAUSE_S: Final = 15.0
"""Behind a peer that takes the line and drops it without a word: most likely it serves another
client, who suffers each time."""
MOST_RESYNCS_ASKED: Final = 3
"""How often a resync that broke off is asked for again, before a human has to look."""
LOOK_EVERY_S: Final = 1.0
"""How often a serial driver is asked for its counters and handshake lines, where it has any."""


class Resync(Enum):
    """Whether the PMS is asked for every room when the link comes up."""

    NEVER = "never"
    ONCE = "once"
    EACH_TIME = "each_time"


@dataclass(slots=True)
class Pump:
    """Keeps one line open for ever and moves records from it into the house.

    desk        takes what comes
    answers     the line acknowledges records, so a record that cannot be stored is asked for
                again; on other lines the pump stops reading until it can be stored
    resync      when to ask the PMS for every room by itself, as the link comes up
    lane        the way back, which hears what became of what it says; None: there is none
    """

    opener: Opener
    session: Session
    desk: Desk
    clock: Clock
    metrics: LineMetrics
    answers: bool
    resync: Resync = Resync.NEVER
    lane: Lane | None = None
    rng: Callable[[], float] = random.random
    awake_by: float = float("inf")  # see gateway.service.watchdog.Task
    state: str = "closed"
    line: str = ""
    moments: Moments = field(default_factory=Moments)
    _stopping: bool = False
    _waiting: "asyncio.Timeout | None" = None
    _read_at: float = 0.0
    _accepted: int = 0
    _heard: bool = True
    _broken_resync: int | None = None
    _resyncs_asked: int = 0
    _told_silence: bool = False
    _noise: Noise = field(init=False)

    def __post_init__(self) -> None:
        self._noise = Noise(self.clock, self.metrics)

    def stop(self) -> None:
        """Stop reading, say goodbye, and let `run` return."""
        self._stopping = True
        self._look_up()

    def _look_up(self) -> None:
        """End what is being waited for: there is something to do."""
        if self._waiting is not None and not self._waiting.expired():  # else it ends by itself
            self._waiting.reschedule(asyncio.get_running_loop().time())

    def ask_for_resync(self) -> bool:
        """Ask the PMS to tell every room. False: the link is not up."""
        if not self.session.is_up:
            return False
        self.session.ask_for_resync(self.clock.now())
        self._look_up()
        self.moments.asked_at = self.clock.epoch()
        logger().info("resync_asked")
        return True

    def say(self, record: AnyRecord) -> bool:
        """Say a record of ours in its turn. False: the link is not up. `lane` hears its end."""
        if not self.session.is_up:
            return False
        self.session.send(record, self.clock.now())
        self._look_up()
        return True

    async def run(self) -> None:
        """Open, converse, lose, pause, for ever."""
        pause = FIRST_PAUSE_S
        complained = ""
        self.awake_by = self.clock.now()
        self.moments.started_at = self.clock.epoch()
        self._look_at_resync()
        await self._void_resync()
        while not self._stopping:
            longest = LONGEST_PAUSE_S
            try:
                line = await self._open()
            except LineFailed as error:
                if str(error) != complained:  # once, not every pause
                    complained = str(error)
                    logger().warning("line_failed", line=self.opener.describe(), error=complained)
            else:
                if line is None:
                    break
                complained = ""
                if await self._use(line):
                    pause = FIRST_PAUSE_S
                else:
                    longest = LONGEST_UNHEARD_PAUSE_S
            if not self._stopping:
                await self._nap(pause * (0.5 + self.rng() / 2))
                pause = min(pause * 2, longest)
        await self.opener.close()

    async def _open(self) -> Line | None:
        """The next line; None when told to stop while a dial or a peer takes its time."""
        return await self._unless_stopped(self.opener.open())

    async def _nap(self, seconds: float) -> None:
        await self._unless_stopped(self.clock.sleep(seconds))

    async def _unless_stopped(
        self, what: Coroutine[Any, Any, T], within_s: float | None = None
    ) -> T | None:
        """Wait for this, but no longer than so many seconds, and not at all once told to stop:
        None."""
        self.awake_by = float("inf") if within_s is None else self.clock.now() + within_s
        try:
            async with within(0 if self._stopping else within_s) as self._waiting:
                return await what
        except TimeoutError:
            return None
        finally:
            self._waiting = None
            self.awake_by = self.clock.now()

    async def _use(self, line: Line) -> bool:
        """One line from open to lost. Returns whether the peer ever said a whole frame."""
        self.line = line.describe()
        self.moments.line_at = self.clock.epoch()
        # A peer that takes the line and leaves without a word does so every second: told once.
        tell = logger().info if self._heard else logger().debug
        self._heard = False
        self._accepted = 0
        tell("line_open", line=self.line)
        self.session.opened(self.clock.now())
        why = "closed by the peer"
        try:
            await self._converse(line)
        except LineFailed as error:
            why = str(error)
        if self._stopping:
            self.session.leave(self.clock.now())
            await self._goodbye(line)
            why = "we stop"
        self.session.lost(self.clock.now())
        await self._work_off()
        await self._void_resync()
        await line.close()
        self.line = ""
        self.moments.line_at = self.clock.epoch()
        tell = logger().info if self._heard else tell
        tell("line_lost", why=why)
        return self._heard

    async def _goodbye(self, line: Line) -> None:
        try:
            await self._write(line)
        except LineFailed:
            pass  # the peer is gone already

    async def _converse(self, line: Line) -> None:
        looked_at = self.clock.now()
        looks = self._look(line)
        await self._work_off()  # where nobody has to be heard, the link is up already
        while not self._stopping:
            await self._write(line)
            data = await self._read(line, looked_at + LOOK_EVERY_S if looks else None)
            now = self.clock.now()
            if looks and now - looked_at >= LOOK_EVERY_S:
                looked_at = now
                self._look(line)
            if data == b"":
                return
            if data is not None:
                self.metrics.line_bytes.labels("in").inc(len(data))
                self._read_at = now
                self.session.receive_data(data, now)
            self.session.handle_timeout(now)
            await self._write(line)  # answers to link records do not wait for the disk
            await self._work_off()

    async def _read(self, line: Line, look_up_at: float | None) -> bytes | None:
        """The next bytes; None when the session's deadline (or a look around) comes first."""
        due = [each for each in (self.session.deadline, look_up_at) if each is not None]
        wait = max(0.0, min(due) - self.clock.now()) if due else None
        return await self._unless_stopped(line.read(), wait)

    async def _write(self, line: Line) -> None:
        output = self.session.bytes_to_send()
        if output:
            self.metrics.line_bytes.labels("out").inc(len(output))
            await line.write(output)
            while self._accepted:
                self._accepted -= 1
                self.metrics.ack.observe(self.clock.now() - self._read_at)

    async def _work_off(self) -> None:
        """All events, in their order: some are told, some are stored and then answered."""
        received: list[DataReceived | RecordRefused] = []
        while True:
            while (event := self.session.next_event()) is not None:
                if isinstance(event, DataReceived | RecordRefused):
                    self._heard = True
                    received.append(event)
                    continue
                if isinstance(event, LinkStarted | LinkDown | ResyncOverdue):
                    await self._take(received)
                    received = []
                    await self._void_resync()
                self._tell(event)
                if self.lane is not None and isinstance(event, LinkDown):
                    self.lane.link_broke()
                elif self.lane is not None and isinstance(event, LinkUp | LinkStarted):
                    self.lane.link_is_new()
            if not received and not self._noise.evidence:
                return
            await self._take(received)
            received = []

    async def _take(self, received: list[DataReceived | RecordRefused]) -> None:
        """Store what a read brought, then answer it. Never the other way round."""
        evidence = self._noise.taken()
        while received or evidence:
            try:
                await self.desk.take(received, evidence)
            except StorageFailed:
                evidence = []  # it was counted; records matter more
                if self.answers or self._stopping:
                    for _ in received:
                        self.session.refuse(self.clock.now())
                    return
                await self._nap(1.0)  # not reading: the peer keeps what comes next
            else:
                for _ in received:
                    self.session.accept(self.clock.now())
                self._accepted += len(received) * self.answers
                self._notice_end_of_resync()
                return

    async def _void_resync(self) -> None:
        while True:
            try:
                broke_off = await self.desk.void_resync()
            except StorageFailed:
                await self._nap(1.0)
                if self._stopping:
                    return
            else:
                break
        if broke_off:
            self.moments.broke_off(self.clock.epoch())
            self._broken_resync = self.desk.ledger.resync
            self.metrics.resync_missing.set(1)
            self._ask_again()

    def _ask_again(self) -> None:
        """A resync broke off: ask for another one as soon as the link is up, a few times."""
        if self._broken_resync is None or not self.session.is_up:
            return
        if self._resyncs_asked < MOST_RESYNCS_ASKED:
            self._resyncs_asked += 1
            self.ask_for_resync()
            if self._resyncs_asked == MOST_RESYNCS_ASKED:
                do = "if it breaks off again: look why, then run pms-gateway resync"
                logger().error("resync_broken", asked=self._resyncs_asked, do=do)

    def _look_at_resync(self) -> None:
        ledger = self.desk.ledger
        self.moments.look(ledger.resync, is_running=ledger.in_resync, at=self.clock.epoch())

    def _notice_end_of_resync(self) -> None:
        ledger = self.desk.ledger
        self._look_at_resync()
        is_whole = not ledger.in_resync and ledger.resync > (self._broken_resync or ledger.resync)
        if is_whole:
            self._broken_resync, self._resyncs_asked = None, 0
            self.metrics.resync_missing.set(0)

    # --- What the session reports ---

    def _tell(self, event: SessionEvent) -> None:
        match event:
            case LinkUp():
                self.metrics.link_up.set(1)
                self.moments.link_at = self.clock.epoch()
                logger().info("link_up", line=self.line)
                if self.resync is not Resync.NEVER and self.ask_for_resync():
                    self.resync = Resync.NEVER if self.resync is Resync.ONCE else self.resync
                else:
                    self._ask_again()
            case LinkDown(why):
                self.metrics.link_up.set(0)
                self.moments.link_at = self.clock.epoch()
                logger().warning("link_down", why=why, line=self.line)
            case LinkState(to):
                self.state = to
                self.metrics.link_transitions.labels(to).inc()
                logger().debug("link_state", to=to)
            case LinkStarted():
                logger().debug("link_started")
            case LinkRecord(record, direction):
                self._heard = self._heard or direction is Direction.IN
                self.metrics.records.labels(record.record_id, direction.value).inc()
                if direction is Direction.IN:
                    self.metrics.last_record.set(self.clock.epoch())
            case Handshake(signal, direction):
                self._told_silence = self._told_silence and direction is Direction.OUT
                self.metrics.handshakes.labels(direction.value, signal.value).inc()
            case FrameRefused(reason, data):
                self._noise.refused(reason, data)
            case GaveUp(record, may_have_arrived):
                self.metrics.records_given_up.inc()
                tell = logger().debug if self._told_silence else logger().warning  # once an outage
                self._told_silence = True
                tell(
                    "record_given_up",
                    record=record.record_id,
                    do="the PMS does not answer: check cable, baud rate, and that ack and lrc fit",
                )
                if self.lane is not None:
                    self.lane.given_up(record, may_have_arrived=may_have_arrived)
            case ResyncOverdue():
                logger().warning("resync_overdue", do="the PMS did not end it: ask for another one")
            case Delivered(record):
                if self.lane is not None:
                    self.lane.arrived(record)
            case DataReceived() | RecordRefused():
                pass  # returned to be taken

    def _look(self, line: Line) -> bool:
        """Ask the driver for its counters and handshake lines. False: it has neither."""
        counts = line.error_counts()
        if counts is not None:
            self.metrics.set_serial_errors(counts)
        return line.modem_lines() is not None or counts is not None
