"""What a record of the line says, as one would say it at the front desk. No guest's name."""

from collections.abc import Iterator
from datetime import date, time
from typing import Final

from protocols.fias.fields import DURATION, FIELDS, FLAG
from protocols.fias.posted import answer_in_words
from protocols.fias.records import (
    GuestChange,
    GuestIn,
    GuestOut,
    GuestRecord,
    Posting,
    PostingAnswer,
    Record,
    RoomEquipment,
    WakeUpAnswer,
    WakeUpClear,
    WakeUpRequest,
)

NAMES: Final = {
    "GI": "check-in",
    "GO": "check-out",
    "GC": "change or move",
    "RE": "room equipment",
    "WR": "wake-up",
    "WC": "wake-up cleared",
    "WA": "end of a wake-up",
    "DS": "resync begins",
    "DE": "resync ends",
    "NS": "night audit begins",
    "NE": "night audit ends",
}
"""Records of the hotel by their ids, in words."""

_LINK: Final = {
    "LS": "the link starts",
    "LA": "the link is alive",
    "LE": "the link ends",
    "LD": "the gateway describes itself",
    "LR": "the gateway says which records it wants",
    "DR": "resync: please tell every room",
    "DS": "resync begins: every room follows",
    "DE": "resync ends: every room was told",
    "NS": "the night audit begins",
    "NE": "the night audit is over",
}


ROOM_STATUS: Final = {
    "1": "dirty, vacant",
    "2": "dirty, occupied",
    "3": "clean, vacant",
    "4": "clean, occupied",
    "5": "inspected, vacant",
    "6": "inspected, occupied",
}
"""RS, as FIAS counts them; from 7 on each PMS has its own."""


def value_in_words(field_id: str, text: str) -> str:
    """A field's value as one would say it; empty: it says so itself, or cannot be read."""
    field = FIELDS.get(field_id)
    if field is None or not text:
        return ""
    try:
        value = field.codec.decode(text)
    except ValueError:
        return ""
    match value:
        case bool():
            return ("yes" if value else "no") if field.codec is FLAG else ""
        case date():
            return f"{value:%d %b %Y}"
        case time():
            return f"{value:%H:%M}" if value.second == 0 else f"{value:%H:%M:%S}"
        case str() if field_id == "RS":
            return ROOM_STATUS.get(value, "")
        case int() if field.codec is DURATION:
            return f"{value} s"
        case _:
            return ""


def meaning_of(record: Record) -> str:
    """A record in words; those that say nothing of a room: the first sentence of their class."""
    return _of(record) or _LINK.get(record.record_id) or _first_sentence(type(record))


def _first_sentence(cls: type[Record]) -> str:
    return (cls.__doc__ or "").split(".")[0].replace("\n", " ").replace("`", "").strip()


def _of(record: Record) -> str:
    match record:
        case GuestIn(room=room) if room:
            others = " (others are in too)" if record.shared else ""
            if record.swap:
                return f"resync: {_guest(record)} is in {room}{others}"
            return f"{_guest(record)} checks in to {room}{others}"
        case GuestOut(room=room) if room:
            if record.reservation is None:
                return f"resync: {room} is vacant" if record.swap else f"{room} is checked out"
            others = " (others stay)" if record.shared else ""
            return f"guest {record.reservation} checks out of {room}{others}"
        case GuestChange(room=room, old_room=old_room) if room and old_room and room != old_room:
            return f"{_guest(record)} moves from {old_room} to {room}"
        case GuestChange(room=room) if room:
            return f"{_guest(record)} in {room}: something about the guest has changed"
        case RoomEquipment(room=room) if room:
            return f"{room}: {', '.join(_settings(record)) or 'nothing that the phone shows'}"
        case Posting(room=room) if room:
            return f"charge for {room}: {', '.join(_charge(record))}"
        case PostingAnswer(posting_number=number) if number is not None:
            code = record.answer or "no AS"
            return f"charge number {number}: {answer_in_words(record.answer)} ({code})"
        case WakeUpRequest(room=room) if room:
            return f"wake-up for {room} at {_at(record.day, record.at) or 'no time'}"
        case WakeUpClear(room=room) if room:
            when = _at(record.day, record.at)
            return f"no wake-up for {room} at {when}" if when else f"no wake-up for {room} any more"
        case WakeUpAnswer(room=room) if room:
            ending = _WAKE_UP_ANSWERS.get(record.answer or "", f"answer {record.answer}")
            return f"the wake-up of {room} at {_at(record.day, record.at) or 'no time'}: {ending}"
        case _:
            return ""


_WAKE_UP_ANSWERS: Final = {
    "OK": "the guest was woken",
    "NR": "no answer",
    "BY": "busy",
    "UR": "it failed, or nobody knows",
}


def _guest(record: GuestRecord) -> str:
    return f"guest {record.reservation}" if record.reservation else "a guest"


def _charge(record: Posting) -> Iterator[str]:
    if record.dialled is not None or record.duration is not None:
        yield f"a call of {record.duration or 0} s"
    if record.articles:
        taken = (f"{each.count or 1} of article {each.number}" for each in record.articles)
        yield f"minibar, {', '.join(taken)}"
    if record.total is not None:
        yield f"amount {record.total} without its decimal point"
    if record.posting_number is not None:
        yield f"number {record.posting_number}"


def _settings(record: RoomEquipment) -> Iterator[str]:
    if record.do_not_disturb is not None:
        yield f"do-not-disturb {'on' if record.do_not_disturb else 'off'}"
    if record.class_of_service is not None:
        yield f"class of service {record.class_of_service}"
    if record.room_status is not None:
        words = ROOM_STATUS.get(record.room_status)
        yield f"room status {record.room_status}" + (f" ({words})" if words else "")
    if record.voice_mail is not None:
        yield f"voice mail {_mail(record.voice_mail)}"
    if record.message_lamp is not None:
        yield f"message lamp {'on' if record.message_lamp else 'off'}"


def _mail(text: str) -> str:
    """Y, N, or two digits unread and two digits read."""
    if len(text) == 4 and text.isdecimal():
        return f"{int(text[:2])} unread, {int(text[2:])} read"
    return {"Y": "waits", "N": "none"}.get(text, text)


def _at(day: date | None, at: time | None) -> str:
    parts = ["" if day is None else f"{day:%d %b}", "" if at is None else f"{at:%H:%M}"]
    return " ".join(part for part in parts if part)
