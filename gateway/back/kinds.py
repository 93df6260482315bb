"""The kinds of postings: one row each, and nothing else tells them apart."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.store import PostingRow
from gateway.store.text import from_json
from protocols.postings import (
    ARTICLES,
    CHARGE,
    ROOM_STATUS,
    VOICEMAIL,
    WAKE_UP_ORDER,
    WAKE_UP_RESULT,
    ArticlesTaken,
    CallCharge,
    MessagesWaiting,
    Posting,
    RoomStatusKeyed,
    WakeUpEnded,
    WakeUpKeyed,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of posting.

    said        what the body of its rows is
    word        what a dialect must be able to say for it: see `protocols.postings`
    is_answered the PMS answers it; all else is written, and said twice it does no harm
    is_level    only the latest matters: a newer one takes the place of one that still waits
    """

    said: type[Posting]
    word: str
    is_answered: bool = False
    is_level: bool = False


CALL: Final = "call"
MINIBAR: Final = "minibar"
WAKE_UP: Final = "wake_up"
WAKE_UP_KEYED: Final = "wake_up_order"
STATUS: Final = "room_status"
MESSAGES: Final = "voicemail"

# fmt: off
KINDS: Final[Mapping[str, Kind]] = {
    CALL:          Kind(said=CallCharge,      word=CHARGE,         is_answered=True),
    MINIBAR:       Kind(said=ArticlesTaken,   word=ARTICLES,       is_answered=True),
    WAKE_UP:       Kind(said=WakeUpEnded,     word=WAKE_UP_RESULT),
    WAKE_UP_KEYED: Kind(said=WakeUpKeyed,     word=WAKE_UP_ORDER),
    STATUS:        Kind(said=RoomStatusKeyed, word=ROOM_STATUS,    is_level=True),
    MESSAGES:      Kind(said=MessagesWaiting, word=VOICEMAIL,      is_level=True),
}
# fmt: on
"""By the name that the store keeps and the metrics show."""


def is_correction(row: PostingRow) -> bool:
    """It takes something off a bill, which no PMS lets us do: see ArticlesTaken."""
    return row.kind == MINIBAR and from_json(ArticlesTaken, row.body).is_correction


LEVELS: Final = frozenset(name for name, kind in KINDS.items() if kind.is_level)
