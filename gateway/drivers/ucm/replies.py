"""From the UCM's reply to its code, and what each code means. Pure.

What a reply that never comes means is decided by `gateway/pipeline/relay.py`: it reads the list.

Source, unless said otherwise: UCM6xxx PMS API Guide (codes, XML), UCM HTTPS API (error return
codes).
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final


class Verdict(Enum):
    """What a code means for the call that got it."""

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
    text = body.decode("utf-8-sig", "replace").strip()
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
        if "cdr_root" in parsed:  # a list of calls has no status: the guide's own sample
            return Reply(0, response=parsed)
        raise NotAReply("JSON without a status")
    if abs(code) >= MOST_CODE:
        raise NotAReply("JSON with a status that is no code")
    if code == 0 and texts:
        code = -1  # an error text that we do not know is an error all the same
    return Reply(code, response=inner)


def _code_of(text: str) -> int | None:
    return _TEXTS.get(" ".join(text.lower().split()).rstrip(" !."))
