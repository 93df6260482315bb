"""Line conversations as text: one notation for the screen, the capture, the test, the report.

    # a comment                                 open      the line opens (words may follow)
    pms> <STX>LS|DA260314|TI101459|<ETX>t       close     the line is lost (words may follow)
    gw > <ACK>                                  now+ 3    three seconds pass
    modem CTS+ DSR- DCD-                        the handshake lines of the port, as they are now
    errors framing+2 break+1                    what the serial driver has counted since
    line serial:/dev/ttyUSB0,9600,8n1 lrc=on    what line this is, and how it is spoken
    10:15:00.123 # pulled the plug              a comment that somebody made at a moment

Control bytes are names in angle brackets; other bytes stand as the character of the code page;
what is unprintable, and `<` itself, stands as `<hh>`. Any line may start with the moment at which
its last byte was there: `2026-03-14T10:15:00.123+01:00`, or the time of day alone.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, tzinfo
from typing import Final

NAMES: Final = {
    0x00: "NUL", 0x01: "SOH", 0x02: "STX", 0x03: "ETX", 0x04: "EOT", 0x05: "ENQ", 0x06: "ACK",
    0x0A: "LF", 0x0D: "CR", 0x10: "DLE", 0x15: "NAK", 0x16: "SYN", 0x17: "ETB", 0x1B: "ESC",
}  # fmt: skip
_BYTES: Final = {name: byte for byte, name in NAMES.items()}
_PIECE: Final = re.compile(rb"[\x00-\x1f<\x7f]|[^\x00-\x1f<\x7f]+")
_NAMED: Final = {
    bytes([byte]): f"<{NAMES.get(byte, f'{byte:02X}')}>" for byte in (*range(0x20), 0x3C, 0x7F)
}
_TOKEN: Final = re.compile(r"<([0-9A-Za-z]{2,3})>|([^<]+)|(<)")
_MOMENT: Final = r"(?:(?=\S*\d)(?P<moment>\S++)\s++)?"  # never given back: no cut is tried twice
_STEP: Final = re.compile(_MOMENT + r"(?P<kind>pms>|gw >) ?(?P<text>.*)")
_WORDS: Final = re.compile(
    _MOMENT + r"(?P<kind>open|close|modem|errors|line|#)(?:(?<=#)|\s|$)\s*(?P<text>.*)"
)
_LINE_STATE: Final = re.compile(r"([A-Z]{2,3})([+-])")
_COUNTED: Final = re.compile(r"([a-z]+)\+(\d{1,9})")
HALF_A_DAY_S: Final = 43_200


class TranscriptError(ValueError):
    """A line that is no transcript: show `line_number` and the sentence."""

    def __init__(self, line_number: int, sentence: str) -> None:
        super().__init__(f"line {line_number}: {sentence}")
        self.line_number = line_number


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """`at`: seconds since 1970 (or since midnight, where only that is known) of its last byte;
    `line_number`: where it was read, 0 in a conversation that is going on."""

    at: float | None = None
    line_number: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Opened(_Step):
    """`open`."""

    words: str = ""


@dataclass(frozen=True, slots=True)
class Closed(_Step):
    """`close`."""

    words: str = ""


@dataclass(frozen=True, slots=True)
class Waited(_Step):
    """`now+ 3`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Spoken(_Step):
    """`pms> ...` or `gw > ...`."""

    from_pms: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class Modem(_Step):
    """`modem CTS+ DSR-`: every handshake line of the port whose state is known."""

    lines: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class Counted(_Step):
    """`errors framing+2`: what the serial driver has counted since it was last asked."""

    errors: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Settings(_Step):
    """`line serial:... lrc=on ack=on charset=cp1252`: the line, and how it is spoken."""

    line: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Remarked(_Step):
    """`10:15:00.123 # words`: what somebody typed while it happened."""

    words: str


Step = Opened | Closed | Waited | Spoken | Modem | Counted | Settings | Remarked


def show_bytes(data: bytes, charset: str = "cp1252") -> str:
    """Bytes as one line of text that `parse_bytes` and `parse` read back to the same bytes."""
    line = "".join(
        [_NAMED.get(piece) or _text_of(piece, charset) for piece in _PIECE.findall(data)]
    )
    # A blank at the end, perhaps a check byte, would be lost with the line's own white space.
    return f"{line[:-1]}<20>" if line.endswith(" ") else line


def _text_of(piece: bytes, charset: str) -> str:
    """These bytes as text, if it is printable and gives the same bytes back; else as numbers."""
    if piece.isascii():
        return piece.decode("ascii")
    try:
        text = piece.decode(charset)
        if text.isprintable() and "<" not in text and text.encode(charset) == piece:
            return text
    except UnicodeError:
        pass  # it is no text in this code page
    return "".join(f"<{byte:02X}>" for byte in piece)


