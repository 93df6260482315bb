"""UCM requests and replies as values: call to request, reply to result. Pure.

Source, unless said otherwise: UCM6xxx PMS API Guide (actions, codes, XML), UCM HTTPS API
(`pmsapi`, `listPMSRoom`, error return codes), DuVoice's Grandstream page (mandatory dates).
"""

import json
import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from enum import Enum
from typing import Any, Final, assert_never
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


# --- Call to request --------------------------------------------------------------------------


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
    return replace(request, tags=tuple((name, _plain(text)) for name, text in request.tags))


def _plain(text: str) -> str:
    return text.translate(str.maketrans("", "", SENSITIVE))


# --- Reply to result -------------------------------------------------------------------------


class Verdict(Enum):
    """What a code means for the row that asked."""

    DONE = "done"
    DONE_WITH_WARNING = "done_with_warning"
    ALREADY_IN = "already_in"  # a check-in: of whom?
    NOT_IN = "not_in"  # done for a check-out; else the UCM has forgotten the guest
    UNDER_REPAIR = "under_repair"  # set the room available, once
    TAKEN = "taken"  # a move: by whom?
    NAME_TOO_LONG = "name_too_long"
    SENSITIVE = "sensitive"
    REJECTED = "rejected"  # park after one try
    REFUSED = "refused"  # a passing reason: a few tries, then park
    LOGIN = "login"  # log in once and send again; nothing was done
    LOGIN_UNSURE = "login_unsure"  # the same, but the call may have been done
    PAUSE_15 = "pause_15"
    PAUSE_60 = "pause_60"
    BANNED = "banned"  # for as long as the reply says
    STOP = "stop"  # an operator must act; never hammer a login


V = Verdict
VERDICTS: Final[Mapping[int, tuple[Verdict, str]]] = {
    0: (V.DONE, "success"),
    -100: (V.DONE_WITH_WARNING, "done, but the UCM has no prompts in that language"),
    # the PMS module
    12: (V.REJECTED, "the UCM cannot read our XML: report this with the record"),
    13: (V.REJECTED, "this firmware does not know the action: update the UCM"),
    14: (V.REJECTED, "the UCM does not know the format: report this with the record"),
    15: (V.REJECTED, "the UCM refuses a value: look at the record's dates and codes"),
    16: (V.STOP, "wrong PMS user or password: compare pms_username with the UCM's PMS page"),
    17: (V.REJECTED, "address and room are no pair: make them equal on the UCM's room page"),
    18: (V.REJECTED, "the UCM has no such room: add it there, or map it under [rooms]"),
    19: (V.ALREADY_IN, "already checked in"),
    20: (V.NOT_IN, "not checked in"),
    21: (V.STOP, "the UCM's PMS module is not PMSAPI: choose it on the PMS page"),
    22: (V.UNDER_REPAIR, "the room is being cleaned or repaired"),
    23: (V.REJECTED, "the UCM has no such room to move to: add it, or map it under [rooms]"),
    24: (V.TAKEN, "the room to move to is checked in"),
    25: (V.NAME_TOO_LONG, "first name too long: lower name_bytes"),
    26: (V.NAME_TOO_LONG, "last name too long: lower name_bytes"),
    # the HTTPS API
    -1: (V.REJECTED, "invalid parameters: report this with the record"),
    -5: (V.LOGIN, "login needed"),
    -6: (V.LOGIN, "the cookie is not valid"),
    -7: (V.LOGIN_UNSURE, "the UCM closed the session"),
    -8: (V.LOGIN_UNSURE, "the UCM's session timed out"),
    -9: (V.REFUSED, "the UCM could not do it"),
    -15: (V.REJECTED, "invalid value: report this with the record"),
    -16: (V.REJECTED, "no such item on the UCM"),
    -19: (V.REJECTED, "this firmware does not support the action"),
    -21: (V.REFUSED, "the UCM's disk is full"),
    -24: (V.REFUSED, "the UCM's database failed"),
    -25: (V.REFUSED, "the UCM's database could not be updated"),
    -26: (V.REFUSED, "the UCM's database could not be read"),
    -37: (V.STOP, "wrong API user or password: compare username with the UCM's API page"),
    -41: (V.REFUSED, "too many users are logging in to the UCM"),
    -42: (V.REFUSED, "the UCM is doing this already"),
    -43: (V.REJECTED, "changed or deleted on the UCM meanwhile"),
    -44: (V.REJECTED, "added on the UCM already"),
    -45: (V.PAUSE_15, "somebody else is changing the UCM"),
    -46: (V.PAUSE_15, "somebody else is changing the UCM"),
    -47: (V.STOP, "no permission: tick PMS for the API user and permit this address"),
    -48: (V.REFUSED, "the UCM's disk is read-only: restart it"),
    -50: (V.SENSITIVE, "a name has characters that the UCM refuses"),
    -51: (V.REFUSED, "the UCM is busy with another task"),
    -57: (V.PAUSE_60, "the UCM wants to be left alone for a minute"),
    -68: (V.BANNED, "the UCM has banned this address: whitelist it there"),
    -69: (V.REFUSED, "a conference keeps the UCM from changing"),
    -70: (V.STOP, "login forbidden: allow the API user on the UCM"),
    -71: (V.STOP, "the UCM has no such API user"),
    -90: (V.REFUSED, "a conference keeps the UCM from changing"),
    -98: (V.REFUSED, "digital calls keep the UCM from changing"),
}
"""Every code of the guides and of the UCM's own web page, and what to do about it."""

