"""What a UCM says by itself, over its WebSocket: from JSON to events. Pure, and tolerant.

An event is a hint that there is something to read, and nothing more: it is not sent again, it has
no number, and what it says of a wake-up has no date. What the two events of the PMS module are made
of is in no guide, so names are compared without case and signs, and what is not understood is kept.

Source: clients of the UCM's WebSocket API; field names of the PMS events as its own sources raise
them towards its telephone engine.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.drivers.ucm.replies import text_of
from gateway.drivers.ucm.wake_ups import ENDINGS, EXECUTED
from protocols.postings import Ending

ROOM_STATUS: Final = "PMSRoomStatus"
WAKE_UP: Final = "PMSWakeupStatus"
VOICEMAIL: Final = "VoiceMailStatus"
CALL: Final = "ActiveCallStatus"
LABELS: Final[Mapping[str, str]] = {
    ROOM_STATUS: "room_status",
    WAKE_UP: "wake_up",
    VOICEMAIL: "voicemail",
    CALL: "call",
}
"""What we ask to be told, and what it is called in the metrics."""
OTHER: Final = "other"
MOST_KEPT: Final = 2000
"""Characters of an event that is kept because it was not understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something has happened on the UCM.

    label       a word of LABELS, or OTHER: not understood
    extension   whose; empty: it does not say
    ending      of a wake-up that is over
    is_over     False: a call that goes on, of which there is nothing to read yet
    raw         as it came; only of what was not understood
    """

    label: str
    extension: str = ""
    ending: Ending | None = None
    is_over: bool = True
    raw: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One thing that the UCM sends.

    action      "notify", "heartbeat", or what it answers; empty: it does not say
    is_answer   it answers something that we asked
    status      of an answer; None: it has none that we can read
    """

    action: str
    is_answer: bool
    transaction: str
    status: int | None
    body: Mapping[str, Any]


def messages_in(text: str | bytes) -> list[Message]:
    """The messages of one frame; what is no JSON object has none."""
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return [_message(frame, body) for body in _dicts(frame)]


def _dicts(frame: Any) -> Iterator[dict[str, Any]]:
    """The envelope is `message`, `response`, or both; each may be a list."""
    if not isinstance(frame, dict):
        return
    inner = frame.get("message", frame.get("response"))
    for each in inner if isinstance(inner, list) else [inner]:
        if isinstance(each, dict):
            yield each


def _message(frame: Mapping[str, Any], body: dict[str, Any]) -> Message:
    status = text_of(body.get("status", frame.get("status")))
    digits = status.removeprefix("-")
    is_number = digits.isdecimal() and len(digits) <= 4
    return Message(
        action=text_of(body.get("action")).lower(),
        is_answer="response" in frame or text_of(frame.get("type")).lower() == "response",
        transaction=text_of(body.get("transactionid")),
        status=int(status) if is_number else None,
        body=body,
    )


def events_in(message: Message) -> list[Event]:
    """What a `notify` tells."""
    name = text_of(message.body.get("eventname"))
    found = message.body.get("eventbody")
    bodies = found if isinstance(found, list) else [found]
    return [_event(name, body) for body in bodies or [None]]


def _event(name: str, body: Any) -> Event:
    label = LABELS.get(name)
    values = _plain(body)
    extension = _first(values, "extension", "extensions", "address", "room", "chan")
    is_understood = label is not None and (bool(extension) or name == CALL)
    if not is_understood or label is None:
        return Event(label=OTHER, extension=extension, raw=_raw(name, body))
    ending = None
    if name == WAKE_UP and _first(values, "wakeupactionstatus", "waction") == EXECUTED:
        ending = ENDINGS.get(_first(values, "wakeupanswerstatus", "wstatus"))
    is_over = name != CALL or _first(values, "action").lower() not in ("add", "update")
    return Event(label=label, extension=extension, ending=ending, is_over=is_over)


def _raw(name: str, body: Any) -> str:
    try:
        return json.dumps({"eventname": name, "eventbody": body}, ensure_ascii=True)[:MOST_KEPT]
    except RecursionError:  # what could be read just so
        return f"{name[:MOST_KEPT]} (nested without end)"


def _plain(body: Any) -> dict[str, str]:
    """The values by their names in small letters, without anything between the letters."""
    if not isinstance(body, dict):
        return {}
    return {
        "".join(each for each in str(key).lower() if each.isalnum()): text_of(value)
        for key, value in body.items()
    }


def _first(values: Mapping[str, str], *names: str) -> str:
    return next((text for name in names if (text := values.get(name, ""))), "")
