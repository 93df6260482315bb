"""Notes on what the records of the PMS say, and in which code page."""

from typing import Final

from gateway.scope.decode import LINK_RECORDS
from gateway.scope.explain.marks import Mark
from gateway.scope.explain.notes.frames import body_of
from gateway.scope.explain.sight import Sight
from gateway.scope.rows import Row
from protocols.fias.fields import CLOCK, DAY, FIELDS
from protocols.fias.records import GuestChange, GuestIn, GuestOut, Record, UnknownRecord

REPEATED_S: Final = 60.0

_MOMENTS: Final = frozenset({DAY.name, CLOCK.name})
_NAMES: Final = frozenset({b"GN", b"GF", b"GT"})
_GUESSES: Final = {"cp850": Mark.NAME_DOS, "cp1252": Mark.NAME_WINDOWS}
_MARKS: Final = frozenset("\u2018\u2019\u00b4\u2013\u00b0\u00aa\u00ba\u00a0")
"""Apostrophes and the like, which names also have."""

_SINGLE_BYTE: Final = ("cp", "iso-8859", "ascii")


def note_record(sight: Sight, row: Row, record: Record) -> None:
    """What this record of the PMS leaves to be desired."""
    if record.record_id in LINK_RECORDS:
        return
    body = body_of(sight, row)
    sight.note(Mark.DATA, row)
    _note_repeat(sight, row, body)
    _note_fields(sight, row, record)
    _note_guest(sight, row, record)
    for field in body.split(b"|")[1:]:
        if field[:2] in _NAMES:
            _note_name(sight, row, field[2:])


def _note_repeat(sight: Sight, row: Row, body: bytes) -> None:
    frames = sight.frames
    if body == frames.last_body and sight.now - frames.last_at <= REPEATED_S:
        sight.note(Mark.REPEATED, row)
    frames.last_body, frames.last_at = body, sight.now


def _note_fields(sight: Sight, row: Row, record: Record) -> None:
    if isinstance(record, UnknownRecord):
        sight.note(Mark.UNKNOWN_RECORD, row)
        return
    unknown = sum(field_id not in FIELDS for field_id, _ in record.extra)
    sight.note(Mark.UNKNOWN_FIELD, row, unknown)
    odd = sum(FIELDS[field_id].codec.name in _MOMENTS for field_id, _ in record.odd)
    sight.note(Mark.UNREADABLE_DATE, row, odd)


def _note_guest(sight: Sight, row: Row, record: Record) -> None:
    if not isinstance(record, GuestIn | GuestOut | GuestChange):
        return
    if not record.room:
        sight.note(Mark.NO_ROOM, row)
    if isinstance(record, GuestIn):
        sight.note(Mark.NUMBERED if record.reservation else Mark.NO_NUMBER, row)


def _note_name(sight: Sight, row: Row, name: bytes) -> None:
    charset = sight.profile.charset
    if name.isascii() or (not charset.startswith(_SINGLE_BYTE) and charset != "utf-8"):
        return  # in a code page of double bytes nothing is seen from the bytes alone
    if charset != "utf-8" and _is_spelt(name, "utf-8"):
        sight.note(Mark.NAME_UTF8, row)
    elif not _is_spelt(name, charset):
        guess = next((each for each in _GUESSES if _is_spelt(name, each)), None)
        if guess is not None:
            sight.note(_GUESSES[guess], row)


def _is_spelt(name: bytes, charset: str) -> bool:
    """In this code page, everything beyond ASCII is a letter."""
    try:
        text = name.decode(charset)
    except UnicodeDecodeError:
        return False
    return all(char.isascii() or char.isalpha() or char in _MARKS for char in text)
