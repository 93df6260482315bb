"""`Line`, what every medium offers, and `Opener`, what opens one after the other."""

from typing import Final, Protocol

MAX_UNWRITTEN_BYTES: Final = 4096
"""A peer that takes nothing for this long (XOFF held, cable cut) is a fault, not a wait."""

READ_BYTES: Final = 16384


class LineFailed(Exception):
    """The line cannot be opened or used now: pause, then open again. The text says what to do."""


class Line(Protocol):
    """One open line to a peer."""

    async def read(self) -> bytes:
        """The next bytes; empty: the line is lost. May be cancelled without losing any."""

    async def write(self, data: bytes) -> None:
        """Hand bytes to the medium, in order. Raises LineFailed when the peer takes none."""

    async def close(self) -> None:
        """Let go at once, whatever is still unwritten. Never raises."""

    def describe(self) -> str:
        """The line for a log: its kind and its peer."""

    def error_counts(self) -> dict[str, int] | None:
        """What the driver counts (framing, parity, overrun, break); None: it cannot count."""

    def modem_lines(self) -> dict[str, bool] | None:
        """CTS, DSR, DCD and RI as they stand, and our RTS and DTR; None: there are none."""


class Opener(Protocol):
    """Opens lines of one kind, for ever."""

    async def open(self) -> Line:
        """The next line. Raises LineFailed; may wait as long as no peer dials."""

    async def close(self) -> None:
        """Stop listening."""

    def describe(self) -> str:
        """What it opens."""
