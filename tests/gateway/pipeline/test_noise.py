"""Noise on the line: all of it is counted, some of it is kept, and the log is not flooded."""

from structlog.testing import capture_logs

from gateway.logs import set_up
from gateway.metrics import Metrics
from gateway.pipeline.noise import Noise
from tests.fakes import HandClock


def test_every_refusal_is_counted_and_one_a_second_is_kept():
    clock, metrics = HandClock(), Metrics(version="0", site="s")
    noise = Noise(clock, metrics.guests)
    for eighth in range(20):  # of a second, which a float can say exactly
        noise.refused("garbage", bytes([eighth]))
        clock.wind(0.125)
    assert metrics.guests.frames_refused.labels("garbage")._value.get() == 20
    kept = noise.taken()
    assert [each.body for each in kept] == [b"\x00", b"\x08", b"\x10"]
    assert kept[0].advice == "bytes outside any record: check baud rate and parity"
    assert noise.taken() == []


def test_the_log_hears_of_it_once_a_minute_with_how_many_there_were():
    set_up()  # another test may have asked for quiet
    clock = HandClock()
    noise = Noise(clock, Metrics(version="0", site="s").guests)
    with capture_logs() as logs:
        for _ in range(130):
            noise.refused("lrc", b"x")
            clock.wind(1)
    assert [(each["event"], each["since_last_told"]) for each in logs] == [
        ("frame_refused", 1), ("frame_refused", 60), ("frame_refused", 60),
    ]  # fmt: skip
    assert "line explain" in logs[0]["do"]
