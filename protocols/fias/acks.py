"""The acknowledgements of a serial line as two tables: one for each direction.

`acks` knows that bytes were received; `link` knows that the PMS is there; neither knows the
other. On a line without answers (TCP by default) this file is not used at all.

Source: FIAS 2.20.24, serial transport (ACK, NAK, ENQ, T1, T2).
"""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final

# --- Our own record is out: the sender's side ------------------------------------------------


class Sending(Enum):
    """Where our latest record is."""

    IDLE = auto()  # nothing of ours is unanswered
    SENT = auto()  # a record is out; its answer is due within T1
    ASKED = auto()  # the answer did not come or was garbled; we asked for it (ENQ)


class SendCause(Enum):
    """What happens to a record of ours. The LAST ones come when the tries are used up."""

    SEND = auto()
    GOT_ACK = auto()
    GOT_NAK = auto()
    GOT_LAST_NAK = auto()
    GOT_OTHER = auto()  # a byte that is no answer
    SILENT = auto()
    SILENT_TOO_LONG = auto()
    RESET = auto()  # the line is gone, or new


class SendAct(Enum):
    """What to do about it."""

    TRANSMIT = auto()
    ASK = auto()
    CONFIRM = auto()
    DISCARD = auto()


# fmt: off
SENDING: Final[Mapping[Sending, Mapping[SendCause, tuple[Sending, tuple[SendAct, ...]]]]] = {
    Sending.IDLE: {
        SendCause.SEND:            (Sending.SENT,  (SendAct.TRANSMIT,)),
        SendCause.GOT_ACK:         (Sending.IDLE,  ()),                  # late, or noise
        SendCause.GOT_NAK:         (Sending.IDLE,  ()),
        SendCause.GOT_OTHER:       (Sending.IDLE,  ()),
        SendCause.RESET:           (Sending.IDLE,  ()),
    },
    Sending.SENT: {
        SendCause.GOT_ACK:         (Sending.IDLE,  (SendAct.CONFIRM,)),
        SendCause.GOT_NAK:         (Sending.SENT,  (SendAct.TRANSMIT,)),
        SendCause.GOT_LAST_NAK:    (Sending.IDLE,  (SendAct.DISCARD,)),
        SendCause.GOT_OTHER:       (Sending.ASKED, (SendAct.ASK,)),      # never the record again
        SendCause.SILENT:          (Sending.ASKED, (SendAct.ASK,)),
        SendCause.RESET:           (Sending.IDLE,  (SendAct.DISCARD,)),
    },
    Sending.ASKED: {
        SendCause.GOT_ACK:         (Sending.IDLE,  (SendAct.CONFIRM,)),
        SendCause.GOT_NAK:         (Sending.SENT,  (SendAct.TRANSMIT,)),
        SendCause.GOT_LAST_NAK:    (Sending.IDLE,  (SendAct.DISCARD,)),
        SendCause.GOT_OTHER:       (Sending.ASKED, ()),                  # T2 asks again, no storm
        SendCause.SILENT:          (Sending.ASKED, (SendAct.ASK,)),
        SendCause.SILENT_TOO_LONG: (Sending.IDLE,  (SendAct.DISCARD,)),
        SendCause.RESET:           (Sending.IDLE,  (SendAct.DISCARD,)),
    },
}
# fmt: on

SENDING_IMPOSSIBLE: Final = frozenset(
    {
        # Nothing of ours is out: no timer runs and no try is counted.
        (Sending.IDLE, SendCause.GOT_LAST_NAK),
        (Sending.IDLE, SendCause.SILENT),
        (Sending.IDLE, SendCause.SILENT_TOO_LONG),
        # One unacknowledged record per direction: the next one waits in the session.
        (Sending.SENT, SendCause.SEND),
        (Sending.ASKED, SendCause.SEND),
        # The first silence asks; only asking can have gone on for too long.
        (Sending.SENT, SendCause.SILENT_TOO_LONG),
    }
)


# --- The peer's record is in: the receiver's side --------------------------------------------


class Answering(Enum):
    """What we would repeat if the peer asked now."""

    NAKED = auto()  # our last answer was NAK, or there was none yet, or bytes came since
    ACKED = auto()  # our last answer was ACK and nothing came since
    OWING = auto()  # a whole frame waits for its answer


class AnswerCause(Enum):
    """What the peer sends, and what becomes of it on our side."""

    GOT_FRAME = auto()
    GOT_BAD_FRAME = auto()
    GOT_OTHER = auto()  # any other byte, an ACK or NAK included
    GOT_ENQ = auto()
    GOT_LATE_ENQ = auto()  # later than a peer that missed our answer would ask
    ACCEPTED = auto()  # the frame is safe
    REFUSED = auto()  # it could not be made safe, or its check failed while others waited
    RESET = auto()


class AnswerAct(Enum):
    """What to say."""

    SAY_ACK = auto()
    SAY_NAK = auto()


# fmt: off
ANSWERING: Final[
    Mapping[Answering, Mapping[AnswerCause, tuple[Answering, tuple[AnswerAct, ...]]]]
] = {
    Answering.NAKED: {
        AnswerCause.GOT_FRAME:     (Answering.OWING, ()),
        AnswerCause.GOT_BAD_FRAME: (Answering.NAKED, (AnswerAct.SAY_NAK,)),
        AnswerCause.GOT_OTHER:     (Answering.NAKED, ()),
        AnswerCause.GOT_ENQ:       (Answering.NAKED, (AnswerAct.SAY_NAK,)),  # at start: LS follows
        AnswerCause.GOT_LATE_ENQ:  (Answering.NAKED, (AnswerAct.SAY_NAK,)),
        AnswerCause.RESET:         (Answering.NAKED, ()),
    },
    Answering.ACKED: {
        AnswerCause.GOT_FRAME:     (Answering.OWING, ()),
        AnswerCause.GOT_BAD_FRAME: (Answering.NAKED, (AnswerAct.SAY_NAK,)),
        AnswerCause.GOT_OTHER:     (Answering.NAKED, ()),                    # no double posting
        AnswerCause.GOT_ENQ:       (Answering.ACKED, (AnswerAct.SAY_ACK,)),
        AnswerCause.GOT_LATE_ENQ:  (Answering.NAKED, (AnswerAct.SAY_NAK,)),
        AnswerCause.RESET:         (Answering.NAKED, ()),
    },
    Answering.OWING: {
        AnswerCause.GOT_FRAME:     (Answering.OWING, ()),                    # it queues behind
        AnswerCause.GOT_BAD_FRAME: (Answering.OWING, ()),                    # it queues behind
        AnswerCause.GOT_OTHER:     (Answering.OWING, ()),
        AnswerCause.GOT_ENQ:       (Answering.OWING, ()),                    # the answer is coming
        AnswerCause.GOT_LATE_ENQ:  (Answering.OWING, ()),
        AnswerCause.ACCEPTED:      (Answering.ACKED, (AnswerAct.SAY_ACK,)),
        AnswerCause.REFUSED:       (Answering.NAKED, (AnswerAct.SAY_NAK,)),
        AnswerCause.RESET:         (Answering.NAKED, ()),
    },
}
# fmt: on

ANSWERING_IMPOSSIBLE: Final = frozenset(
    {
        # Nothing waits, so nothing can be accepted or refused.
        (Answering.NAKED, AnswerCause.ACCEPTED),
        (Answering.NAKED, AnswerCause.REFUSED),
        (Answering.ACKED, AnswerCause.ACCEPTED),
        (Answering.ACKED, AnswerCause.REFUSED),
    }
)
