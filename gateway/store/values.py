"""What goes into the store and what comes out of it, as values. Bodies are JSON text: what is in
them is defined by the caller.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

REFUSED_KEPT: Final = 1000
"""Refused records and bytes kept for the technician, the newest."""


class StorageFailed(Exception):
    """The disk said no. What was asked for may be stored or not: do not acknowledge, ask again.

    do      what a technician has to do about it
    """

    is_final: ClassVar[bool] = False
    """Waiting does not help: somebody has to change something first."""

    def __init__(self, text: str, do: str = "look at the disk and at the kernel's log") -> None:
        super().__init__(text)
        self.do = do


class StorageCorrupt(StorageFailed):
    """What is on the disk is not what was written. The file must make way for another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomRow:
    """One room in the store. The PMS side and the UCM side write different columns of it.

    house       who is in it, by the PMS's word; "": nothing is known
    heard       digest of the last record that changed it, and when; to know a repeat
    record      the record that the UCM has to be told of, as text; holds a guest's name
    since       since when the UCM has to be told
    background  only a resync has changed it since then
    actual      what the UCM was last known to show; "": not known
    trouble     what the UCM refused; "": nothing
    pending     the call that was begun and whose outcome is not known; "": none
    """

    room: str
    house: str = ""
    heard: tuple[bytes, float] | None = None
    record: str = ""
    since: float = 0.0
    background: bool = False
    actual: str = ""
    trouble: str = ""
    pending: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a record has made of a room: the PMS side of its row. None: as before."""

    house: str | None = None
    heard: tuple[bytes, float] | None = None
    cause: tuple[str, float, bool] | None = None
    """record, since, background"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a call has made of a room: the UCM side of its row."""

    room: str
    actual: str
    trouble: str = ""
    pending: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Something from the line that could not be read."""

    at: float
    reason: str
    body: bytes
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLine:
    """One call to the UCM, or what an operator did.

    at          when it was made, seconds since 1970
    room        the room it was for; `from_room`: the one that a move left
    call        its word, see gateway/drivers/calls.py; or retry, drop
    result      the UCM's number, or what went wrong
    took_s      how long the UCM took
    record      the record that caused it, as text; holds a guest's name
    """

    at: float
    room: str
    from_room: str = ""
    call: str
    result: str
    took_s: float = 0.0
    record: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """Somebody in a room, and in which time: who pays for what happened in it then.

    room        the address
    guest       who it is, whichever room he is in: see `gateway.house.residents`
    pms_room    the room as the PMS writes it
    since       when he came into it; until: when he left it, None: he is there
    """

    room: str
    guest: str
    pms_room: str
    since: float
    until: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostingRow:
    """Something that goes back to the PMS.

    id          0: not stored yet
    kind        a word of `gateway.back.lane.KINDS`
    cause       what it is about, for ever: a second one of the same cause is not stored
    room        the address
    body        what is said, as JSON
    guests      who may pay for it: identities as in Resident
    state       a value of `gateway.back.states.State`
    number      the last one that it was sent under; None: never sent
    tries       how often it was sent
    at          when it came about; due_at: not to be sent before
    reason      why it stands where it stands, in words; may hold the PMS's own text
    is_forced   an operator has said: send it, whoever is in the room
    """

    id: int = 0
    kind: str
    cause: str
    room: str
    body: str
    guests: tuple[str, ...] = ()
    state: str
    number: int | None = None
    tries: int = 0
    at: float
    due_at: float = 0.0
    reason: str = ""
    is_forced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PostingStep:
    """One change of a posting, for the operator: what it became, when, by whom and why."""

    posting: int
    at: float
    state: str
    who: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelRow:
    """What was last seen of something of a room that only has a latest value.

    kind    as of a posting; seen: the value, in the caller's words; at: when it became so
    """

    kind: str
    room: str
    seen: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRow:
    """One call that the UCM has told of.

    key         of the call, for ever: see `gateway.back.calls`
    began, ended    moments
    room        the address that pays; empty: none
    use         a word of `gateway.back.calls.USES`
    digits      what was dialled
    amount      minor units; None: we do not price it
    """

    key: str
    began: float
    ended: float
    room: str
    use: str
    digits: str
    talk_s: int
    amount: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTally:
    """Calls of one use, and in one state of their posting; state None: they have none.

    amount  of all of them; 0: they have no price
    """

    use: str
    state: str | None
    count: int
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallsMark:
    """How far the UCM's list of calls has been read.

    first   when it was read for the first time: calls that ended before are not ours
    until   the latest end of a call that is stored
    canary  that call: a list of its time without it is not believed; empty: there was none yet
    """

    first: float
    until: float
    canary: str = ""


@dataclass(slots=True)
class Batch:
    """Everything that one read brought: it is stored whole, or not at all."""

    rooms: dict[str, Heard] = field(default_factory=dict)
    ledger: str | None = None
    refused: Sequence[Refused] = ()
    residents: Sequence[Resident] = ()
    postings: Sequence[tuple[PostingRow, PostingStep]] = ()

    @property
    def is_empty(self) -> bool:
        """Nothing of it has to be on disk. A record that has changed nothing may come again."""
        return (
            self.ledger is None
            and not self.refused
            and not self.postings
            and not any(
                heard.house is not None or heard.cause is not None for heard in self.rooms.values()
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """All that the store holds at a start. `writes`: see Store.writes."""

    rooms: Mapping[str, RoomRow]
    ledger: str
    writes: int
