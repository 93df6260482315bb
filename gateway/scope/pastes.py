"""Text of a line: our notation, the log of a terminal, a paste of records."""

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from gateway.scope.export import charset_of
from protocols.checksums import lrc
from protocols.fias.fields import FIELDS
from protocols.fias.records import RECORDS
from protocols.stream import ETX, STX
from protocols.transcript import (
    NAMES,
    Opened,
    Settings,
    Spoken,
    Step,
    TranscriptError,
    parse_bytes,
    parse_line,
)

UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""How what Windows redirects into a file begins."""


@dataclass(slots=True)
class Found:
    """What a reader made of a text; see `sources.Capture`."""

    steps: list[Step]
    has_directions: bool = False
    left_out: list[str] = field(default_factory=list)


def text_of(data: bytes, charset: str) -> str:
    """UTF-8, if it is (a clipboard, a file of ours), or UTF-16 with a mark; else the code page."""
    if data.startswith(UTF_16):
        return data.decode("utf-16", "replace")
    return data.decode("utf-8-sig" if is_utf8(data) else charset, "replace")


def is_utf8(data: bytes) -> bool:
    """Whether it can be UTF-8."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


# --- Our notation ----------------------------------------------------------------------------

_WORD: Final = r"(?:(?=[^\s|<]*\d)[^\s|<]++\s++)"  # with a digit: perhaps a moment
_IS_STEP: Final = re.compile(rf"\s*+{_WORD}?(?:pms>|gw >|line \S)")
_NAMED: Final = re.compile(r"<(?:STX|ETX|ACK|NAK|ENQ|[0-9A-Fa-f]{2})>")
_ARROW: Final = re.compile(r"\s*+(?:<-+|-+>|<<|>>)\s++")
_STAMPED: Final = re.compile(rf"\s*+({_WORD})?(<.*)")


def read_notation(text: str, charset: str) -> Found | None:
    """Our notation, also without `pms>`, also with plain records in between; None if it is none.

    A line that is none of these is left out: a paste has all kinds of lines.
    """
    lines = text.splitlines()
    if not _NAMED.search(text) and not any(_IS_STEP.match(line) for line in lines):
        return None
    found, before = Found([]), None
    for number, line in enumerate(lines, start=1):
        try:
            step, has_speaker = _notation_line(line, charset, number, before)
        except TranscriptError as error:
            found.left_out.append(str(error))
            continue
        if step is None:
            continue
        found.steps.append(step)
        found.has_directions |= has_speaker
        before = before if step.at is None else step.at
        if isinstance(step, Settings):
            charset = charset_of(step, charset)
    return found


def _notation_line(
    line: str, charset: str, number: int, before: float | None
) -> tuple[Step | None, bool]:
    """The step, and whether the line says who spoke."""
    try:
        step = parse_line(line, charset, line_number=number, before=before)
        return step, isinstance(step, Spoken)
    except TranscriptError:
        if _IS_STEP.match(line):
            raise
    line = _ARROW.sub("", line)
    if named := _STAMPED.fullmatch(line):
        said = f"{named[1] or ''}pms> {named[2]}"
        return parse_line(said, charset, line_number=number, before=before), False
    if _is_record(line.strip()):
        return Spoken(True, _framed(line.strip(), charset), line_number=number), False
    if named := _NAMED.search(line):  # behind an arrow, a moment, a word
        data = _named_bytes(line[named.start() :].strip(), charset, number)
        return Spoken(True, data, line_number=number), False
    raise TranscriptError(number, "no step of our notation, and no record")


def _named_bytes(text: str, charset: str, number: int) -> bytes:
    try:
        return parse_bytes(text, charset)
    except ValueError as error:
        raise TranscriptError(number, str(error)) from None


# --- The log of a terminal -------------------------------------------------------------------

_BANNER: Final = re.compile(r"=~=~[=~]* *(PuTTY log )?(\d{4})\.(\d\d)\.(\d\d) (\d\d:\d\d:\d\d)")
_BANNER_BYTES: Final = re.compile(rb"=~=~=[=~]*[ -<>-}]{0,80}=~=~=[=~]*\r?\n?")
_COLOURS: Final = re.compile(r"\x1b\[[0-9;?]*+[A-Za-z]")
_FACES: Final = "☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼"
"""What the characters 1 to 31 look like in code page 437."""

_BYTE_OF_NAME: Final = {name: byte for byte, name in NAMES.items()}
_CARET: Final = re.compile(r"\^([@-_?])")
_BRACKET: Final = re.compile(r"\[([A-Z]{2,3}|[0-9A-F]{2})\]")
_ESCAPE: Final = re.compile(r"\\(?:x|u00)([0-9A-Fa-f]{2})")
_FRAME: Final = re.compile(rb"\x02[^\x02\x03]*\x03")


def without_headers(data: bytes) -> bytes:
    """Bytes of a log without the line that PuTTY writes at its begin."""
    return _BANNER_BYTES.sub(b"", data) if b"=~=~=" in data else data


