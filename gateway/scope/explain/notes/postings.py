"""Notes on charges: what we post, and what the PMS answers."""

from typing import Final

from gateway.scope.explain.marks import Mark
from gateway.scope.explain.sight import Sight
from gateway.scope.rows import Row
from protocols.fias.records import Posting, PostingAnswer, Record

_NOT_NOW: Final = frozenset({"RY", "NA"})


def note_posting(sight: Sight, row: Row, record: Record) -> None:
    """A charge, or an answer to one; nothing else."""
    postings = sight.postings
    if isinstance(record, Posting) and not row.from_pms:
        if postings.open is not None and record.posting_number != postings.open:
            sight.note(Mark.CHARGE_UNANSWERED, row)  # we wait for an answer before the next one
        postings.open = record.posting_number
    elif isinstance(record, PostingAnswer) and row.from_pms:
        if record.posting_number is None:
            sight.note(Mark.ANSWER_WITHOUT_NUMBER, row)
            return
        if record.posting_number == postings.open:
            postings.open = None
        if record.answer == "OK":
            sight.note(Mark.CHARGE_BOOKED, row)
        elif record.answer not in _NOT_NOW:
            sight.note(Mark.CHARGE_REFUSED, row)
