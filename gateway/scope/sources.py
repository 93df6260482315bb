"""Anything a technician has of a line, as steps: a capture, a dump, a log of a terminal, a paste.

| format | is known by |
| --- | --- |
| pcapng | its first four bytes |
| bytes | control bytes as they are, STX above all |
| json | objects, one a line |
| socat | `> 2026/03/14 10:15:00.123456  length=5 from=0 to=4` |
| dump | every line is hex: xxd, hexdump -C, `02 47 49`, `0x02,0x47`, `024749` |
| notation | `pms>`, `gw >`, or control bytes by name: `<STX>` |
| terminal | control bytes as a terminal shows them: `^B`, `[STX]`, `\\x02`, pictures, smileys |
| records | lines with bars: a log that has lost its control bytes, or a paste |
| lines | call records: every line has their columns |
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from gateway.scope import dumps, json_lines, pastes, pcapng
from gateway.scope.pastes import Found
from gateway.scope.profile import DEFAULT, LineProfile, profile_of
from protocols.dialects import DIALECTS, Dialect, settled
from protocols.errors import RecordError
from protocols.fias import known_charset
from protocols.fias.framing import frame_reader
from protocols.stream import ACK, ENQ, NAK, Frame, Refusal
from protocols.transcript import Settings, Spoken, Step

MAX_BYTES: Final = 16_000_000
_LATEST_S: Final = 253_402_214_400  # the last day of the year 9999: no zone takes it further
_JUDGED_BYTES: Final = 65_536
"""So much of a direction tells whether it has check bytes."""

_TEXT_BYTES: Final = bytes([7, 8, 9, 10, 11, 12, 13, 27, *range(32, 256)])
"""What the log of a terminal may hold: letters, bells, colours, line ends."""


class UnreadableSource(ValueError):
    """Nothing of a line is recognised, or it is too large: the sentence says what to do."""


@dataclass(frozen=True, slots=True)
class Capture:
    """What was read.

    format          one of the formats above
    profile         how the line is spoken, as the source says or as its bytes show
    has_directions  who said what is known; else all is told as said by the PMS
    left_out        a sentence for each line that could not be read, with its number
    """

    steps: list[Step]
    profile: LineProfile
    format: str
    has_directions: bool = True
    left_out: tuple[str, ...] = ()


def read(data: bytes, charset: str = "cp1252", *, lrc: bool | None = None) -> Capture:
    """Whatever it is, as steps.

    charset     the code page of the line, until the source itself names one
    lrc         whether a check byte follows ETX; None: as the source says, or found from the bytes

    The work grows with the length alone, of which MAX_BYTES are taken. Raises UnreadableSource, and
    nothing else.
    """
    if len(data) > MAX_BYTES:
        raise UnreadableSource(f"more than {MAX_BYTES // 1_000_000} MB at once: give a part of it")
    name, found, told = _recognised(data, charset)
    if name == "records":
        lrc = None  # their frames are of our own making
    shown = _shown_by_bytes(found.steps, charset, lrc)
    steps = [_tame(step, shown, lrc) for step in found.steps]
    profile = profile_of(steps) or told or shown
    profile = replace(
        profile,
        lrc=profile.lrc if lrc is None else lrc,
        charset=known_charset(profile.charset) or charset,
    )
    return Capture(steps, profile, name, found.has_directions, tuple(found.left_out))


def _recognised(data: bytes, charset: str) -> tuple[str, Found, LineProfile | None]:
    """The format, what is in it, and what a file says of the line besides its steps."""
    if data.startswith(pcapng.MAGIC):
        try:
            steps, profile = pcapng.read(data)
        except ValueError as error:
            raise UnreadableSource(str(error)) from None
        return "pcapng", Found(steps, has_directions=True), profile
    for magic, sentence in _FOREIGN.items():
        if data.startswith(magic):
            raise UnreadableSource(sentence)
    if not data.startswith(pastes.UTF_16) and _is_binary(data):
        return "bytes", Found([Spoken(True, pastes.without_headers(data))]), None
    return *_read_text(pastes.text_of(data, charset), charset), None


_FOREIGN: Final = {
    b"\xd4\xc3\xb2\xa1": "a pcap file: save it in Wireshark as pcapng",
    b"\xa1\xb2\xc3\xd4": "a pcap file: save it in Wireshark as pcapng",
    b"\x1f\x8b": "a gzip file: unpack it first",
    b"PK\x03\x04": "a zip file: unpack it first",
}


def _is_binary(data: bytes) -> bool:
    """Bytes of the line itself: STX is there, or other bytes that no text has."""
    if data.translate(None, _TEXT_BYTES) != b"":
        return True
    high = data.translate(None, bytes(range(128)))
    return len(high) * 3 > len(data) and not pastes.is_utf8(data)


def _read_text(text: str, charset: str) -> tuple[str, Found]:
    if text.lstrip().startswith("{"):
        try:
            return "json", Found(list(json_lines.read(text)), has_directions=True)
        except ValueError as error:
            if "\\u0002" not in text:
                raise UnreadableSource(str(error)) from None
    for name, reader in _READERS.items():
        found = reader(text, charset)
        if found is not None:
            return name, found
    raise UnreadableSource(
        "nothing of a line is in it: expected a capture of ours, a hex dump, the log of a terminal,"
        " or records with bars, as GI|RN101|"
    )


_READERS: Final[dict[str, Callable[[str, str], Found | None]]] = {
    "socat": dumps.read_socat,
    "dump": dumps.read_dump,
    "notation": pastes.read_notation,
    "terminal": pastes.read_terminal,
    "records": pastes.read_records,
    "lines": lambda text, _: _read_lines(text),
}


def _read_lines(text: str) -> Found | None:
    """Call records as a printer would print them, if every line is one."""
    data = "".join(f"{line}\r\n" for line in text.splitlines() if line.strip())
    said = data.encode("ascii", "replace")
    if _dialect_of([said]) == DEFAULT:
        return None
    return Found([Spoken(False, said)])


# --- How it is spoken ------------------------------------------------------------------------


def _shown_by_bytes(steps: list[Step], charset: str, lrc: bool | None) -> LineProfile:
    ways = [_said(steps, from_pms) for from_pms in (True, False)]
    has_lrc = has_check_bytes(ways) if lrc is None else lrc
    answers = bytes([ACK, NAK, ENQ])
    # Inside a frame these three are nothing but a check byte: without it, none is there.
    is_answered = has_lrc or any(way.translate(None, answers) != way for way in ways)
    protocol = _dialect_of(ways)
    if protocol != DEFAULT:
        answered = is_answered
        has_lrc, is_answered = settled(DIALECTS[protocol], lrc=None, ack=answered, is_serial=False)
    return LineProfile(lrc=has_lrc, ack=is_answered, charset=charset, protocol=protocol)


def _dialect_of(ways: list[bytes]) -> str:
    """The dialect in which every frame is a record; where none is so, the usual one."""
    for name, dialect in DIALECTS.items():
        if dialect.describe is not None and _is_of(dialect, ways):
            return name
    return DEFAULT


def _is_of(dialect: Dialect, ways: list[bytes]) -> bool:
    assert dialect.describe is not None  # `_dialect_of` asks
    has_lrc = bool(dialect.has_check_byte)
    items = [item for way in ways for item in dialect.reader(has_lrc, True).receive(way)]
    frames = [item.body for item in items if isinstance(item, Frame)]
    if not frames or any(isinstance(item, Refusal) for item in items):
        return False
    try:
        for frame in frames:
            dialect.describe(frame)
    except RecordError:
        return False
    return True


def _said(steps: Iterable[Step], from_pms: bool) -> bytes:
    """The first bytes of one direction."""
    said = bytearray()
    for step in steps:
        if isinstance(step, Spoken) and step.from_pms is from_pms:
            said += step.data[:_JUDGED_BYTES]
        if len(said) >= _JUDGED_BYTES:
            break
    return bytes(said[:_JUDGED_BYTES])


def has_check_bytes(ways: Iterable[bytes]) -> bool:
    """Whether a check byte follows ETX: whichever reading refuses less is the right one."""
    ways = list(ways)

    def refused(lrc: bool) -> int:  # the question itself
        readers = [(frame_reader(lrc=lrc, handshake=lrc), way) for way in ways]
        items = [item for reader, way in readers for item in (*reader.receive(way), *reader.gap())]
        return sum(isinstance(item, Refusal) for item in items)

    return refused(True) < refused(False)


def _tame(step: Step, shown: LineProfile, lrc: bool | None) -> Step:
    """A step that everything behind us can show: a moment of our calendar, a code page we know,
    and settings that leave nothing open."""
    if step.at is not None and not 0 <= step.at < _LATEST_S:
        step = replace(step, at=None)
    if isinstance(step, Settings):
        values = {**shown.as_step().values, **step.values}
        values["charset"] = known_charset(values["charset"]) or shown.charset
        if lrc is not None:
            values["lrc"] = "on" if lrc else "off"
        step = replace(step, values=values)
    return step
