"""The demo: a simulated PMS, a simulated UCM and the real gateway between them, all on loopback."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from gateway import config as configuration
from gateway.app import Service
from gateway.clock import Clock
from gateway.config import Config
from gateway.line import ListenSpec, opener_for
from gateway.line.tcp import ListenOpener
from gateway.simulators.certificate import fingerprint_of, write_certificate
from gateway.simulators.hotel import Hotel, differences
from gateway.simulators.pms import PmsSimulator, PtyOpener
from gateway.simulators.ucm import Call, UcmSimulator

ROOMS: Final = tuple(str(floor * 100 + door) for floor in (1, 2, 3) for door in range(1, 11))
TIMEZONE: Final = "Europe/Lisbon"
SETTLE_WITHIN_S: Final = 60.0


@dataclass(slots=True)
class Stage:
    """The three players, running."""

    hotel: Hotel
    pms: PmsSimulator
    ucm: UcmSimulator
    service: Service
    ucm_url: str
    folder: Path

    def differences(self) -> list[str]:
        """Rooms in which the UCM does not show what the PMS means; the words name no guest."""
        return differences(self.hotel, self.ucm.rooms.rooms)

    async def delivered(self, within_s: float = SETTLE_WITHIN_S) -> None:
        """Wait until nothing waits in the outbox any more."""
        async with asyncio.timeout(within_s):
            await asyncio.sleep(0.1)
            while (await self.service.status())["outbox"].get("waiting"):  # noqa: ASYNC110  # as a person would look
                await asyncio.sleep(0.05)

    async def settle(self, within_s: float = SETTLE_WITHIN_S) -> list[str]:
        """Wait until everything told has arrived. Returns the rooms that never agreed."""
        loop = asyncio.get_running_loop()
        until = loop.time() + within_s
        async with asyncio.timeout(within_s):
            await self.pms.all_said()
        while True:
            await asyncio.sleep(0.05)
            status = await self.service.status()
            differences = self.differences()
            if not differences and status["outbox"].get("waiting") == 0:
                return []
            if loop.time() > until:
                return differences or ["the outbox is not empty"]


@asynccontextmanager
async def stage(
    folder: Path,
    *,
    serial: bool = False,
    old_api: bool = False,
    http: str = "127.0.0.1:0",
    rooms: tuple[str, ...] = ROOMS,
    seed: int = 1,
    today: date = date(2026, 3, 14),
    moves: bool = True,
    extra: str = "",
    charset: str = "cp1252",
    clock: Clock | None = None,
    adapt: Callable[[Config], Config] = lambda config: config,
) -> AsyncIterator[Stage]:
    """Set the three players up in `folder`, on free ports, and take them down at the end.

    extra   more TOML for the gateway's configuration
    clock   the gateway's, instead of this machine's
    adapt   what is different in the configuration of another site
    """
    async with AsyncExitStack() as stack:
        ucm = UcmSimulator(seed=seed)
        ucm.rooms.add(*rooms)
        ucm.settings.password = secrets.token_hex(8)
        ucm.settings.pms_password = secrets.token_hex(8)
        pem = write_certificate(folder)
        port = await ucm.start(pem)
        stack.push_async_callback(ucm.stop)

        hotel = Hotel(rooms=rooms, seed=seed, today=today, moves=moves)
        opener: PtyOpener | ListenOpener
        if serial:
            opener = PtyOpener()
            line = f"serial:{opener.path},9600,8n1"
        else:
            listener = opener_for(ListenSpec("127.0.0.1", 0))
            assert isinstance(listener, ListenOpener)  # the spec says so
            await listener.listen()
            opener, line = listener, f"tcp:127.0.0.1:{listener.port}"
        stack.push_async_callback(opener.close)
        pms = PmsSimulator(
            opener=opener,
            lrc=serial,
            ack=serial,
            charset=charset,
            every_room=lambda: hotel.resync()[1:-1],
        )
        path = "pmsapi" if old_api else "api"
        url = f"https://127.0.0.1:{port}/{path}"
        (folder / "gateway.toml").write_text(
            f'[site]\nname = "demo-hotel"\ntimezone = "{TIMEZONE}"\ndata_dir = "{folder}/data"\n'
            f'[pms]\nline = "{line}"\n'
            f"[ucm]\n"
            f'url = "{url}"\napi = "{"old" if old_api else "new"}"\n'
            f'username = "{ucm.settings.username}"\npassword = "{ucm.settings.password}"\n'
            f'pms_username = "{ucm.settings.pms_username}"\n'
            f'pms_password = "{ucm.settings.pms_password}"\n'
            f'fingerprint = "{fingerprint_of(pem)}"\nretry_interval_s = 0.5\ntimeout_s = 3\n'
            f'[http]\nlisten = "{http}"\n'
            f'[fias]\nrecord_pacing_ms = 20\nencoding = "{charset}"\n{extra}',
            encoding="utf-8",
        )
        service = Service(adapt(configuration.load(folder / "gateway.toml")), clock=clock)
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            playing = group.create_task(pms.run())
            running = group.create_task(service.run(stop))
            try:
                yield Stage(hotel, pms, ucm, service, url, folder)
            finally:
                stop.set()
                await asyncio.wait({running}, timeout=15)
                playing.cancel()


async def play(show: Callable[[str], None], folder: Path, *, once: bool, serial: bool) -> bool:
    """A hotel day, told as it happens. Returns whether every room ended as the PMS meant it."""
    http = "127.0.0.1:0" if once else "127.0.0.1:9843"
    today = datetime.now(ZoneInfo(TIMEZONE)).date()
    async with stage(folder, serial=serial, http=http, today=today) as on:
        counts = {"records": 0, "calls": 0, "repaired": 0}

        def heard(record: str, from_gateway: bool) -> None:  # the simulator's shape
            if not from_gateway:
                counts["records"] += 1
            show(f"  {'gw >' if from_gateway else 'pms>'} {record}")

        def called(call: Call) -> None:
            counts["calls"] += 1
            if call.action in ("checkin", "checkout", "update", "mov", "wakeup", "dnd"):
                told = " ".join(
                    f"{name}={text}"
                    for name, text in call.tags.items()
                    if name not in ("address", "room")
                )
                word = "no reply" if call.code is None else f"[{call.code}]"
                counts["repaired"] += call.code not in (0, -100)
                show(f"       ucm< {call.action} {call.room} {told} {word}")

        on.pms.on_record, on.ucm.on_call = heard, called
        show(f"PMS on {on.service.opener.describe()}, UCM at {on.ucm_url}")
        show(f"gateway: http://127.0.0.1:{on.service.pages[0].port}/metrics  /healthz  /readyz\n")
        day = 0
        while True:
            day += 1
            for chapter, records in _day(on):
                show(f"\n{chapter}")
                on.pms.say(*records)
                async with asyncio.timeout(SETTLE_WITHIN_S):
                    await on.pms.all_said()
                await on.delivered()
            differences = await on.settle()
            occupied = sum(1 for room in on.hotel.rooms if on.hotel.shown(room).is_in)
            show(
                f"\nDay {day}: {counts['records']} records, {counts['calls']} requests to the UCM, "
                f"{counts['repaired']} of them answered with trouble and repaired; "
                f"{occupied} of {len(on.hotel.rooms)} rooms occupied."
            )
            for difference in differences:
                show(f"  DIFFERENT  {difference}")
            for complaint in on.pms.complaints:
                show(f"  COMPLAINT of the PMS  {complaint}")
            ok = not differences and not on.pms.complaints
            show(
                "Every room on the UCM is as the PMS meant it."
                if ok
                else "The UCM and the PMS do not agree."
            )
            if once or not ok:
                on.pms.on_record = on.ucm.on_call = None
                return ok
            on.hotel.today += timedelta(days=1)
            await asyncio.sleep(5)


def _day(on: Stage) -> Iterator[tuple[str, list[str]]]:
    """The chapters of one day, each made when the one before has been played."""
    hotel, today = on.hotel, f"{on.hotel.today:%y%m%d}"

    def several(count: int, deed: Callable[[], list[str]]) -> list[str]:
        return [record for _ in range(count) for record in deed()]

    arrivals = min(8, len(hotel.free) - 4)  # some rooms stay free for those who move
    yield "Morning: guests arrive.", several(arrivals, lambda: hotel.check_in(hotel.free[0]))
    yield (
        "They share rooms: one name on the phone, everybody remembered.",
        several(2, lambda: hotel.check_in(hotel.taken[0])),
    )
    room, other = hotel.taken[0], hotel.taken[1]
    yield (
        "A guest moves and takes mailbox and wake-up along; another joins a shared room.",
        [*hotel.move(hotel.taken[-1], hotel.free[-1]), *hotel.move(room, other)],
    )
    yield (
        "Reception changes data; housekeeping and wake-ups.",
        [
            *several(3, lambda: hotel.change(room)),
            *hotel.restrict(other),
            f"RE|RN{room}|DNY|",
            f"RE|RN{hotel.free[0]}|RS3|",
            f"WR|RN{room}|DA{today}|TI235900|",
            f"WC|RN{room}|DA{today}|TI235900|",
        ],
    )
    yield (
        "Noon: guests leave; the last one of a room takes the mailbox with him.",
        several(max(4, len(hotel.taken) - 6), lambda: hotel.check_out(hotel.taken[0])),
    )
    on.ucm.fail("drop", action="checkin", times=2)
    on.ucm.fail("code", action="checkout", value=-9, times=1)
    on.ucm.fail("cookie", times=1)
    yield (
        "Afternoon with a troubled UCM: lost replies, a refusal, a dead session.",
        several(12, hotel.random_deed),
    )
    on.ucm.faults.clear()
    for _ in range(5):
        hotel.silent_deed()
    yield (
        "Evening: the PMS was off the line for a while; a resync tells every room.",
        hotel.resync(),
    )
    yield "Night audit.", [f"NS|DA{today}|TI030000|", f"NE|DA{today}|TI031500|"]
