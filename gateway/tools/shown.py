"""A line whose both directions are shown as they go by, in the notation of transcripts."""

import asyncio
from collections.abc import Callable
from typing import Final

from gateway.line import Line, Opener
from protocols.fias import Cutter, mask
from protocols.fias.controls import ACK, ENQ, ETX, NAK, STX, T1_S
from protocols.transcript import show_bytes

_ANSWERS: Final = (bytes([ACK]), bytes([NAK]))


class ShownOpener:
    """Opens lines as another opener does, and shows what is said on them.

    as_pms      our side is the PMS, so what we write is shown as `pms>`
    names       guests are shown; else they are masked
    show        told each frame, answer or stray run, as a line of the notation
    heard       bytes that came from the other side
    """

    def __init__(
        self,
        opener: Opener,
        show: Callable[[str], None],
        *,
        as_pms: bool,
        lrc: bool,
        charset: str,
        names: bool,
    ) -> None:
        self._opener, self._show = opener, show
        self._as_pms, self._lrc, self._charset, self._names = as_pms, lrc, charset, names
        self._ready: Line | None = None
        self._line: ShownLine | None = None
        self._answers: asyncio.Queue[bytes] = asyncio.Queue()
        self.heard = 0

    async def prepare(self) -> None:
        """Open the first line now, where a failure can still be told. Raises LineFailed."""
        self._ready = await self._opener.open()

    async def open(self) -> Line:
        line, self._ready = self._ready, None
        self._line = ShownLine(line or await self._opener.open(), self)
        return self._line

    async def close(self) -> None:
        for line in (self._line, self._ready):
            if line is not None:
                await line.close()
        await self._opener.close()

    def describe(self) -> str:
        return self._opener.describe()

    async def write(self, data: bytes) -> None:
        """Hand bytes to the line that is open now; without one they are lost."""
        if self._line is not None:
            await self._line.write(data)

    async def say(self, data: bytes, *, is_answered: bool) -> bool:
        """Write bytes as they are. Returns whether they were taken, as far as that can be known.

        is_answered     the line answers: a whole frame wants its ACK within three seconds, an ENQ
                        any answer
        """
        while not self._answers.empty():
            self._answers.get_nowait()
        await self.write(data)
        is_frame = STX in data and ETX in data
        if not is_answered or not (is_frame or data[-1:] == bytes([ENQ])):
            return True
        try:
            async with asyncio.timeout(T1_S):
                return await self._answers.get() == bytes([ACK]) or not is_frame
        except TimeoutError:
            return False

    def tell(self, piece: bytes, *, is_ours: bool) -> None:
        """Show one piece of one direction."""
        if not is_ours and piece in _ANSWERS:
            self._answers.put_nowait(piece)
        shown = piece if self._names else mask(piece, has_lrc=self._lrc)
        who = "pms>" if is_ours == self._as_pms else "gw >"
        self._show(f"{who} {show_bytes(shown, self._charset)}")

    def cutter(self) -> Cutter:
        """Cuts one direction of a new line."""
        return Cutter(lrc=self._lrc)


class ShownLine:
    """One line of a `ShownOpener`."""

    def __init__(self, line: Line, tap: ShownOpener) -> None:
        self._line, self._tap = line, tap
        self._theirs, self._ours = tap.cutter(), tap.cutter()

    async def read(self) -> bytes:
        data = await self._line.read()
        self._tap.heard += len(data)
        for piece in self._theirs.feed(data):
            self._tap.tell(piece, is_ours=False)
        return data

    async def write(self, data: bytes) -> None:
        for piece in (*self._ours.feed(data), *self._ours.rest()):
            self._tap.tell(piece, is_ours=True)
        await self._line.write(data)

    async def close(self) -> None:
        for piece in self._theirs.rest():
            self._tap.tell(piece, is_ours=False)
        await self._line.close()

    def describe(self) -> str:
        return self._line.describe()

    def error_counts(self) -> dict[str, int] | None:
        return self._line.error_counts()

    def modem_lines(self) -> dict[str, bool] | None:
        return self._line.modem_lines()
