"""The link machine: who may say what, when. The table below is the protocol.

Everything that changes the state of a link lives in this file. Deadlines are in PATIENCE_S,
so that a state and its patience are read together.

Source: FIAS 2.20.24, start of the link, link alive, link end; Protel's early and late LA as
seen at two sites.
"""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final

from protocols.errors import LocalProtocolError
from protocols.fias.controls import (
    ACCEPT_WITHIN_S,
    AFTER_GOODBYE_S,
    ALIVE_CHECK_S,
    CALL_AGAIN_S,
    LISTEN_FIRST_S,
)


class State(Enum):
    """What both sides know of each other. The values are log and metric words."""

    CLOSED = "closed"  # no line
    WAITING = "waiting"  # line open; neither side has said anything
    CALLING = "calling"  # we said LS to a silent PMS
    DESCRIBING = "describing"  # our LD, LR..., LA are on their way
    GREETED = "greeted"  # so they are, and the PMS has said its LA already
    DESCRIBED = "described"  # our LA is said; the PMS owes us its own
    UP = "up"  # both sides said LA; we may send data
    RENEWING = "renewing"  # up, and the PMS asked for our description again: no outage yet
    ENDED = "ended"  # the PMS said LE: down until a new start
    LEFT = "left"  # we said LE: we hear nothing more


class Cause(Enum):
    """What happened."""

    OPENED = auto()  # the line opened
    LOST = auto()  # the line is gone
    GOT_LS = auto()
    GOT_LA = auto()
    GOT_LE = auto()
    GOT_LC = auto()
    GOT_DATA = auto()  # any record about the hotel
    GOT_OURS = auto()  # a record that only we say: a loop in the cable, or another PBX
    SAID_LA = auto()  # our description has gone out, its LA included
    LATE = auto()  # the patience of this state is over
    QUIET = auto()  # an alive link has been silent for long
    LEAVE = auto()  # the gateway stops


class Act(Enum):
    """What to do."""

    SEND_LS = auto()
    SEND_LA = auto()
    SEND_LE = auto()
    SEND_DESCRIPTION = auto()
    DELIVER = auto()  # hand the record up
    REPORT_UP = auto()
    REPORT_DOWN = auto()
    REPORT_START = auto()  # the PMS began anew: what it was in the middle of will not end


S, C, A = State, Cause, Act

