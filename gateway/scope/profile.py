"""How a line is spoken: what one has to know to read its bytes."""

from collections.abc import Iterable
from dataclasses import dataclass

from protocols.transcript import Settings, Step


@dataclass(frozen=True, slots=True)
class LineProfile:
    """One line. `line`: as in the configuration, or a file's name; `charset`: a Python codec."""

    line: str = ""
    lrc: bool = True
    ack: bool = True
    charset: str = "cp1252"

    @property
    def is_serial(self) -> bool:
        """A serial port, as far as its name says so."""
        return self.line.startswith("serial:")

    def as_step(self, at: float | None = None) -> Settings:
        """What a capture begins with."""
        return Settings(
            self.line,
            {"lrc": _on(self.lrc), "ack": _on(self.ack), "charset": self.charset},
            at=at,
        )

    @classmethod
    def of_step(cls, step: Settings) -> "LineProfile":
        """What a capture says of itself."""
        return cls(
            step.line,
            lrc=step.values.get("lrc", "on") != "off",
            ack=step.values.get("ack", "on") != "off",
            charset=step.values.get("charset", "cp1252"),
        )


def profile_of(steps: Iterable[Step]) -> LineProfile | None:
    """The first profile that a capture names."""
    return next((LineProfile.of_step(step) for step in steps if isinstance(step, Settings)), None)


def _on(value: bool) -> str:
    return "on" if value else "off"
