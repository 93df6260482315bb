"""The UCM's clock: calls are dated by it, and wake-ups ring by it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from gateway.clock import Clock
from gateway.logs import logger
from gateway.metrics import Metrics

EVERY_S: Final = 3600.0
MOST_S: Final = 60.0
"""A UCM rings at the full minute: more than one, and it is the wrong minute."""


class ClockSource(Protocol):
    """A PBX that says what time it is. Raises DriverFailed."""

    async def clock(self) -> datetime | None:
        """Aware, in the PBX's own zone; None: it does not say."""


def trouble(shown: datetime, wall: datetime) -> str:
    """What is wrong with a clock that shows this at this moment; empty: nothing. Pure."""
    error_s = (shown - wall).total_seconds()
    if abs(error_s) > MOST_S:
        what = "fast" if error_s > 0 else "slow"
        return f"the UCM's clock is {abs(error_s):.0f} s {what}: set NTP on the UCM, or here"
    if shown.utcoffset() != wall.utcoffset():
        return (
            f"the UCM's time zone is {shown:UTC%z}, the hotel's is {wall:UTC%z}: set it on the UCM,"
            " or site.timezone"
        )
    return ""


@dataclass(slots=True)
class PbxClock:
    """Looks at it once an hour."""

    source: ClockSource
    clock: Clock
    metrics: Metrics
    _looked_at: float = float("-inf")
    _is_told: bool = False

    async def look(self) -> None:
        """Raises DriverFailed."""
        if self.clock.now() - self._looked_at < EVERY_S:
            return
        shown = await self.source.clock()
        self._looked_at = self.clock.now()
        if shown is None:
            return
        wall = self.clock.wall()
        self.metrics.ucm_clock_error.set((shown - wall).total_seconds())
        why = trouble(shown, wall)
        if why and not self._is_told:
            logger().warning("ucm_clock_wrong", why=why, do="wake-ups ring by the UCM's clock")
        self._is_told = bool(why)
