"""The settings of a serial line by listening only: every guess is read, the best one is told.

A hotel line repeats the same few bytes (ENQ, STX … ETX) and its records have a shape that noise
has not, so the right speed and format stand out by far. What was heard is judged, nothing is asked.

Source: control-byte patterns by own computation, tried bit by bit in `tests/gateway/scope`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Final

from gateway.scope.reread import BAD, FORMATS, PARITY_NAMES, Format, Sample, reread, reread_16550
from protocols.checksums import lrc
from protocols.dialects import DIALECTS
from protocols.errors import RecordError
from protocols.stream import ACK, ENQ, ETX, NAK

SURE_RECORDS: Final = 3
"""So many whole records in one reading, and the verdict is certain. One may be a replay."""

_POINTS: Final = {
    "records": 12.0,  # chance makes one of ten bytes in 10^12 readings
    "right_checks": 6.0,
    "other_frames": 6.0,
    "text_lines": 4.0,
    "handshakes": 1.0,  # three of 256 bytes
    "strange": -2.0,  # bytes that no line of text uses, and those the format cannot have sent
}
"""What a finding is worth. Letters are worth nothing: a wrong speed makes them too (66, 78)."""

_RECORD: Final = re.compile(rb"\x02([A-Z][A-Z0-9](?:\|[^\x00-\x1f\x7f]*)?)\x03")
_OTHER_FRAME: Final = re.compile(rb"\x02([\x20-\x7e]{2,})\x03")
_TEXT_LINE: Final = re.compile(rb"[\x20-\x7e]{4,}\r?\n|[\x20-\x7e]{4,}\r")
_USED: Final = re.compile(rb"[\x02\x03\x05\x06\x15\r\n\x20-\x7e\xa0-\xff]")
_HANDSHAKES: Final = re.compile(rb"[\x05\x06\x15]")


class Confidence(Enum):
    """How far a verdict is to be believed."""

    CERTAIN = "certain"  # several whole records, and nothing else fits
    LIKELY = "likely"  # a whole record, or the driver keeps something back
    UNSURE = "unsure"  # bytes that fit, and fit other settings too
    NONE = "none"


class Dialect(Enum):
    """What is spoken."""

    FIAS = "FIAS records"
    FRAMES = "frames from STX to ETX that are no FIAS records (another hotel dialect)"
    LINES = "lines of text that end with CR or LF, without STX (a printer port, call records?)"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the line is, as far as was heard.

    baud, form  None: not found out
    lrc, ack    None: not heard, so the default for serial lines stays
    protocol    its name in a configuration; empty: it has none
    evidence    sentences, the strongest first
    """

    baud: int | None = None
    form: Format | None = None
    lrc: bool | None = None
    ack: bool | None = None
    dialect: Dialect = Dialect.UNKNOWN
    protocol: str = ""
    confidence: Confidence = Confidence.NONE
    evidence: tuple[str, ...] = ()

    @property
    def is_found(self) -> bool:
        """A dialect of ours, at settings that can be put into a configuration."""
        return bool(self.protocol) and self.confidence in (
            Confidence.CERTAIN,
            Confidence.LIKELY,
        )

    def config_lines(self, device: str) -> list[str]:
        """What to paste into gateway.toml; empty: nothing was found out."""
        if not self.is_found:
            return []
        lines = ["[pms]", f'line = "serial:{device},{self.baud},{self.form}"']
        if self.dialect is not Dialect.FIAS:
            return [*lines, f'protocol = "{self.protocol}"']
        lines.append("[fias]")
        for key, value in (("lrc", self.lrc), ("ack", self.ack)):
            known = f"{key} = {str(value).lower()}"
            lines.append(known if value is not None else f"# {key}: not heard; serial default: on")
        return lines


