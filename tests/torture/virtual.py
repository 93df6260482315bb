"""An event loop whose time is its own: when everybody waits, the clock jumps to the next deadline."""

import asyncio
import selectors
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from gateway.clock import Clock


class _Jumping(selectors.SelectSelector):
    """Never sleeps: a timeout is time that passes at once."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("everybody waits for ever: a deadlock")
        self.passed += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Deterministic: one thread, no sockets, time from the deadlines alone.

    latency     seconds that a call in another thread takes; the call itself is made at once
    """

    def __init__(self, latency: Callable[[], float] = lambda: 0.001) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)
        # After half a year a float of seconds has steps of 2e-9: a finer deadline never comes.
        self._clock_resolution = 1e-6
        self._latency = latency

    def time(self) -> float:
        return 1000.0 + self._jumping.passed

    def run_in_executor(  # type: ignore[override]  # inline, and with a result that takes its time
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> "asyncio.Future[Any]":
        answer: asyncio.Future[Any] = self.create_future()
        try:
            result = func(*args)
        except Exception as error:  # noqa: BLE001  # handed on, as a thread does
            self.call_later(self._latency(), _give, answer.set_exception, answer, error)
        else:
            self.call_later(self._latency(), _give, answer.set_result, answer, result)
        return answer


def _give(give: Callable[[Any], None], answer: "asyncio.Future[Any]", what: Any) -> None:
    if not answer.done():
        give(what)


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
