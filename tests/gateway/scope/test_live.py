"""The scope of a running service: everybody who looks sees the line, and nobody holds it up."""

import asyncio

import pytest
from structlog.testing import capture_logs

from gateway.logs import set_up
from gateway.metrics import Metrics
from gateway.scope import live
from gateway.scope.explain import Examiner
from gateway.scope.live import LiveScope
from gateway.scope.profile import LineProfile
from gateway.scope.ring import Ring
from protocols.cutter import Cutter
from protocols.fias.framing import write_frame
from tests.fakes import HandClock

FRAME = write_frame(b"GI|RN101|", lrc=False)
PROFILE = LineProfile("tcp:h:1", lrc=False, ack=False)


def scope_in(folder, clock, metrics=None):
    ring = Ring(folder, PROFILE, clock.zone, keep_bytes=1 << 20, keep_s=86_400)
    metrics = metrics or Metrics(version="0", site="s")
    return LiveScope(PROFILE, ring, clock, clock.zone, metrics.guests)


async def first(feed, count):
    return [await anext(feed) for _ in range(count)]


@pytest.mark.asyncio
async def test_a_reader_sees_the_past_and_what_comes(tmp_path):
    scope = scope_in(tmp_path / "c", HandClock())
    async with asyncio.TaskGroup() as group:
        running = group.create_task(scope.run())
        await asyncio.sleep(0)
        scope.recorder.heard(FRAME)
        feed = scope.feed(60)
        assert [line[30:] for line in await first(feed, 1)] == ["pms> <STX>GI|RN101|<ETX>"]
        scope.recorder.said(b"\x06")
        assert (await anext(feed)).endswith("gw > <ACK>")
        scope.recorder.remark("here")
        assert (await anext(feed)).endswith(" # here")
        scope.end()
        assert [line async for line in feed] == []
        running.cancel()
    assert len((next((tmp_path / "c").iterdir())).read_text().splitlines()) == 4


@pytest.mark.asyncio
async def test_a_reader_who_wants_no_past_learns_how_the_line_is_spoken(tmp_path):
    scope = scope_in(tmp_path / "c", HandClock())
    feed = scope.feed()
    assert (await anext(feed)).endswith("line tcp:h:1 lrc=off ack=off charset=cp1252")
    await feed.aclose()
    assert not scope._readers


@pytest.mark.asyncio
async def test_a_reader_who_does_not_read_misses_lines_and_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(live, "MOST_UNREAD", 3)
    scope = scope_in(tmp_path / "c", HandClock())
    async with asyncio.TaskGroup() as group:
        running = group.create_task(scope.run())
        await asyncio.sleep(0)
        feed = scope.feed()
        await anext(feed)
        for number in range(5):
            scope.recorder.remark(str(number))
        seen = await first(feed, 3)
        scope.recorder.remark("5")
        seen += await first(feed, 2)
        assert [line[32:] for line in seen] == [
            "0", "1", "2", "2 lines missed: read faster", "5"
        ]  # fmt: skip
        running.cancel()


@pytest.mark.asyncio
async def test_a_capture_that_cannot_be_kept_is_counted(tmp_path):
    (tmp_path / "c").write_text("a file where a folder should be")
    metrics = Metrics(version="0", site="s")
    scope = scope_in(tmp_path / "c", HandClock(), metrics)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(scope.run())
        await asyncio.sleep(0)
        scope.recorder.heard(FRAME)
        async with asyncio.timeout(10):
            while metrics.guests.capture_lost._value.get() == 0:
                await asyncio.sleep(0.01)
        assert not running.done()  # the line goes on
        running.cancel()
    scope.recorder.heard(FRAME)
    scope.end()


@pytest.mark.asyncio
async def test_a_line_without_a_ring_is_still_seen(tmp_path):
    clock = HandClock()
    scope = LiveScope(PROFILE, None, clock, clock.zone, Metrics(version="0", site="s").guests)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(scope.run())
        await asyncio.sleep(0)
        feed = scope.feed(3600)
        await anext(feed)
        scope.recorder.heard(FRAME)
        assert "RN101" in await anext(feed)
        running.cancel()
    scope.end()


class _Standstill(HandClock):
    async def sleep(self, seconds):
        await asyncio.Event().wait()


@pytest.mark.asyncio
async def test_who_looks_does_not_wait_for_the_next_second(tmp_path):
    scope = scope_in(tmp_path, _Standstill())
    async with asyncio.TaskGroup() as group:
        running = group.create_task(scope.run())
        await asyncio.sleep(0)
        feed = scope.feed()
        await anext(feed)
        scope.recorder.heard(FRAME)
        async with asyncio.timeout(5):
            assert "RN101" in await anext(feed)
        running.cancel()
    scope.end()


@pytest.mark.asyncio
@pytest.mark.parametrize("where", ["take", "findings", "cut", "ring"])
async def test_a_fault_in_the_diagnosis_ends_nothing(tmp_path, monkeypatch, where):
    """A bug of ours in the examiner: counted, told once, and the line and its capture go on."""

    def broken(*_, **__):
        raise KeyError("planted")

    metrics = Metrics(version="0", site="s")
    scope = scope_in(tmp_path / "c", HandClock(), metrics)
    owner = {"take": Examiner, "findings": Examiner, "cut": Cutter, "ring": Ring}[where]
    name = {"take": "take", "findings": "findings", "cut": "feed", "ring": "cut"}[where]
    set_up()  # another test may have asked for quiet
    with capture_logs() as told:
        async with asyncio.TaskGroup() as group:
            running = group.create_task(scope.run())
            await asyncio.sleep(0)
            with monkeypatch.context() as there:
                there.setattr(owner, name, broken)
                for _ in range(3):
                    scope.recorder.heard(FRAME)  # as the line reads: nothing is raised
                    for _ in range(10):
                        await asyncio.sleep(0)
                    scope.findings()
            feed = scope.feed()
            await anext(feed)
            scope.recorder.heard(FRAME)
            assert (await anext(feed)).endswith("pms> <STX>GI|RN101|<ETX>")
            assert not running.done()
            await feed.aclose()
            running.cancel()
    assert metrics.registry.get_sample_value("pmsgw_examiner_failures_total") >= 1
    assert [each["event"] for each in told].count("diagnosis_failed") == 1
