"""Line conversations as text: one notation for the screen, the capture, the test, the report.

    # a comment                                 open      the line opens
    pms> <STX>LS|DA260314|TI101459|<ETX>t       close     the line is lost
    gw > <ACK>                                  now+ 3    three seconds pass

Control bytes are names in angle brackets; other bytes stand as the character of the code page;
what is unprintable, and `<` itself, stands as `<hh>`. Lines may start with a moment.
"""

import math
import re
from dataclasses import dataclass
from typing import Final

NAMES: Final = {
    0x00: "NUL", 0x01: "SOH", 0x02: "STX", 0x03: "ETX", 0x04: "EOT", 0x05: "ENQ", 0x06: "ACK",
    0x0A: "LF", 0x0D: "CR", 0x10: "DLE", 0x15: "NAK", 0x16: "SYN", 0x17: "ETB", 0x1B: "ESC",
}  # fmt: skip
_BYTES: Final = {name: byte for byte, name in NAMES.items()}
_TOKEN: Final = re.compile(r"<([0-9A-Za-z]{2,3})>|([^<]+)|(<)")
_STEP: Final = re.compile(
    # The moment is never given back: a long word would be tried in every cut.
    r"(?:(?=\S*\d)(?P<moment>\S++)\s++)?(?P<kind>pms>|gw >) ?(?P<text>.*)"
)


class TranscriptError(ValueError):
    """A line that is no transcript: show `line_number` and the sentence."""

    def __init__(self, line_number: int, sentence: str) -> None:
        super().__init__(f"line {line_number}: {sentence}")
        self.line_number = line_number


@dataclass(frozen=True, slots=True)
class Opened:
    """`open`."""

    line_number: int


@dataclass(frozen=True, slots=True)
class Closed:
    """`close`."""

    line_number: int


@dataclass(frozen=True, slots=True)
class Waited:
    """`now+ 3`."""

    line_number: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Spoken:
    """`pms> ...` or `gw > ...`."""

    line_number: int
    from_pms: bool
    data: bytes


Step = Opened | Closed | Waited | Spoken


def show_bytes(data: bytes, charset: str = "cp1252") -> str:
    """Bytes as one line of text that `parse_bytes` and `parse` read back to the same bytes."""
    shown: list[str] = []
    pending = bytearray()

    def flush() -> None:
        text = _exact(bytes(pending), charset)
        shown.append(text if text is not None else "".join(f"<{byte:02X}>" for byte in pending))
        pending.clear()

    for byte in data:
        if byte < 0x20 or byte in (0x3C, 0x7F):
            flush()
            shown.append(f"<{NAMES.get(byte, f'{byte:02X}')}>")
        else:
            pending.append(byte)
    flush()
    line = "".join(shown)
    # A blank at the end, perhaps a check byte, would be lost with the line's own white space.
    return f"{line[:-1]}<20>" if line.endswith(" ") else line


def _exact(data: bytes, charset: str) -> str | None:
    """The text of these bytes, if it is printable and gives the same bytes back."""
    try:
        text = data.decode(charset)
        if text.isprintable() and "<" not in text and text.encode(charset) == data:
            return text
    except UnicodeError:
        pass  # shown as numbers instead
    return None


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
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        spoken = _STEP.fullmatch(line)
        if line == "open":
            steps.append(Opened(number))
        elif line == "close":
            steps.append(Closed(number))
        elif line.startswith("now+"):
            steps.append(Waited(number, _seconds(line[4:], number)))
        elif spoken:
            try:
                data = parse_bytes(spoken["text"], charset)
            except ValueError as error:
                raise TranscriptError(number, str(error)) from None
            steps.append(Spoken(number, spoken["kind"] == "pms>", data))
        else:
            raise TranscriptError(number, "expected open, close, now+, pms> or gw >")
    return steps
