"""How a line is spoken: what one has to know to read its bytes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from protocols.dialects import DIALECTS, Dialect
from protocols.errors import RecordError
from protocols.fias import mask
from protocols.stream import Cuts, Frame, Reads
from protocols.transcript import Settings, Step

DEFAULT: Final = "fias"
"""What is spoken where nothing says otherwise."""


@dataclass(frozen=True, slots=True)
class LineProfile:
    """One line.

    line        as in the configuration, or a file's name
    charset     a Python codec
    protocol    the dialect, by its name in the configuration
    """

    line: str = ""
    lrc: bool = True
    ack: bool = True
    charset: str = "cp1252"
    protocol: str = "fias"

    @property
    def dialect(self) -> Dialect:
        """What is spoken."""
        return DIALECTS[self.protocol]

    @property
    def is_serial(self) -> bool:
        """A serial port, as far as its name says so."""
        return self.line.startswith("serial:")

    def masked(self, piece: bytes) -> bytes:
        """One piece of the line (see `Cuts`), of the same length, without its guest."""
        dialect = self.dialect
        if dialect.describe is not None:
            bodies = [each.body for each in self.reader().receive(piece) if isinstance(each, Frame)]
            try:
                for body in bodies:
                    dialect.describe(body)
                    piece = piece.replace(body, dialect.mask(body), 1)
                if bodies:
                    return piece
            except RecordError:
                pass  # damaged: harshly, as below
        return mask(piece, has_lrc=self.lrc)

    def reader(self) -> Reads:
        """What finds frames on it."""
        return self.dialect.reader(self.lrc, self.ack)

    def cutter(self) -> Cuts:
        """What cuts it into pieces."""
        return self.dialect.cutter(self.lrc)

    def as_step(self, at: float | None = None) -> Settings:
        """What a capture begins with."""
        values = {"lrc": _on(self.lrc), "ack": _on(self.ack), "charset": self.charset}
        if self.protocol != DEFAULT:
            values["protocol"] = self.protocol
        return Settings(self.line, values, at=at)

    @classmethod
    def of_step(cls, step: Settings) -> "LineProfile":
        """What a capture says of itself."""
        return cls(
            step.line,
            lrc=step.values.get("lrc", "on") != "off",
            ack=step.values.get("ack", "on") != "off",
            charset=step.values.get("charset", "cp1252"),
            protocol=named if (named := step.values.get("protocol", "")) in DIALECTS else DEFAULT,
        )


def profile_of(steps: Iterable[Step]) -> LineProfile | None:
    """The first profile that a capture names."""
    return next((LineProfile.of_step(step) for step in steps if isinstance(step, Settings)), None)


def _on(value: bool) -> str:
    return "on" if value else "off"
