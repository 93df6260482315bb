"""What every driver offers, and the ways in which a PBX says no."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from gateway.drivers.calls import Call
from gateway.house.states import Guest


class DriverFailed(Exception):
    """Never raised itself. The text is fit for a log: no names, no secrets."""


class Unreachable(DriverFailed):
    """No answer, or none that means anything: no room's fault. Try again, without an end.

    kind    timeout, reset, tls, http or body
    sent    the PBX may have done the call
    """

    def __init__(self, kind: str, text: str, *, sent: bool) -> None:
        super().__init__(text)
        self.kind = kind
        self.sent = sent


class Interrupted(DriverFailed):
    """The session broke under a call, which may have been done, and there is a new session: look
    what became of the call.
    """


class Rejected(DriverFailed):
    """The PBX understood and said no for good: park the room. The text says what to do."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Refused(DriverFailed):
    """The PBX said no for a passing reason: try this room again later, a few times."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class SessionRefused(DriverFailed):
    """Our login is refused although it is fresh: no room's fault. Again later."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Paused(DriverFailed):
    """The PBX must not be called at all for so many seconds. No room is at fault.

    loud    an operator must act; the text says how
    """

    def __init__(self, code: int, text: str, seconds: float, *, loud: bool) -> None:
        super().__init__(text)
        self.code = code
        self.seconds = seconds
        self.loud = loud


class Outcome(Enum):
    """What the PBX said to a call, where it is not a failure."""

    DONE = "done"
    ALREADY_IN = "already_in"  # to a check-in: somebody is in the room
    NOT_IN = "not_in"  # nobody is in the room (of a move: in the old one)
    TAKEN = "taken"  # to a move: somebody is in the new room


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call came to.

    code        the PBX's own number, for the journal
    warning     for the log; empty: none
    """

    outcome: Outcome = Outcome.DONE
    code: int = 0
    warning: str = ""


class ShownRoom(Protocol):
    """One room as a PBX lists it; what else a PBX knows of it is the driver's own affair."""

    @property
    def address(self) -> str: ...

    @property
    def is_in(self) -> bool: ...

    @property
    def account(self) -> str: ...


class Driver(Protocol):
    """One PBX.

    has_list    it can be asked what became of a call; may become false when it is asked
    """

    has_list: bool

    async def apply(self, call: Call) -> Answer:
        """Make one call. Raises one of the failures above."""

    async def probe(self) -> None:
        """Ask something harmless. Raises as `apply`."""

    async def rooms(self) -> Sequence[ShownRoom] | None:
        """All rooms as the PBX shows them; None: it has no list. Raises as `apply`."""

    def action_of(self, call: Call) -> str:
        """The PBX's own word for a call, from a closed set: a metric label."""

    def tags_of(self, guest: Guest, stay: int | None) -> dict[str, str]:
        """What a room shows for this guest of this stay, in the PBX's own words."""

    def is_ours(self, row: ShownRoom, tags: Mapping[str, str], *, was_told: bool = False) -> bool:
        """Whether a listed room that is in shows the guest of these tags.

        was_told    these very tags were told to this room
        """

    def shown_tags(self, row: ShownRoom, tags: Mapping[str, str]) -> dict[str, str]:
        """The tags that a listed room shows; one that the row does not contradict is as given."""

    async def close(self) -> None:
        """Let go of the connection."""
