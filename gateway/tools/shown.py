"""A line whose both directions are shown as they go by, in the notation of transcripts."""

import asyncio
from collections.abc import Callable
from typing import Final

from gateway.line import Line, Opener, TappedOpener
from gateway.scope.profile import LineProfile
from protocols.fias.controls import T1_S
from protocols.stream import ACK, ENQ, ETX, NAK, STX
from protocols.transcript import show_bytes

_ANSWERS: Final = (bytes([ACK]), bytes([NAK]))


class ShownOpener:
    """Opens lines as another opener does, and shows what is said on them.

    as_pms      our side is the PMS, so what we write is shown as `pms>`
    names       guests are shown; else they are masked
    show        told each frame, answer or stray run, as a line of the notation
    has_heard   anything came from the other side
    """

    def __init__(
        self,
        opener: Opener,
        show: Callable[[str], None],
        profile: LineProfile,
        *,
        as_pms: bool,
        names: bool,
    ) -> None:
        self._opener, self._show, self._profile = TappedOpener(opener, self), show, profile
        self._as_pms, self._names = as_pms, names
        self._ready: Line | None = None
        self._line: Line | None = None
        self._theirs, self._ours = profile.cutter(), profile.cutter()
        self._answers: asyncio.Queue[bytes] = asyncio.Queue()
        self.has_heard = False

    async def prepare(self) -> None:
        """Open the first line now, where a failure can still be told. Raises LineFailed."""
        self._ready = await self._opener.open()

    async def open(self) -> Line:
        line, self._ready = self._ready, None
        self._line = line or await self._opener.open()
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

    # --- What the line tells: see `gateway.line.tap.Ear` ---

    def opened(self, line: str) -> None:  # noqa: ARG002  # the shape of an ear
        self._theirs, self._ours = self._profile.cutter(), self._profile.cutter()

    def closed(self, why: str) -> None:  # noqa: ARG002
        self._tell(self._theirs.rest(), is_ours=False)

    def heard(self, data: bytes) -> None:
        self.has_heard = True
        self._tell(self._theirs.feed(data), is_ours=False)

    def said(self, data: bytes) -> None:
        self._tell([*self._ours.feed(data), *self._ours.rest()], is_ours=True)

    def looked(self, errors: dict[str, int] | None, modem: dict[str, bool] | None) -> None:
        pass

    def _tell(self, pieces: list[bytes], *, is_ours: bool) -> None:
        who = "pms>" if is_ours == self._as_pms else "gw >"
        for piece in pieces:
            if not is_ours and piece in _ANSWERS:
                self._answers.put_nowait(piece)
            shown = piece if self._names else self._profile.masked(piece)
            self._show(f"{who} {show_bytes(shown, self._profile.charset)}")
