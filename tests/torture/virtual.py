"""An event loop whose time is its own: when everybody waits, the clock jumps to the next deadline."""

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from gateway.clock import Clock
from gateway.store import Store, StoreWorker
from gateway.store.worker import _Job

RESOLUTION_S: Final = 1e-6
"""After half a year a float of seconds has steps of 2e-9: a finer deadline never comes."""


class _Jumping(selectors.SelectSelector):
    """Never sleeps: a timeout is time that passes at once."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("everybody waits for ever: a deadlock")
        if timeout > 0:
            # A timer may ring up to the loop's resolution early; time must have come to it then,
            # or who waits for the rest of it waits for ever.
            self.passed += timeout + RESOLUTION_S
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Deterministic: one thread, no sockets, time from the deadlines alone.

    latency     seconds that a call in another thread takes; the call itself is made at once
    """

    def __init__(self, latency: Callable[[], float] = lambda: 0.001) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)
        self._clock_resolution = RESOLUTION_S
        self.latency = latency

    def time(self) -> float:
        return 1000.0 + self._jumping.passed

    def run_in_executor(  # type: ignore[override]  # inline, and with a result that takes its time
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> "asyncio.Future[Any]":
        answer: asyncio.Future[Any] = self.create_future()
        try:
            result = func(*args)
        except Exception as error:  # noqa: BLE001  # handed on, as a thread does
            self.call_later(self.latency(), _give, answer.set_exception, answer, error)
        else:
            self.call_later(self.latency(), _give, answer.set_result, answer, result)
        return answer


def _give(give: Callable[[Any], None], answer: "asyncio.Future[Any]", what: Any) -> None:
    if not answer.done():
        give(what)


class VirtualWorker(StoreWorker):
    """The store's worker without its thread, so that a day goes the same way each time.

    Whatever waits when it comes round goes into one transaction, at once; the answers take as long
    as the loop says, and until then it is busy.
    """

    def __init__(self, store: Store) -> None:
        self.store, self.trouble, self.is_anew = store, "", False
        self._jobs = _Round(self)  # type: ignore[assignment]  # it has a queue's `put`

    def die(self) -> None:
        """The process is gone: nothing is done any more."""
        self._jobs.is_dead = True  # type: ignore[attr-defined]  # see above

    def close(self, within_s: float | None = None) -> None:
        self._jobs.finish()  # type: ignore[attr-defined]  # see above
        self.store.close()


class _Round:
    """The jobs that wait for a virtual worker, and the turn that does them."""

    def __init__(self, worker: VirtualWorker) -> None:
        self._worker = worker
        self._waiting: list[_Job] = []
        self._is_busy = False
        self.is_dead = False

    def put(self, job: _Job) -> None:
        self._waiting.append(job)
        if not self._is_busy:
            self._is_busy = True
            asyncio.get_running_loop().call_soon(self._begin)

    def finish(self) -> None:
        """Do what waits, with nobody waiting for the answers."""
        jobs, self._waiting = self._waiting, []
        if jobs:
            self._worker._run_together(jobs)

    def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        jobs, self._waiting = self._waiting, []
        if not jobs or self.is_dead:
            self._is_busy = False
            return
        own = [_Job(job.call, Future()) for job in jobs]
        self._worker._run_together(own)
        loop.call_later(loop.latency(), self._end, jobs, own)

    def _end(self, jobs: list[_Job], own: list[_Job]) -> None:
        for job, done in zip(jobs, own, strict=True):
            if job.answer.set_running_or_notify_cancel():
                error = done.answer.exception()
                if error is not None:
                    job.answer.set_exception(error)
                else:
                    job.answer.set_result(done.answer.result())
        self._begin()


class VirtualClock(Clock):
    """The clock of a machine that lives in a virtual loop. Its wall time can be wrong."""

    def __init__(self, loop: VirtualLoop, start: datetime) -> None:
        assert isinstance(start.tzinfo, ZoneInfo)
        super().__init__(start.tzinfo)
        self._loop = loop
        self._start = start.timestamp() - loop.time()
        self.off_s = 0.0

    def now(self) -> float:
        return self._loop.time()

    def epoch(self) -> float:
        return self._start + self._loop.time() + self.off_s

    def true_wall(self) -> datetime:
        """The hotel's wall time, whatever the machine believes."""
        return datetime.fromtimestamp(self._start + self._loop.time(), self.zone)
