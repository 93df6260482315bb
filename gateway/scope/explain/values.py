"""What the explanation says: findings, their layers, their evidence."""

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Any


class Layer(IntEnum):
    """Where a fault lives, lowest first: what is low breaks everything above it."""

    CABLE = 0
    SETTINGS = 1
    FRAMES = 2
    ANSWERS = 3
    LINK = 4
    RECORDS = 5
    GATEWAY = 6
    UCM = 7


class Speech(Enum):
    """The lines on which a fault is looked for."""

    ANY = "any"
    FIELDS = "fields"  # records of fields, a link with LS and LA, ENQ for the last answer
    TURNS = "turns"  # each message is asked for with ENQ


class Confidence(Enum):
    """How far the bytes alone prove it."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One line of the conversation. `at`: as in its step; `text`: in the notation, no guests."""

    at: float | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong with a line.

    fault       its name in FAULTS
    words       what is wrong, one or two sentences
    do          the next step; a key of the configuration is named with its value
    evidence    at most three lines of the conversation, the latest ones
    count       how often it was seen in the time that counts
    """

    fault: str
    layer: Layer
    confidence: Confidence
    words: str
    do: str
    evidence: tuple[Evidence, ...] = ()
    count: int = 1

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "fault": self.fault,
            "layer": self.layer.name.lower(),
            "confidence": self.confidence.value,
            "words": self.words,
            "do": self.do,
            "count": self.count,
            "evidence": [{"at": each.at, "text": each.text} for each in self.evidence],
        }


def not_open(line: str) -> Finding:
    """What a running service knows and its capture does not show: no peer is on the line now."""
    return Finding(
        fault="not-open",
        layer=Layer.CABLE,
        confidence=Confidence.CERTAIN,
        words=f"The line is not open now ({line}): no PMS is connected.",
        do="look for `line_failed` and `line_lost` in the log: does the PMS's interface run, is"
        " its cable in, and is pms.line right?",
    )
