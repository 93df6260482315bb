"""Hand-written stand-ins at seams we own; type-checked against them."""

from datetime import UTC, datetime

from gateway.clock import Clock


class HandClock(Clock):
    """A clock that moves only when it is wound, or when somebody sleeps on it."""

    def __init__(self, start: datetime = datetime(2026, 3, 14, 10, tzinfo=UTC)) -> None:
        super().__init__(UTC)
        self._epoch = start.timestamp()
        self._now = 1000.0

    def wind(self, seconds: float) -> None:
        """Let this much time pass."""
        self._epoch += seconds
        self._now += seconds

    def jump(self, seconds: float) -> None:
        """Only the wall clock jumps, as after a late time server."""
        self._epoch += seconds

    def now(self) -> float:
        return self._now

    def epoch(self) -> float:
        return self._epoch

    async def sleep(self, seconds: float) -> None:
        self.wind(max(0.0, seconds))
        await super().sleep(0)