def read_terminal(text: str, charset: str) -> Found | None:
    """A log that spells control bytes; None if STX is not in it in any spelling.

    Its line ends are the log's own: those of the line are spelled as all control bytes are.
    """
    plain = next((plain for sign, plain in _SPELLINGS.items() if sign in text), None)
    if plain is None:
        return None
    found, before = Found([]), None
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _header(line, number):
            found.steps.append(header)
            continue
        at, rest = _stamp(line, before)
        before = before if at is None else at
        if rest and not rest.startswith("# "):
            data = plain(_COLOURS.sub("", rest)).encode(charset, "replace")
            if rest.lstrip()[:1] in ("{", "["):  # a line of a program's log: only its frames count
                data = _frames_in(data) or data
            found.steps.append(Spoken(True, data, at=at, line_number=number))
    return found


def _frames_in(data: bytes) -> bytes:
    """The frames in a line that has other text too, each with a check byte that is right."""
    frames = b""
    for frame in _FRAME.finditer(data):
        check = data[frame.end() : frame.end() + 1]
        frames += frame[0] + (check if check == bytes([lrc(frame[0][1:])]) else b"")
    return frames


def _named(match: re.Match[str]) -> str:
    name = match[1]
    if name in _BYTE_OF_NAME:
        return chr(_BYTE_OF_NAME[name])
    return chr(int(name, 16)) if re.fullmatch("[0-9A-F]{2}", name) else match[0]


_PICTURES: Final = {0x2400 + byte: byte for byte in range(32)} | {0x2421: 0x7F}
_FACE_BYTES: Final = {ord(face): byte for byte, face in enumerate(_FACES, start=1)}
_SPELLINGS: Final[dict[str, Callable[[str], str]]] = {
    "\x02": str,
    "␂": lambda text: text.translate(_PICTURES),
    "☻": lambda text: text.translate(_FACE_BYTES),
    "[STX]": lambda text: _BRACKET.sub(_named, text),
    "[02]": lambda text: _BRACKET.sub(_named, text),
    "\\x02": lambda text: _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text),
    "\\u0002": lambda text: _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text),
    "^B": lambda text: _CARET.sub(lambda match: chr(ord(match[1]) ^ 0x40), text),
}
"""By the sign for STX: how to make plain text of the rest."""


def _header(line: str, number: int) -> Opened | None:
    banner = _BANNER.match(line)
    if banner is None:
        return None
    at, _ = _stamp(f"{banner[2]}-{banner[3]}-{banner[4]}T{banner[5]} ", None)
    return Opened("a log of PuTTY", at=at, line_number=number)


# --- Records and nothing else ----------------------------------------------------------------

_STAMP: Final = re.compile(
    r"\s*+\[?((?=[\d:T.,/+Z-]*\d)[\d:T.,/+Z-]++)(?:\s++(\d[\d:.,]++))?\]?(?:\s++|:\s*+|$)"
)
_RECORD_LINE: Final = re.compile(r"[A-Z][A-Z0-9]\|.*")
_INSIDE: Final = re.compile(rf"(?<![A-Za-z0-9|#])(?:{'|'.join(RECORDS)})\|")
_NEXT_RECORD: Final = re.compile(rf"\|(.?)(?={'|'.join(RECORDS)})(?=..\|)")


def read_records(text: str, charset: str) -> Found | None:
    """Lines with records, one or more on each: a log whose control bytes are lost, or a paste.

    They get a frame of their own, without a check byte. None if there is no record at all.
    """
    found, before, records = Found([]), None, 0
    for number, raw in enumerate(text.splitlines(), start=1):
        line = _COLOURS.sub("", raw).strip()
        if header := _header(line, number):
            found.steps.append(header)
        if header or not line or line.startswith("#"):
            continue
        at, rest = (None, line) if _is_record(line) else _stamp(line, before)
        if not _is_record(rest) and (inside := _INSIDE.search(rest)):  # a program's log
            rest = rest[inside.start() :]
        if not _is_record(rest):
            found.left_out.append(f"line {number}: no record (a record has bars, as GI|RN101|)")
            continue
        before = before if at is None else at
        for record in _records_of(rest):
            records += 1
            data = _framed(record, charset)
            found.steps.append(Spoken(True, data, at=at, line_number=number))
    return found if records else None


def _is_record(line: str) -> bool:
    return line in RECORDS or _RECORD_LINE.match(line) is not None


def _records_of(line: str) -> Iterator[str]:
    """Cut where a name of a record stands between bars, perhaps behind a check byte."""
    start = 0
    for bar in _NEXT_RECORD.finditer(line):
        check, name = bar[1], line[bar.end() : bar.end() + 2]
        if check + name[0] not in FIELDS:  # |RNS| is the room S, and no record NS
            yield line[start : bar.start() + 1]
            start = bar.end()
    last = line[start:]
    # One character behind the last bar is no field: a check byte that could be printed.
    yield last[:-1] if last[-2:-1] == "|" and last[-1] != "|" else last


def _framed(record: str, charset: str) -> bytes:
    body = record.encode(charset, "replace").translate(None, bytes([STX, ETX]))
    return bytes([STX]) + body + bytes([ETX])


def _stamp(line: str, before: float | None) -> tuple[float | None, str]:
    """The moment before a line, and the line without it; a moment that is none of ours: None."""
    stamp = _STAMP.match(line)
    if stamp is None:
        return None, line.strip()
    day, time = stamp[1].replace("/", "-"), (stamp[2] or "").replace(",", ".")
    step = parse_line(f"{day}T{time} open" if time else f"{day} open", before=before)
    return step.at if step else None, line[stamp.end() :].strip()
