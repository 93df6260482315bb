"""The life of a posting: the table below is the whole of it. Pure.

Money is never sent twice by itself: from SENT there is no way back to WAITING that does not begin
with a word of the PMS (or of the line) that it was not booked, and none from UNKNOWN but by the PMS
or an operator.
"""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final


class State(Enum):
    """Where a posting is. The values are what the store keeps and what people read."""

    WAITING = "waiting"  # to be sent
    SENT = "sent"  # on disk before its bytes leave; the PMS owes us its answer
    BOOKED = "booked"  # on the guest's bill
    REFUSED = "refused"  # the PMS will not book it: a human has to look
    UNKNOWN = "unknown"  # sent, and nobody knows whether it was booked
    HELD = "held"  # we will not send it: it may be another guest's, or it has no price
    DROPPED = "dropped"  # given up by an operator
    WRITTEN = "written"  # it has no answer: it is on the line, and that is all
    UNCONFIRMED = "unconfirmed"  # a charge on a line without answers: written, and nobody will say


class Cause(Enum):
    """What happened to it."""

    SEND = auto()
    NOT_ARRIVED = auto()  # it went nowhere: the line or the link has certainly not delivered it
    PMS_BOOKED = auto()
    PMS_AGAIN = auto()  # "not now": the same charge again, under another number
    PMS_REFUSED = auto()
    WROTE = auto()  # acknowledged, or written on a line without answers; it has no other answer
    WROTE_CHARGE = auto()  # a charge is written on a line on which nobody ever answers
    SAY_AGAIN = auto()  # a level: said twice it says the same
    NO_ANSWER = auto()  # none in time, or the line, the link or we broke off meanwhile
    HOLD = auto()
    SPENT = auto()  # "not now" too often
    SAID_BOOKED = auto()  # an operator has seen it on the bill
    SAID_AGAIN = auto()  # an operator has seen that it is not on the bill
    SAID_DROP = auto()


S, C = State, Cause

# fmt: off
TRANSITIONS: Final[Mapping[State, Mapping[Cause, State]]] = {
    S.WAITING: {
        C.SEND:        S.SENT,
        C.PMS_BOOKED:  S.BOOKED,     # its answer to an earlier sending came late
        C.HOLD:        S.HELD,
        C.SAID_DROP:   S.DROPPED,
    },
    S.SENT: {
        C.NOT_ARRIVED: S.WAITING,
        C.PMS_BOOKED:  S.BOOKED,
        C.PMS_AGAIN:   S.WAITING,
        C.PMS_REFUSED: S.REFUSED,
        C.SPENT:       S.REFUSED,
        C.NO_ANSWER:   S.UNKNOWN,
        C.WROTE_CHARGE: S.UNCONFIRMED,
        C.WROTE:       S.WRITTEN,    # these two never happen to a charge
        C.SAY_AGAIN:   S.WAITING,
    },
    S.UNKNOWN: {
        C.PMS_BOOKED:  S.BOOKED,     # its answer came late
        C.PMS_AGAIN:   S.WAITING,
        C.PMS_REFUSED: S.REFUSED,
        C.SPENT:       S.REFUSED,
        C.SAID_BOOKED: S.BOOKED,
        C.SAID_AGAIN:  S.WAITING,
        C.SAID_DROP:   S.DROPPED,
    },
    S.REFUSED: {
        C.PMS_BOOKED:  S.BOOKED,     # it has changed its mind about the same number
        C.PMS_REFUSED: S.REFUSED,
        C.SAID_BOOKED: S.BOOKED,
        C.SAID_AGAIN:  S.WAITING,
        C.SAID_DROP:   S.DROPPED,
    },
    S.HELD: {
        C.SAID_BOOKED: S.BOOKED,
        C.SAID_AGAIN:  S.WAITING,
        C.SAID_DROP:   S.DROPPED,
    },
    S.BOOKED: {
        C.PMS_BOOKED:  S.BOOKED,     # the same answer again
    },
    S.DROPPED: {
        C.PMS_BOOKED:  S.BOOKED,
        C.SAID_AGAIN:  S.WAITING,
    },
    S.UNCONFIRMED: {
        C.SAID_BOOKED: S.BOOKED,
        C.SAID_AGAIN:  S.WAITING,
        C.SAID_DROP:   S.DROPPED,
    },
    S.WRITTEN: {
        C.SAY_AGAIN:   S.WAITING,    # the line broke off behind it
    },
}
# fmt: on

OPEN: Final = frozenset({S.WAITING, S.SENT, S.REFUSED, S.UNKNOWN, S.HELD})
"""What somebody still has to do something about: we, the PMS or an operator."""
PARKED: Final = frozenset({S.REFUSED, S.UNKNOWN, S.HELD})
"""What only an operator, or a late word of the PMS, brings on."""


def step(state: State, cause: Cause) -> State | None:
    """The next state; None: this cannot happen to a posting in this state."""
    return TRANSITIONS[state].get(cause)
