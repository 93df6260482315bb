"""How one site speaks FIAS, and how the gateway describes itself to its PMS."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from protocols.fias.controls import SERIAL_GAP_S, TCP_GAP_S
from protocols.fias.records import LinkAlive, LinkDescription, LinkRecordWanted, Record

WANTED: Final = (
    LinkRecordWanted(
        wanted="GI",
        fields=("RN", "G#", "GN", "GF", "GL", "GV", "GA", "GD", "GS", "SF", "CS"),
    ),
    LinkRecordWanted(wanted="GO", fields=("RN", "G#", "GS", "SF")),
    LinkRecordWanted(
        wanted="GC",
        fields=("RN", "G#", "GN", "GF", "GL", "GV", "GA", "GD", "GS", "CS", "RO"),
    ),
    LinkRecordWanted(wanted="RE", fields=("RN", "CS", "DN", "RS")),
    LinkRecordWanted(wanted="WR", fields=("RN", "DA", "TI")),
    LinkRecordWanted(wanted="WC", fields=("RN", "DA", "TI")),
    LinkRecordWanted(wanted="NS", fields=("DA", "TI")),
    LinkRecordWanted(wanted="NE", fields=("DA", "TI")),
)
"""What this gateway asks a PMS to send. DR, DS, DE and link records need no LR."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FiasProfile:
    """How one site speaks FIAS.

    charset             one of `codec.CHARSETS`
    lrc, ack            whether frames carry a check byte, and whether they are answered
    pacing_s            pause between the records of our description
    driver_version      told in LD, at most 10 characters
    gap_s               how long a begun frame may pause
    interface           what we are, told in LD: PB a phone system, CA call accounting
    """

    charset: str = "cp1252"
    lrc: bool = True
    ack: bool = True
    pacing_s: float = 0.5
    driver_version: str = "1.0"
    wanted: Sequence[LinkRecordWanted] = WANTED
    gap_s: float = SERIAL_GAP_S
    interface: str = "PB"

    @classmethod
    def for_tcp(cls) -> "FiasProfile":
        """The defaults of a TCP line: no check byte, no answers, patient with segments."""
        return cls(lrc=False, ack=False, gap_s=TCP_GAP_S)

    @property
    def description_s(self) -> float:
        """How long our description takes at its pace."""
        return self.pacing_s * (len(self.wanted) + 1)

    def description(self, stamp: datetime) -> tuple[Record, ...]:
        """What we say of ourselves when the PMS starts: LD, one LR for each record, LA."""
        day, at = stamp.date(), stamp.time()
        version = self.driver_version[:10]
        return (
            LinkDescription(day=day, at=at, version=version, interface=self.interface),
            *self.wanted,
            LinkAlive(day=day, at=at),
        )
