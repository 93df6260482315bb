"""A hotel, its PMS, its UCM and the real gateway in virtual time: sockets, cable, disk and clock are
stand-ins at the seams, everything behind them is the program."""

import asyncio
import random
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from unittest.mock import patch
from zoneinfo import ZoneInfo

from gateway import config as configuration
from gateway.house.wake_ups import next_of, rings_until
from gateway.pipeline.kept import house_of
from gateway.pipeline.outbox import Outbox
from gateway.pipeline.step import PARKED, WAITING
from gateway.service import app
from gateway.service.app import Service
from gateway.simulators.hotel import differences
from gateway.simulators.pms import PmsSimulator
from gateway.simulators.ucm import Call, UcmSimulator
from tests.torture.disk import VFS_NAME, Disk, mount, unmount
from tests.torture.mailboxes import Mailboxes, Seen
from tests.torture.meaning import Meaning, SuiteHotel
from tests.torture.virtual import VirtualClock, VirtualLoop, VirtualWorker
from tests.torture.world_line import Cable, Opener
from tests.torture.world_ucm import UcmPeer, asked_with

ROOMS = ("101", "102", "103", "104", "105", "106")
SUITES = {"205": "105", "206": "106", "306": "106"}
"""Rooms of the PMS that have no phone of their own."""
ZONE = ZoneInfo("Europe/Lisbon")


