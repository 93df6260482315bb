"""Which side we play on a line that we try: the PMS, the PBX, or neither (`Raw`)."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from gateway.clock import Clock
from gateway.line import Line
from gateway.scope.profile import LineProfile
from gateway.simulators.mitel_pms import MitelPms
from gateway.simulators.pms import PmsSimulator
from gateway.tools.shown import ShownOpener
from protocols.dialects import LinkSettings
from protocols.errors import LocalProtocolError, RecordError
from protocols.fias.framing import write_frame
from protocols.session import DataReceived, Delivered, GaveUp, LinkDown, LinkUp, RecordRefused
from protocols.transcript import parse_bytes

PACING_S: Final = 0.1
"""Between the records of our description: some PMS lose them when they come at once."""

_LOOK_EVERY_S: Final = 0.2
_AGAIN_S: Final = 0.5


class Peer(Protocol):
    """One side of a conversation."""

    async def run(self) -> None:
        """Keep the line and play the part, for ever."""

    async def up(self) -> None:
        """Until records can be said."""

    async def say(self, text: str) -> bool:
        """Say a record, or bytes in the notation (as `<ENQ>`). Returns whether it was taken.

        May wait for ever: a PMS repeats what is not acknowledged. Raises ValueError for
        what is neither.
        """

    async def leave(self) -> None:
        """Say goodbye, where the part has one."""

    def complaints(self) -> list[str]:
        """What the other side did against the rules."""


class Raw:
    """Nobody: bytes and frames as they are, no link, no answers of ours."""

    def __init__(self, tap: ShownOpener, profile: LineProfile) -> None:
        self._tap, self._profile = tap, profile
        self._open = asyncio.Event()

    async def run(self) -> None:
        while True:
            line = await self._tap.open()
            self._open.set()
            while await line.read():
                pass  # shown by the tap
            self._open.clear()
            await line.close()
            await asyncio.sleep(_AGAIN_S)

    async def up(self) -> None:
        await self._open.wait()

    async def say(self, text: str) -> bool:
        return await self._tap.say(as_bytes(text, self._profile), is_answered=self._profile.ack)

    async def leave(self) -> None:
        pass

    def complaints(self) -> list[str]:
        return []


class AsPms:
    """The simulated PMS, whose guests are those it was told to say."""

    def __init__(self, tap: ShownOpener, profile: LineProfile) -> None:
        self._raw = Raw(tap, profile)
        self._guests: dict[str, str] = {}
        self._player = PmsSimulator(
            opener=tap,
            lrc=profile.lrc,
            ack=profile.ack,
            charset=profile.charset,
            every_room=lambda: list(self._guests.values()),
        )

    async def run(self) -> None:
        await self._player.run()

    async def up(self) -> None:
        await self._player.link_up()

    async def say(self, text: str) -> bool:
        if "<" in text or text[:2] in ("LA", "LE"):
            return await self._raw.say(text)
        if text[:2] == "LS":
            self._player.start_again()
            await self._player.link_up()
            return True
        self._remember(text)
        self._player.say(text)
        await self._player.all_said()
        return True

    def _remember(self, text: str) -> None:
        """A resync without the guests of this bench would check them all out."""
        room = next((part[2:] for part in text.split("|") if part.startswith("RN")), "")
        match text[:2]:
            case "GI":
                self._guests[room] = text
            case "GO":
                self._guests.pop(room, None)

    async def leave(self) -> None:
        pass  # a PMS that goes says nothing

    def complaints(self) -> list[str]:
        return self._player.complaints


class AsAskingPms:
    """The simulated PMS that asks with ENQ before each message."""

    def __init__(self, tap: ShownOpener, profile: LineProfile) -> None:
        self._raw = Raw(tap, profile)
        self._player = MitelPms(opener=tap)

    async def run(self) -> None:
        await self._player.run()

    async def up(self) -> None:
        await self._player.link_up()

    async def say(self, text: str) -> bool:
        if "<" in text:
            return await self._raw.say(text)
        refused = len(self._player.refused)
        self._player.say(text)
        await self._player.all_said()
        return len(self._player.refused) == refused

    async def leave(self) -> None:
        pass  # a PMS that goes says nothing

    def complaints(self) -> list[str]:
        return self._player.complaints


PMS: Final[Mapping[str, Callable[[ShownOpener, LineProfile], Peer]]] = {
    "fias": AsPms,
    "mitel": AsAskingPms,
}
"""Who plays the PMS, by the dialect."""


class AsPbx:
    """The gateway's own session, without a gateway behind it: every record is taken."""

    def __init__(self, tap: ShownOpener, profile: LineProfile, clock: Clock) -> None:
        self._tap, self._profile, self._clock = tap, profile, clock
        self._raw = Raw(tap, profile)
        site = LinkSettings(
            charset=profile.charset,
            lrc=profile.lrc,
            ack=profile.ack,
            is_serial=profile.is_serial,
            pacing_s=PACING_S,
            driver_version="1.0",
            says=frozenset(),
            outlet=False,
        )
        self._session = profile.dialect.session(site, clock.stamp)
        self._up = asyncio.Event()
        self._settled: dict[int, asyncio.Future[bool]] = {}

    async def run(self) -> None:
        while True:
            line = await self._tap.open()
            self._session.opened(self._clock.now())
            while True:
                await self._flush()
                data = await self._read(line)
                if data == b"":
                    break
                if data:
                    self._session.receive_data(data, self._clock.now())
                self._session.handle_timeout(self._clock.now())
                self._work_off()
            self._session.lost(self._clock.now())
            self._work_off()
            await line.close()
            await asyncio.sleep(_AGAIN_S)

    async def up(self) -> None:
        await self._up.wait()

    async def say(self, text: str) -> bool:
        if "<" in text:
            return await self._raw.say(text)
        record = as_record(text, self._profile)
        settled = asyncio.get_running_loop().create_future()
        self._settled[id(record)] = settled
        try:
            self._session.send(record, self._clock.now())
        except LocalProtocolError as error:
            raise ValueError(str(error)) from error
        await self._flush()
        self._work_off()
        return bool(await settled)

    async def leave(self) -> None:
        if self._session.is_up:
            self._session.leave(self._clock.now())
            await self._flush()

    def complaints(self) -> list[str]:
        return []

    async def _read(self, line: Line) -> bytes | None:
        """The next bytes; None: none came for a while, and it is time to look at the clock."""
        try:
            async with asyncio.timeout(_LOOK_EVERY_S):
                return await line.read()
        except TimeoutError:
            return None

    async def _flush(self) -> None:
        if output := self._session.bytes_to_send():
            await self._tap.write(output)

    def _work_off(self) -> None:
        while (event := self._session.next_event()) is not None:
            match event:
                case DataReceived() | RecordRefused():
                    self._session.accept(self._clock.now())
                case LinkUp():
                    self._up.set()
                case LinkDown():
                    self._up.clear()
                case Delivered(record):
                    self._settle(record, taken=True)
                case GaveUp(record):
                    self._settle(record, taken=False)
                case _:
                    pass  # shown by the tap

    def _settle(self, record: object, *, taken: bool) -> None:
        settled = self._settled.pop(id(record), None)
        if settled is not None and not settled.done():
            settled.set_result(taken)


def as_bytes(text: str, profile: LineProfile) -> bytes:
    """Bytes in the notation as they stand, anything else as one frame. Raises ValueError."""
    if "<" in text:
        return parse_bytes(text, profile.charset)
    return write_frame(text.encode(profile.charset, "replace"), lrc=profile.lrc)


def as_record(text: str, profile: LineProfile) -> Any:
    """The record that a text says. Raises ValueError."""
    try:
        return profile.dialect.record(text.encode(profile.charset, "replace"), profile.charset)
    except RecordError as error:
        raise ValueError(f"{text}: {error}") from error
