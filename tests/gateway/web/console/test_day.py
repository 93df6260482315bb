"""The counts of the last day, and their picture."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.clock import Clock
from gateway.metrics import Metrics
from gateway.web.console.day import SHOWN, Counts, Day, counts_of
from gateway.web.console.picture import HEIGHT, picture

LISBON = ZoneInfo("Europe/Lisbon")


class Wound(Clock):
    """A clock that a test sets."""

    def __init__(self, at, zone=LISBON):
        super().__init__(zone)
        self.at = at.timestamp()

    def epoch(self):
        return self.at


class Source:
    counts = Counts()

    def __call__(self):
        return self.counts

    def hear(self, records):
        self.counts = self.counts + Counts(records=records)


@pytest.fixture
def source():
    return Source()


def test_what_is_counted_comes_from_the_metrics():
    metrics = Metrics(version="1", site="s")
    assert counts_of(metrics) == Counts()
    metrics.guests.records.labels("GI", "in").inc(3)
    metrics.guests.records.labels("LA", "in").inc(9)  # the link's own
    metrics.guests.records.labels("LS", "out").inc(9)
    metrics.ucm_request.labels("checkin", "ok").observe(0.1)
    metrics.ucm_request.labels("checkout", "rejected").observe(0.1)
    metrics.ucm_request.labels("probe", "rejected").observe(
        0.1
    )  # how an old UCM says that it is well
    metrics.ucm_request.labels("getroom", "unreachable").observe(0.1)
    assert counts_of(metrics) == Counts(records=3, calls=2, failures=2)


def test_today_begins_at_midnight_of_the_hotel(source):
    clock = Wound(datetime(2026, 7, 14, 22, 50, tzinfo=UTC))  # 23:50 in Lisbon
    day = Day(source, clock)
    source.hear(5)
    assert day.today() == (Counts(records=5), False)  # since the start
    clock.at += 1200
    source.hear(2)
    assert day.today() == (Counts(records=2), True)
    assert sum(counts.records for _, counts in day.quarters()) == 7


def test_what_was_counted_before_the_start_is_not_ours(source):
    source.hear(100)
    day = Day(source, Wound(datetime(2026, 7, 14, 12, tzinfo=UTC)))
    assert day.today()[0] == Counts()


def test_a_day_that_has_gone_is_forgotten(source):
    clock = Wound(datetime(2026, 7, 14, 12, 1, tzinfo=UTC))
    day = Day(source, clock)
    source.hear(5)
    day.sample()
    clock.at += 23 * 3600
    assert sum(counts.records for _, counts in day.quarters()) == 5
    clock.at += 4 * 3600
    assert sum(counts.records for _, counts in day.quarters()) == 0
    assert day._quarters == {}


def test_a_clock_that_is_set_back_leaves_nothing_in_the_future(source):
    clock = Wound(datetime(2026, 7, 14, 12, 1, tzinfo=UTC))
    day = Day(source, clock)
    source.hear(5)
    day.sample()
    clock.at -= 7200
    source.hear(1)
    assert day.today()[0] == Counts(records=1)


def test_the_picture_has_a_bar_for_each_quarter_in_which_something_happened(source):
    clock = Wound(datetime(2026, 7, 14, 12, 1, tzinfo=UTC))
    day = Day(source, clock)
    source.hear(1000)
    day.sample()
    clock.at += 1800
    source.hear(1)
    shown = picture(day.quarters(), day.ticks(), day.since, LISBON)
    records, calls, failures = shown.rows
    assert [(bar.x, bar.title) for bar in records.bars] == [
        (SHOWN - 3, "13:00: 1000"), (SHOWN - 1, "13:30: 1"),
    ]  # fmt: skip
    assert records.bars[0].height == HEIGHT
    assert records.bars[1].height > 0
    assert all(bar.y + bar.height == HEIGHT for bar in records.bars)
    assert records.words == "1001, at most 1000 in a quarter of an hour"
    assert (calls.words, failures.bars) == ("none", ())
    assert shown.unknown == SHOWN - 3
    assert shown.ticks == ("13:31", "19:31", "01:31", "07:31", "now")
