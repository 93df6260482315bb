"""What the lane asks and keeps while it sends, and what becomes of a posting. Pure."""

from dataclasses import dataclass, replace
from typing import Final

from gateway.back.kinds import KINDS
from gateway.back.states import PARKED, Cause, State, step
from gateway.store import PostingRow
from protocols.facts import PostingAnswered, Verdict
from protocols.session import AnyRecord


class NotPossible(Exception):
    """An operator asked for something that a posting in its state cannot become."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Whether postings may be sent now. All are asked again before each one.

    is_up           the link to the PMS is up
    in_resync       between DS and DE the PMS hears nothing of the hotel from us
    night_audit     between NS and NE it books nothing
    """

    is_up: bool
    in_resync: bool
    night_audit: bool


@dataclass(slots=True)
class Out:
    """The posting whose answer is owed. `due`: until when; None: it is still on its way."""

    row: PostingRow
    record: AnyRecord
    said_at: float
    due: float | None = None


FIRST_PAUSE_S: Final = 30.0


def pause_s(tries: int) -> float:
    """Behind so many tries: half a minute, a minute, two, up to ten."""
    return float(min(FIRST_PAUSE_S * 2 ** min(max(tries - 1, 0), 5), 600.0))


MOST_TRIES: Final = 10
"""A PMS that says RY so often will not book it without a human."""
NIGHT_AUDIT_AT_MOST_S: Final = 4 * 3600.0
"""Source: contract; the end of a night audit may be lost like any record."""
LOOK_EVERY_S: Final = 1.0
IN_DOUBT_S: Final = 30.0
"""Before a break of a line without answers: what was written then may not have arrived."""
REMEMBERED: Final = 64
"""Numbers of postings that have ended: one is out at a time, so more than a line can repeat."""
GATEWAY: Final = "gateway"
PMS: Final = "PMS"

COUNTED: Final = {
    "waiting": frozenset({State.WAITING}),
    "sent": frozenset({State.SENT}),
    "parked": PARKED,
}
"""What an open posting counts as in the metrics."""

CAUSES: Final = {
    Verdict.BOOKED: Cause.PMS_BOOKED,
    Verdict.AGAIN: Cause.PMS_AGAIN,
    Verdict.NIGHT_AUDIT: Cause.PMS_AGAIN,
    Verdict.REFUSED: Cause.PMS_REFUSED,
}
RESULTS: Final = {
    State.BOOKED: "booked",
    State.REFUSED: "refused",
    State.UNKNOWN: "unknown",
    State.DROPPED: "dropped",
    State.WRITTEN: "written",
    State.UNCONFIRMED: "unconfirmed",
}

DO: Final = {
    State.REFUSED.value: "`pms-gateway postings show ID` tells why",
    State.UNKNOWN.value: "look at the bill, then `pms-gateway postings booked ID` or `again ID`",
    State.HELD.value: "`pms-gateway postings show ID` tells why",
}


def fate_of(row: PostingRow, *, may_have_arrived: bool, is_up: bool) -> tuple[Cause, str, float]:
    """What becomes of a posting whose record the link says no more: why, and after which pause.

    is_up   the link to the PMS
    """
    is_answered = KINDS[row.kind].is_answered
    if may_have_arrived and not is_answered:
        return Cause.SAY_AGAIN, "the line broke off: said again", 0.0
    if may_have_arrived:
        why = "the line broke off before the PMS had acknowledged it"
        return Cause.NO_ANSWER, why, 0.0
    if not is_up:
        return Cause.NOT_ARRIVED, "the PMS has not got it: sent again", 0.0
    if row.tries >= MOST_TRIES:
        why = "the PMS does not take this record: it says NAK to each try"
        return Cause.SPENT, why, 0.0
    return Cause.NOT_ARRIVED, "the PMS says NAK: sent again later", pause_s(row.tries)


def verdict_on(
    row: PostingRow, fact: PostingAnswered, now: float
) -> tuple[PostingRow, Cause, str, str] | None:
    """What an answer of the PMS makes of its posting: the row, and cause, who and why of the
    change. None: nothing, in the state that it is in.
    """
    text = f"{fact.answer} {fact.text}".strip()
    cause = CAUSES[fact.verdict]
    if cause is Cause.PMS_AGAIN and row.tries >= MOST_TRIES:
        cause = Cause.SPENT
    if step(State(row.state), cause) is None:
        return None
    if cause is Cause.PMS_AGAIN:
        row = replace(row, due_at=now + pause_s(row.tries))
        return row, cause, PMS, f"the PMS says {text}: not now"
    why = "" if cause is Cause.PMS_BOOKED else f"the PMS says {text or 'nothing'}: {fact.meaning}"
    return row, cause, PMS, why
