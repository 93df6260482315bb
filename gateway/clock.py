"""The one place that reads clocks, so that a test can set them."""

import asyncio
import time
from datetime import datetime, tzinfo


def local_zone() -> tzinfo:
    """This machine's zone, for a tool that knows no hotel."""
    zone = datetime.now().astimezone().tzinfo
    assert zone is not None  # astimezone() gives one
    return zone


class Clock:
    """Monotonic seconds for waiting, wall time for the hotel.

    zone    the hotel's time zone: everything on the line and on the UCM is local time
    """

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone

    def now(self) -> float:
        """Monotonic seconds; only differences mean anything."""
        return time.monotonic()

    def epoch(self) -> float:
        """Seconds since 1970 as the machine believes; may jump."""
        return time.time()  # noqa: TID251  # the clock is where wall time comes from

    def wall(self) -> datetime:
        """The hotel's wall time, aware."""
        return datetime.fromtimestamp(self.epoch(), self.zone)

    def stamp(self) -> datetime:
        """The hotel's wall time without a zone: what DA and TI say."""
        return self.wall().replace(tzinfo=None)

    async def sleep(self, seconds: float) -> None:
        """Let other tasks run for this long."""
        await asyncio.sleep(max(0.0, seconds))
