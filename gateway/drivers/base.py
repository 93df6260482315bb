"""What every driver offers, and the ways in which it says no."""

from collections.abc import Awaitable, Sequence
from typing import Protocol

from gateway.events import Guest, GuestEvent


class DriverFailed(Exception):
    """Never raised itself. The text is fit for a log: no names, no secrets."""


class Unreachable(DriverFailed):
    """No answer, or none that means anything: not the row's fault. Try again, without an end.

    kind    timeout, reset, tls, http or body
    sent    the PBX may have seen the call: the row is unsure from now on
    """

    def __init__(self, kind: str, text: str, *, sent: bool) -> None:
        super().__init__(text)
        self.kind = kind
        self.sent = sent


class Rejected(DriverFailed):
    """The PBX understood and said no for good: park the row. The text says what to do."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Refused(DriverFailed):
    """The PBX said no for a passing reason: try this row again later, a few times."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class SessionRefused(DriverFailed):
    """Our login is refused although it is fresh: not the row's fault. This row again later."""

    def __init__(self, code: int, text: str, *, sent: bool) -> None:
        super().__init__(text)
        self.code = code
        self.sent = sent


class Paused(DriverFailed):
    """The PBX must not be called at all for so many seconds. No row is at fault.

    loud    an operator must act; the text says how
    sent    as of Unreachable
    """

    def __init__(self, code: int, text: str, seconds: float, *, loud: bool) -> None:
        super().__init__(text)
        self.code = code
        self.seconds = seconds
        self.loud = loud
        self.sent = False


class ShownRoom(Protocol):
    """One room as a PBX lists it; what else a PBX knows of it is the driver's own affair."""

    @property
    def address(self) -> str: ...

    @property
    def is_in(self) -> bool: ...


class Driver(Protocol):
    """One PBX."""

    async def apply(
        self,
        event: GuestEvent,
        *,
        unsure: bool,
        repairs: bool,
        after: Awaitable[object] | None = None,
    ) -> str | None:
        """Make the PBX show this event. Twice is as once.

        unsure      an earlier try of this very event may have been done
        repairs     an earlier event of the room could not be delivered: tell everything; of a move:
                    somebody else may be in the room that he leaves, with a mailbox of his own
        after       until this is done nothing may be said, only made ready; not for an unsure one
        return      a warning for the log, or None

        Raises one of the failures above, and what `after` raises.
        """

    def action_of(self, event: GuestEvent) -> str:
        """The PBX's own word for what the event asks for, from a closed set: a metric label."""

    async def probe(self) -> None:
        """Ask something harmless. Raises as `apply`."""

    async def rooms(self) -> Sequence[ShownRoom] | None:
        """All rooms as the PBX shows them; None: it has no list. Raises as `apply`."""

    def differences(self, room: ShownRoom, guest: Guest) -> tuple[str, ...] | None:
        """In what a listed room that is in differs from this guest, in the PBX's words.

        Empty: in nothing. None: it shows somebody else.
        """

    async def close(self) -> None:
        """Let go of the connection."""