_TEXTS: Final[Mapping[str, int]] = {
    "success": 0,
    "success, but language error, not set": -100,
    "action error": -9,
    "xml data error": 12,
    "no support action": 13,
    "format error": 14,
    "in data error": 15,
    "auth error": 16,
    "address and room not match": 17,
    "address error": 18,
    "already checked in": 19,
    "not checked in": 20,
    "pmsapi not enable": 21,
    "cleaning or repairing, cannot check in or be mov to": 22,
    "dest address not exist": 23,
    "dest address already checked in": 24,
    "first name or last name too long": 26,
}
"""Source: PMS API Guide, table of responses; the texts come without their numbers too."""

_NUMBERED: Final = re.compile(r"\[\s*(-?\d{1,4})\s*\]\s*([^<\r\n]{0,200})")
MOST_CODE: Final = 10_000
"""Codes have up to four digits; a number without an end is none, and nothing to store or print."""

_UNKNOWN: Final = "a code that no guide lists: look it up in the UCM's own log"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a UCM said.

    code        see VERDICTS
    exact       the reply had the code as a number
    response    the JSON object `response`, empty on the old API
    """

    code: int
    exact: bool = True
    response: Mapping[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """What to do; an unknown code is a passing refusal, so that it ends where a human looks."""
        return VERDICTS.get(self.code, (V.REFUSED, _UNKNOWN))[0]

    @property
    def advice(self) -> str:
        """What it means, for the operator; never the reply's own text, which may hold a name."""
        return f"{self.code}: {VERDICTS.get(self.code, (V.REFUSED, _UNKNOWN))[1]}"

    def seconds_banned(self) -> float:
        """For how long the UCM will not hear us, by its own word; a minute without one."""
        try:
            seconds = float(text_of(self.response.get("remain_time")))
        except ValueError:
            return 60.0
        return min(max(seconds, 1.0), 86400.0) if math.isfinite(seconds) else 60.0


def text_of(value: Any) -> str:
    """A text or a number of a JSON reply as text; empty for anything else, however nested."""
    return str(value) if isinstance(value, str | int | float) else ""


class NotAReply(ValueError):
    """Bytes that no UCM's PMS API would send: HTML, half a JSON, nothing."""


def parse_reply(body: bytes) -> Reply:
    """A reply in any of the shapes that firmwares use.

    JSON with a status; with `error` or `error_msg` in `response` or outside; with the text of
    the old API anywhere; or that text alone. Raises NotAReply for anything else.

    Source: HTTPS API (status, error), PMS API Guide (`[0] SUCCESS !`), clients that ran.
    """
    text = body.decode("utf-8", "replace").strip()
    if text.startswith("{"):
        try:
            parsed, _ = json.JSONDecoder().raw_decode(text)
        except (ValueError, RecursionError) as error:
            raise NotAReply("half a JSON object") from error
        return _from_json(parsed)
    numbered = _NUMBERED.search(text)
    if numbered and not re.search(r"<(script|body|html)", text[: numbered.start()], re.IGNORECASE):
        return Reply(int(numbered[1]))
    code = _code_of(text)
    if code is not None:
        return Reply(code, exact=False)
    if numbered:
        return Reply(int(numbered[1]))
    raise NotAReply("neither JSON nor a bracketed code")


def _from_json(parsed: dict[str, Any]) -> Reply:
    response = parsed.get("response")
    inner: Mapping[str, Any] = response if isinstance(response, dict) else {}
    texts = [
        candidate
        for candidate in (
            inner.get("error"),
            inner.get("error_msg"),
            parsed.get("error"),
            parsed.get("error_msg"),
            response,
        )
        if isinstance(candidate, str) and candidate.strip()
    ]
    for text in texts:
        numbered = _NUMBERED.search(text)
        if numbered:
            return Reply(int(numbered[1]), response=inner)
        code = _code_of(text)
        if code is not None:
            return Reply(code, exact=False, response=inner)
    status = parsed.get("status")
    try:
        code = int(status) if status is not None else None  # "0" as well as 0
    except (TypeError, ValueError, OverflowError):
        code = None
    if code is None:
        if "pms_room" in inner:
            return Reply(0, response=inner)
        raise NotAReply("JSON without a status")
    if abs(code) >= MOST_CODE:
        raise NotAReply("JSON with a status that is no code")
    if code == 0 and texts:
        code = -1  # an error text that we do not know is an error all the same
    return Reply(code, response=inner)


