"""Captured bytes without the guests in them: what stays is what a technician needs.

A masked letter is `x` or `X`, a masked digit `9`, a masked byte above 7F another one of its kind,
so lengths, code page and shape stay as they were. A check byte that was right stays right, and one
that was wrong stays wrong by the same bits.
"""

import re
from typing import Final

from protocols.checksums import lrc
from protocols.fias.fields import FIELDS
from protocols.stream import ETX, STX

_SHOWN_TEXTS: Final = frozenset(
    {"RN", "RO", "G#", "GL", "GV", "CS", "MR", "TV", "VR", "VM", "RS", "AS", "WS", "PT", "PC"}
    | {"SO", "IF", "V#", "RI", "FL", "KT", "DT", "ES", "ET"}
)
_SHOWN_CODECS: Final = frozenset({"YYMMDD", "HHMMSS", "Y or N", "present or not", "number"})
SHOWN: Final = frozenset(
    field.id
    for field in FIELDS.values()
    if field.id in _SHOWN_TEXTS or field.codec.name in _SHOWN_CODECS
)
"""The fields that speak of rooms, dates and rights. Any other, known or not, may hold a guest."""

_WITHOUT_GUESTS: Final = frozenset(
    {b"LS", b"LA", b"LE", b"LD", b"LR", b"LC", b"DR", b"DS", b"DE", b"NS", b"NE"}
)
_SHOWN_BYTES: Final = 16
"""A room number is not longer. What is may have swallowed the bar before a name."""

_WORD: Final = re.compile(rb"[A-Za-z\x80-\xff]{4}")
"""Codes are shorter: where no check byte tells, GLOttoline may be a GF whose F was damaged."""

_UTF8: Final = re.compile(
    rb"(?P<two>[\xc2-\xdf][\x80-\xbf])|(?P<three>[\xe0-\xef][\x80-\xbf]{2})"
    rb"|(?P<four>[\xf0-\xf4][\x80-\xbf]{3})|(?P<one>[\x80-\xff])"
)
_INSTEAD: Final = {"two": "é", "three": "ア", "four": "😀"}
_FIELD_START: Final = re.compile(rb"([\x02|][A-Z][A-Z0-9#+])")
_PLAIN: Final = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
    b"X" * 26 + b"x" * 26 + b"9" * 10,
)


_LETTERS: Final = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", b"x" * 52
)
_HIGH: Final = re.compile(rb"[\x80-\xff]")
_PARITY_WORD: Final = re.compile(
    # At least one letter with its parity bit; F8, F9 and FA are what a fast line makes of ACK.
    rb"(?=[A-Za-z]*[\xc1-\xda\xe1-\xf7])[A-Za-z\xc1-\xda\xe1-\xfa]{3,}"
)


def mask(piece: bytes, *, has_lrc: bool) -> bytes:
    """One piece of a stream (see `cutter`) of the same length, without guests.

    A frame that is whole and right keeps the fields in SHOWN; of anything else only the names of
    fields, the digits and the bytes that are no letters are left, because a damaged bar would make
    a name part of a room number.
    """
    end = len(piece) - 1 - has_lrc  # not the last ETX: a check byte may look like one
    if end < 1 or piece[0] != STX or piece.find(ETX) != end:
        return _harshly(piece)
    body = piece[1:end]
    is_right = not has_lrc or piece[-1] == lrc(piece[1:-1])
    masked = _by_fields(body) if is_right else _harshly(piece[:end])[1:]
    check = bytes([piece[-1] ^ lrc(body) ^ lrc(masked)]) if has_lrc else b""
    return b"\x02" + masked + b"\x03" + check


def mask_body(body: bytes) -> bytes:
    """A body without guests."""
    return _by_fields(body)


def _by_fields(body: bytes) -> bytes:
    record, bar, rest = body.partition(b"|")
    if record in _WITHOUT_GUESTS:
        return body
    if len(record) != 2:
        return _harshly(body)
    return record + bar + b"|".join(_field(each) for each in rest.split(b"|"))


def _field(field: bytes) -> bytes:
    name, value = field[:2], field[2:]
    is_shown = name.decode("ascii", "replace") in SHOWN and len(value) <= _SHOWN_BYTES
    if is_shown and not _WORD.search(value):
        return field
    if not re.fullmatch(rb"[A-Z$+0-9][A-Z0-9#+$]", name):  # no field: perhaps half a name
        return _text(field)
    return name + _text(value)


def _text(value: bytes) -> bytes:
    return _UTF8.sub(_another, value.translate(_PLAIN))


def _another(match: re.Match[bytes]) -> bytes:
    kind = match.lastgroup or "one"
    return _INSTEAD[kind].encode() if kind in _INSTEAD else b"\xe9"


def _harshly(piece: bytes) -> bytes:
    """All letters but those of field names; also words whose letters carry a parity bit."""
    parts = _FIELD_START.split(piece)
    if len(parts) > 1:  # text of the code page: a letter above 7F is no noise here
        parts[::2] = [_HIGH.sub(b"\xe9", part.translate(_LETTERS)) for part in parts[::2]]
        return b"".join(parts)
    return b"".join(
        part if number % 2 else _PARITY_WORD.sub(_parity_word, part.translate(_LETTERS))
        for number, part in enumerate(parts)
    )


def _parity_word(match: re.Match[bytes]) -> bytes:
    # 78 has an even number of bits, F8 an odd one: whatever parity a letter had, it keeps.
    return bytes(0xF8 if byte.bit_count() % 2 else 0x78 for byte in match[0])
