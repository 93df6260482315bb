"""The scope of the running service: records its line, keeps the ring, serves all who watch."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Iterator
from datetime import tzinfo
from typing import Final

from gateway.clock import Clock
from gateway.logs import logger
from gateway.metrics import LineMetrics
from gateway.scope import export
from gateway.scope.explain import Examiner, Finding
from gateway.scope.profile import LineProfile
from gateway.scope.recorder import Recorder
from gateway.scope.ring import History, Ring
from gateway.scope.rows import Row, Watcher
from protocols.transcript import Remarked, Settings, Step, TranscriptError, parse_line, show_step

AGAIN_AFTER_S: Final = 5.0
LOOK_EVERY_S: Final = 2.0
WRITE_EVERY_S: Final = 1.0
PRUNE_EVERY_S: Final = 3600.0
PAST_S: Final = 86_400.0
MOST_EXPORTED: Final = 100_000
STEPS_AT_ONCE: Final = 20
"""Some 5 ms of the examiner's work on a small machine."""
MOST_UNREAD: Final = 20_000
"""Steps that wait for a reader that does not read; what comes then is counted and told."""


class LiveScope:
    """One line of one service. `ring` None: nothing is kept on disk."""

    def __init__(
        self,
        profile: LineProfile,
        ring: Ring | None,
        clock: Clock,
        zone: tzinfo,
        metrics: LineMetrics,
    ) -> None:
        self.profile = profile
        self.recorder = Recorder(profile, clock, self._failed)
        self._ring = ring
        self._clock = clock
        self._zone = zone
        self._metrics = metrics
        self._examiner = Examiner(profile)
        self._unseen: deque[Step] = deque(maxlen=MOST_UNREAD)
        self._news = asyncio.Event()
        self._readers: set[_Reader] = set()
        self.is_over = False
        self._complained = False
        self._has_failed = False
        self._is_examining = True

    async def run(self) -> None:
        """Record and examine for ever. A fault of ours in here is counted and told once, and never
        ends the service: records go on.
        """
        while True:
            try:
                await self._run()
            except Exception as error:  # noqa: BLE001  # the diagnosis must not be what fails
                self._failed(error)
                await self._clock.sleep(AGAIN_AFTER_S)

    def _failed(self, error: Exception) -> None:
        self._metrics.examiner_failures.inc()
        if not self._has_failed:
            self._has_failed = True
            do = "report it; records go on, the diagnosis of the line may be missing"
            logger().error("diagnosis_failed", error=type(error).__name__, do=do)

    async def _run(self) -> None:
        """Examine and write what was heard, once a second; when cancelled, write what is left."""
        prune_at = self._clock.now()
        with self.recorder.told_to(self._take):
            try:
                while True:
                    await self._some_news()
                    await self._clock.sleep(WRITE_EVERY_S)
                    self.recorder.tick()
                    self._news.clear()
                    await self._examine()
                    if self._ring is not None:
                        is_time = self._clock.now() >= prune_at
                        prune_at += PRUNE_EVERY_S * is_time
                        if self._ring.cut() or is_time:
                            await asyncio.to_thread(self._write, self._ring, prunes=is_time)
            finally:
                if self._ring is not None and self._ring.cut():
                    self._write(self._ring)

    async def _some_news(self) -> None:
        """Until something was told; not for ever: there may be half a piece, or files to prune."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_EVERY_S):
                await self._news.wait()

    def end(self) -> None:
        """The service stops: every feed comes to its end."""
        self.is_over = True
        for reader in self._readers:
            reader.close()

    def _write(self, ring: Ring, *, prunes: bool = False) -> None:
        try:
            if prunes:
                ring.prune(self._clock.epoch())
            ring.write(self._clock.epoch())
            self._complained = False
        except OSError as error:
            self._metrics.capture_lost.inc()
            if not self._complained:
                self._complained = True
                why = str(error.strerror or error)
                logger().warning("capture_failed", error=why, do="free the disk; records go on")

    async def feed(self, history_s: float = 0.0) -> AsyncIterator[str]:
        """The line in its notation, a line at a time: the last so many seconds, and then all that
        comes, until the service stops. Guests are in it."""
        since = self._clock.epoch() - history_s
        with self._looking() as reader:
            if history_s and self._ring is not None:
                past = self._ring.history(since)  # taken in the same turn as the place in the queue
                for line in await asyncio.to_thread(lambda: list(past.lines())):
                    yield line
            else:
                yield self._show(self.profile.as_step(self.recorder.now()))
            while not self.is_over:
                step = await reader.next()
                if step is None:
                    return
                yield self._show(step)

    async def past(self, watcher: Watcher, last: int) -> list[Row]:
        """The last transactions that were kept."""
        if self._ring is None:
            return []
        past = self._ring.history(self._clock.epoch() - PAST_S)
        return await asyncio.to_thread(_past_rows, past, watcher, last)

    async def rows(self, *, last: int, names: bool = False) -> AsyncIterator[list[Row]]:
        """The line as transactions: the last ones that were kept, then what comes; at least once
        a second a list, perhaps an empty one, until the service stops."""
        watcher = Watcher(self.profile, names=names)
        with self._looking() as reader:
            yield await self.past(watcher, last)
            while not self.is_over:
                step = await reader.next(within_s=1.0)
                rows = watcher.take(step) if step else watcher.late(self.recorder.now())
                if rows or step is None:
                    yield rows

    async def capture(self, form: str, last_s: float | None = None) -> bytes:
        """What was kept as a file, guests masked: `line`, `jsonl` or `pcapng`. Of the last so many
        seconds; None: all of it."""
        if self._ring is None:
            return b""
        since = 0.0 if last_s is None else self._clock.epoch() - last_s
        past = self._ring.history(since)
        return await asyncio.to_thread(_exported, past, self.profile, self._zone, form, since)

    @contextlib.contextmanager
    def _looking(self) -> Iterator["_Reader"]:
        """The place of one who looks: what is heard while inside waits for him."""
        reader = _Reader()
        self._readers.add(reader)
        try:
            yield reader
        finally:
            self._readers.discard(reader)

    def _show(self, step: Step) -> str:
        return show_step(step, self._zone, self.profile.charset)

    async def _examine(self) -> None:
        """Let the examiner see what has come. Others share the loop: a few steps at a time."""
        while self._unseen:
            try:
                for _ in range(min(STEPS_AT_ONCE, len(self._unseen))):
                    self._examiner.take(self._unseen.popleft())
            except Exception as error:  # noqa: BLE001  # what it has counted means nothing by now
                self._is_examining = False
                self._unseen.clear()
                self._failed(error)
            await asyncio.sleep(0)

    def findings(self) -> list[Finding]:
        """What is wrong with the line of the last hour, the lowest layer first; the last second
        may not be in it."""
        try:
            return self._examiner.findings(self.recorder.now()) if self._is_examining else []
        except Exception as error:  # noqa: BLE001  # the page, the log and the service go on
            self._is_examining = False
            self._failed(error)
            return []

    def _take(self, step: Step) -> None:
        if self._is_examining:
            self._unseen.append(step)
        self._news.set()
        for reader in self._readers:
            reader.take(step)
        if self._ring is not None and not self._ring.take(step):
            self._metrics.capture_lost.inc()


class _Reader:
    """One who looks, at his own speed."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Step | None] = asyncio.Queue()
        self._missed = 0

    def take(self, step: Step) -> None:
        if self._queue.qsize() >= MOST_UNREAD:
            self._missed += 1
            return
        if self._missed:
            self._queue.put_nowait(
                Remarked(f"{self._missed} lines missed: read faster", at=step.at)
            )
            self._missed = 0
        self._queue.put_nowait(step)

    def close(self) -> None:
        self._queue.put_nowait(None)

    async def next(self, within_s: float | None = None) -> Step | None:
        """None: it is over, or nothing came in time."""
        try:
            async with asyncio.timeout(within_s):
                return await self._queue.get()
        except TimeoutError:
            return None


def _exported(past: History, profile: LineProfile, zone: tzinfo, form: str, since: float) -> bytes:
    lines = deque(past.lines(), maxlen=MOST_EXPORTED)
    found = [step for line in lines if (step := _step_of(line, profile.charset)) is not None]
    steps = [step for step in found if step.at is None or step.at >= since]
    if not any(isinstance(step, Settings) for step in steps[:1]):
        steps.insert(0, profile.as_step())
    return export.as_file(form, steps, zone, profile)


def _step_of(line: str, charset: str) -> Step | None:
    try:
        return parse_line(line, charset)
    except TranscriptError:
        return None  # half a line of a day on which the power failed


def _past_rows(past: History, watcher: Watcher, last: int) -> list[Row]:
    rows: deque[Row] = deque(maxlen=last)
    for line in deque(past.lines(), maxlen=last * 4):  # a row has an answer, perhaps an enquiry
        step = _step_of(line, watcher.profile.charset)
        rows += watcher.take(step) if step else []
    return list(rows)
