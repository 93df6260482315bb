"""A line that reports all bytes that it carries."""

from typing import Protocol

from gateway.line.base import Line, LineFailed, Opener


class Ear(Protocol):
    """Who is told. Never raises, never waits: the line goes first."""

    def opened(self, line: str) -> None:
        """A line is open."""

    def closed(self, why: str) -> None:
        """It is not, or could not be opened."""

    def heard(self, data: bytes) -> None:
        """The peer said this."""

    def said(self, data: bytes) -> None:
        """We said this: it was handed to the medium."""

    def looked(self, errors: dict[str, int] | None, modem: dict[str, bool] | None) -> None:
        """What the driver has counted since it was loaded, and how the handshake lines stand."""


class TappedLine:
    """One open line, overheard."""

    def __init__(self, line: Line, ear: Ear) -> None:
        self._line, self._ear = line, ear

    async def read(self) -> bytes:
        data = await self._line.read()
        if data:
            self._ear.heard(data)
        return data

    async def write(self, data: bytes) -> None:
        await self._line.write(data)
        self._ear.said(data)

    async def close(self) -> None:
        await self._line.close()
        self._ear.closed("")

    def describe(self) -> str:
        return self._line.describe()

    def error_counts(self) -> dict[str, int] | None:
        counts = self._line.error_counts()
        self._ear.looked(counts, None)
        return counts

    def modem_lines(self) -> dict[str, bool] | None:
        lines = self._line.modem_lines()
        self._ear.looked(None, lines)
        return lines


class TappedOpener:
    """Opens lines that are overheard."""

    def __init__(self, opener: Opener, ear: Ear) -> None:
        self._opener, self._ear = opener, ear

    async def open(self) -> Line:
        try:
            line = await self._opener.open()
        except LineFailed as error:
            self._ear.closed(str(error))
            raise
        self._ear.opened(line.describe())
        return TappedLine(line, self._ear)

    async def close(self) -> None:
        await self._opener.close()

    def describe(self) -> str:
        return self._opener.describe()
