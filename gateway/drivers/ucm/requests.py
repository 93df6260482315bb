"""From a call to the UCM's request: actions, tags and their texts. Pure.

Source, unless said otherwise: UCM6xxx PMS API Guide (actions, XML), UCM HTTPS API (`pmsapi`),
DuVoice's Grandstream page (mandatory dates).
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from typing import Final, assert_never
from xml.sax.saxutils import escape

from gateway.drivers.calls import (
    Call,
    CheckIn,
    CheckOut,
    DoNotDisturb,
    Move,
    RoomStatus,
    Update,
    WakeUp,
)
from gateway.house.states import Guest

SHORTEST_NAME: Final = 8
"""A name is halved until it has this many characters; then a human must see it."""

SENSITIVE: Final = "'\"`;\\"
"""What a UCM refuses with -50: it builds its SQL from quoted text."""

LANGUAGES: Final[Mapping[str, str]] = {
    "EA": "en", "EN": "en", "FR": "fr", "GE": "de", "DE": "de", "IT": "it", "JA": "ja", "SP": "es",
    "ES": "es", "NL": "nl", "PT": "pt", "PO": "pt", "RU": "ru", "RL": "ru", "RS": "ru", "PL": "pl",
    "CS": "cs", "CZ": "cs", "DA": "da", "DK": "da", "SV": "sv", "SW": "sv", "NO": "no", "NR": "no",
    "FI": "fi", "FN": "fi", "EL": "el", "GR": "el", "HU": "hu", "HR": "hr", "CR": "hr", "SK": "sk",
    "SC": "sk", "SL": "sl", "TR": "tr", "ET": "et", "RO": "ro", "BG": "bg", "UK": "uk", "AR": "ar",
    "HE": "he", "ZH": "zh", "KO": "ko", "TH": "th", "ID": "id", "RI": "id", "CA": "ca", "CT": "ca",
}  # fmt: skip
"""FIAS language codes, both spellings, to UCM languages. Source: FIAS 2.20.24, field GL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """How this site's PMS words become the UCM's.

    class_of_service    PMS code -> 1..4
    language            PMS code in capitals -> UCM language
    room_status         PMS code -> 1..6
    checkout_time       time of day put on a departure date
    name_bytes          longest first or last name in UTF-8 bytes
    """

    class_of_service: Mapping[str, int] = field(default_factory=dict)
    language: Mapping[str, str] = field(default_factory=lambda: LANGUAGES)
    room_status: Mapping[str, int] = field(default_factory=dict)
    checkout_time: time = time(12)
    name_bytes: int = 64


@dataclass(frozen=True, slots=True)
class Request:
    """One `pmsapi` action with its tags in order."""

    action: str
    tags: tuple[tuple[str, str], ...]

    def value_of(self, tag: str) -> str | None:
        """The text of a tag, if the request has it."""
        return next((text for name, text in self.tags if name == tag), None)

    def with_value(self, tag: str, text: str) -> "Request":
        """The same request with another text in one tag."""
        return replace(
            self, tags=tuple((name, text if name == tag else old) for name, old in self.tags)
        )


def clean(text: str) -> str:
    """Text as a UCM may have it: composed (NFC), without control characters, single blanks.

    What XML 1.0 cannot say is dropped too: a UCM would refuse it for ever.
    """
    composed = unicodedata.normalize("NFC", text)
    kept = (
        " " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char
        for char in composed
        if unicodedata.category(char) != "Cs" and char not in "\ufffe\uffff"
    )
    return " ".join("".join(kept).split())


def cut(text: str, limit: int) -> str:
    """At most `limit` UTF-8 bytes, at a character boundary."""
    # What is ignored is the beginning of a character that the cut has split, and nothing else.
    return text.encode()[:limit].decode(errors="ignore") if len(text.encode()) > limit else text


def account_of(guest: Guest, stay: int | None) -> str:
    """The guest's reservation number. A PMS that gives none has a number of ours instead, the
    stay's: so the list says whose mailbox it is, and a second Smith is not the first. Of somebody
    of whom nothing is known: none.
    """
    if guest.reservation is not None:
        return clean(guest.reservation)
    return "" if guest.is_nobody or stay is None else f"S{stay:08}"


