"""A simulated PMS interface: FIAS over TCP (either way round) or a serial line, strict.

It starts the link as the real one does, wants the whole description before it says LA, repeats
what is not acknowledged, and answers DR with every room.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from gateway.line import Line, LineFailed, Opener
from gateway.line.tcp import TcpLine
from gateway.simulators.cashier import Cashier
from protocols.errors import RecordError
from protocols.fias.codec import decode
from protocols.fias.controls import MAX_ENQUIRIES, MAX_RESENDS, SERIAL_GAP_S, T1_S, TCP_GAP_S
from protocols.fias.framing import frame_reader, write_frame
from protocols.fias.records import (
    LinkAlive,
    LinkDescription,
    LinkEnd,
    LinkRecordWanted,
    LinkStart,
    Posting,
    Record,
    ResyncRequest,
)
from protocols.session import Signal
from protocols.stream import ACK, ENQ, NAK, Blank, Control, Frame

MANDATORY: Final = {"GI": {"RN", "G#", "GS"}, "GO": {"RN", "G#", "GS"}, "GC": {"RN", "G#", "GS"}}
"""Fields without which the real one refuses an LR."""


_LEAST: Final = {"PB": {"GI", "GO"}, "CA": {"PS", "PA"}}
"""By what the gateway says it is in LD: without an LR for these it would be of no use."""


@dataclass(slots=True)
class PmsSimulator:
    """One PMS interface on one line.

    every_room      gives every room's records for a resync, without DS and DE
    on_record       hears each record, and whether the gateway sent it
    on_failure      hears why the line could not be opened, once for each cause
    start_again_s   between two LS without an answer
    damage          what noise makes of a frame of ours
    complaints      what the gateway did against the specification
    cashier         takes postings
    interface       what the gateway says it is: PB, CA
    """

    opener: Opener
    lrc: bool
    ack: bool
    charset: str = "cp1252"
    every_room: Callable[[], list[str]] = list
    stamp: Callable[[], datetime] = datetime.now
    on_record: Callable[[str, bool], None] | None = None
    on_failure: Callable[[str], None] | None = None
    start_again_s: float = 12.0
    damage: Callable[[bytes], bytes] | None = None
    complaints: list[str] = field(default_factory=list)
    cashier: Cashier = field(default_factory=Cashier)
    links: int = 0
    interface: str = ""
    _wanted: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _described: bool = False
    _in_resync: bool = False
    _line: Line | None = None
    _queue: deque[str] = field(default_factory=deque)
    _link_queue: deque[str] = field(default_factory=deque)
    _answers: asyncio.Queue[Signal] = field(default_factory=asyncio.Queue)
    _work: asyncio.Event = field(default_factory=asyncio.Event)
    _idle: asyncio.Event = field(default_factory=asyncio.Event)
    _up: asyncio.Event = field(default_factory=asyncio.Event)
    _started_at: float = float("-inf")
    _last_answer: int = NAK

    @property
    def is_up(self) -> bool:
        """Both sides have said LA."""
        return self._up.is_set()

    def say(self, *records: str) -> None:
        """Queue records for the line; they wait while the link is down, as in a real PMS."""
        self._queue += records
        self._idle.clear()
        self._work.set()

    async def all_said(self) -> None:
        """Until every queued record has been taken by the gateway."""
        await self._idle.wait()

    async def link_up(self) -> None:
        """Until both sides have said LA."""
        await self._up.wait()

    def cut(self) -> None:
        """Somebody pulls the cable."""
        if self._line is not None:
            line, self._line = self._line, None
            if isinstance(line, TcpLine):
                line.abort()
        self._link_down()

    def start_again(self) -> None:
        """Say LS in the middle of everything, as after a restart of the interface."""
        self._link_down()
        self._say_start()

    async def run(self) -> None:
        """Open the line and play the PMS's part, for ever."""
        complained = ""
        while True:
            try:
                line = await self.opener.open()
            except LineFailed as error:
                if self.on_failure is not None and str(error) != complained:
                    complained = str(error)
                    self.on_failure(complained)
                await asyncio.sleep(0.2)
                continue
            complained = ""
            self._line = line
            self.links += 1
            self._last_answer = NAK
            try:
                async with asyncio.TaskGroup() as group:
                    reading = group.create_task(self._read(line))
                    writing = group.create_task(self._write(line))
                    await asyncio.wait({reading, writing}, return_when=asyncio.FIRST_COMPLETED)
                    reading.cancel()
                    writing.cancel()
            except* LineFailed:
                pass  # the peer has gone: the next line comes
            self._link_down()
            self._link_queue.clear()
            await line.close()
            await asyncio.sleep(0.05)

    # --- In ---

    async def _read(self, line: Line) -> None:
        reader = frame_reader(lrc=self.lrc, handshake=self.ack)
        while True:
            gap = None if reader.is_between_frames else SERIAL_GAP_S if self.ack else TCP_GAP_S
            try:
                async with asyncio.timeout(gap):
                    data = await line.read()
            except TimeoutError:
                items = reader.gap()  # noise made a beginning where none was
            else:
                if not data:
                    return
                items = reader.receive(data)
            for item in items:
                match item:
                    case Control(signal) if signal is Signal.ENQ:
                        await self._answer(line, self._last_answer)
                    case Control(signal):
                        self._answers.put_nowait(signal)
                    case Frame(body):
                        await self._hear(line, body)
                    case Blank():
                        pass  # line ends between frames say nothing
                    case _:
                        self.complaints.append(f"refused bytes: {item}")
                        await self._answer(line, NAK)

    async def _answer(self, line: Line, byte: int) -> None:
        self._last_answer = byte
        if self.ack:
            await line.write(bytes([byte]))

    async def _hear(self, line: Line, body: bytes) -> None:
        await self._answer(line, ACK)
        if self.on_record is not None:
            self.on_record(body.decode(self.charset, "replace"), True)
        try:
            record = decode(body, self.charset)
        except RecordError as error:
            self.complaints.append(str(error))
            return
        self._act(record, body)

    def _act(self, record: Record, body: bytes) -> None:
        match record:
            case LinkStart():
                # LA to a gateway that we still know, LS to a new one.
                self._say_link("LA" if self.is_up else "LS")
            case LinkDescription():
                self._wanted.clear()
                self._described = True
                self.interface = record.interface or ""
                if None in (record.day, record.at, record.interface, record.version):
                    self.complaints.append("LD without DA, TI, IF or V#")
            case LinkRecordWanted(wanted=str(wanted), fields=tuple(fields)):
                self._wanted[wanted] = fields
                if not body.startswith(b"LR|RI"):
                    self.complaints.append("LR must be RI, then FL")
                if missing := MANDATORY.get(wanted, set()) - set(fields):
                    self.complaints.append(f"LR for {wanted} without {missing}")
            case LinkAlive():
                if self.is_up:
                    return  # never answered
                if self._described and _LEAST.get(self.interface, set()) <= self._wanted.keys():
                    self._say_link("LA")
                    self._up.set()
                    self._work.set()
                else:
                    self.complaints.append("LA before a complete description")
            case LinkEnd():
                self._say_link("LE")
                self._link_down()
            case ResyncRequest() if self.is_up:
                stamp = self._day_and_time()
                self.say(f"DS|{stamp}", *self.every_room(), f"DE|{stamp}")
            case Posting() if self.is_up:
                if not {"PS", "PA"} <= self._wanted.keys():
                    self.complaints.append("PS although no LR names PS and PA")
                stamp = self._day_and_time()
                answer = self.cashier.take(record, stamp, in_resync=self._in_resync)
                if answer is not None:
                    self.say(answer)
            case _:
                if not self.is_up:
                    self.complaints.append(f"{record.record_id} while the link is down")

    # --- Out ---

    def _link_down(self) -> None:
        self._described = self._in_resync = False
        self._up.clear()

    def _say_start(self) -> None:
        self._say_link("LS")
        self._started_at = asyncio.get_running_loop().time()

    def _say_link(self, record_id: str) -> None:
        self._link_queue.append(f"{record_id}|{self._day_and_time()}")
        self._work.set()

    def _day_and_time(self) -> str:
        return f"{self.stamp():DA%y%m%d|TI%H%M%S|}"

    async def _write(self, line: Line) -> None:
        self._say_start()
        loop = asyncio.get_running_loop()
        while True:
            if self._link_queue:
                await self._send(line, self._link_queue.popleft())
                continue
            if self._queue and self.is_up:
                if await self._send(line, self._queue[0]):
                    self._queue.popleft()
                else:
                    await asyncio.sleep(T1_S)  # no peer, or one that cannot take it
                continue
            if not self._queue:
                self._idle.set()
            self._work.clear()
            wait = None if self.is_up else self._started_at + self.start_again_s - loop.time()
            try:
                async with asyncio.timeout(None if wait is None else max(0.01, wait)):
                    await self._work.wait()
            except TimeoutError:
                if not self.is_up and not self._described:
                    self._say_start()

    async def _send(self, line: Line, record: str) -> bool:
        """One record with everything the line's rules ask for. False: never acknowledged."""
        if record[:3] in ("DS|", "DE|"):
            self._in_resync = record[:2] == "DS"
        if self.on_record is not None:
            self.on_record(record, False)
        frame = write_frame(record.encode(self.charset, "replace"), lrc=self.lrc)
        if not self.ack:
            await line.write(frame)
            return True
        while not self._answers.empty():
            self._answers.get_nowait()
        for _ in range(MAX_RESENDS + 1):
            await line.write(self.damage(frame) if self.damage else frame)
            answer = await self._await_answer(line)
            if answer is Signal.ACK:
                return True
            if answer is None:
                return False
        return False

    async def _await_answer(self, line: Line) -> Signal | None:
        for _ in range(MAX_ENQUIRIES + 1):
            try:
                async with asyncio.timeout(T1_S):
                    return await self._answers.get()
            except TimeoutError:
                await line.write(bytes([ENQ]))
        return None
