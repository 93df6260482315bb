"""The PMS side over hostile lines: nothing lost, nothing acknowledged early, back after any loss."""

import asyncio
import itertools
import random
import socket
from contextlib import asynccontextmanager, contextmanager
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs

from gateway import logs
from gateway.clock import Clock
from gateway.drivers.ucm_wire import Words, guest_tags
from gateway.house import House
from gateway.line import Gate, LineFailed
from gateway.line.tcp import TcpLine
from gateway.metrics import Metrics
from gateway.pipeline.intake import Intake
from gateway.pipeline.kept import house_of
from gateway.pipeline.outbox import Outbox
from gateway.pipeline.pump import MOST_RESYNCS_ASKED, Pump, Resync
from gateway.pipeline.repeats import Repeats
from gateway.rooms import RoomMap
from gateway.store import StorageFailed, Store, StoreWorker
from protocols.fias import FiasProfile, FiasSession, normalize
from protocols.fias.framing import write_frame
from protocols.fias.records import LinkStart
from protocols.session import Direction, GaveUp, Handshake, Signal
from tests.fakes import HandClock


class ScriptedLine:
    """Plays chunks, then is lost; remembers what was written."""

    def __init__(self, chunks, *, waits=None):
        self.chunks, self.written, self.waits = list(chunks), bytearray(), waits
        self.closed = False

    async def read(self):
        await asyncio.sleep(0)
        if self.chunks:
            return self.chunks.pop(0)
        if self.waits is not None:
            await self.waits.wait()
        return b""

    async def write(self, data):
        self.written += data

    async def close(self):
        self.closed = True

    def describe(self):
        return "scripted"

    def error_counts(self):
        return {"framing": 2, "parity": 0, "overrun": 0, "break": 1}

    def modem_lines(self):
        return None


class ScriptedOpener:
    """Gives lines or failures, in order; then stops the pump."""

    def __init__(self, *lines):
        self.lines, self.pump, self.opened = list(lines), None, 0

    async def open(self):
        self.opened += 1
        if not self.lines:
            self.pump.stop()
            raise LineFailed("no more lines")
        line = self.lines.pop(0)
        if isinstance(line, Exception):
            raise line
        return line

    async def close(self):
        pass

    def describe(self):
        return "scripted"


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


@asynccontextmanager
async def pump_on(tmp_path, *lines, ack=True, resync=Resync.NEVER):
    clock = HandClock()
    store = Store(tmp_path / "outbox.db")
    metrics = Metrics(version="1", site="t")
    rooms, ledger = house_of(store.load())
    outbox = Outbox(tags_of=lambda guest, stay: guest_tags(guest, stay, Words()), wall=clock.stamp)
    outbox.restore(rooms, ())
    intake = Intake(
        house=House(zone=clock.zone, rooms=rooms, ledger=ledger), rooms=RoomMap(),
        outbox=outbox, store=StoreWorker(store), normalize=normalize, clock=clock, metrics=metrics,
        repeats=Repeats() if ack else None,
    )  # fmt: skip
    opener = ScriptedOpener(*lines)
    session = FiasSession(FiasProfile(pacing_s=0, lrc=ack, ack=ack), clock.stamp)
    pump = Pump(opener=opener, session=session, intake=intake, clock=clock, metrics=metrics,
                answers=ack, resync=resync, rng=lambda: 1.0)  # fmt: skip
    opener.pump = pump
    try:
        yield pump
    finally:
        intake.store.close()


def frame(body, lrc=True):
    return write_frame(body.encode(), lrc=lrc)


def entries(pump):
    return sorted(pump.intake.outbox.waiting)


GUESTS = [frame(f"GI|RN{room}|G#{room}|GNRossi|GSN|") for room in range(101, 106)]


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
async def test_a_resync_is_asked_for_at_once_on_a_quiet_line(tmp_path):
    """Nobody speaks, and the next thing to do is in five minutes."""
    here, there = socket.socketpair()
    listener = SocketOpener(here)
    async with pump_on(tmp_path, ack=False) as pump:
        pump.opener, pump.clock = listener, Clock(ZoneInfo("UTC"))
        running = asyncio.create_task(pump.run())
        reader, writer = await asyncio.open_connection(sock=there)
        async with asyncio.timeout(10):
            writer.write(b"\x02LS|\x03")
            await reader.readuntil(b"LA|")
            writer.write(b"\x02LA|\x03")
            while not pump.session.is_up:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            assert pump.ask_for_resync()
            assert b"DR|" in await reader.readuntil(b"DR|")
        pump.stop()
        await running
        writer.close()


class SocketOpener:
    """One line over a socket that is there already."""

    def __init__(self, sock):
        self.sock = sock

    async def open(self):
        _, line = await asyncio.get_running_loop().create_connection(
            lambda: TcpLine(Gate()), sock=self.sock
        )
        return line

    async def close(self):
        pass

    def describe(self):
        return "a socket"


