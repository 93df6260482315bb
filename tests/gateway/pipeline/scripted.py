"""A pump on lines that say what they are told to say."""

import asyncio
from contextlib import asynccontextmanager

from gateway import logs
from gateway.drivers.ucm.requests import Words, guest_tags
from gateway.house import House
from gateway.line import LineFailed
from gateway.metrics import Metrics
from gateway.pipeline.intake import Intake
from gateway.pipeline.kept import house_of
from gateway.pipeline.outbox import Outbox
from gateway.pipeline.pump import Pump, Resync
from gateway.pipeline.repeats import Repeats
from gateway.pipeline.reports import Ear, Reports
from gateway.pipeline.room_map import RoomMap
from gateway.store import Store, StoreWorker
from protocols.fias import FiasProfile, FiasSession, normalize
from protocols.fias.framing import write_frame
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


@asynccontextmanager
async def pump_on(tmp_path, *lines, ack=True, resync=Resync.NEVER):
    logs.set_up()  # another test may have asked for quiet
    clock = HandClock()
    store = Store(tmp_path / "outbox.db")
    metrics = Metrics(version="1", site="t")
    rooms, ledger = house_of(store.load())
    outbox = Outbox(tags_of=lambda guest, stay: guest_tags(guest, stay, Words()), wall=clock.stamp)
    outbox.restore(rooms, ())
    intake = Intake(
        house=House(zone=clock.zone, rooms=rooms, ledger=ledger), rooms=RoomMap(),
        outbox=outbox, store=StoreWorker(store), guests=Ear(normalize, Reports(clock, metrics, metrics.guests)), clock=clock, metrics=metrics,
        repeats=Repeats() if ack else None,
    )  # fmt: skip
    opener = ScriptedOpener(*lines)
    session = FiasSession(FiasProfile(pacing_s=0, lrc=ack, ack=ack), clock.stamp)
    pump = Pump(opener=opener, session=session, desk=intake, clock=clock, metrics=metrics.guests,
                answers=ack, resync=resync, rng=lambda: 1.0)  # fmt: skip
    opener.pump = pump
    try:
        yield pump
    finally:
        intake.store.close()


def frame(body, lrc=True):
    return write_frame(body.encode(), lrc=lrc)


GUESTS = [frame(f"GI|RN{room}|G#{room}|GNRossi|GSN|") for room in range(101, 106)]
