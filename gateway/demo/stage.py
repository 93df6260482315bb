"""A simulated PMS, a simulated UCM and the real gateway between them, all on loopback."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from gateway.clock import Clock
from gateway.config import Config, load
from gateway.line import ListenSpec, Opener, opener_for
from gateway.line.tcp import ListenOpener
from gateway.service.app import Service
from gateway.simulators.cable import PtyOpener
from gateway.simulators.certificate import fingerprint_of, write_certificate
from gateway.simulators.hotel import Hotel, differences
from gateway.simulators.lodge import Lodge
from gateway.simulators.mitel_pms import MitelPms
from gateway.simulators.pms import PmsSimulator
from gateway.simulators.ucm import UcmSimulator

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
        opener, line = await _line(stack, serial=serial)
        hotel = Hotel(rooms=rooms, seed=seed, today=today, moves=moves)
        pms = PmsSimulator(
            opener=opener,
            lrc=serial,
            ack=serial,
            charset=charset,
            every_room=lambda: hotel.resync()[1:-1],
        )
        fias = f'[fias]\nrecord_pacing_ms = 20\nencoding = "{charset}"\n'
        ucm_side = _ucm(stack, folder, rooms, seed, old_api=old_api)
        async with ucm_side as (ucm, url, ucm_section):
            written = _written(folder, f'line = "{line}"\n', ucm_section, http, f"{fias}{extra}")
            service = Service(adapt(load(written)), clock=clock)
            async with _running(service, pms.run()):
                yield Stage(hotel, pms, ucm, service, url, folder)


@dataclass(slots=True)
class LodgeStage:
    """The three players where the PMS keeps rooms, and speaks as to a Mitel."""

    lodge: Lodge
    pms: MitelPms
    ucm: UcmSimulator
    service: Service
    ucm_url: str

    async def delivered(self, within_s: float = SETTLE_WITHIN_S) -> None:
        """Wait until everything is said, and nothing waits in the outbox any more."""
        async with asyncio.timeout(within_s):
            await self.pms.all_said()
            while self.service.outbox.waiting:  # noqa: ASYNC110  # as a person would look
                await asyncio.sleep(0.02)

    async def settle(self, within_s: float = SETTLE_WITHIN_S) -> list[str]:
        """Wait until everything told has arrived. Returns the rooms that never agreed."""
        loop = asyncio.get_running_loop()
        until = loop.time() + within_s
        while True:
            await self.delivered(within_s)
            differences = self.lodge.differences(self.ucm.rooms.rooms)
            if not differences or loop.time() > until:
                return differences
            await asyncio.sleep(0.05)


@asynccontextmanager
async def lodge_stage(
    folder: Path,
    *,
    serial: bool = False,
    http: str = "127.0.0.1:0",
    rooms: tuple[str, ...] = ROOMS,
    seed: int = 1,
    extra: str = "",
    charset: str = "cp1252",  # noqa: ARG001  # as every stage's; the dialect has only this one
    clock: Clock | None = None,
    adapt: Callable[[Config], Config] = lambda config: config,
    back_off_s: float = 0.2,
    answer_s: float = 1.0,
) -> AsyncIterator[LodgeStage]:
    """The same for a PMS that speaks as to a Mitel; its times are those of `MitelPms`."""
    async with AsyncExitStack() as stack:
        opener, line = await _line(stack, serial=serial)
        lodge = Lodge(rooms, seed)
        pms = MitelPms(opener=opener, back_off_s=back_off_s, answer_s=answer_s)
        async with _ucm(stack, folder, rooms, seed) as (ucm, url, ucm_section):
            pms_section = f'protocol = "mitel"\nline = "{line}"\n'
            config = load(_written(folder, pms_section, ucm_section, http, extra))
            service = Service(adapt(config), clock=clock)
            async with _running(service, pms.run()):
                yield LodgeStage(lodge, pms, ucm, service, url)


STAGES: Final[Mapping[str, Callable[..., AbstractAsyncContextManager[Stage | LodgeStage]]]] = {
    "fias": stage,
    "mitel": lodge_stage,
}
"""By the dialect of the PMS."""


# --- What both have in common ---


async def _line(stack: AsyncExitStack, *, serial: bool) -> tuple[Opener, str]:
    """The PMS's end of a line, and what the gateway calls it."""
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
    return opener, line


@asynccontextmanager
async def _ucm(
    stack: AsyncExitStack, folder: Path, rooms: tuple[str, ...], seed: int, *, old_api: bool = False
) -> AsyncIterator[tuple[UcmSimulator, str, str]]:
    """A UCM with these rooms, its address, and its section of a configuration."""
    ucm = UcmSimulator(seed=seed)
    ucm.rooms.add(*rooms)
    ucm.settings.password = secrets.token_hex(8)
    ucm.settings.pms_password = secrets.token_hex(8)
    pem = write_certificate(folder)
    port = await ucm.start(pem)
    stack.push_async_callback(ucm.stop)
    url = f"https://127.0.0.1:{port}/{'pmsapi' if old_api else 'api'}"
    yield (
        ucm,
        url,
        (
            f'[ucm]\nurl = "{url}"\napi = "{"old" if old_api else "new"}"\n'
            f'username = "{ucm.settings.username}"\npassword = "{ucm.settings.password}"\n'
            f'pms_username = "{ucm.settings.pms_username}"\n'
            f'pms_password = "{ucm.settings.pms_password}"\n'
            f'fingerprint = "{fingerprint_of(pem)}"\nretry_interval_s = 0.5\ntimeout_s = 3\n'
        ),
    )


def _written(folder: Path, pms: str, ucm: str, http: str, more: str) -> Path:
    """The configuration, as a file."""
    file = folder / "gateway.toml"
    file.write_text(
        f'[site]\nname = "demo-hotel"\ntimezone = "{TIMEZONE}"\ndata_dir = "{folder}/data"\n'
        f'[pms]\n{pms}{ucm}[http]\nlisten = "{http}"\n{more}',
        encoding="utf-8",
    )
    return file


@asynccontextmanager
async def _running(service: Service, playing: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """The service and the PMS, until they are not needed any more."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        player = group.create_task(playing)
        running = group.create_task(service.run(stop))
        try:
            yield
        finally:
            stop.set()
            await asyncio.wait({running}, timeout=15)
            player.cancel()
