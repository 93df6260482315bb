"""A capture played again: through the whole gateway against a simulated UCM, or as a PMS."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final

from gateway import demo
from gateway.clock import Clock, local_zone
from gateway.config import Config
from gateway.line import Opener
from gateway.pipeline.room_map import RoomMap
from gateway.scope.decode import LINK_RECORDS
from gateway.scope.profile import LineProfile
from gateway.scope.recorder import Recorder
from gateway.scope.rows import rows_of
from gateway.service.parts import room_map
from gateway.simulators.ucm import Call
from protocols.transcript import Spoken, Step, parse_bytes, show_bytes

DELIVERED_WITHIN_S: Final = 30.0
_TELLING: Final = ("checkin", "checkout", "update", "mov", "wakeup", "dnd")
MOST_PAUSE_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one record of a capture would have done.

    record      its body, in the notation, guests masked unless they were asked for
    calls       what the UCM was asked, and its answer
    left        rows that wait or are parked after it
    """

    at: float | None
    record: str
    calls: tuple[str, ...]
    left: int


class _CaptureClock(Clock):
    """Wall time of the capture, so that its dates mean what they meant."""

    def __init__(self, zone: tzinfo) -> None:
        super().__init__(zone)
        self.shift_s = 0.0

    def epoch(self) -> float:
        return super().epoch() + self.shift_s

    def wind_to(self, at: float) -> None:
        self.shift_s += at - self.epoch()


def bodies(steps: Sequence[Step], profile: LineProfile) -> list[tuple[float | None, bytes]]:
    """The records about the hotel that the PMS said, each with its moment."""
    return [
        (row.at, parse_bytes(row.decoded.raw, profile.charset))
        for row in rows_of(steps, profile, names=True)
        if row.kind == "record"
        and row.from_pms
        and row.decoded
        and row.decoded.name not in LINK_RECORDS
    ]


async def through_gateway(
    steps: Sequence[Step],
    profile: LineProfile,
    folder: Path,
    *,
    config: Config | None,
    names: bool = False,
) -> AsyncIterator[Outcome]:
    """Every record of the PMS through a real gateway, to a simulated UCM that has all rooms.

    config      whose maps of rooms, rights and languages are used; None: the defaults
    folder      an empty one, for the gateway's files
    """
    records = bodies(steps, profile)
    rooms = room_map(config) if config else RoomMap()
    told = {room for _, body in records for room in _rooms(body, profile)}
    addresses = sorted(map(rooms.address_of, told))
    clock = _CaptureClock(config.zone if config else local_zone())
    calls: list[str] = []

    def note(call: Call) -> None:
        if call.action in _TELLING:
            calls.append(_shown(call, names=names))

    async with demo.STAGES[profile.protocol](
        folder,
        serial=True,
        rooms=tuple(addresses) or ("101",),
        charset=profile.charset,
        clock=clock,
        adapt=lambda plain: _adapted(plain, config),
    ) as on:
        on.ucm.on_call = note
        async with asyncio.timeout(DELIVERED_WITHIN_S):
            await on.pms.link_up()
        for at, body in records:
            if at is not None:
                clock.wind_to(at)
            on.pms.say(body.decode(profile.charset, "replace"))
            left = await _settle(on)
            shown = body if names else profile.dialect.mask(body)
            yield Outcome(at, show_bytes(shown, profile.charset), tuple(calls), left)
            calls.clear()
        on.ucm.on_call = None


async def _settle(on: demo.Stage | demo.LodgeStage) -> int:
    """Until nothing waits. Returns how many rooms are left, waiting or parked."""
    until = time.monotonic() + DELIVERED_WITHIN_S
    await on.pms.all_said()  # on a serial line: acknowledged, so on disk
    while True:
        outbox = on.service.outbox
        waiting, parked = len(outbox.waiting), len(outbox.parked)
        if not waiting or time.monotonic() > until:
            return waiting + parked
        await asyncio.sleep(0.005)


def _rooms(body: bytes, profile: LineProfile) -> set[str]:
    record = profile.dialect.record(body, profile.charset)
    told = (getattr(record, name, None) for name in ("room", "old_room"))
    return {room for room in told if isinstance(room, str) and room}


def _adapted(plain: Config, config: Config | None) -> Config:
    if config is None:
        return plain
    fias = plain.fias.model_copy(update={"infer_moves_s": config.fias.infer_moves_s})
    pms = plain.pms.model_copy(update={"room_first": config.pms.room_first})
    maps = ("rooms", "class_of_service", "language", "room_status")
    return plain.model_copy(
        update={name: getattr(config, name) for name in maps} | {"fias": fias, "pms": pms}
    )


def _shown(call: Call, *, names: bool) -> str:
    personal = ("lastname", "firstname")
    tags = " ".join(
        f"{name}={text if names or name not in personal else '…'}"
        for name, text in call.tags.items()
        if name not in ("address", "room") and text != ""
    )
    return f"{call.action} {call.room} {tags} [{call.code}]"


async def as_pms(
    steps: Sequence[Step],
    profile: LineProfile,
    opener: Opener,
    *,
    speed: float,
    listen_s: float,
    zone: tzinfo,
    show: Callable[[Step], None],
) -> None:
    """Say what the PMS said, byte for byte, at the pace of the capture. Raises LineFailed.

    speed       2: twice as fast; 0: without a pause
    listen_s    how long the answers to the last words are waited for
    show        told every step, ours and the peer's
    """
    recorder = Recorder(profile, Clock(zone))

    def turned(step: Step) -> None:  # here we are the PMS, and the peer is the gateway
        show(replace(step, from_pms=not step.from_pms) if isinstance(step, Spoken) else step)

    line = await opener.open()
    try:
        with recorder.told_to(turned):
            recorder.opened(line.describe())
            async with asyncio.TaskGroup() as group:
                hearing = group.create_task(_hear(line.read, recorder))
                before: float | None = None
                for step in steps:
                    if not isinstance(step, Spoken) or not step.from_pms:
                        continue
                    if speed and before is not None and step.at is not None:
                        await asyncio.sleep(min(MOST_PAUSE_S, max(0.0, step.at - before)) / speed)
                    before = step.at if step.at is not None else before
                    await line.write(step.data)
                    recorder.said(step.data)
                await asyncio.sleep(listen_s)
                hearing.cancel()
            recorder.closed("the capture is over")
    finally:
        await line.close()
        await opener.close()


async def _hear(read: Callable[[], Any], recorder: Recorder) -> None:
    while data := await read():
        recorder.heard(data)
    recorder.remark("the peer has gone")
