"""What a PBX tells, whatever PBX it is: legs of calls, mailboxes, what a maid has keyed, how a
wake-up ended, what was taken from a minibar.
"""

from dataclasses import dataclass
from datetime import datetime

from protocols.postings import Ending


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One connection that a call was made of; a call that was forwarded or transferred has several.

    key         of this very leg, for ever, also after the PBX was reset
    session     common to all legs of what began as one call
    began, ended    seconds since 1970
    talk_s      how long they talked; 0: it was not answered
    extension   who called, where that is a phone of the house
    dialled     what was called, as the PBX sent it
    owner       whose leg it is, where the PBX says so: of a forwarded call, who forwarded it
    trunk_in, trunk_out     empty: no trunk on this side
    channel_out the channel of the called side: two legs with the same one are parts of one call
    is_outgoing the PBX calls it outgoing; only for a leg without the name of a trunk
    """

    key: str
    session: str
    began: float
    ended: float
    talk_s: int
    extension: str
    dialled: str
    owner: str = ""
    trunk_in: str = ""
    trunk_out: str = ""
    channel_out: str = ""
    is_outgoing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedStatus:
    """The status of a room.

    status  the PBX's own code
    keyed   the moment at which it was keyed, in the PBX's own words; empty: it was not
    maid    who keyed it; empty: not known
    """

    room: str
    status: str
    keyed: str
    maid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """The voice messages of one extension."""

    extension: str
    unread: int
    read: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptWakeUp:
    """The wake-up of a room as the PBX keeps it: one at the most. Moments are minutes of hotel
    time, without a zone.

    rings       when it will ring; None: not at all
    rang        when it rang last; None: it has not, or nobody knows
    ending      how that ended
    """

    room: str
    rings: datetime | None
    rang: datetime | None = None
    ending: Ending | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One article on the list of what was taken from the minibar of a room.

    price       for one, as the PBX writes it, without a currency; empty: it has none
    """

    name: str
    count: int
    price: str = ""