@dataclass(slots=True)
class World:
    """Everything of one hotel; `start` it inside its own loop."""

    seed: int
    folder: Path
    loop: VirtualLoop
    is_serial: bool
    start: datetime = field(default_factory=lambda: datetime(2026, 3, 14, 6, tzinfo=ZONE))
    extra: str = ""
    heals: bool = True
    rooms: tuple[str, ...] = ROOMS
    suites: Mapping[str, str] = field(default_factory=dict)
    rng: random.Random = field(init=False)
    clock: VirtualClock = field(init=False)
    disk: Disk = field(init=False)
    cable: Cable = field(init=False)
    hotel: SuiteHotel = field(init=False)
    meaning: Meaning = field(init=False)
    mailboxes: Mailboxes = field(init=False)
    ucm: UcmSimulator = field(init=False)
    pms: PmsSimulator = field(init=False)
    peer: UcmPeer = field(init=False)
    service: Service | None = None
    _running: asyncio.Task[None] | None = None
    _playing: asyncio.Task[None] | None = None
    _resyncs_lost: int = 0
    _was_lost: bool = False

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.clock = VirtualClock(self.loop, self.start)
        self.disk = Disk()
        self.cable = Cable(self.rng, is_serial=self.is_serial)
        phones = {room: room for room in self.rooms} | dict(self.suites)
        self.hotel = SuiteHotel(
            rooms=tuple(phones), seed=self.seed, today=self.start.date(), phones=phones
        )
        self.meaning = Meaning(self.hotel)
        self.ucm = UcmSimulator(now=self.loop.time, seed=self.seed)
        self.ucm.rooms.add(*phones.values())
        self.ucm.on_call = self.on_call
        self.mailboxes = Mailboxes(self.ucm.rooms.rooms, self.meaning)
        self.ucm.settings.tries = 10**6  # failed logins are counted, not punished twice
        self.pms = PmsSimulator(
            opener=Opener(self.cable, "pms"),
            lrc=self.is_serial,
            ack=self.is_serial,
            every_room=self._every_room,
            stamp=lambda: self.clock.true_wall().replace(tzinfo=None),
        )
        self.folder.mkdir(exist_ok=True)
        (self.folder / "gateway.toml").write_text(
            f'[site]\nname = "sim"\ntimezone = "{ZONE.key}"\ndata_dir = "{self.folder}"\n'
            f'[pms]\nline = "{"serial:/dev/null" if self.is_serial else "tcp:127.0.0.1:1"}"\n'
            f"[fias]\nrecord_pacing_ms = 0\n{self.extra}"
            '[ucm]\nurl = "http://127.0.0.1:1/api"\ntls = "insecure"\nusername = "pmsgw"\n'
            f'reconcile = "{"heal" if self.heals else "report"}"\n'
            'password = "api-secret"\npms_username = "hotel"\npms_password = "pms-secret"\n'
            + "".join(
                ["[rooms.map]\n", *(f'"{room}" = "{phone}"\n' for room, phone in phones.items())]
                if self.suites
                else []
            )
        )

    def _every_room(self) -> list[str]:
        records = self.hotel.resync()[1:-1]
        self.meaning.note()
        return records

    def say(self, *records: str) -> None:
        """The PMS says what the hotel has just done."""
        self.meaning.note()
        self.pms.say(*records)

    def on_call(self, call: Call) -> None:
        """The UCM was asked something: who hears what by now?"""
        self.mailboxes.look(call, asked_with.get())

    def seen(self) -> Seen:
        """What the gateway knows now."""
        assert self.service is not None
        outbox = self.service.outbox
        return Seen(dict(outbox.desired), dict(outbox.actual), frozenset(outbox._parked))

    def begin(self) -> None:
        """The PMS and the gateway are switched on."""
        random.seed(self.seed)  # jitter of the program
        self._playing = self.loop.create_task(self.pms.run())
        self.switch_on()

    def switch_on(self) -> None:
        """The gateway starts from what is on the disk."""
        mount(self.disk, self.folder)
        self.peer = UcmPeer(self.ucm, self.seen)
        with patch.object(app, "StoreWorker", VirtualWorker):  # a thread keeps no virtual time
            self.service = Service(
                configuration.load(self.folder / "gateway.toml"),
                clock=self.clock,
                opener=Opener(self.cable, "gateway"),
                peer=self.peer,
                vfs=VFS_NAME,
                pages=False,
            )
        self.mailboxes.follow(self.service.outbox)
        self._running = self.loop.create_task(self.service.run(asyncio.Event()))

    async def kill(self, *, power: bool) -> None:
        """kill -9, or a power cut: from this instant on nothing of the process has an effect."""
        assert self.service is not None
        assert self._running is not None
        self._note_lost_resyncs()
        left = self.disk.after_power_loss(self.rng) if power else self.disk.copy()
        away = self.peer.is_away
        self.peer.is_dead = True
        if (end := self.cable._ends.get("gateway")) is not None:
            await end.close()
        ended = self._running.done()
        self._running.cancel()
        await asyncio.wait({self._running})
        self.service._lock.close()
        # The dead process's handle still has the old disk: it must never reach the new one.
        self.disk.fault = None
        worker = self.service.store
        assert isinstance(worker, VirtualWorker)
        worker.die()
        worker.store.engine._drop()
        unmount(self.folder)
        running, self._running = self._running, None
        self.disk, self.service = left, None
        if ended:
            running.result()  # it must never end by itself
            raise AssertionError("the service ended by itself")
        self.peer.is_away = away

    async def end(self) -> None:
        """Everything is switched off."""
        if self.service is not None:
            await self.kill(power=False)
        if self._playing is not None:
            self._playing.cancel()
            with suppress(asyncio.CancelledError):
                await self._playing
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)

    # --- What must be true ---

    def differences(self) -> list[str]:
        """Phones that do not show what the PMS means, or do not ring as it ordered."""
        phones = self.meaning.as_phones()
        found = differences(phones, self.ucm.rooms.rooms, any_sharer=not self.is_serial)
        return found + self._words_differ()

    def _words_differ(self) -> list[str]:
        """Do-not-disturb and the next wake-up: by the gateway's own house, and where nothing can
        have been lost by the PMS's word."""
        found = []
        wall = self.clock.true_wall().replace(tzinfo=None)
        desired = self.service.outbox.desired if self.service is not None else {}
        for phone, stay in self.meaning.stays.items():
            room = self.ucm.rooms.rooms[phone]
            want = desired.get(phone)
            if not room.is_in:
                continue
            pending = None
            if room.wake_up is not None:
                at = datetime.strptime("".join(room.wake_up), "%Y%m%d%H%M")  # noqa: DTZ007  # hotel time
                pending = at if at > wall else None
            if want is not None and want.guest is not None:
                following = next_of(want.wake_ups, wall)
                rings = rings_until(want.wake_ups, wall)
                if rings is not None and wall < rings:
                    continue  # the UCM may still be ringing: the next one is not told yet
                if (
                    pending != following
                    and following != room.wake_up
                    and following != at_minute(wall)
                ):
                    found.append(f"{phone}: wake-up {pending}, the house means {following}")
                if room.dnd != want.dnd:
                    found.append(f"{phone}: dnd {room.dnd}, the house means {want.dnd}")
            if stay is not None and stay.is_sure and self.is_serial:
                if room.dnd != stay.dnd:
                    found.append(f"{phone}: dnd {room.dnd}, the PMS means {stay.dnd}")
                ordered = min((at for at in stay.wake_ups if at > wall), default=None)
                if stay.is_on_time and pending != ordered:
                    found.append(f"{phone}: wake-up {pending}, the PMS means {ordered}")
        return found

    def waiting(self) -> int:
        """Phones that are still to be told; large while no service runs."""
        return 10**9 if self.service is None else len(self.service.outbox.waiting)

    def parked(self) -> dict[str, str]:
        """Phones that the UCM refused, and why."""
        views = self.service.outbox.views([PARKED]) if self.service is not None else ()
        return {view.room: view.why for view in views}

    async def retry_parked(self) -> None:
        """An operator has mended what was wrong."""
        assert self.service is not None
        for phone in self.parked():
            await self.service.control.retry(phone)

    def books(self) -> list[str]:
        """Whether the file is whole and a start from it would know the same hotel."""
        assert self.service is not None
        fault, self.disk.fault = self.disk.fault, None
        try:
            store = self.service.store.store
            wrong = store.audit()
            kept = store.load()
        finally:
            self.disk.fault = fault
        rooms, ledger = house_of(kept)
        again = Outbox(tags_of=self.service.outbox.tags_of, wall=self.service.clock.stamp)
        damaged = again.restore(rooms, kept.rooms.values())
        wrong += [f"{room}: cannot be read back" for room in damaged]
        if ledger != self.service.house.ledger:
            wrong.append("the ledger on disk is another one")
        meant = {
            room: want
            for room, want in self.service.outbox.desired.items()
            if room in self.service.house.rooms
        }
        wrong += [
            f"{room}: the disk means something else"
            for room in meant.keys() | again.desired.keys()
            if meant.get(room) != again.desired.get(room)
        ]
        return wrong

    async def settle(self, within_s: float) -> list[str]:
        """Wait in calm weather until all is told and delivered. Returns what is still wrong."""
        until = self.loop.time() + within_s
        try:
            async with asyncio.timeout(within_s):
                await self.pms.all_said()
        except TimeoutError:
            return [f"the PMS could not say everything; link: {self._state()}"]
        while self.loop.time() < until:
            await asyncio.sleep(5)
            if self.waiting() == 0 and not self.unexplained():
                return []
        views = self.service.outbox.views([WAITING]) if self.service is not None else ()
        waiting = [f"{view.room} waits: {view.call} {view.why}" for view in views]
        return self.unexplained() or waiting or ["no service"]

    def unexplained(self) -> list[str]:
        """Differences but those of a phone that the UCM refuses."""
        parked = self.parked()
        return [each for each in self.differences() if each.partition(":")[0] not in parked]

    def resyncs_lost(self) -> int:
        """How many resyncs never came to their end since this was last asked: what the PMS meant
        to tell with them nobody knows, and an operator would ask for another one."""
        self._note_lost_resyncs()
        lost, self._resyncs_lost = self._resyncs_lost, 0
        return lost

    def is_exact(self) -> bool:
        """Nothing that the PMS said was ever lost: the gateway must know the hotel as it is."""
        self._note_lost_resyncs()
        return self.is_serial and not self._was_lost

    def _note_lost_resyncs(self) -> None:
        if self.service is not None:
            count = self.service.metrics.remarks.labels("resync_voided")
            self._resyncs_lost += int(count._value.get())
            self._was_lost |= bool(self._resyncs_lost)
            count.reset()

    def _state(self) -> str:
        return self.service.pump.session.state if self.service is not None else "off"


def at_minute(wall: datetime) -> datetime:
    """The minute that is running."""
    return wall.replace(second=0, microsecond=0)
