"""A serial cable, or a TCP connection that the gateway dials, without a wire."""

import asyncio
import random
from collections import deque

from gateway.line import Line, LineFailed

LATENCY_S = 0.01


class End:
    """One end of a cable: a `Line`."""

    def __init__(self, cable: "Cable") -> None:
        self._cable = cable
        self.other: End | None = None
        self._buffer = bytearray()
        self._arrived = asyncio.Event()
        self._under_way: deque[bytes] = deque()
        self.is_lost = False

    def deliver(self, data: bytes) -> None:
        """Bytes come out of the cable here."""
        if not self.is_lost:
            self._buffer += data
            self._arrived.set()

    def lose(self) -> None:
        """The line is gone; what had arrived can still be read."""
        self.is_lost = True
        self._arrived.set()

    async def read(self) -> bytes:
        while not self._buffer:
            if self.is_lost:
                return b""
            self._arrived.clear()
            await self._arrived.wait()
        data = bytes(self._buffer)
        self._buffer.clear()
        return data

    async def write(self, data: bytes) -> None:
        if self.is_lost:
            raise LineFailed("the cable is gone")
        self._under_way.append(self._cable.spoil(data))
        asyncio.get_running_loop().call_later(LATENCY_S, self._arrive)

    def _arrive(self) -> None:
        data = self._under_way.popleft()  # timers of one moment come in any order, bytes do not
        if self.other is not None and self._cable.is_plugged:
            self.other.deliver(data)

    async def close(self) -> None:
        if not self._cable.is_serial and self.other is not None:
            other = self.other
            asyncio.get_running_loop().call_later(LATENCY_S, other.lose)
        self.lose()

    def describe(self) -> str:
        return "virtual"

    def error_counts(self) -> dict[str, int] | None:
        return None

    def modem_lines(self) -> dict[str, bool] | None:
        return None


class Cable:
    """A serial cable, or a TCP connection that the gateway dials."""

    def __init__(self, rng: random.Random, *, is_serial: bool) -> None:
        self.rng, self.is_serial = rng, is_serial
        self.is_plugged = True
        self.noise = 0.0
        self._ends: dict[str, End] = {}
        self._dialled: asyncio.Queue[End] = asyncio.Queue()

    def spoil(self, data: bytes) -> bytes:
        """Noise: now and then one byte of a write is changed, lost or doubled.

        Never two: an XOR check byte does not see two flips of one column, and what it does not
        see nobody can mend. How often that happens is measured by the line's own torture.
        """
        if not self.is_serial or self.rng.random() >= self.noise * len(data):
            return data
        at = self.rng.randrange(len(data))
        byte = data[at]
        put = (bytes([byte ^ (1 << self.rng.randrange(8))]), b"", bytes([byte, byte]))
        return data[:at] + self.rng.choice(put) + data[at + 1 :]

    def pull(self) -> None:
        """Unplug it. TCP notices at once; a serial line does not."""
        self.is_plugged = False
        if not self.is_serial:
            for end in self._ends.values():
                end.lose()

    def plug(self) -> None:
        """Put it back."""
        self.is_plugged = True

    def end_of(self, side: str) -> End:
        """A new end for this side of a serial cable."""
        end = End(self)
        old = self._ends.get(side)
        if old is not None:
            old.lose()
        self._ends[side] = end
        other = self._ends.get("pms" if side == "gateway" else "gateway")
        end.other = other
        if other is not None:
            other.other = end
        return end

    async def dial(self) -> End:
        """The gateway opens its side."""
        if self.is_serial:
            return self.end_of("gateway")
        await asyncio.sleep(LATENCY_S)
        if not self.is_plugged:
            raise LineFailed("no answer")
        mine = self.end_of("gateway")
        theirs = self.end_of("pms")
        self._dialled.put_nowait(theirs)
        return mine

    async def answer(self) -> End:
        """The PMS opens its side."""
        return self.end_of("pms") if self.is_serial else await self._dialled.get()


class Opener:
    """One side of the cable: an `Opener`."""

    def __init__(self, cable: Cable, side: str) -> None:
        self._cable, self._side = cable, side

    async def open(self) -> Line:
        return await (self._cable.dial() if self._side == "gateway" else self._cable.answer())

    async def close(self) -> None:
        pass

    def describe(self) -> str:
        return "virtual"
