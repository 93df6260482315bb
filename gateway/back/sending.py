"""What the lane asks and keeps while it sends."""

from dataclasses import dataclass
from typing import Final

from gateway.back.states import Cause, State
from gateway.store import PostingRow
from protocols.facts import Verdict
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
