"""Hotel words for moments, guests, calls and what came of them."""

import re
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from gateway.drivers.calls import Call, DoNotDisturb, Move, WakeUp, name_of
from gateway.drivers.ucm.replies import Reply
from gateway.house import Guest
from gateway.store import JournalLine

_CODED: Final = re.compile(r"(-?\d+): (.*)", re.DOTALL)
_DONE_CODES: Final = ("0", "-100")

CALLS: Final = {
    "check_in": "check-in",
    "check_out": "check-out",
    "update": "update",
    "move": "move",
    "room_status": "room status",
    "do_not_disturb": "do-not-disturb",
    "wake_up": "wake-up",
}
_DONE: Final = {
    "check_in": "checked in on the UCM",
    "check_out": "checked out on the UCM",
    "update": "updated on the UCM",
    "move": "moved on the UCM",
    "room_status": "room status set on the UCM",
    "do_not_disturb": "do-not-disturb set on the UCM",
    "wake_up": "wake-up set on the UCM",
}
_BY_HAND: Final = {"retry": "tried again by an operator", "drop": "dropped by an operator"}
_UNANSWERED: Final = {
    "timeout": "the UCM did not answer in time",
    "reset": "the connection to the UCM broke",
    "tls": "the UCM's certificate is not trusted",
    "http": "what answered is not the UCM's API",
    "body": "the UCM's answer could not be read",
    "interrupted": "the UCM closed the session",
    "our fault": "a fault of the gateway: report it",
}
_ALREADY: Final = {
    ("check_in", "19"): "somebody was checked in on the UCM already",
    ("check_out", "20"): "was checked out on the UCM already",
}


@dataclass(frozen=True, slots=True)
class Told:
    """Some words with their tone: good, wait (it may come by itself), bad, quiet."""

    tone: str
    words: str


def clock(at: float | None, zone: tzinfo) -> str:
    """The time of day of a moment, to the millisecond; empty: it is not known."""
    if at is None:
        return ""
    when = datetime.fromtimestamp(at, zone)
    return f"{when:%H:%M:%S}.{when.microsecond // 1000:03}"


def moment(at: float, zone: tzinfo, now: float) -> str:
    """A moment as one writes it down: the time of day, with the day unless it is today."""
    when, today = datetime.fromtimestamp(at, zone), datetime.fromtimestamp(now, zone).date()
    return f"{when:%H:%M:%S}" if when.date() == today else f"{when:%d %b %H:%M}"


def minute(at: float, zone: tzinfo, now: float) -> str:
    """A moment to the minute, with the day unless it is today."""
    when, today = datetime.fromtimestamp(at, zone), datetime.fromtimestamp(now, zone).date()
    return f"{when:%H:%M}" if when.date() == today else f"{when:%d %b %H:%M}"


def since(at: float | None, zone: tzinfo, now: float) -> str:
    """Since when, to the minute; empty: it is not known."""
    return "" if at is None else f"since {minute(at, zone, now)}"


def ago(seconds: float) -> str:
    """How long ago."""
    minutes = int(max(0.0, seconds) // 60)
    if minutes < 1:
        return "just now"
    if minutes < 120:
        return f"{counted(minutes, 'minute')} ago"
    return f"{minutes // 60} hours ago"


def counted(count: int, thing: str) -> str:
    """A number and what is counted."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def sentence(text: str) -> str:
    """The text with one full stop at its end."""
    text = text.strip().rstrip(".")
    return text if text.endswith(("?", "!")) else text + "."


def masked(text: str) -> str:
    """A name without the name: its length and its capitals. For bytes of the line see
    `protocols.fias.mask`.
    """
    return "".join(
        ("X" if each.isupper() else "x") if each.isalpha() else "9" if each.isdigit() else each
        for each in text
    )


def guest(who: Guest, *, names: bool) -> str:
    """One guest in words."""
    full = ", ".join(each for each in (who.name, who.first_name) if each)
    if not full:
        return "(no name)"
    return full if names else masked(full)


def reason(why: str) -> str:
    """Why the UCM refused something: its number goes behind the words."""
    coded = _CODED.fullmatch(why)
    return f"{coded[2]} (code {coded[1]})" if coded else why


def call(what: Call) -> str:
    """What a call is about to do, without a guest's name."""
    match what:
        case Move(room=room, from_room=from_room):
            return f"move from {from_room} to {room}"
        case WakeUp(room=room, at=at):
            return f"wake-up of {room} at {at:%d %b %H:%M}" if at else f"no wake-up for {room}"
        case DoNotDisturb(room=room, on=on):
            return f"do-not-disturb of {room} {'on' if on else 'off'}"
        case _:
            return f"{CALLS[name_of(what)]} of {what.room}"


def outcome(line: JournalLine) -> Told:
    """What came of a call, without its room."""
    if line.call in _BY_HAND:
        return Told("quiet", _BY_HAND[line.call])
    if line.result in _DONE_CODES:
        return Told("good", _DONE.get(line.call, f"{line.call} done"))
    if (already := _ALREADY.get((line.call, line.result))) is not None:
        return Told("quiet", already)
    name = CALLS.get(line.call, line.call)
    if (unanswered := _UNANSWERED.get(line.result)) is not None:
        return Told("wait", f"{name} tried: {unanswered}")
    if line.result.lstrip("-").isdigit():
        return Told("bad", f"{name} refused: {reason(Reply(int(line.result)).advice)}")
    return Told("bad", f"{name} failed: {line.result}")


def rooms(line: JournalLine) -> str:
    """The room of a call, of a move both."""
    return f"{line.from_room} to {line.room}" if line.from_room else line.room