def guest_tags(guest: Guest, stay: int | None, words: Words) -> dict[str, str]:
    """What a room shows for this guest of this stay, by tag. A tag without a mapping is left out.

    The dates are always there: a UCM refuses a check-in without them. Arrival "today" is the
    moment we heard of him; the departure is never before the arrival.
    """
    name, first_name = guest.name, guest.first_name
    if not first_name and "," in name:  # a PMS without first names: "Last, First"
        name, first_name = name.split(",", 1)
    date_in = guest.came
    if guest.arrival is not None and guest.arrival != guest.came.date():
        date_in = datetime.combine(guest.arrival, time(0))
    date_out = date_in
    if guest.departure is not None:
        date_out = max(date_in, datetime.combine(guest.departure, words.checkout_time))
    tags = {
        "account": account_of(guest, stay),
        "firstname": cut(clean(first_name or ""), words.name_bytes),
        "lastname": cut(clean(name), words.name_bytes),
        "vipcode": "0" if (guest.vip or "").strip() in ("", "0") else "1",
        "datein": f"{date_in:%Y/%m/%d %H:%M}",
        "dateout": f"{date_out:%Y/%m/%d %H:%M}",
    }
    language = words.language.get((guest.language or "").upper())
    if language is not None:
        tags["language"] = language
    cos = words.class_of_service.get(guest.class_of_service or "")
    if cos is not None:
        tags["cos"] = str(cos)
    return tags


_ORDER: Final = (
    "account", "firstname", "lastname", "language", "vipcode", "datein", "dateout", "cos",
)  # fmt: skip


def _of_room(action: str, room: str, tags: Mapping[str, str]) -> Request:
    ordered = sorted(tags.items(), key=lambda tag: _ORDER.index(tag[0]) if tag[0] in _ORDER else 99)
    return Request(action, (("address", room), ("room", room), *ordered))


def request_of(call: Call, words: Words) -> Request | None:
    """The request that a call comes to; None: this site has no word for it."""
    match call:
        case CheckIn(room=room, tags=tags):
            # An empty account or first name is left out.
            said = {
                name: text
                for name, text in tags.items()
                if text or name not in ("account", "firstname")
            }
            return _of_room("checkin", room, said)
        case CheckOut(room=room):  # the UCM deletes its voice mail
            return _of_room("checkout", room, {})
        case Update(room=room, tags=tags):
            return _of_room("update", room, tags)
        case Move(room=room, from_room=from_room):
            return move(from_room, room)
        case RoomStatus(room=room, code=code):
            status = words.room_status.get(code)
            return None if status is None else set_status(room, status)
        case DoNotDisturb(room=room, on=on):
            return _of_room("dnd", room, {"status": "1" if on else "0"})
        case WakeUp(room=room, at=at):
            return wake_up(room, at)
        case _:
            assert_never(call)


def move(from_room: str, room: str) -> Request:
    """Guest, mailbox and wake-up go to another room. Tags as in the guides' samples."""
    return Request(
        "mov",
        (("address", from_room), ("room", from_room), ("d_address", room), ("d_room", room)),
    )


def set_status(room: str, status: int) -> Request:
    """The housekeeping status, 1..6; 0 cannot be set."""
    return _of_room("update", room, {"status": str(status)})


def wake_up(room: str, at: datetime | None) -> Request:
    """The room's single wake-up: set once, or cancelled. Minutes are all a UCM keeps."""
    if at is None:
        return Request("wakeup", (("address", room), ("room", room), ("w_action", "0")))
    return Request(
        "wakeup",
        (
            ("address", room),
            ("room", room),
            ("w_action", "1"),
            ("w_mode", "1"),
            ("w_date", f"{at:%Y%m%d}"),
            ("w_time", f"{at:%H%M}"),
        ),
    )


def to_xml(request: Request) -> str:
    """The request as the one-line XML of the guides."""
    tags = "".join([f"<{name}>{escape(text)}</{name}>" for name, text in request.tags])
    action = f"<{request.action}>{tags}</{request.action}>"
    return f"<pms_data_request>{action}</pms_data_request>"


def shorten(request: Request, code: int, *, exact: bool) -> Request | None:
    """The request with the name that was too long cut to half; None: it is short already.

    code    25 first name, 26 last name
    exact   the reply had the number; a text alone speaks of either name, so the longer is cut
    """
    tag = "firstname" if code == 25 else "lastname"
    if not exact:
        tag = max(("firstname", "lastname"), key=lambda each: len(request.value_of(each) or ""))
    name = request.value_of(tag)
    if name is None or len(name) <= SHORTEST_NAME:
        return None
    return request.with_value(tag, name[: max(SHORTEST_NAME, len(name) // 2)].rstrip())


def plain(request: Request) -> Request:
    """The request without the characters that a UCM calls sensitive."""
    return replace(request, tags=tuple((name, plain_text(text)) for name, text in request.tags))


def plain_text(text: str) -> str:
    """A text without those characters."""
    return text.translate(str.maketrans("", "", SENSITIVE))
