"""Record to facts. Pure: the same record gives the same facts, and no history is known here.

This is the upper end of the dialect: what leaves it is in hotel words.
"""

from typing import Final

from protocols.errors import RecordError
from protocols.facts import (
    GuestArrived,
    GuestChanged,
    GuestDetails,
    GuestLeft,
    GuestMoved,
    NightAudit,
    PostingAnswered,
    ResyncBegan,
    ResyncEnded,
    RoomEquipped,
    Said,
    Verdict,
    WakeUpCleared,
    WakeUpOrdered,
)
from protocols.fias.fields import moment
from protocols.fias.posted import VERDICTS, answer_in_words
from protocols.fias.records import (
    GuestChange,
    GuestIn,
    GuestOut,
    NightAuditEnd,
    NightAuditStart,
    PostingAnswer,
    Record,
    ResyncEnd,
    ResyncStart,
    RoomEquipment,
    WakeUpClear,
    WakeUpRequest,
)

MAX_NUMBER_CHARS: Final = 64
"""FIAS has 8 for rooms and 10 for reservations, sites more; a UCM's address is at most 128."""


def normalize(record: Record) -> tuple[Said, ...]:
    """What a record from the PMS says; empty for one that says nothing about phones.

    Raises RecordError (`no_room`, `no_time`, `no_number`, `overlong_field`) when the record cannot
    be understood for what it lacks or has too much of. A field that is merely unreadable is taken
    as absent.

    Source: FIAS 2.20.24, guest data, room move, database resync, room equipment, wake-up,
    posting answer and answer status.
    """
    match record:
        case GuestIn():
            return (
                GuestArrived(
                    room=_room(record),
                    reservation=_reservation(record),
                    details=_details(record),
                    shared=record.shared,
                    in_resync=record.swap is True,
                ),
            )
        case GuestOut():
            return (
                GuestLeft(
                    room=_room(record),
                    reservation=_reservation(record),
                    shared=record.shared,
                    in_resync=record.swap is True,
                ),
            )
        case GuestChange(old_room=str(old_room)) if old_room and old_room != record.room:
            return (
                GuestMoved(
                    room=_room(record),
                    old_room=_bounded(old_room),
                    reservation=_reservation(record),
                    details=_news(record),
                    shared=record.shared,
                    old_room_shared=record.old_room_shared,
                ),
            )
        case GuestChange():
            return (
                GuestChanged(
                    room=_room(record),
                    reservation=_reservation(record),
                    details=_news(record),
                ),
            )
        case RoomEquipment():
            return (
                RoomEquipped(
                    room=_room(record),
                    class_of_service=record.class_of_service,
                    do_not_disturb=record.do_not_disturb,
                    room_status=record.room_status,
                ),
            )
        case WakeUpRequest():
            at = moment(record.day, record.at)
            if at is None:
                raise RecordError("no_time", b"", "a wake-up needs a readable DA and TI")
            return (WakeUpOrdered(room=_room(record), at=at),)
        case WakeUpClear():
            at = moment(record.day, record.at)
            if at is None and (record.odd or record.day or record.at):
                # Half a moment must not clear every wake-up of the room.
                raise RecordError("no_time", b"", "DA and TI must be both readable or both empty")
            return (WakeUpCleared(room=_room(record), at=at),)
        case ResyncStart():
            return (ResyncBegan(),)
        case ResyncEnd():
            return (ResyncEnded(),)
        case NightAuditStart():
            return (NightAudit(running=True),)
        case NightAuditEnd():
            return (NightAudit(running=False),)
        case PostingAnswer():
            if record.posting_number is None:
                advice = "PA without P# answers nothing: P# must be in the LR of PS and of PA"
                raise RecordError("no_number", b"", advice)
            return (
                PostingAnswered(
                    number=record.posting_number,
                    answer=record.answer or "",
                    verdict=VERDICTS.get(record.answer or "", Verdict.REFUSED),
                    meaning=answer_in_words(record.answer),
                    text=record.text or "",
                ),
            )
    return ()


def _room(
    record: GuestIn | GuestOut | GuestChange | RoomEquipment | WakeUpRequest | WakeUpClear,
) -> str:
    if not record.room:
        raise RecordError("no_room", b"", f"{record.record_id} needs RN to say which room")
    return _bounded(record.room)


def _bounded(text: str) -> str:
    """A room or reservation number of a length that a PBX can have heard of."""
    if len(text) > MAX_NUMBER_CHARS:
        advice = f"a room or reservation of more than {MAX_NUMBER_CHARS} characters"
        raise RecordError("overlong_field", b"", advice)
    return text


def _reservation(record: GuestIn | GuestOut | GuestChange) -> str | None:
    # "0" stands for "no active reservation" (a permanent direct number).
    # "@" in front is how the house names guests without a number; no PMS numbers guests so.
    number = (record.reservation or "").lstrip("@")
    return None if number in ("", "0") else _bounded(number)


def _details(record: GuestIn | GuestChange) -> GuestDetails:
    return GuestDetails(
        name=record.name,
        first_name=record.first_name,
        language=record.language,
        vip=record.vip,
        class_of_service=record.class_of_service,
        arrival=record.arrival,
        departure=record.departure,
    )


def _news(record: GuestChange) -> GuestDetails:
    """An empty field of a change says nothing: a PMS that sends all fields fills those that it
    means, as a site showed.
    """
    details = _details(record)
    said = {name: getattr(details, name) or None for name in GuestDetails.__slots__}
    return GuestDetails(**said)
