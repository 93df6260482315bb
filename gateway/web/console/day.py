"""What happened in the last day, per quarter of an hour: in memory only, from the metrics."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from prometheus_client.metrics import MetricWrapperBase

from gateway.clock import Clock
from gateway.metrics import Metrics
from gateway.scope.decode import LINK_RECORDS

QUARTER_S: Final = 900
SAMPLE_EVERY_S: Final = 60.0
KEPT_S: Final = 26 * 3600
"""More than the longest day of a hotel, the one in which summer time ends."""
SHOWN: Final = 96
"""Quarters of a day."""

_CALLS: Final = frozenset({"checkin", "checkout", "update", "mov", "dnd", "wakeup"})


@dataclass(frozen=True, slots=True)
class Counts:
    """Records of the hotel heard, calls made to the UCM, and those that it refused or did not
    answer (there also what is no call, such as reading its list of rooms).
    """

    records: int = 0
    calls: int = 0
    failures: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.records + other.records, self.calls + other.calls, self.failures + other.failures
        )

    def __sub__(self, other: "Counts") -> "Counts":
        return Counts(
            self.records - other.records, self.calls - other.calls, self.failures - other.failures
        )


NONE: Final = Counts()


def counts_of(metrics: Metrics) -> Counts:
    """What the counters have reached."""
    records = calls = failures = 0.0
    for labels, value in _samples(metrics.guests.records, "_total"):
        if labels["direction"] == "in" and labels["record"] not in LINK_RECORDS:
            records += value
    for labels, value in _samples(metrics.ucm_request, "_count"):
        is_call = labels["action"] in _CALLS
        calls += value * is_call
        failures += value * (labels["result"] == "unreachable")
        failures += value * (is_call and labels["result"] == "rejected")
    return Counts(int(records), int(calls), int(failures))


def _samples(metric: MetricWrapperBase, suffix: str) -> Iterable[tuple[dict[str, str], float]]:
    for family in metric.collect():
        for sample in family.samples:
            if sample.name.endswith(suffix):
                yield sample.labels, sample.value


class Day:
    """Samples the counters and knows what each quarter of an hour brought.

    read    what the counters have reached
    since   the moment from which it counts, seconds since 1970
    """

    def __init__(self, read: Callable[[], Counts], clock: Clock) -> None:
        self._read, self._clock = read, clock
        self._last = read()
        self._quarters: dict[int, Counts] = {}
        self.since = clock.epoch()

    async def run(self) -> None:
        """Sample each minute, for ever."""
        while True:
            await self._clock.sleep(SAMPLE_EVERY_S)
            self.sample()

    def sample(self) -> None:
        """Count what came since the last sample to the quarter that runs."""
        counts, now = self._read(), self._clock.epoch()
        new, self._last = counts - self._last, counts
        quarter = int(now // QUARTER_S)
        if new != NONE:
            self._quarters[quarter] = self._quarters.get(quarter, NONE) + new
        oldest = quarter - KEPT_S // QUARTER_S
        for each in [each for each in self._quarters if not oldest <= each <= quarter]:
            del self._quarters[each]

    def today(self) -> tuple[Counts, bool]:
        """The counts of today; whether from midnight on (else from `since` on), by hotel time."""
        self.sample()
        wall = self._clock.wall()
        midnight = datetime(wall.year, wall.month, wall.day, tzinfo=wall.tzinfo).timestamp()
        quarters = [
            counts
            for quarter, counts in self._quarters.items()
            if quarter * QUARTER_S >= midnight or midnight <= self.since
        ]
        return sum(quarters, NONE), self.since <= midnight

    def quarters(self) -> list[tuple[float, Counts]]:
        """The last day: when each quarter began, seconds since 1970, and what it brought."""
        self.sample()
        last = int(self._clock.epoch() // QUARTER_S)
        return [
            (float(quarter * QUARTER_S), self._quarters.get(quarter, NONE))
            for quarter in range(last - SHOWN + 1, last + 1)
        ]

    def ticks(self, every_h: int = 6) -> list[datetime]:
        """Moments that are written below the picture, at equal distances, the last one is now."""
        now = self._clock.wall()
        return [now - timedelta(hours=hours) for hours in range(24, -1, -every_h)]
