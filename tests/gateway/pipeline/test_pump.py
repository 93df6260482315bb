"""The PMS side over hostile lines: nothing lost, nothing acknowledged early, back after any loss."""

import asyncio
import itertools
import random
from contextlib import contextmanager

import pytest
from structlog.testing import capture_logs

from gateway.line import LineFailed
from gateway.store import StorageFailed, Store, StoreWorker
from protocols.fias.records import LinkStart
from protocols.session import Direction, GaveUp, Handshake, Signal
from tests.gateway.pipeline.scripted import GUESTS, ScriptedLine, frame, pump_on


@contextmanager
def failing_disk(*, times, then=lambda: None):
    """The store refuses so many batches."""
    ask, left = StoreWorker.__call__, [StorageFailed("full")] * times

    async def failing(self, method, *args):
        if left and method is Store.put:
            then()
            raise left.pop()
        return await ask(self, method, *args)

    StoreWorker.__call__ = failing
    try:
        yield
    finally:
        StoreWorker.__call__ = ask


def entries(pump):
    return sorted(pump.desk.outbox.waiting)


def chunked(data, style):
    rng = random.Random(7)
    if style == "one byte at a time":
        return [bytes([byte]) for byte in data]
    if style == "everything at once":
        return [data]
    pieces = []
    while data:
        size = rng.randrange(1, 9)
        pieces.append(data[:size])
        data = data[size:]
    return pieces


@pytest.mark.asyncio
@pytest.mark.parametrize("style", ["one byte at a time", "everything at once", "small pieces"])
async def test_every_record_is_taken_and_answered_however_it_arrives(tmp_path, style):
    line = ScriptedLine(chunked(b"".join(GUESTS), style))
    async with pump_on(tmp_path, line) as pump:
        await pump.run()
        assert entries(pump) == ["101", "102", "103", "104", "105"]
        assert line.written.count(b"\x06") == 5
        assert line.closed


@pytest.mark.asyncio
async def test_a_record_is_not_acknowledged_before_it_is_on_disk(tmp_path):
    line = ScriptedLine(GUESTS[:1])
    async with pump_on(tmp_path, line) as pump:
        seen = []
        put = Store.put

        def watched(self, batch):
            seen.append(bytes(line.written))
            return put(self, batch)

        Store.put = watched
        try:
            await pump.run()
        finally:
            Store.put = put
        assert seen
        assert b"\x06" not in seen[0]
        assert b"\x06" in line.written


@pytest.mark.asyncio
async def test_a_disk_that_fails_gets_a_nak_and_the_resent_record_is_taken(tmp_path):
    line = ScriptedLine([GUESTS[0], GUESTS[0]])
    async with pump_on(tmp_path, line) as pump:
        with failing_disk(times=1):
            await pump.run()
        answers = [byte for byte in line.written if byte in (0x06, 0x15)]
        assert answers[:2] == [0x15, 0x06]
        assert entries(pump) == ["101"]


@pytest.mark.asyncio
async def test_on_a_line_without_answers_a_failing_disk_stops_the_reading(tmp_path):
    line = ScriptedLine(
        [frame("GI|RN101|G#1|GSN|", lrc=False), frame("GI|RN102|G#2|GSN|", lrc=False)]
    )
    async with pump_on(tmp_path, line, ack=False) as pump:
        left = []
        with failing_disk(times=3, then=lambda: left.append(len(line.chunks))):
            await pump.run()
        assert left == [1, 1, 1]  # the second record stayed where it was
        assert entries(pump) == ["101", "102"]


@pytest.mark.asyncio
async def test_pauses_grow_and_are_reset_by_a_peer_that_spoke(tmp_path):
    down = LineFailed("no such device")
    lines = [down] * 5 + [ScriptedLine(GUESTS[:1])] + [down] * 2
    async with pump_on(tmp_path, *lines) as pump:
        began, at, naps = pump.clock.now(), pump.clock.now(), []
        opening = pump.opener.open

        async def noting():
            nonlocal at
            naps.append(round(pump.clock.now() - at, 2))
            at = pump.clock.now()
            return await opening()

        pump.opener.open = noting
        await pump.run()
        assert naps[:7] == [0, 0.5, 1, 1.5, 1.5, 1.5, 0.5]
        assert pump.clock.now() - began < 60