# fmt: off
TRANSITIONS: Final[Mapping[State, Mapping[Cause, tuple[State, tuple[Act, ...]]]]] = {
    S.CLOSED: {
        C.OPENED:   (S.WAITING,    ()),                                   # listen first
        C.LEAVE:    (S.CLOSED,     ()),
    },
    S.WAITING: {
        C.GOT_LS:   (S.DESCRIBING, (A.REPORT_START, A.SEND_DESCRIPTION)),
        C.GOT_LA:   (S.UP,         (A.SEND_LA, A.REPORT_UP)),             # it still knows us
        C.GOT_LE:   (S.ENDED,      (A.SEND_LE,)),
        C.GOT_LC:   (S.WAITING,    ()),
        C.GOT_DATA: (S.CALLING,    (A.DELIVER, A.SEND_LS)),               # we missed its LS
        C.LATE:     (S.CALLING,    (A.SEND_LS,)),
        C.LOST:     (S.CLOSED,     ()),
        C.LEAVE:    (S.LEFT,       ()),
    },
    S.CALLING: {
        C.GOT_LS:   (S.DESCRIBING, (A.REPORT_START, A.SEND_DESCRIPTION)),
        C.GOT_LA:   (S.UP,         (A.REPORT_UP,)),                       # it still knows us
        C.GOT_LE:   (S.ENDED,      (A.SEND_LE,)),
        C.GOT_LC:   (S.CALLING,    ()),
        C.GOT_DATA: (S.CALLING,    (A.DELIVER,)),
        C.LATE:     (S.CALLING,    (A.SEND_LS,)),
        C.LOST:     (S.CLOSED,     ()),
        C.LEAVE:    (S.LEFT,       ()),
    },
    S.DESCRIBING: {
        C.GOT_LS:   (S.DESCRIBING, (A.REPORT_START, A.SEND_DESCRIPTION)), # from the beginning
        C.GOT_LA:   (S.GREETED,    ()),
        C.GOT_LE:   (S.ENDED,      (A.SEND_LE,)),
        C.GOT_LC:   (S.DESCRIBING, ()),
        C.GOT_DATA: (S.DESCRIBING, (A.DELIVER,)),
        C.SAID_LA:  (S.DESCRIBED,  ()),
        C.LATE:     (S.CALLING,    (A.SEND_LS,)),
        C.LOST:     (S.CLOSED,     ()),
        C.LEAVE:    (S.LEFT,       ()),
    },
    S.GREETED: {
        C.GOT_LS:   (S.DESCRIBING, (A.REPORT_START, A.SEND_DESCRIPTION)),
        C.GOT_LA:   (S.GREETED,    ()),
        C.GOT_LE:   (S.ENDED,      (A.SEND_LE,)),
        C.GOT_LC:   (S.GREETED,    ()),
        C.GOT_DATA: (S.GREETED,    (A.DELIVER,)),
        C.SAID_LA:  (S.UP,         (A.REPORT_UP,)),
        C.LATE:     (S.CALLING,    (A.SEND_LS,)),
        C.LOST:     (S.CLOSED,     ()),
        C.LEAVE:    (S.LEFT,       ()),
    },
    S.DESCRIBED: {
        C.GOT_LS:   (S.DESCRIBING, (A.REPORT_START, A.SEND_DESCRIPTION)),
        C.GOT_LA:   (S.UP,         (A.REPORT_UP,)),
        C.GOT_LE:   (S.ENDED,      (A.SEND_LE,)),
        C.GOT_LC:   (S.DESCRIBED,  ()),
        C.GOT_DATA: (S.DESCRIBED,  (A.DELIVER,)),                         # may precede its LA
        C.LATE:     (S.CALLING,    (A.SEND_LS,)),                         # 30 s, no LA
        C.LOST:     (S.CLOSED,     ()),
        C.LEAVE:    (S.LEFT,       ()),
    },
    S.UP: {
        C.GOT_LS:   (S.RENEWING,   (A.REPORT_START, A.SEND_DESCRIPTION)),
        C.GOT_LA:   (S.UP,         ()),                                   # not answered: no storm
        C.GOT_LE:   (S.ENDED,      (A.REPORT_DOWN, A.SEND_LE)),
        C.GOT_LC:   (S.UP,         ()),
        C.GOT_DATA: (S.UP,         (A.DELIVER,)),
        C.QUIET:    (S.UP,         (A.SEND_LS,)),                         # alive check
        C.LATE:     (S.CALLING,    (A.REPORT_DOWN, A.SEND_LS)),
        C.LOST:     (S.CLOSED,     (A.REPORT_DOWN,)),
        C.LEAVE:    (S.LEFT,       (A.REPORT_DOWN, A.SEND_LE)),
    },
    S.RENEWING: {
        C.GOT_LS:   (S.RENEWING,   (A.REPORT_START, A.SEND_DESCRIPTION)),
        C.GOT_LA:   (S.UP,         ()),
        C.GOT_LE:   (S.ENDED,      (A.REPORT_DOWN, A.SEND_LE)),
        C.GOT_LC:   (S.RENEWING,   ()),
        C.GOT_DATA: (S.RENEWING,   (A.DELIVER,)),
        C.SAID_LA:  (S.RENEWING,   ()),
        C.LATE:     (S.CALLING,    (A.REPORT_DOWN, A.SEND_LS)),           # 30 s, no LA
        C.LOST:     (S.CLOSED,     (A.REPORT_DOWN,)),
        C.LEAVE:    (S.LEFT,       (A.REPORT_DOWN, A.SEND_LE)),
    },
    S.ENDED: {
        C.GOT_LS:   (S.DESCRIBING, (A.REPORT_START, A.SEND_DESCRIPTION)),
        C.GOT_LA:   (S.ENDED,      ()),                                   # only a start ends it
        C.GOT_LE:   (S.ENDED,      ()),                                   # answered once: no storm
        C.GOT_LC:   (S.ENDED,      ()),
        C.GOT_DATA: (S.ENDED,      (A.DELIVER,)),
        C.LATE:     (S.CALLING,    (A.SEND_LS,)),
        C.LOST:     (S.CLOSED,     ()),
        C.LEAVE:    (S.LEFT,       ()),
    },
    S.LEFT: {
        C.GOT_LS:   (S.LEFT,       ()),
        C.GOT_LA:   (S.LEFT,       ()),
        C.GOT_LE:   (S.LEFT,       ()),
        C.GOT_LC:   (S.LEFT,       ()),
        C.GOT_DATA: (S.LEFT,       ()),                                   # not taken
        C.LOST:     (S.CLOSED,     ()),
        C.LEAVE:    (S.LEFT,       ()),
    },
}

PATIENCE_S: Final[Mapping[State, float | None]] = {
    S.CLOSED:     None,
    S.WAITING:    LISTEN_FIRST_S,
    S.CALLING:    CALL_AGAIN_S,
    S.DESCRIBING: None,              # ends by itself: each record is answered or given up
    S.GREETED:    None,
    S.DESCRIBED:  ACCEPT_WITHIN_S,
    S.UP:         ALIVE_CHECK_S,     # QUIET first; LATE when the check itself stays unanswered
    S.RENEWING:   ACCEPT_WITHIN_S,
    S.ENDED:      AFTER_GOODBYE_S,
    S.LEFT:       None,
}
"""Seconds until LATE (in UP: until QUIET, then ACCEPT_WITHIN_S more until LATE)."""
# fmt: on

REFUSED: Final = frozenset((state, C.GOT_OURS) for state in State if state is not S.CLOSED)
"""The PMS may cause it; we count it and keep the bytes."""

IMPOSSIBLE: Final = frozenset(
    {
        # Nothing is heard and no clock runs without a line; a lost line is lost once.
        *((S.CLOSED, cause) for cause in Cause if cause not in (C.OPENED, C.LEAVE)),
        # A line opens once.
        *((state, C.OPENED) for state in State if state is not S.CLOSED),
        # Only an alive link can be quiet.
        *((state, C.QUIET) for state in State if state not in (S.UP, S.CLOSED)),
        # A description ends only where one is on its way.
        *(
            (state, C.SAID_LA)
            for state in State
            if state not in (S.DESCRIBING, S.GREETED, S.RENEWING, S.CLOSED)
        ),
        # Who has left has no patience to lose.
        (S.LEFT, C.LATE),
    }
)

IS_UP: Final = frozenset({S.UP, S.RENEWING})


def step(state: State, cause: Cause) -> tuple[State, tuple[Act, ...]] | None:
    """The next state and what to do; None for a cause that is refused in this state.

    Raises LocalProtocolError for an impossible pair: a bug of ours.
    """
    if cause in TRANSITIONS[state]:
        return TRANSITIONS[state][cause]
    if (state, cause) in REFUSED:
        return None
    raise LocalProtocolError(f"{cause.name} cannot happen in {state.name}")