@dataclass(frozen=True)
class Reading:
    """One guess: these bytes, if the line has this speed and format.

    is_pieced   put together out of what a UART delivered that was out of step
    """

    baud: int
    form: Format
    data: bytes
    is_pieced: bool = False

    @cached_property
    def records(self) -> tuple[bytes, ...]:
        """Bodies that look like FIAS."""
        return tuple(match[1] for match in _RECORD.finditer(self.data))

    @cached_property
    def protocol(self) -> str:
        """The dialect in which every frame is a message; empty: none."""
        if self.records:
            return "fias"
        frames = _OTHER_FRAME.findall(self.data)
        return next((name for name in DIALECTS if frames and _speaks(name, frames)), "")

    @cached_property
    def checks(self) -> tuple[int, int]:
        """Records with a right check byte behind them, and records with another byte there."""
        right = other = 0
        for match in _RECORD.finditer(self.data):
            after = self.data[match.end() : match.end() + 1]
            is_right = after == bytes([_check(match[1])])
            right, other = right + is_right, other + (bool(after) and not is_right)
        return right, other

    @cached_property
    def between(self) -> bytes:
        """What is left without the records and their check bytes."""
        return b"".join(_between(self.data))

    @cached_property
    def counts(self) -> dict[str, int]:
        """How often each finding of `_POINTS` was made."""
        between = self.between
        return {
            "records": len(self.records),
            "right_checks": self.checks[0],
            "other_frames": len(_OTHER_FRAME.findall(between)),
            "text_lines": len(_TEXT_LINE.findall(between)),
            "handshakes": len(_HANDSHAKES.findall(between)),
            "strange": len(between) - len(_USED.findall(between)),
        }

    @cached_property
    def points(self) -> float:
        """How well the bytes speak for the guess; below 0: against it.

        Whole records stay proof, however noisy the line: noise takes at most half of their worth.
        """
        worth = {name: _POINTS[name] * count for name, count in self.counts.items()}
        proof = worth.pop("records") + worth.pop("right_checks")
        return proof + max(sum(worth.values()), -proof / 2 if proof else float("-inf"))

    @property
    def dialect(self) -> Dialect:
        """What these bytes speak."""
        if self.counts["records"]:
            return Dialect.FIAS
        if self.counts["other_frames"]:
            return Dialect.FRAMES
        return Dialect.LINES if self.counts["text_lines"] else Dialect.UNKNOWN


def judge(samples: Mapping[int, Sample | bytes]) -> Verdict:
    """The settings of a line from what a port at 8N1 delivered at each speed, in bits a second."""
    heard = {
        baud: sample if isinstance(sample, Sample) else Sample(sample)
        for baud, sample in samples.items()
    }
    readings = sorted(_readings(heard), key=lambda reading: -reading.points)
    if readings and not readings[0].counts["records"]:
        readings = sorted([*_pieced(heard), *readings], key=lambda reading: -reading.points)
    if not readings:
        return Verdict(evidence=(_silence(heard),))
    best = readings[0]
    if best.points <= 0:
        return Verdict(evidence=(_noise(heard), f"the least bad: {_heard_as(best)}"))
    rivals = [each for each in readings[1:] if (each.baud, each.form) != (best.baud, best.form)]
    sample = heard[best.baud]
    confidence, doubts = _confidence(best, rivals, sample)
    return Verdict(
        baud=best.baud,
        form=best.form,
        lrc=_has_lrc(best),
        ack=_has_ack(best, sample),
        dialect=best.dialect,
        protocol=best.protocol,
        confidence=confidence,
        evidence=(*_told(best, sample), *doubts, *_runner_up(rivals)),
    )


def is_promising(sample: Sample) -> bool:
    """Whether listening on at this speed is worth more than trying another."""
    return any(reading.points > 0 for reading in _readings({0: sample}))


def _readings(samples: Mapping[int, Sample]) -> Iterator[Reading]:
    for baud, sample in samples.items():
        if sample.data:
            for form in FORMATS:
                yield from (Reading(baud, form, data) for data in reread(sample, form))


def _pieced(samples: Mapping[int, Sample]) -> Iterator[Reading]:
    for baud, sample in samples.items():
        for form in FORMATS:
            if data := reread_16550(sample, form):
                yield Reading(baud, form, data, is_pieced=True)


def _between(data: bytes) -> Iterator[bytes]:
    position = 0
    for match in _RECORD.finditer(data):
        yield data[position : match.start()]
        has_check = data[match.end() : match.end() + 1] == bytes([_check(match[1])])
        position = match.end() + has_check
    yield data[position:]


def _speaks(name: str, frames: list[bytes]) -> bool:
    describe = DIALECTS[name].describe
    if describe is None:
        return False
    try:
        for frame in frames:
            describe(frame)
    except RecordError:
        return False
    return True


def _check(body: bytes) -> int:
    return lrc(body) ^ ETX


def _has_lrc(reading: Reading) -> bool | None:
    """Chance makes one of 128 bytes behind ETX a right one; noise makes many wrong."""
    right, other = reading.checks
    if right > other or (right > 1 and 3 * right >= other):
        return True
    return False if other > 7 * right else None


def _has_ack(reading: Reading, sample: Sample) -> bool | None:
    """Heard questions or answers are proof. Their absence proves little: a PMS that is answered
    and is told nothing has no reason for either."""
    if any(byte in reading.between for byte in (ENQ, ACK, NAK)):
        return True
    is_plain = len(reading.records) >= SURE_RECORDS and sample.seconds >= _ASKED_WITHIN_S
    return False if is_plain and _has_lrc(reading) is False else None


