"""The other end of a charge port: a PMS, or a call accounting system, that hears call records."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from gateway.line import Line, LineFailed, Opener
from gateway.line.tcp import TcpLine
from protocols.dialects import DIALECTS
from protocols.errors import RecordError
from protocols.session import Signal
from protocols.stream import ACK, Control, Frame, Refusal

YES: Final = bytes([ACK])
NO_ANSWER: Final = b""


@dataclass(slots=True)
class ChargePort:
    """Hears records, and answers as it is told.

    protocol    holidex, hobic or smdr
    answer      what it says to a record; NO_ANSWER: nothing
    enquiry     what it says to ENQ
    heard       the records, in their order
    complaints  what was done against the specification
    """

    opener: Opener
    protocol: str
    answer: Callable[[bytes], bytes] = lambda _: YES
    enquiry: bytes = YES
    on_record: Callable[[bytes], None] | None = None
    heard: list[bytes] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    links: int = 0
    _line: Line | None = None

    def cut(self) -> None:
        """Somebody pulls the cable."""
        if isinstance(self._line, TcpLine):
            self._line.abort()

    async def run(self) -> None:
        """Open the line and hear, for ever."""
        while True:
            try:
                line = await self.opener.open()
                self._line, self.links = line, self.links + 1
                await self._hear(line)
                await line.close()
            except LineFailed:
                await asyncio.sleep(0.2)
            self._line = None

    async def _hear(self, line: Line) -> None:
        dialect = DIALECTS[self.protocol]
        reader = dialect.reader(True, True)
        asked = False
        while data := await line.read():
            for item in reader.receive(data):
                match item:
                    case Control(Signal.ENQ):
                        asked = True
                        await line.write(self.enquiry)
                    case Frame(body):
                        if self.protocol == "holidex" and not asked:
                            self.complaints.append("a record without an ENQ before it")
                        asked = False
                        await self._take(line, body)
                    case Refusal(reason):
                        self.complaints.append(f"bytes that are no record: {reason.value}")

    async def _take(self, line: Line, body: bytes) -> None:
        describe = DIALECTS[self.protocol].describe
        assert describe is not None  # these dialects explain themselves
        try:
            describe(body)
        except RecordError as error:
            self.complaints.append(str(error))
        self.heard.append(body)
        if self.on_record is not None:
            self.on_record(body)
        if answer := self.answer(body):
            await line.write(answer)