def _code_of(text: str) -> int | None:
    return _TEXTS.get(" ".join(text.lower().split()).rstrip(" !."))


@dataclass(frozen=True, slots=True)
class UcmRoom:
    """One row of `listPMSRoom`. Moments are minutes without a zone; None: none that we can read.

    cos     1..4; None: a permission that we do not know
    """

    address: str
    is_in: bool
    account: str
    last_name: str
    first_name: str
    language: str = ""
    vip: str = ""
    date_in: datetime | None = None
    date_out: datetime | None = None
    cos: str | None = None


def rooms_in(reply: Reply) -> list[UcmRoom]:
    """The rooms of a `listPMSRoom` reply; both spellings of the name keys are read."""
    rows = reply.response.get("pms_room")
    return [
        UcmRoom(
            address=text_of(row.get("address")),
            is_in=text_of(row.get("chki_status")).lower() == "yes",
            account=text_of(row.get("account") or ""),
            last_name=text_of(row.get("last_name", row.get("lastname")) or ""),
            first_name=text_of(row.get("first_name", row.get("firstname")) or ""),
            language=text_of(row.get("language") or ""),
            vip=text_of(row.get("vipcode") or ""),
            date_in=_listed_moment(row.get("datein")),
            date_out=_listed_moment(row.get("dateout")),
            cos=_PERMISSIONS.get(text_of(row.get("permission"))),
        )
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict)
    ]


_PERMISSIONS: Final[Mapping[str, str]] = {
    "internal": "1",
    "internal-local": "2",
    "internal-local-national": "3",
    "internal-local-national-international": "4",
}
"""The UCM's own words for a class of service. Source: HTTPS API, listPMSRoom, `permission`."""


def _listed_moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text_of(value)).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        return None


def shown_tags(row: UcmRoom, tags: Mapping[str, str]) -> dict[str, str]:
    """The tags that a room which is in shows: one that the row does not contradict is as given.

    What the list does not say (an empty language, a permission of the UCM's own) contradicts
    nothing: a firmware that leaves it out would be told the same for ever.
    """
    date_in, date_out = (
        None if moment is None else f"{moment:%Y/%m/%d %H:%M}"
        for moment in (row.date_in, row.date_out)
    )
    shown = {
        "account": row.account,
        "lastname": row.last_name,
        "firstname": row.first_name,
        "vipcode": row.vip or "0",
        "language": row.language or None,
        "cos": row.cos,
        "datein": date_in,
        "dateout": date_out,
    }
    compare = {"lastname": _is_same_name, "firstname": _is_same_name, "account": _is_no_other}
    same = {
        tag
        for tag, text in shown.items()
        if tag in compare and tag in tags and compare[tag](text or "", tags[tag])
    }
    return {
        **tags,
        **{tag: text for tag, text in shown.items() if text is not None and tag not in same},
    }


def is_ours(row: UcmRoom, tags: Mapping[str, str], *, was_told: bool = False) -> bool:
    """Whether a room that is in shows the guest of these tags: by the account, or, where the list
    has none, by the last name.

    was_told    these very tags were told to this room: then a name may have been cut on its way in
    """
    ours = tags.get("lastname", "")
    if not row.account:
        return _is_same_name(row.last_name, ours) if was_told else _is_plain(row.last_name, ours)
    account = tags.get("account", "")
    # A UCM may keep only the beginning of a long account.
    return row.account == account or (
        _is_same_account(row.account, account) and _is_same_name(row.last_name, ours)
    )


def _is_same_account(shown: str, ours: str) -> bool:
    return shown == ours or (len(shown) >= SHORTEST_NAME and ours.startswith(shown))


def _is_no_other(shown: str, ours: str) -> bool:
    return shown == "" or _is_same_account(shown, ours)


def _is_plain(shown: str, ours: str) -> bool:
    return _plain(shown) == _plain(ours)


def _is_same_name(shown: str, ours: str) -> bool:
    """A name that had to be made plain or short on its way in is still the same name."""
    plain_shown, plain_ours = _plain(shown), _plain(ours)
    cut_short = len(plain_shown) >= SHORTEST_NAME and plain_ours.startswith(plain_shown)
    return plain_shown == plain_ours or cut_short
