"""Posting to record: the way out of the dialect, as `normalize` is the way in. Pure."""

from typing import Final

from protocols.fias import fields as f
from protocols.fias.records import LinkRecordWanted, Posting
from protocols.postings import CHARGE, CallCharge

CAN_SAY: Final = frozenset({CHARGE})
"""What FIAS has words for."""

LARGEST_NUMBER: Final = 99_999_999
"""Source: FIAS 2.20.24, P# has eight digits; it is never 0."""

_ANSWERED: Final = ("RN", "P#", "AS", "CT", "DA", "TI")


def record_of(posting: CallCharge, number: int) -> Posting:
    """The record that says it.

    number  1..LARGEST_NUMBER; the PMS's answer comes with it

    PT is C where the amount is ours, T where the PMS prices digits and duration. The digits are
    cut to what DD can hold: a PMS refuses a longer field.

    Source: FIAS 2.20.24, posting simple. DA and TI are the start of the call.
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


def wanted_for(says: frozenset[str], *, outlet: bool = False) -> tuple[LinkRecordWanted, ...]:
    """What LR must name beside what is only heard, so that the PMS takes what we say.

    says    words of CAN_SAY that this site uses

    Source: FIAS 2.20.24, link records: P# comes back in PA only if both LR name it.
    """
    if CHARGE not in says:
        return ()
    fields = ("RN", "PT", "TA", "DD", "DU", *(("SO",) if outlet else ()), "P#", "DA", "TI")
    return (
        LinkRecordWanted(wanted="PS", fields=fields),
        LinkRecordWanted(wanted="PA", fields=_ANSWERED),
    )
