"""The way back: from the end of a telephone call to its charge on the line, and a day of calls."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.figure import Figure, at
from bench.program import Gateway, certificate
from gateway.line import ListenSpec, opener_for
from gateway.line.tcp import ListenOpener
from gateway.simulators.pms import PmsSimulator
from gateway.simulators.ucm import UcmSimulator

ROOMS: Final = tuple(str(room) for room in range(101, 151))
SETTLED_S: Final = 20.0
"""How long the gateway leaves a call alone that has ended."""
A_DAY: Final = 20_000
AT_ONCE: Final = 50
"""Calls that end in one second of the compressed day."""


@dataclass(slots=True)
class Hotel:
    """A gateway with guests in all rooms, and when each charge was heard, by what was dialled."""

    gateway: Gateway
    pms: PmsSimulator
    ucm: UcmSimulator
    heard: dict[str, float]

    def call(self, number: int) -> tuple[str, float]:
        """A call that ends now. Returns what was dialled, and this moment."""
        digits, ended = f"0044{number:08}", self.ucm.phones.epoch()
        self.ucm.phones.call(ROOMS[number % len(ROOMS)], digits, talk_s=45, ended=ended)
        return digits, ended


def measure(scale: float) -> Iterator[Figure]:
    """Delays at two paces of the poll, then a day."""
    for poll_s in (20, 5):
        delays = asyncio.run(_delays(poll_s, seconds=120 * scale))
        goal = SETTLED_S + poll_s + 1
        note = f"{len(delays)} calls; polled every {poll_s} s, a call is left alone for 20 s"
        yield Figure(
            f"end of a call to its PS, poll_s = {poll_s}, p50", at(0.5, delays), "s", note=note
        )
        yield Figure(
            f"end of a call to its PS, poll_s = {poll_s}, p99", at(0.99, delays), "s", goal
        )
    count = round(A_DAY * scale)
    cpu_s, before_mb, after_mb, took_s = asyncio.run(_day(count))
    note = f"{count:,} calls booked in {took_s:.0f} s"
    yield Figure("processor, a day of calls, each", cpu_s / count * 1000, "ms", note=note)
    yield Figure("memory before the day", before_mb, "MB")
    yield Figure("memory after it", after_mb, "MB")


async def _delays(poll_s: int, seconds: float) -> list[float]:
    async with _hotel(poll_s) as hotel:
        ended = {}
        for number in range(max(2, round(2 * seconds))):
            digits, moment = hotel.call(number)
            ended[digits] = moment
            await asyncio.sleep(0.5)
        await _until(lambda: len(hotel.heard) >= len(ended), SETTLED_S + 2 * poll_s + 10)
        return [hotel.heard[digits] - moment for digits, moment in ended.items()]


async def _day(count: int) -> tuple[float, float, float, float]:
    async with _hotel(5) as hotel:
        loop = asyncio.get_running_loop()
        used, before, began = -hotel.gateway.cpu_s, hotel.gateway.resident_mb, loop.time()
        for number in range(count):
            hotel.call(number)
            if number % AT_ONCE == AT_ONCE - 1:
                await asyncio.sleep(1.0)
        await _until(lambda: len(hotel.heard) >= count, 600)
        return used + hotel.gateway.cpu_s, before, hotel.gateway.resident_mb, loop.time() - began


@asynccontextmanager
async def _hotel(poll_s: int) -> AsyncIterator[Hotel]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        ucm = UcmSimulator()
        ucm.rooms.add(*ROOMS)
        ucm.settings.password = ucm.settings.pms_password = "invented"
        await ucm.start(certificate(folder))
        listener = opener_for(ListenSpec("127.0.0.1", 0))
        assert isinstance(listener, ListenOpener)  # the spec says so
        await listener.listen()
        pms = PmsSimulator(opener=listener, lrc=False, ack=False)
        more = f'[back]\ncharges = "timed"\npoll_s = {poll_s}\n'
        line = f"tcp:127.0.0.1:{listener.port}"
        gateway = await asyncio.to_thread(Gateway, folder, ucm, line=line, more=more)  # type: ignore[arg-type]
        heard: dict[str, float] = {}

        def note(text: str, from_gateway: bool) -> None:
            if from_gateway and text.startswith("PS|"):
                heard[text.split("|DD")[1].split("|", maxsplit=1)[0]] = ucm.phones.epoch()

        pms.on_record = note
        async with asyncio.TaskGroup() as group:
            playing = group.create_task(pms.run())
            try:
                await pms.link_up()
                pms.say(*(f"GI|RN{room}|G#{room}|GNGuest|GA260101|GSN|" for room in ROOMS))
                await _until(lambda: all(room.is_in for room in ucm.rooms.rooms.values()), 60)
                asked = 'pmsgw_ucm_request_seconds_count{action="getSystemStatus",result="ok"}'
                await asyncio.to_thread(gateway.until, asked, 1)
                await asyncio.sleep(2)  # the first look only says from when calls are charged
                yield Hotel(gateway, pms, ucm, heard)
            finally:
                await asyncio.to_thread(gateway.stop)
                playing.cancel()
                await ucm.stop()
                await listener.close()


async def _until(is_so: Callable[[], bool], within_s: float) -> None:
    async with asyncio.timeout(within_s):
        while not is_so():  # noqa: ASYNC110  # as a person would look
            await asyncio.sleep(0.05)
