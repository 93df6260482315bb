"""Captures for Wireshark: pcapng with the link type RTAC Serial, written and read.

A packet is what was said at one moment, with the handshake lines as they were then. All other steps
are packets without data, whose comment says in our notation what happened; so nothing is lost on
the way back, and Wireshark shows it in its packet list.

Source: draft-ietf-opsawg-pcapng, sections 4.1 (section header), 4.2 (interface description), 4.3
(enhanced packet), 3.5 (options); LINKTYPE_RTAC_SERIAL (250), whose header of 12 bytes is read in
Wireshark's packet-rtacser.c: seconds and microseconds since 1970 (4 + 4, big endian), event (1),
handshake lines (1), footer (2).
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Final

from gateway.scope.profile import LineProfile
from protocols.transcript import (
    Counted,
    Modem,
    Remarked,
    Settings,
    Spoken,
    Step,
    parse_line,
    show_step,
)

MAGIC: Final = b"\x0a\x0d\x0d\x0a"
RTAC_SERIAL: Final = 250

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_BYTE_ORDER: Final = 0x1A2B3C4D
_END, _COMMENT = 0, 1
_USER_APPLICATION, _IF_NAME, _IF_DESCRIPTION, _IF_TSRESOL, _IF_TSOFFSET = 4, 2, 3, 9, 14
_PACKET_FLAGS: Final = 2
_INBOUND, _OUTBOUND = 1, 2
_COMMENT_BYTES: Final = 60_000
"""The length of an option is 16 bits."""

_HEADER: Final = struct.Struct(">IIBBH")
_STATUS, _TX, _RX, _TX_END, _RX_END = 0, 1, 2, 3, 4
_EVENT_OF_ERROR: Final = {"framing": 7, "parity": 8, "break": 9, "overrun": 10}
_ERROR_OF_EVENT: Final = {event: error for error, event in _EVENT_OF_ERROR.items()}
_LINE_BITS: Final = {"CTS": 0x01, "DCD": 0x02, "DSR": 0x04, "RTS": 0x08, "DTR": 0x10, "RI": 0x20}
_MICROSECONDS: Final = 6  # the resolution as an exponent of ten, if_tsresol
_U32: Final = 0xFFFF_FFFF


# --- Writing ---------------------------------------------------------------------------------


def write(steps: Iterable[Step], profile: LineProfile) -> bytes:
    """A whole file. What the gateway said is TX, what the PMS said is RX.

    Moments keep their microseconds. A step without one stands in the file at the moment of the step
    before, and the time in its RTAC header is 0: not known.
    """
    return b"".join(chain(_file_start(profile), _packets(steps)))


def _file_start(profile: LineProfile) -> Iterator[bytes]:
    section = struct.pack("<IHHq", _BYTE_ORDER, 1, 0, -1)
    yield _block(_SECTION, section, [(_USER_APPLICATION, b"pms-gateway")])
    told = profile.as_step().values
    yield _block(
        _INTERFACE,
        struct.pack("<HHI", RTAC_SERIAL, 0, 0),
        [
            (_IF_NAME, _utf8(profile.line or "line")),
            (_IF_DESCRIPTION, _utf8(" ".join(f"{key}={value}" for key, value in told.items()))),
            (_IF_TSRESOL, bytes([_MICROSECONDS])),
        ],
    )


def _packets(steps: Iterable[Step]) -> Iterator[bytes]:
    steps = list(steps)
    # What has no moment of its own stands at the one before it; in front of all, at the first.
    lines, before = 0, next((round(step.at * 1e6) for step in steps if step.at), 0)
    for step in steps:
        if isinstance(step, Modem):
            lines = _bits(step.lines)
        known = 0 if step.at is None else max(0, round(step.at * 1e6))
        before = known or before
        yield _packet(step, lines, known, before)


def _packet(step: Step, lines: int, known: int, shown: int) -> bytes:
    seconds, microseconds = divmod(known, 1_000_000)
    data = _HEADER.pack(min(seconds, _U32), microseconds, _event(step), lines, 0)
    options = []
    if isinstance(step, Spoken):
        data += step.data
        way = _INBOUND if step.from_pms else _OUTBOUND
        options.append((_PACKET_FLAGS, struct.pack("<I", way)))
    else:
        options.append((_COMMENT, _utf8(show_step(replace(step, at=None)))))
    ticks = min(shown, (1 << 64) - 1)
    sizes = struct.pack("<IIIII", 0, ticks >> 32, ticks & _U32, len(data), len(data))
    return _block(_PACKET, sizes + _padded(data), options)


def _event(step: Step) -> int:
    match step:
        case Spoken(from_pms=from_pms):
            return _RX if from_pms else _TX
        case Counted(errors=errors):
            return next((_EVENT_OF_ERROR[each] for each in errors if each in _EVENT_OF_ERROR), 0)
    return _STATUS


def _bits(lines: Mapping[str, bool]) -> int:
    return sum(_LINE_BITS.get(name, 0) for name, on in lines.items() if on)


def _block(kind: int, body: bytes, options: Iterable[tuple[int, bytes]]) -> bytes:
    written = b"".join(
        struct.pack("<HH", code, len(value)) + _padded(value) for code, value in options
    )
    body += written + struct.pack("<HH", _END, 0)
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")[:_COMMENT_BYTES]


# --- Reading ---------------------------------------------------------------------------------


@dataclass(slots=True)
class _Interface:
    link_type: int
    ticks_a_second: int = 1_000_000
    offset_s: int = 0
    profile: LineProfile | None = None


@dataclass(slots=True)
class _Reader:
    """What is known so far while a file is read."""

    order: str = "<"
    interfaces: list[_Interface] = field(default_factory=list)
    profile: LineProfile | None = None
    has_serial: bool = False
    lines: int | None = None


def read(data: bytes) -> tuple[list[Step], LineProfile | None]:
    """The steps of a file, and what its interface says of the line.

    Either byte order; blocks and options that we do not write are passed over; a file that ends
    inside a block is read to there. Raises ValueError if no interface is RTAC Serial.
    """
    reader = _Reader()
    steps: list[Step] = []
    for kind, body in _blocks(data, reader):
        try:
            if kind == _INTERFACE:
                _read_interface(reader, body)
            elif kind == _PACKET:
                steps += _read_packet(reader, body)
        except struct.error:
            continue  # a block too short for its kind says nothing
    if not reader.has_serial:
        raise ValueError(
            "this pcapng file has no interface of the type RTAC Serial; of FIAS over TCP, give the"
            " bytes: in Wireshark, Follow TCP Stream, show as Raw, save"
        )
    return steps, reader.profile


def _blocks(data: bytes, reader: _Reader) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position + 12 <= len(data):
        if data[position : position + 4] == MAGIC:
            is_little = data[position + 8 : position + 12] == struct.pack("<I", _BYTE_ORDER)
            reader.order, reader.interfaces = "<" if is_little else ">", []
        kind, length = struct.unpack_from(reader.order + "II", data, position)
        if length < 12 or length % 4 or position + length > len(data):
            return
        yield kind, data[position + 8 : position + length - 4]
        position += length


def _options(reader: _Reader, body: bytes, position: int) -> Iterator[tuple[int, bytes]]:
    while position + 4 <= len(body):
        code, length = struct.unpack_from(reader.order + "HH", body, position)
        if code == _END:
            return
        yield code, body[position + 4 : position + 4 + length]
        position += 4 + length + -length % 4


def _read_interface(reader: _Reader, body: bytes) -> None:
    (link_type,) = struct.unpack_from(reader.order + "H", body)
    interface = _Interface(link_type)
    reader.interfaces.append(interface)
    told = dict(_options(reader, body, 8))
    if resolution := told.get(_IF_TSRESOL):
        base = 2 if resolution[0] & 0x80 else 10
        interface.ticks_a_second = base ** (resolution[0] & 0x7F)
    if len(told.get(_IF_TSOFFSET, b"")) == 8:
        (interface.offset_s,) = struct.unpack(reader.order + "q", told[_IF_TSOFFSET])
    if link_type == RTAC_SERIAL and not reader.has_serial:
        reader.has_serial = True
        reader.profile = _profile(told)


def _profile(told: Mapping[int, bytes]) -> LineProfile | None:
    words = told.get(_IF_DESCRIPTION, b"").decode("utf-8", "replace")
    name = "_".join(told.get(_IF_NAME, b"line").decode("utf-8", "replace").split())
    step = parse_line(f"line {name} {words}")
    says_how = isinstance(step, Settings) and "lrc" in step.values
    return LineProfile.of_step(step) if isinstance(step, Settings) and says_how else None


def _read_packet(reader: _Reader, body: bytes) -> Iterator[Step]:
    number, high, low, length, _ = struct.unpack_from(reader.order + "IIIII", body)
    if number >= len(reader.interfaces) or reader.interfaces[number].link_type != RTAC_SERIAL:
        return
    interface, data = reader.interfaces[number], body[20 : 20 + length]
    seconds, microseconds, event, lines, _ = _HEADER.unpack_from(data)
    at = None
    if seconds or microseconds:
        whole, part = divmod(high << 32 | low, interface.ticks_a_second)
        at = whole + interface.offset_s + part / interface.ticks_a_second
    options = _options(reader, body, 20 + length + -length % 4)
    comments = [text.decode("utf-8", "replace") for code, text in options if code == _COMMENT]
    if event in (_TX, _RX, _TX_END, _RX_END):
        if len(data) > _HEADER.size or event in (_TX, _RX):
            yield Spoken(event in (_RX, _RX_END), data[_HEADER.size :], at=at)
    elif not comments:
        yield from _wordless(reader, event, lines, at)
    reader.lines = lines
    for comment in comments:
        yield _commented(comment, at, is_ours=event not in (_TX, _RX, _TX_END, _RX_END))


def _wordless(reader: _Reader, event: int, lines: int, at: float | None) -> Iterator[Step]:
    """What another program's packet without data says."""
    if event in _ERROR_OF_EVENT:
        yield Counted({_ERROR_OF_EVENT[event]: 1}, at=at)
    elif lines != reader.lines:
        yield Modem({name: bool(lines & bit) for name, bit in _LINE_BITS.items()}, at=at)


def _commented(comment: str, at: float | None, *, is_ours: bool) -> Step:
    """A comment of ours is a line of the notation; one made in Wireshark is what somebody said."""
    if is_ours and comment.startswith("#"):
        return Remarked(comment.removeprefix("#").strip(), at=at)
    try:
        step = parse_line(comment) if is_ours else None
    except ValueError:
        step = None
    if step is None or isinstance(step, Spoken):
        return Remarked(" ".join(comment.split()), at=at)
    return replace(step, at=at)