def parse_bytes(text: str, charset: str = "cp1252") -> bytes:
    """The bytes that one line of the notation stands for.

    Raises ValueError for an unknown name in brackets or a character outside the code page.
    """
    data = bytearray()
    for name, plain, bracket in _TOKEN.findall(text):
        if bracket:
            raise ValueError("a lone '<' (write <3C> for the character itself)")
        if plain:
            data += plain.encode(charset)
        elif name.upper() in _BYTES:
            data.append(_BYTES[name.upper()])
        elif len(name) == 2 and re.fullmatch(r"[0-9A-Fa-f]{2}", name):
            data.append(int(name, 16))
        else:
            raise ValueError(f"<{name}> is no control byte and no two hex digits")
    return bytes(data)


def _seconds(text: str, line_number: int) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:  # moments never go back, and always come
        raise TranscriptError(line_number, "now+ wants a number of seconds, not below 0")
    return seconds


def parse(text: str, charset: str = "cp1252") -> list[Step]:
    """The steps of a transcript. Raises TranscriptError with the number of the bad line."""
    steps: list[Step] = []
    before: float | None = None
    for number, raw in enumerate(text.splitlines(), start=1):
        step = parse_line(raw, charset, line_number=number, before=before)
        if step is not None:
            before = before if step.at is None else step.at
            steps.append(step)
    return steps


def parse_line(
    raw: str, charset: str = "cp1252", *, line_number: int = 0, before: float | None = None
) -> Step | None:
    """One line of the notation; None: it says nothing. Raises TranscriptError.

    before      the moment of the line before: a time of day that goes back is the next day's
    """
    line = raw.strip()
    if not line or line.startswith("#"):
        return None
    if line.startswith("now+"):
        return Waited(_seconds(line[4:], line_number), line_number=line_number)
    if spoken := _STEP.fullmatch(line):
        try:
            data = parse_bytes(spoken["text"], charset)
        except ValueError as error:
            raise TranscriptError(line_number, str(error)) from None
        at = _moment(spoken["moment"], before)
        return Spoken(spoken["kind"] == "pms>", data, at=at, line_number=line_number)
    if words := _WORDS.fullmatch(line):
        at = _moment(words["moment"], before)
        return _wordy(words["kind"], words["text"], at, line_number)
    raise TranscriptError(
        line_number, "expected open, close, now+, pms>, gw >, modem, errors, line or #"
    )


def _wordy(kind: str, text: str, at: float | None, line_number: int) -> Step:
    match kind:
        case "open":
            return Opened(text, at=at, line_number=line_number)
        case "close":
            return Closed(text, at=at, line_number=line_number)
        case "modem":
            lines = {name: sign == "+" for name, sign in _LINE_STATE.findall(text)}
            return Modem(lines, at=at, line_number=line_number)
        case "errors":
            counts = {name: int(count) for name, count in _COUNTED.findall(text)}
            return Counted(counts, at=at, line_number=line_number)
        case "line":
            name, *pairs = text.split() or [""]
            values = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
            return Settings(name, values, at=at, line_number=line_number)
    return Remarked(text, at=at, line_number=line_number)


def _moment(text: str | None, before: float | None) -> float | None:
    """Seconds since 1970, or since midnight for a time of day. Words without a meaning: None."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return _time_of_day(text, before)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()


def _time_of_day(text: str, before: float | None) -> float | None:
    try:
        clock = time.fromisoformat(text)
    except ValueError:
        return None
    seconds = clock.hour * 3600 + clock.minute * 60 + clock.second + clock.microsecond / 1e6
    if before is not None:  # the day that puts it nearest behind the line before
        day = before // 86_400 * 86_400
        seconds += day + (86_400 if day + seconds < before - HALF_A_DAY_S else 0)
    return seconds


def show_step(
    step: Step, zone: tzinfo = UTC, charset: str = "cp1252", *, short: bool = False
) -> str:
    """One line of the notation, which `parse_line` reads back to the same step.

    zone    moments are shown in it, with its distance from UTC
    short   only the time of day, for a screen
    """
    moment = ""
    if step.at is not None:
        when = datetime.fromtimestamp(step.at, zone)
        moment = (
            f"{when:%H:%M:%S}.{when.microsecond // 1000:03} "
            if short
            else f"{when.isoformat(timespec='milliseconds')} "
        )
    return moment + _words_of(step, charset)


def _words_of(step: Step, charset: str) -> str:
    match step:
        case Opened(words=words):
            return f"open {_one_line(words)}".rstrip()
        case Closed(words=words):
            return f"close {_one_line(words)}".rstrip()
        case Waited(seconds=seconds):
            return f"now+ {seconds:g}"
        case Spoken(from_pms=from_pms, data=data):
            return f"{'pms>' if from_pms else 'gw >'} {show_bytes(data, charset)}"
        case Modem(lines=lines):
            return " ".join(
                ["modem", *(f"{name}{'+' if on else '-'}" for name, on in lines.items())]
            )
        case Counted(errors=errors):
            return " ".join(["errors", *(f"{name}+{count}" for name, count in errors.items())])
        case Settings(line=line, values=values):
            pairs = (f"{key}={_one_word(value)}" for key, value in values.items())
            return " ".join(["line", _one_word(line), *pairs])
        case Remarked(words=words):
            return f"# {_one_line(words)}"


def _one_line(text: str) -> str:
    return "".join(each if each.isprintable() else "?" for each in text).strip()


def _one_word(text: str) -> str:
    return "_".join(_one_line(text).split()) or "?"
