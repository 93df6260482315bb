"""kill -9 of the real process, over TCP and over a pty: at random instants and at named points.

The PMS and the UCM live here, the gateway in a child (see `crash_child`). The PMS of a serial line
repeats what was not acknowledged; over TCP it asks for nothing, so a resync ends each stretch.
"""

import asyncio
import os
import random
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from gateway import logs
from gateway.line import ListenSpec, opener_for
from gateway.pipeline.kept import house_of
from gateway.simulators.cable import PtyOpener
from gateway.simulators.certificate import fingerprint_of, write_certificate
from gateway.simulators.hotel import Hotel, differences
from gateway.simulators.pms import PmsSimulator
from gateway.simulators.ucm import UcmSimulator
from gateway.store import Store
from tests.torture.crash_child import POINTS
from tests.torture.figures import Figure, at_most, counted, none_of

ROOMS = tuple(str(room) for room in range(101, 109))
SETTLE_WITHIN_S = 60.0


@dataclass(slots=True)
class Site:
    """A PMS, a UCM, and a gateway that is killed again and again."""

    folder: Path
    is_serial: bool
    seed: int
    rng: random.Random = field(init=False)
    hotel: Hotel = field(init=False)
    ucm: UcmSimulator = field(init=False)
    pms: PmsSimulator = field(init=False)
    config: Path = field(init=False)
    kills: int = 0
    to_first_request_s: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    _playing: "asyncio.Task[None] | None" = None

    async def open(self) -> None:
        """Make the peers and the configuration."""
        self.rng = random.Random(self.seed)
        self.ucm = UcmSimulator(seed=self.seed)
        self.ucm.rooms.add(*ROOMS)
        pem = write_certificate(self.folder)
        port = await self.ucm.start(pem)
        self.hotel = Hotel(rooms=ROOMS, seed=self.seed)
        if self.is_serial:
            opener = PtyOpener()
            line = f"serial:{opener.path},115200,8n1"
        else:
            opener = opener_for(ListenSpec("127.0.0.1", 0))
            await opener.listen()
            line = f"tcp:127.0.0.1:{opener.port}"
        self.pms = PmsSimulator(opener=opener, lrc=self.is_serial, ack=self.is_serial,
                                start_again_s=0.3)  # fmt: skip
        self.config = self.folder / "gateway.toml"
        self.config.write_text(
            f'[site]\ndata_dir = "{self.folder}/data"\n[pms]\nline = "{line}"\n'
            f'[fias]\nrecord_pacing_ms = 0\n[ucm]\nurl = "https://127.0.0.1:{port}/api"\n'
            f'username = "pmsgw"\npassword = "api-secret"\npms_username = "hotel"\n'
            f'pms_password = "pms-secret"\nfingerprint = "{fingerprint_of(pem)}"\n'
            'retry_interval_s = 0.5\n[http]\nlisten = "127.0.0.1:0"\n'
        )
        self._playing = asyncio.ensure_future(self.pms.run())

    async def close(self) -> None:
        """Let go of everything."""
        assert self._playing is not None
        self._playing.cancel()
        with suppress(asyncio.CancelledError):
            await self._playing
        await self.pms.opener.close()
        await self.ucm.stop()

    async def live(self, point: str, count: int, within_s: float) -> bool:
        """One life of the gateway: killed at its point, or at the end of the time. A busy line all
        the while. Returns whether it killed itself."""
        asked = asyncio.Event()
        self.ucm.on_call = lambda _: asked.set()
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.torture.crash_child", str(self.config), point, str(count),
            env={**os.environ, "PYTHONHASHSEED": "0"},
        )  # fmt: skip
        loop = asyncio.get_running_loop()
        began, told = loop.time(), False
        while child.returncode is None and loop.time() - began < within_s:
            if len(self.pms._queue) < 6:
                self.pms.say(*self.hotel.random_deed())
            if asked.is_set() and not told:
                told = True
                self.to_first_request_s.append(loop.time() - began)
            with suppress(TimeoutError):
                async with asyncio.timeout(0.005):
                    await child.wait()
        by_itself = child.returncode is not None
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()
        self.kills += 1
        return by_itself

    async def settle(self) -> None:
        """A whole life without a kill: in the end every room is as the PMS means it."""
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.torture.crash_child", str(self.config), "never", "0"
        )
        try:
            if not self.is_serial:
                await self.pms.link_up()
                self.pms.say(*self.hotel.resync())
            async with asyncio.timeout(SETTLE_WITHIN_S):
                await self.pms.all_said()
                while self.differences():
                    await asyncio.sleep(0.05)
        except TimeoutError:
            self.wrong.append(
                f"after {self.kills} kills: {'; '.join(self.differences()) or 'not said'}"
            )
        finally:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
        store = Store(self.folder / "data" / "outbox.db")
        self.wrong += store.audit()
        kept = store.load()
        self.wrong += [
            f"{row.room}: {row.trouble}" for row in kept.rooms.values() if "parked" in row.trouble
        ]
        rooms, _ = house_of(kept)
        if self.is_serial:  # each record was acknowledged, and so it is on disk
            told = {room: set(numbers) for room, numbers in self.hotel.told.items() if numbers}
            known = {
                room: {guest.key for guest in each.guests}
                for room, each in rooms.items()
                if each.guests
            }
            if told != known:
                self.wrong.append("the file knows other guests than were acknowledged")
        store.close()

    def differences(self) -> list[str]:
        """Rooms in which the UCM does not show what the PMS means."""
        return differences(self.hotel, self.ucm.rooms.rooms, any_sharer=not self.is_serial)


async def crash(
    folder: Path, seed: int, *, is_serial: bool, random_kills: int, at_points: int
) -> Site:
    """Kill it so often, let it settle now and then."""
    site = Site(folder, is_serial, seed)
    await site.open()
    try:
        lives = [("never", 0, 0.3 + site.rng.random() * 1.2) for _ in range(random_kills)]
        for point in POINTS:
            lives += [(point, site.rng.randrange(1, 25), 6.0) for _ in range(at_points)]
        site.rng.shuffle(lives)
        for number, (point, count, within_s) in enumerate(lives, start=1):
            await site.live(point, count, within_s)
            if number % 25 == 0:
                await site.settle()
        await site.settle()
    finally:
        await site.close()
    return site


def run(seed: int, *, is_serial: bool, random_kills: int, at_points: int) -> Site:
    """The same in a loop and a folder of its own."""
    logs.set_up(quiet=True)
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(
            crash(
                Path(folder),
                seed,
                is_serial=is_serial,
                random_kills=random_kills,
                at_points=at_points,
            )
        )


def torture(scale: float, seed: int) -> list[Figure]:
    """1,000 random instants over each line, 100 at each named point of each."""
    figures = []
    for is_serial in (False, True):
        site = run(seed, is_serial=is_serial, random_kills=max(5, int(1000 * scale)),
                   at_points=max(1, int(100 * scale)))  # fmt: skip
        for text in site.wrong[:10]:
            print(text, file=sys.stderr)
        line = "serial" if is_serial else "tcp"
        times = sorted(site.to_first_request_s)
        figures += [
            counted(f"{line}: kills", site.kills),
            none_of(f"{line}: stretches after which something was wrong", len(site.wrong)),
            counted(f"{line}: lives that reached a request", len(times)),
            at_most(
                f"{line}: process start to first request, p99",
                times[int(len(times) * 0.99)],
                2,
                " s",
            ),
        ]
    return figures
