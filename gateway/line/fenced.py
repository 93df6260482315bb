"""A line, and whatever else goes out, of a gateway that may have to stand still: see `Fence`."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from gateway.line.base import Line, Opener

LOOK_EVERY_S: Final = 0.05


class Fence:
    """Nothing is begun outside from a moment on, until that moment is moved.

    until   gives the moment (monotonic); see `gateway.store.lease.Lease`
    """

    def __init__(self, until: Callable[[], float]) -> None:
        self._until = until

    async def passed(self) -> None:
        """Wait until something may be begun. The last thing to be asked before it is."""
        while time.monotonic() >= self._until():  # noqa: ASYNC110  # a clock sets no event
            await asyncio.sleep(LOOK_EVERY_S)


class FencedLine:
    """One open line; what is said on it passes the fence."""

    def __init__(self, line: Line, fence: Fence) -> None:
        self._line, self._fence = line, fence

    async def read(self) -> bytes:
        return await self._line.read()

    async def write(self, data: bytes) -> None:
        await self._fence.passed()
        await self._line.write(data)

    async def close(self) -> None:
        await self._line.close()

    def describe(self) -> str:
        return self._line.describe()

    def error_counts(self) -> dict[str, int] | None:
        return self._line.error_counts()

    def modem_lines(self) -> dict[str, bool] | None:
        return self._line.modem_lines()


class FencedOpener:
    """Opens lines behind the fence: one that dials would throw another client out."""

    def __init__(self, opener: Opener, fence: Fence) -> None:
        self._opener, self._fence = opener, fence

    async def open(self) -> Line:
        await self._fence.passed()
        return FencedLine(await self._opener.open(), self._fence)

    async def close(self) -> None:
        await self._opener.close()

    def describe(self) -> str:
        return self._opener.describe()