@pytest.mark.asyncio
async def test_a_line_is_tried_again_soon_enough_however_long_it_was_away(tmp_path):
    """Whoever plugs the cable in again expects the line back within three seconds."""
    async with pump_on(tmp_path, *[LineFailed("down")] * 1000, ScriptedLine(GUESTS[:1])) as pump:
        tried, opening = [], pump.opener.open

        async def noting():
            tried.append(pump.clock.now())
            return await opening()

        pump.opener.open = noting
        await pump.run()
        assert max(b - a for a, b in itertools.pairwise(tried)) <= 2
        assert entries(pump) == ["101"]


@pytest.mark.asyncio
async def test_a_silent_pms_is_complained_of_once_an_outage(tmp_path):
    async with pump_on(tmp_path, ScriptedLine([])) as pump:
        with capture_logs() as said:
            told = []
            silence, heard = GaveUp(LinkStart()), Handshake(Signal.ACK, Direction.IN)
            for event in (silence, silence, heard, silence):
                pump._tell(event)
                told.append([each["event"] for each in said].count("record_given_up"))
        assert told == [1, 1, 1, 2]


@pytest.mark.asyncio
async def test_a_peer_that_leaves_without_a_word_is_told_once(tmp_path):
    lines = [ScriptedLine([]) for _ in range(100)]
    async with pump_on(tmp_path, *lines, ScriptedLine(GUESTS[:1])) as pump:
        with capture_logs() as said:
            await pump.run()
        told = [each["event"] for each in said if each["log_level"] != "debug"]
        assert told.count("line_open") == 1
        assert told.count("line_lost") == 2  # the first of them, and the one that had spoken


@pytest.mark.asyncio
async def test_a_peer_that_leaves_without_a_word_is_dialled_more_and_more_seldom(tmp_path):
    """It serves another client, who would suffer each time."""
    async with pump_on(tmp_path, *[ScriptedLine([]) for _ in range(20)]) as pump:
        tried, opening = [], pump.opener.open

        async def noting():
            tried.append(pump.clock.now())
            return await opening()

        pump.opener.open = noting
        await pump.run()
        naps = [round(b - a) for a, b in itertools.pairwise(tried)]
        assert naps[:7] == [0, 1, 2, 4, 8, 15, 15]


@pytest.mark.asyncio
async def test_noise_is_counted_kept_in_part_and_nothing_else_is_lost(tmp_path):
    noise = random.Random(3).randbytes(5000).replace(b"\x02", b"")
    line = ScriptedLine([noise, b"\x02GI|RN1", GUESTS[0], b"\x02" + b"x" * 20000, GUESTS[1]])
    async with pump_on(tmp_path, line) as pump:
        await pump.run()
        assert entries(pump) == ["101", "102"]
        refused = pump.desk.metrics.registry.get_sample_value
        assert refused("pmsgw_frames_refused_total", {"reason": "garbage"}) > 10
        assert refused("pmsgw_frames_refused_total", {"reason": "overlong"}) == 1
        assert 1 <= len(pump.desk.store.store.refused()) <= 4
        assert refused("pmsgw_serial_errors_total", {"kind": "framing"}) == 2


@pytest.mark.asyncio
async def test_a_stop_at_the_moment_a_wait_ends_is_a_stop(tmp_path):
    """SIGTERM may come in the turn of the loop in which a timeout has fired and is not yet told."""
    async with pump_on(tmp_path) as pump:

        async def wait():
            assert await pump._unless_stopped(asyncio.sleep(5, "late"), 0.01) is None

        waiting = asyncio.ensure_future(wait())
        await asyncio.sleep(0)
        loop, stopped = asyncio.get_running_loop(), []
        loop.call_at(pump._waiting.when(), lambda: (pump.stop(), stopped.append(True)))
        await waiting
        assert stopped
        assert pump._stopping


@pytest.mark.asyncio
@pytest.mark.parametrize("ack", [True, False])
async def test_the_time_to_each_ack_is_measured_where_the_line_has_acks(tmp_path, monkeypatch, ack):
    line = ScriptedLine([frame("GI|RN101|G#1|GNA|GSN|", lrc=ack), frame("GI|RN102|G#2|GNB|GSN|", lrc=ack)])  # fmt: skip
    async with pump_on(tmp_path, line, ack=ack) as pump:
        put = Store.put

        def slow(self, batch):
            pump.clock.wind(1.2)  # a disk that is worn out
            return put(self, batch)

        monkeypatch.setattr(Store, "put", slow)
        await pump.run()
        value = pump.desk.metrics.registry.get_sample_value
        assert value("pmsgw_ack_seconds_count") == (2 if ack else 0)
        assert value("pmsgw_ack_seconds_bucket", {"le": "1.0"}) == 0
        assert value("pmsgw_ack_seconds_bucket", {"le": "1.5"}) == (2 if ack else 0)
