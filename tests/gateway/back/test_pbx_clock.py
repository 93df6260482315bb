"""The UCM's clock: what is wrong with it, and told once."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest
from structlog.testing import capture_logs

from gateway.back.pbx_clock import EVERY_S, MOST_S, PbxClock, trouble
from gateway.drivers.ucm import system
from gateway.drivers.ucm.replies import Reply
from gateway.logs import set_up
from gateway.metrics import Metrics
from tests.gateway.back.cash_desk import Wound

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=timezone(timedelta(hours=1)))


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (NOW, ""),
        (NOW + timedelta(seconds=MOST_S), ""),
        (NOW + timedelta(seconds=61), "61 s fast"),
        (NOW - timedelta(seconds=3600), "3600 s slow"),
        (NOW.astimezone(timezone(timedelta(hours=2))), "UTC+0200, the hotel's is UTC+0100"),
    ],
)
def test_more_than_a_minute_or_another_zone_is_wrong(shown, words):
    assert words in trouble(shown, NOW)
    assert bool(trouble(shown, NOW)) == bool(words)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2019-11-22 17:50:26 UTC+02:00",
         datetime(2019, 11, 22, 17, 50, 26, tzinfo=timezone(timedelta(hours=2)))),
        ("2019-11-22 17:50:26 UTC-05:30",
         datetime(2019, 11, 22, 17, 50, 26, tzinfo=timezone(-timedelta(hours=5, minutes=30)))),
        ("2019-11-22 17:50:26 UTC", datetime(2019, 11, 22, 17, 50, 26, tzinfo=UTC)),
        ("2019-13-22 17:50:26 UTC+02:00", None),
        ("2019-11-22 17:50:26 UTC+99:00", None),
        ("yesterday", None),
        (None, None),
    ],
)  # fmt: skip
def test_the_clock_is_read_as_the_guide_prints_it(text, shown):
    assert system.time_of(Reply(0, response={"system-time": text})) == shown


def test_it_is_asked_once_an_hour_and_told_once():
    set_up()
    clock, asked = Wound(), []
    metrics = Metrics(version="1", site="s")

    class Ucm:
        async def clock(self):
            asked.append(1)
            return clock.wall() + timedelta(seconds=300 + len(asked))

    look = PbxClock(Ucm(), clock, metrics)
    with capture_logs() as logs:
        for _ in range(6):
            asyncio.run(look.look())
            clock.at += EVERY_S / 2
    assert len(asked) == 3
    assert [each["event"] for each in logs] == ["ucm_clock_wrong"]
    assert "pmsgw_ucm_clock_error_seconds 303.0" in metrics.expose().decode()
