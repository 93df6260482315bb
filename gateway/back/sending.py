"""What the lane asks and keeps while it sends."""

from dataclasses import dataclass
from typing import Final

from gateway.store import PostingRow
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
