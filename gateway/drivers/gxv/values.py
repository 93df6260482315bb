"""What a phone is asked and tells, and the ways in which it does not."""

from dataclasses import dataclass


class PhoneFailed(Exception):
    """Never raised itself. The text is fit for a log and says what to do: no secrets, no names."""


class PhoneAway(PhoneFailed):
    """No answer, or it restarts: try again, without an end."""


class LoginRefused(PhoneFailed):
    """Its login is refused. After five wrong ones it locks itself, so nobody tries on his own."""


class SessionOver(PhoneFailed):
    """It has forgotten our login: log in again, once."""


class PhoneOdd(PhoneFailed):
    """It is no phone that we know, or it says that it did what it did not: somebody must look."""


class NoSuchPage(PhoneOdd):
    """Its firmware has no such action."""


@dataclass(frozen=True, slots=True)
class Contact:
    """One entry of its address book, as it tells it. `group`: the number of its group."""

    id: str
    name: str
    number: str
    group: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A number of the hotel for the address book."""

    name: str
    number: str


@dataclass(frozen=True, slots=True)
class Account:
    """One of its SIP accounts."""

    number: str
    is_registered: bool


@dataclass(frozen=True, slots=True)
class Identity:
    """What it is. Empty: it does not say."""

    model: str = ""
    firmware: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of it: a path below its address, a query, and a form (None: a GET)."""

    path: str
    query: tuple[tuple[str, str], ...] = ()
    form: tuple[tuple[str, str], ...] | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, whole and bounded."""

    status: int
    body: bytes
