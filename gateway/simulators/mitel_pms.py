"""A PMS that speaks as to a Mitel SX-200: the other end of the half-duplex line."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.line import Line, LineFailed, Opener
from gateway.line.tcp import TcpLine
from protocols.mitel.framing import frame_reader, write_text
from protocols.session import Signal
from protocols.stream import ACK, ENQ, NAK, Control, Frame

BACK_OFF_S = 6.0
"""After a collision the PBX goes first. Source: MiVoice Business help."""
TRIES = 4
"""Of a text that is refused, without another ENQ. Source: 3CX."""


@dataclass(slots=True)
class MitelPms:
    """Says texts, and hears those of the gateway.

    opener      where the gateway is
    answer_s, back_off_s    shorter in tests
    yields      whether it lets the gateway go first when both ask at once
    damage      what the line makes of our bytes
    heard       texts of the gateway, without the blanks around
    """

    opener: Opener
    answer_s: float = 3.0
    back_off_s: float = BACK_OFF_S
    yields: bool = True
    damage: Callable[[bytes], bytes] | None = None
    on_record: Callable[[str, bool], None] | None = None
    heard: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    links: int = 0
    _queue: deque[str] = field(default_factory=deque)
    _answers: asyncio.Queue[int] = field(default_factory=asyncio.Queue)
    _work: asyncio.Event = field(default_factory=asyncio.Event)
    _idle: asyncio.Event = field(default_factory=asyncio.Event)
    _theirs: asyncio.Event = field(default_factory=asyncio.Event)
    _opened: asyncio.Event = field(default_factory=asyncio.Event)
    _line: Line | None = None
    _asks: bool = False

    def say(self, *texts: str) -> None:
        """Queue texts, without STX and ETX."""
        self._queue += texts
        self._idle.clear()
        self._work.set()

    async def link_up(self) -> None:
        """Until the line is open: there is no more to a link."""
        await self._opened.wait()

    async def all_said(self) -> None:
        """Until the gateway has taken or refused all of them."""
        if self._queue:
            await self._idle.wait()

    def cut(self) -> None:
        """Somebody pulls the cable."""
        if isinstance(self._line, TcpLine):
            self._line.abort()

    async def run(self) -> None:
        """Open the line and play the PMS's part, for ever."""
        while True:
            try:
                line = await self.opener.open()
            except LineFailed:
                await asyncio.sleep(0.2)
                continue
            self._line, self.links = line, self.links + 1
            self._opened.set()
            self._work.set()
            try:
                async with asyncio.TaskGroup() as group:
                    reading = group.create_task(self._read(line))
                    writing = group.create_task(self._write(line))
                    await asyncio.wait({reading, writing}, return_when=asyncio.FIRST_COMPLETED)
                    reading.cancel()
                    writing.cancel()
            except* LineFailed:
                pass  # the peer has gone: the next line comes
            self._line = None
            await line.close()
            await asyncio.sleep(0.05)

    async def _read(self, line: Line) -> None:
        reader = frame_reader()
        while data := await line.read():
            for item in reader.receive(data):
                match item:
                    case Control(Signal.ENQ):
                        await self._asked(line)
                    case Control(signal):
                        self._answers.put_nowait(ACK if signal is Signal.ACK else NAK)
                    case Frame(body):
                        text = body.decode("ascii", "replace")
                        self.heard.append(text.strip())
                        if self.on_record is not None:
                            self.on_record(text, True)
                        await line.write(bytes([ACK]))
                        self._theirs.set()
                    case _:
                        self.complaints.append(f"refused bytes: {item}")

    async def _asked(self, line: Line) -> None:
        """The gateway wants to say something."""
        if self._asks and not self.yields:
            return
        self._asks = False
        self._theirs.clear()
        await line.write(bytes([ACK]))

    async def _write(self, line: Line) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            while self._queue:
                if await self._transact(line, self._queue[0]):
                    self._queue.popleft()
            self._idle.set()

    async def _transact(self, line: Line, text: str) -> bool:
        """One text, from ENQ on. Returns whether the gateway has taken or refused it."""
        while not self._answers.empty():
            self._answers.get_nowait()
        self._asks = True
        await self._put(line, bytes([ENQ]))
        answer = await self._answer()
        if not self._asks:  # the gateway asked at the same moment, and goes first
            await asyncio.sleep(self.back_off_s)
            return False
        self._asks = False
        if answer != ACK:
            await asyncio.sleep(self.answer_s)
            return False
        for _ in range(TRIES):
            await self._put(line, write_text(text.encode("cp1252")))
            answer = await self._answer()
            if answer == ACK:
                if self.on_record is not None:
                    self.on_record(text, False)
                return True
            if answer is None:
                return False
        self.refused.append(text)
        return True

    async def _put(self, line: Line, data: bytes) -> None:
        await line.write(data if self.damage is None else self.damage(data))

    async def _answer(self) -> int | None:
        try:
            async with asyncio.timeout(self.answer_s):
                return await self._answers.get()
        except TimeoutError:
            return None
