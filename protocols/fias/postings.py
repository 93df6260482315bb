"""Posting to record: the way out of the dialect, as `normalize` is the way in. Pure."""

from collections.abc import Mapping
from typing import Final

from protocols.fias import fields as f
from protocols.fias.profile import WANTED
from protocols.fias.records import (
    Article,
    LinkRecordWanted,
    Posting,
    Record,
    RoomEquipment,
    WakeUpAnswer,
    WakeUpClear,
    WakeUpRequest,
)
from protocols.postings import (
    ARTICLES,
    CHARGE,
    ROOM_STATUS,
    VOICEMAIL,
    WAKE_UP_ORDER,
    WAKE_UP_RESULT,
    ArticlesTaken,
    CallCharge,
    Ending,
    MessagesWaiting,
    RoomStatusKeyed,
    WakeUpEnded,
    WakeUpKeyed,
)
from protocols.postings import Posting as Said

CAN_SAY: Final = frozenset(
    {CHARGE, ARTICLES, ROOM_STATUS, VOICEMAIL, WAKE_UP_RESULT, WAKE_UP_ORDER}
)
"""What FIAS has words for."""

MAID_CODES: Final = {
    "1": ("3", "4"), "2": ("0", "0"), "3": ("0", "0"),
    "4": ("3", "4"), "5": ("1", "2"), "6": ("0", "0"),
}  # fmt: skip
"""RS of what a maid keys, vacant and occupied; nothing of repairs. Source: FIAS 2.20.24."""

LARGEST_NUMBER: Final = 99_999_999
"""Source: FIAS 2.20.24, P# has eight digits; it is never 0."""

_ANSWERED: Final = ("RN", "P#", "AS", "CT", "DA", "TI")

_ENDINGS: Final[Mapping[Ending, str]] = {
    Ending.ANSWERED: "OK",
    Ending.NO_ANSWER: "NR",
    Ending.BUSY: "BY",
    Ending.FAILED: "UR",
}
"""Source: FIAS 2.20.24, answer status of a wake-up answer."""


def record_of(posting: Said, number: int) -> Record:
    """The record that says it.

    number  of a charge, 1..LARGEST_NUMBER: the PMS's answer comes with it. Nothing else has one

    Source: FIAS 2.20.24, posting simple, room equipment, wake-up.
    """
    match posting:
        case CallCharge():
            return _charge(posting, number)
        case RoomStatusKeyed():
            maid = posting.maid[: f.USER_ID.length] or None
            return RoomEquipment(room=posting.room, room_status=posting.status, user_id=maid)
        case MessagesWaiting():
            both = f"{min(posting.unread, 99):02}{min(posting.read, 99):02}"
            return RoomEquipment(room=posting.room, voice_mail=both)
        case ArticlesTaken():
            return _articles(posting, number)
        case WakeUpEnded(room=room, at=at, ending=ending):
            answer = _ENDINGS[ending]
            return WakeUpAnswer(room=room, day=at.date(), at=at.time(), answer=answer)
        case WakeUpKeyed(room=room, at=at):
            form = WakeUpRequest if posting.is_wanted else WakeUpClear
            return form(room=room, day=at.date(), at=at.time())


def _charge(posting: CallCharge, number: int) -> Posting:
    """PT is C where the amount is ours, T where the PMS prices digits and duration. DA and TI are
    the start of the call. The digits are cut to what DD can hold: a PMS refuses a longer field.
    """
    digits = "".join(each for each in posting.digits if each.isascii() and each.isdigit())
    return Posting(
        room=posting.room,
        posting_type="T" if posting.amount is None else "C",
        total=posting.amount,
        dialled=digits[: f.DIALLED.length] or None,
        duration=posting.duration_s,
        outlet=posting.outlet or None,
        posting_number=number,
        day=posting.at.date(),
        at=posting.at.time(),
    )


def _articles(posting: ArticlesTaken, number: int) -> Posting:
    """PT is C where the amount is ours, M where the PMS prices the articles: then each has its
    count, because a PMS may skip an article without one.
    """
    articles = tuple(Article(number=article, count=count) for article, count in posting.articles)
    return Posting(
        room=posting.room,
        posting_type="M" if posting.amount is None else "C",
        articles=articles if posting.amount is None else (),
        total=posting.amount,
        outlet=posting.outlet or None,
        posting_number=number,
        day=posting.at.date(),
        at=posting.at.time(),
    )


def wanted_for(
    says: frozenset[str], *, outlet: bool = False, is_for_charges: bool = False
) -> tuple[LinkRecordWanted, ...]:
    """What LR must name, so that the PMS takes what we say beside what we hear.

    says            words of CAN_SAY that this site uses
    is_for_charges  the link is for call accounting: of the hotel it wants the night audit only

    Source: FIAS 2.20.24, link records: P# comes back in PA only if both LR name it; the LR of a
    record that flows both ways has the fields of both.
    """
    ours = (("VM", VOICEMAIL), ("ID", ROOM_STATUS))
    also = tuple(field_id for field_id, word in ours if word in says)
    heard = tuple(
        LinkRecordWanted(wanted="RE", fields=(*(each.fields or ()), *also))
        if each.wanted == "RE"
        else each
        for each in WANTED
        if not is_for_charges or each.wanted in ("NS", "NE")
    )
    if WAKE_UP_RESULT in says:
        heard += (LinkRecordWanted(wanted="WA", fields=("RN", "DA", "TI", "AS")),)
    if not says & {CHARGE, ARTICLES}:
        return heard
    fields = (
        *("RN", "PT", "TA", *(("MA", "M#") if ARTICLES in says else ())),
        *("DD", "DU", *(("SO",) if outlet else ()), "P#", "DA", "TI"),
    )
    return (
        *heard,
        LinkRecordWanted(wanted="PS", fields=fields),
        LinkRecordWanted(wanted="PA", fields=_ANSWERED),
    )
