"""The two tables that are the protocol: whose turn it is on the line, and whether the PMS is there.

Half duplex: who has something to say asks with ENQ, is told ACK, says one text, is told ACK. We are
the PBX. Both ask at once: ours goes first, but a PMS that does not yield has its turn after three
seconds.

Source: MiVoice Business help, System Transmissions, Error handling, collisions; 3CX for texts that
are said again without another ENQ.
"""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final

from protocols.errors import LocalProtocolError


class Turn(Enum):
    """Whose turn it is."""

    FREE = auto()  # nobody's
    ASKED = auto()  # our ENQ is out
    COLLIDED = auto()  # so it is, and the PMS has asked too
    TOLD = auto()  # our text is out
    BUSY = auto()  # the PMS does not want to hear now
    TAKING = auto()  # theirs: we have said ACK to their ENQ, their text is due


class Cause(Enum):
    """What happened."""

    WANT = auto()  # we have something to say
    GOT_ENQ = auto()
    GOT_ACK = auto()
    GOT_NAK = auto()
    GOT_TEXT = auto()
    LATE = auto()  # ANSWER_S are over


class Act(Enum):
    """What to do."""

    ASK = auto()
    TELL = auto()
    LET = auto()  # ACK to their ENQ
    TAKE = auto()  # hand their text up; its ACK waits for the disk
    TOLD = auto()  # ours has arrived
    REFUSED = auto()  # ours has certainly not been taken
    UNANSWERED = auto()  # nobody knows
    UNHEARD = auto()  # our question was not answered
    PUT_OFF = auto()  # it was, with "not now"


T, C, A = Turn, Cause, Act

# fmt: off
TURNS: Final[Mapping[Turn, Mapping[Cause, tuple[Turn, tuple[Act, ...]]]]] = {
    T.FREE: {
        C.WANT:     (T.ASKED,    (A.ASK,)),
        C.GOT_ENQ:  (T.TAKING,   (A.LET,)),
        C.GOT_ACK:  (T.FREE,     ()),                     # late, or noise
        C.GOT_NAK:  (T.FREE,     ()),
        C.GOT_TEXT: (T.FREE,     (A.TAKE,)),              # said again without another ENQ
    },
    T.ASKED: {
        C.GOT_ENQ:  (T.COLLIDED, ()),                     # ours goes first
        C.GOT_ACK:  (T.TOLD,     (A.TELL,)),
        C.GOT_NAK:  (T.BUSY,     (A.PUT_OFF,)),
        C.GOT_TEXT: (T.ASKED,    (A.TAKE,)),
        C.LATE:     (T.FREE,     (A.UNHEARD,)),
    },
    T.COLLIDED: {
        C.GOT_ENQ:  (T.TAKING,   (A.LET,)),               # it does not yield
        C.GOT_ACK:  (T.TOLD,     (A.TELL,)),
        C.GOT_NAK:  (T.TAKING,   (A.LET,)),
        C.GOT_TEXT: (T.COLLIDED, (A.TAKE,)),
        C.LATE:     (T.TAKING,   (A.LET,)),               # it must not wait longer
    },
    T.TOLD: {
        C.GOT_ENQ:  (T.TAKING,   (A.UNANSWERED, A.LET)),
        C.GOT_ACK:  (T.FREE,     (A.TOLD,)),
        C.GOT_NAK:  (T.FREE,     (A.REFUSED,)),
        C.GOT_TEXT: (T.TOLD,     (A.TAKE,)),
        C.LATE:     (T.FREE,     (A.UNANSWERED,)),
    },
    T.BUSY: {
        C.GOT_ENQ:  (T.TAKING,   (A.LET,)),
        C.GOT_ACK:  (T.BUSY,     ()),
        C.GOT_NAK:  (T.BUSY,     ()),
        C.GOT_TEXT: (T.BUSY,     (A.TAKE,)),
        C.LATE:     (T.FREE,     ()),                     # asked again
    },
    T.TAKING: {
        C.GOT_ENQ:  (T.TAKING,   (A.LET,)),               # its text was lost, or our ACK
        C.GOT_ACK:  (T.TAKING,   ()),
        C.GOT_NAK:  (T.TAKING,   ()),
        C.GOT_TEXT: (T.FREE,     (A.TAKE,)),
        C.LATE:     (T.FREE,     ()),                     # it asks again
    },
}
# fmt: on


class Link(Enum):
    """What is known of the PMS; the dialect has no word for it. The values are log and metric
    words.
    """

    CLOSED = "closed"  # no line
    WAITING = "waiting"  # line open, nothing heard
    UP = "up"  # the PMS speaks
    SILENT = "silent"  # it has not answered us for a minute
    LEFT = "left"  # we stop


class News(Enum):
    """What happened to the link."""

    OPENED = auto()
    HEARD = auto()  # a control or a text
    DEAF = auto()  # all our tries were unanswered
    LOST = auto()
    LEAVE = auto()


# fmt: off
LINKS: Final[Mapping[Link, Mapping[News, Link]]] = {
    Link.CLOSED:  {News.OPENED: Link.WAITING, News.LEAVE: Link.CLOSED},
    Link.WAITING: {News.HEARD: Link.UP, News.DEAF: Link.WAITING,
                   News.LOST: Link.CLOSED, News.LEAVE: Link.LEFT},
    Link.UP:      {News.HEARD: Link.UP, News.DEAF: Link.SILENT,
                   News.LOST: Link.CLOSED, News.LEAVE: Link.LEFT},
    Link.SILENT:  {News.HEARD: Link.UP, News.DEAF: Link.SILENT,
                   News.LOST: Link.CLOSED, News.LEAVE: Link.LEFT},
    Link.LEFT:    {News.HEARD: Link.LEFT, News.LOST: Link.CLOSED, News.LEAVE: Link.LEFT},
}
# fmt: on


def turn(now: Turn, cause: Cause) -> tuple[Turn, tuple[Act, ...]]:
    """Whose turn it is then, and what to do. Raises LocalProtocolError for an impossible pair."""
    try:
        return TURNS[now][cause]
    except KeyError:
        raise LocalProtocolError(f"{cause.name} cannot happen in {now.name}") from None


def link(now: Link, news: News) -> Link:
    """The next state of the link. Raises LocalProtocolError for an impossible pair."""
    try:
        return LINKS[now][news]
    except KeyError:
        raise LocalProtocolError(f"{news.name} cannot happen in {now.name}") from None