_ASKED_WITHIN_S: Final = 10.0


def _confidence(
    best: Reading, rivals: list[Reading], sample: Sample
) -> tuple[Confidence, tuple[str, ...]]:
    """How sure, and what speaks against being surer."""
    also = sorted(
        {f"{each.baud} {each.form}" for each in rivals if each.points >= 0.75 * best.points}
    )
    if also:
        return Confidence.UNSURE, (
            f"the same bytes fit {', '.join(also)} too: listen longer, until a record is heard",
        )
    if best.dialect is Dialect.UNKNOWN:
        why = "single control bytes only, no record: listen longer"
        if set(best.data) == {ENQ}:
            why += (
                "; it asks whether it may speak (ENQ), and some say no more until answered:"
                " set these, start the service, and look again"
            )
        return Confidence.UNSURE, (why,)
    if best.is_pieced:
        return Confidence.LIKELY, (
            f"this UART runs out of step at 8n1, its bytes were pieced together: try {best.form}",
        )
    found = best.counts["records"] + best.counts["other_frames"] + best.counts["text_lines"]
    strange = best.counts["strange"] / len(best.data)
    if best.form == Format(8, "N") and sample.damaged is None and not sample.counted:
        return Confidence.LIKELY, (
            "the driver does not tell framing errors: 8e1 and 8o1 would look the same here",
        )
    if found < SURE_RECORDS or strange > _MUCH:
        return Confidence.LIKELY, ("few records or a noisy line: listening longer makes it sure",)
    return Confidence.CERTAIN, ()


_MUCH: Final = 0.05


def _told(reading: Reading, sample: Sample) -> tuple[str, ...]:
    """What was found, in sentences."""
    found = [_heard_as(reading)]
    if reading.dialect in (Dialect.FRAMES, Dialect.LINES):
        name = f'protocol = "{reading.protocol}"' if reading.protocol else reading.dialect.value
        found.append(f"it looks like {name}")
    found.append(_top_bit(reading, sample))
    errors = sample.counted if sample.damaged is None else len(sample.damaged)
    if errors:
        found.append(f"{errors} framing errors, read at 8n1")
    return tuple(found)


def _heard_as(reading: Reading) -> str:
    counts, right = reading.counts, reading.checks[0]
    return (
        f"{reading.baud} {reading.form}: {len(reading.data)} bytes; "
        f"{counts['records']} records{_ids(reading)}, {right} with a right check byte; "
        f"{counts['handshakes']} ENQ, ACK or NAK; {counts['strange']} bytes that fit nothing"
    )


def _ids(reading: Reading) -> str:
    ids = sorted({body[:2].decode("ascii") for body in reading.records})
    return f" ({', '.join(ids[:6])}{' …' if len(ids) > 6 else ''})" if ids else ""


def _top_bit(reading: Reading, sample: Sample) -> str:
    form, good = reading.form, len(reading.data) - reading.data.count(BAD)
    share = f"in {good} of {len(reading.data)} bytes"
    if form.data_bits == 7:
        return f"the top bit is {PARITY_NAMES[form.parity]} parity {share}"
    if form.parity != "N":
        return f"the ninth bit, at the place of the stop bit, is {PARITY_NAMES[form.parity]} parity"
    high = sum(byte > 0x7F for byte in sample.data)
    return f"the top bit is set in {high} bytes, and no parity by the others"


def _runner_up(rivals: list[Reading]) -> tuple[str, ...]:
    if not rivals:
        return ()
    second = rivals[0]
    odd, heard = second.counts["strange"], len(second.data)
    told = f"next best: {second.baud} {second.form}, where {odd} of {heard} bytes fit nothing"
    return (told,)


def _silence(samples: Mapping[int, Sample]) -> str:
    seconds = sum(sample.seconds for sample in samples.values())
    return (
        f"not enough heard: no byte at any of {len(samples)} speeds in {seconds:.3g} s. Is the "
        "PMS's interface running, and does its TX reach our RX (two PCs need a null modem)?"
    )


def _noise(samples: Mapping[int, Sample]) -> str:
    heard = sum(len(sample.data) for sample in samples.values())
    if heard < _FEW_BYTES:
        return f"not enough heard: {heard} bytes, none of them at its right speed: listen longer"
    return (
        f"{heard} bytes heard, and at none of {len(samples)} speeds do they look like records, "
        "text or ENQ: another speed or format, inverted levels, or a bad ground"
    )


_FEW_BYTES: Final = 30
