"""The table that is the protocol: one record at a time, asked for and answered, or neither.

    Holidex     ENQ, ACK; record, ACK
    HOBIC       record, then ACK (or y), or nothing at all
    SMDR        record

Only the sender of a costed record can bill twice, so a record without an answer is never said again
from here. Source: call accounting vendors' interface pages (ENQ-ACK-NAK, ACK-NAK and TTY delivery).
"""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final

from protocols.errors import LocalProtocolError


class State(Enum):
    """Where the line stands. The values are log and metric words."""

    CLOSED = "closed"  # no line
    WAITING = "waiting"  # our ENQ is out, and the PMS has not been heard yet
    FREE = "up"
    ASKED = "asked"  # our ENQ for a record is out
    BUSY = "busy"  # the PMS does not want to hear now
    TOLD = "told"  # our record is out
    LEFT = "left"  # we stop


class Cause(Enum):
    """What happened."""

    OPENED = auto()  # a line on which nothing is asked
    OPENED_TO_ASK = auto()
    ASK = auto()  # we have a record, and must ask
    TELL = auto()  # we have one, and its answer is due behind it
    WRITE = auto()  # we have one, and no answer will come
    GOT_ACK = auto()
    GOT_NAK = auto()
    LATE = auto()  # ANSWER_S are over
    DEAF = auto()  # too many questions were not answered
    LOST = auto()
    LEAVE = auto()


class Act(Enum):
    """What to do."""

    SAY_ENQ = auto()
    SAY_RECORD = auto()
    ARRIVED = auto()
    REFUSED = auto()  # it was certainly not taken
    UNANSWERED = auto()  # nobody knows
    UNHEARD = auto()  # our question was not answered
    IS_UP = auto()
    IS_DOWN = auto()


S, C, A = State, Cause, Act

# fmt: off
TURNS: Final[Mapping[State, Mapping[Cause, tuple[State, tuple[Act, ...]]]]] = {
    S.CLOSED: {
        C.OPENED:        (S.FREE,    (A.IS_UP,)),            # as far as anybody can know
        C.OPENED_TO_ASK: (S.WAITING, (A.SAY_ENQ,)),
        C.LOST:          (S.CLOSED,  ()),
        C.LEAVE:         (S.CLOSED,  ()),
    },
    S.WAITING: {
        C.GOT_ACK:       (S.FREE,    (A.IS_UP,)),
        C.GOT_NAK:       (S.WAITING, ()),                    # busy; asked again
        C.LATE:          (S.WAITING, (A.SAY_ENQ,)),
        C.LOST:          (S.CLOSED,  ()),
        C.LEAVE:         (S.LEFT,    ()),
    },
    S.FREE: {
        C.ASK:           (S.ASKED,   (A.SAY_ENQ,)),
        C.TELL:          (S.TOLD,    (A.SAY_RECORD,)),
        C.WRITE:         (S.FREE,    (A.SAY_RECORD, A.ARRIVED)),
        C.GOT_ACK:       (S.FREE,    ()),                    # late, or noise
        C.GOT_NAK:       (S.FREE,    ()),
        C.DEAF:          (S.WAITING, (A.IS_DOWN,)),
        C.LOST:          (S.CLOSED,  (A.IS_DOWN,)),
        C.LEAVE:         (S.LEFT,    (A.IS_DOWN,)),
    },
    S.ASKED: {
        C.GOT_ACK:       (S.TOLD,    (A.SAY_RECORD,)),
        C.GOT_NAK:       (S.BUSY,    ()),
        C.LATE:          (S.FREE,    (A.UNHEARD,)),
        C.LOST:          (S.CLOSED,  (A.REFUSED, A.IS_DOWN)),
        C.LEAVE:         (S.LEFT,    (A.REFUSED, A.IS_DOWN)),
    },
    S.BUSY: {
        C.GOT_ACK:       (S.BUSY,    ()),
        C.GOT_NAK:       (S.BUSY,    ()),
        C.LATE:          (S.FREE,    ()),                    # asked again
        C.LOST:          (S.CLOSED,  (A.REFUSED, A.IS_DOWN)),
        C.LEAVE:         (S.LEFT,    (A.REFUSED, A.IS_DOWN)),
    },
    S.TOLD: {
        C.GOT_ACK:       (S.FREE,    (A.ARRIVED,)),
        C.GOT_NAK:       (S.FREE,    (A.REFUSED,)),
        C.LATE:          (S.FREE,    (A.UNANSWERED,)),
        C.LOST:          (S.CLOSED,  (A.UNANSWERED, A.IS_DOWN)),
        C.LEAVE:         (S.LEFT,    (A.UNANSWERED, A.IS_DOWN)),
    },
    S.LEFT: {
        C.GOT_ACK:       (S.LEFT,    ()),
        C.GOT_NAK:       (S.LEFT,    ()),
        C.LATE:          (S.LEFT,    ()),
        C.LOST:          (S.CLOSED,  ()),
        C.LEAVE:         (S.LEFT,    ()),
    },
}
# fmt: on

IS_UP: Final = frozenset({State.FREE, State.ASKED, State.BUSY, State.TOLD})


def turn(now: State, cause: Cause) -> tuple[State, tuple[Act, ...]]:
    """The next state, and what to do. Raises LocalProtocolError for an impossible pair."""
    try:
        return TURNS[now][cause]
    except KeyError:
        raise LocalProtocolError(f"{cause.name} cannot happen in {now.name}") from None