@pytest.mark.asyncio
async def test_a_silent_pms_is_complained_of_once_an_outage(tmp_path):
    async with pump_on(tmp_path, ScriptedLine([])) as pump:
        logs.set_up()
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
        logs.set_up()  # another test may have asked for quiet
        with capture_logs() as said:
            await pump.run()
        told = [each["event"] for each in said if each["log_level"] != "debug"]
        assert told.count("line_open") == 1
        assert told.count("line_lost") == 2  # the first of them, and the one that had spoken


@pytest.mark.asyncio
async def test_a_resync_is_void_when_the_line_is_lost_and_when_the_link_begins_anew(tmp_path):
    for ending in ([], [frame("LS|", lrc=False), frame("DE|", lrc=False)]):
        line = ScriptedLine(
            [frame("GI|RN101|G#1|GNA|GSN|", lrc=False),
             b"".join([frame("DS|", lrc=False), frame("GI|RN101|G#2|GNB|SF|", lrc=False), *ending])]
        )  # fmt: skip
        async with pump_on(tmp_path, line, ack=False) as pump:
            await pump.run()
            assert [guest.name for guest in pump.intake.house.rooms["101"].guests] == ["A", "B"]
            assert not pump.intake.house.ledger.in_resync


@pytest.mark.asyncio
async def test_a_resync_is_asked_for_when_the_site_says_so(tmp_path):
    line = ScriptedLine([frame("LA|", lrc=False)], waits=asyncio.Event())
    async with pump_on(tmp_path, line, ack=False, resync=Resync.EACH_TIME) as pump:
        running = asyncio.ensure_future(pump.run())
        while b"DR|" not in line.written:
            await asyncio.sleep(0.01)
        pump.stop()
        await asyncio.wait_for(running, 5)
        assert line.written.endswith(b"|\x03")
        assert b"\x02LE|" in line.written  # it says goodbye


@pytest.mark.asyncio
async def test_noise_is_counted_kept_in_part_and_nothing_else_is_lost(tmp_path):
    noise = random.Random(3).randbytes(5000).replace(b"\x02", b"")
    line = ScriptedLine([noise, b"\x02GI|RN1", GUESTS[0], b"\x02" + b"x" * 20000, GUESTS[1]])
    async with pump_on(tmp_path, line) as pump:
        await pump.run()
        assert entries(pump) == ["101", "102"]
        refused = pump.metrics.registry.get_sample_value
        assert refused("pmsgw_frames_refused_total", {"reason": "garbage"}) > 10
        assert refused("pmsgw_frames_refused_total", {"reason": "overlong"}) == 1
        assert 1 <= len(pump.intake.store.store.refused()) <= 4
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
        value = pump.metrics.registry.get_sample_value
        assert value("pmsgw_ack_seconds_count") == (2 if ack else 0)
        assert value("pmsgw_ack_seconds_bucket", {"le": "1.0"}) == 0
        assert value("pmsgw_ack_seconds_bucket", {"le": "1.5"}) == (2 if ack else 0)


@pytest.mark.asyncio
async def test_a_resync_that_broke_off_is_asked_for_again_a_few_times_and_then_told(tmp_path):
    """Each line is lost in the middle of the resync that was asked for."""
    up = frame("LA|", lrc=False)
    broken = [up, frame("DS|", lrc=False), frame("GI|RN101|G#1|GNA|SF|", lrc=False)]
    lines = [ScriptedLine(broken) for _ in range(MOST_RESYNCS_ASKED + 2)]
    async with pump_on(tmp_path, *lines, ack=False) as pump:
        with capture_logs() as said:
            await pump.run()
        asked = [line.written.count(b"\x02DR|") for line in lines]
        assert asked == [0, *[1] * MOST_RESYNCS_ASKED, 0]
        assert [each["event"] for each in said].count("resync_broken") == 1
        assert pump.metrics.registry.get_sample_value("pmsgw_resync_missing") == 1


@pytest.mark.asyncio
async def test_a_resync_that_comes_to_its_end_is_not_missing_any_more(tmp_path):
    up = frame("LA|", lrc=False)
    broken = ScriptedLine([up, frame("DS|", lrc=False)])
    whole = ScriptedLine([up, frame("DS|", lrc=False), frame("DE|", lrc=False)])
    again = ScriptedLine([up])
    async with pump_on(tmp_path, broken, whole, again, ack=False) as pump:
        await pump.run()
        assert pump.metrics.registry.get_sample_value("pmsgw_resync_missing") == 0
        assert [line.written.count(b"\x02DR|") for line in (broken, whole, again)] == [0, 1, 0]
