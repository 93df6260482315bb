"""The rooms of a simulated UCM: the state machine behind both of its APIs. No sockets here.

Source: PMS API Guide and HTTPS API (actions, codes); the order of the checks and the effects of a
check-out as the vendor's guides describe them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from xml.etree import ElementTree as ET

TEXTS: Final = {
    0: "SUCCESS !",
    -100: "Success, but language error, not set !",
    -9: "Action error !",
    12: "XML data error !",
    13: "No support action !",
    14: "Format error !",
    15: "In data error !",
    16: "Auth error !",
    17: "Address and room not match !",
    18: "Address error !",
    19: "Already checked in !",
    20: "Not checked in !",
    21: "PMSAPI not enable !",
    22: "Cleaning or repairing, cannot check in or be mov to !",
    23: "Dest address not exist !",
    24: "Dest address already checked in !",
    25: "First name or last name too long !",
    26: "First name or last name too long !",
}

PERMISSIONS: Final = {
    "1": "internal",
    "2": "internal-local",
    "3": "internal-local-national",
    "4": "internal-local-national-international",
}
_GUEST_TAGS: Final = (
    "account", "firstname", "lastname", "language", "vipcode", "datein", "dateout", "cos",
    "credit", "cidnumber",
)  # fmt: skip
_TAKEN_ALONG: Final = (
    "dnd", "wake_up", "wake_up_state", "wake_up_ending", "is_daily", "minibar", "messages",
)  # fmt: skip
"""With a guest who moves, beside his data."""
_DATE_FORMS: Final = ("%Y/%m/%d %H:%M", "%Y%m%d %H:%M", "%Y%m%d")


class Refusal(Exception):
    """The action is refused with a code of the PMS module."""

    def __init__(self, code: int) -> None:
        super().__init__(TEXTS.get(code, str(code)))
        self.code = code


@dataclass(slots=True)
class UcmRoom:
    """One room as a UCM keeps it."""

    address: str
    is_in: bool = False
    status: int = 0
    account: str = ""
    firstname: str = ""
    lastname: str = ""
    language: str = ""
    vipcode: str = ""
    datein: str = ""
    dateout: str = ""
    cos: str = ""
    credit: str = ""
    cidnumber: str = ""
    dnd: bool = False
    wake_up: tuple[str, str] | None = None
    wake_up_state: str = ""
    wake_up_ending: str = ""
    is_daily: bool = False
    minibar: dict[str, int] = field(default_factory=dict)
    messages: int = 0
    heard: int = 0
    moved_from: str = ""
    maid: str = ""
    s_date: str = ""
    s_time: str = ""

    def forget_guest(self) -> None:
        """What a check-out clears, the voice mail above all."""
        for tag in _GUEST_TAGS:
            setattr(self, tag, "")
        self.is_in, self.status, self.dnd = False, 0, False
        self.wake_up, self.messages, self.heard, self.moved_from = None, 0, 0, ""
        self.wake_up_state = self.wake_up_ending = ""
        self.is_daily, self.minibar = False, {}


@dataclass(slots=True)
class Rooms:
    """All rooms of a simulated UCM, and its site settings.

    name_bytes      longest first or last name
    sensitive       characters that are refused with -50
    languages       those with installed prompts; None: all
    articles        of the minibars
    """

    rooms: dict[str, UcmRoom] = field(default_factory=dict)
    name_bytes: int = 64
    sensitive: str = "'\"`;"
    languages: tuple[str, ...] | None = None
    articles: list[dict[str, str]] = field(
        default_factory=lambda: [
            {"extension": "01", "goods_name": "apple", "amount": "1.50"},
            {"extension": "02", "goods_name": "beer", "amount": "4"},
            {"extension": "03", "goods_name": "paper", "amount": ""},
        ]
    )

    def add(self, *addresses: str) -> None:
        """Rooms are made on the UCM, never through the API."""
        for address in addresses:
            self.rooms.setdefault(address, UcmRoom(address))

    def leave_message(self, address: str) -> None:
        """Somebody speaks to the mailbox of a room."""
        self.rooms[address].messages += 1

    def key_status(self, address: str, status: int, *, maid: str = "0000", at: str = "") -> None:
        """A maid dials a status on the phone of a room. `at`: YYYYMMDDHHMM, its day and minute."""
        room = self.rooms[address]
        room.status, room.maid = status, maid
        room.s_date, room.s_time = at[:8], at[8:]

    def key_wake_up(self, address: str, at: str, *, daily: bool = False) -> None:
        """The guest orders a wake-up on the phone of a room, or clears it. `at`: YYYYMMDDHHMM;
        empty: he clears it.
        """
        room = self.rooms[address]
        room.wake_up = (at[:8], at[8:]) if at else None
        room.wake_up_state, room.wake_up_ending = "1" if at else "0", ""
        room.is_daily = daily and bool(at)

    def ring(self, address: str, ending: str) -> None:
        """The wake-up of a room is over: 1 answered, 2 no answer, 3 busy, 4 failed."""
        self.rooms[address].wake_up_state, self.rooms[address].wake_up_ending = "2", ending

    def take(self, address: str, article: str, count: int = 1) -> None:
        """A guest takes something from the minibar, or gives it back."""
        goods = self.rooms[address].minibar
        goods[article] = goods.get(article, 0) + count
        if goods[article] <= 0:
            del goods[article]

    def wake_ups(self) -> list[dict[str, str]]:
        """The rows of `listWakeUp`: a room has one once one was ever set."""
        return [
            {
                "room": room.address,
                "address": room.address,
                "w_action": room.wake_up_state,
                "w_type": "2" if room.is_daily else "1",
                "w_status": room.wake_up_ending,
                "w_date": (room.wake_up or ("", ""))[0],
                "w_time": (room.wake_up or ("", ""))[1],
                "send_status": "1",
            }
            for room in self.rooms.values()
            if room.wake_up_state
        ]

    def taken(self, address: str) -> list[dict[str, Any]]:
        """The rows of `getPMSRoomGoods`. Raises Refusal."""
        if address not in self.rooms:
            raise Refusal(18)
        prices = {each["goods_name"]: each["amount"] for each in self.articles}
        return [
            {"goods_name": name, "count": count, "amount": prices.get(name, ""), "tax": "0",
             "time": "", "maid": "0000"}
            for name, count in self.rooms[address].minibar.items()
        ]  # fmt: skip

    def apply(self, action: str, tags: Mapping[str, str]) -> int:
        """Do one action of a stay. Returns 0 or -100; raises Refusal.

        Not idempotent, as the real one. Call forwarding and minibars are left out: 13.
        """
        match action:
            case "checkin":
                return self._check_in(tags)
            case "checkout":
                room = self._room(tags)
                if not room.is_in:
                    raise Refusal(20)
                room.forget_guest()
                return 0
            case "update":
                return self._update(tags)
            case "mov":
                return self._move(tags)
            case "wakeup":
                return self._wake_up(tags)
            case "dnd":
                room = self._room(tags)
                if tags.get("status") not in ("0", "1"):
                    raise Refusal(15)
                room.dnd = tags["status"] == "1"
                return 0
        raise Refusal(13)

    def listed(self) -> list[dict[str, str]]:
        """The rows of `listPMSRoom`: all strings, as the guide prints them."""
        return [
            {
                "account": room.account,
                "address": room.address,
                "chki_status": "yes" if room.is_in else "no",
                "credit": room.credit,
                "datein": _as_listed(room.datein),
                "dateout": _as_listed(room.dateout),
                "default_permission": "internal",
                "extension": room.address,
                "first_name": room.firstname,
                "language": room.language,
                "last_name": room.lastname,
                "maid": room.maid,
                "number": room.address,
                "order_id": "",
                "permission": PERMISSIONS.get(room.cos, "internal"),
                "room": room.address,
                "s_date": room.s_date,
                "s_time": room.s_time,
                "status": str(room.status),
                "tmp_address": room.moved_from,
                "tmp_extension": room.moved_from,
                "tmp_user_name": "",
                "user_name": f"{room.firstname} {room.lastname}".strip(),
                "vipcode": room.vipcode,
            }
            for room in self.rooms.values()
        ]

    # --- Actions ---

    def _check_in(self, tags: Mapping[str, str]) -> int:
        if not tags.get("datein") or not tags.get("dateout"):
            raise Refusal(15)
        room = self._room(tags)
        self._check_guest(tags)
        if room.is_in:
            raise Refusal(19)
        if room.status in (2, 3):
            raise Refusal(22)
        room.is_in, room.status, room.cos = True, 1, "1"
        return self._set_guest(room, tags)

    def _update(self, tags: Mapping[str, str]) -> int:
        room = self._room(tags)
        self._check_guest(tags)
        if any(tag in tags for tag in _GUEST_TAGS) and not room.is_in:
            raise Refusal(20)
        if "status" in tags:
            if tags["status"] not in ("1", "2", "3", "4", "5", "6"):
                raise Refusal(15)
            room.status = int(tags["status"])
        return self._set_guest(room, tags)

    def _move(self, tags: Mapping[str, str]) -> int:
        if not tags.get("d_address"):
            raise Refusal(15)
        source = self._room(tags)
        target = self.rooms.get(tags["d_address"])
        if target is None:
            raise Refusal(23)
        if tags.get("d_room", target.address) != target.address:
            raise Refusal(17)
        if not source.is_in:
            raise Refusal(20)
        if target.is_in:
            raise Refusal(24)
        if target.status in (2, 3):
            raise Refusal(22)
        for name in (*_GUEST_TAGS, *_TAKEN_ALONG):
            setattr(target, name, getattr(source, name))
        target.is_in, target.status, target.moved_from = True, 1, source.address
        source.forget_guest()
        return 0

    def _wake_up(self, tags: Mapping[str, str]) -> int:
        action = tags.get("w_action")
        if action == "1":
            try:
                moment = f"{tags['w_date']} {tags['w_time']}"
                datetime.strptime(moment, "%Y%m%d %H%M")  # noqa: DTZ007  # hotel time has no zone
            except (KeyError, ValueError):
                raise Refusal(15) from None
            if tags.get("w_mode", "1") not in ("1", "2"):
                raise Refusal(15)
            self.key_wake_up(self._room(tags).address, tags["w_date"] + tags["w_time"])
        elif action == "0":
            self.key_wake_up(self._room(tags).address, "")
        else:
            raise Refusal(15)
        return 0

    def _room(self, tags: Mapping[str, str]) -> UcmRoom:
        if not tags.get("address"):
            raise Refusal(15)
        room = self.rooms.get(tags["address"])
        if room is None:
            raise Refusal(18)
        if tags.get("room", room.address) != room.address:
            raise Refusal(17)
        return room

    def _check_guest(self, tags: Mapping[str, str]) -> None:
        if any(char in self.sensitive for text in tags.values() for char in text):
            raise Refusal(-50)
        moments = [_moment(tags[tag]) for tag in ("datein", "dateout") if tag in tags]
        if len(moments) == 2 and moments[1] < moments[0]:
            raise Refusal(15)
        if tags.get("cos", "1") not in PERMISSIONS:
            raise Refusal(15)
        for tag, code in (("firstname", 25), ("lastname", 26)):
            if len(tags.get(tag, "").encode()) > self.name_bytes:
                raise Refusal(code)

    def _set_guest(self, room: UcmRoom, tags: Mapping[str, str]) -> int:
        known = self.languages is None or tags.get("language", "") in ("", *self.languages)
        for tag in _GUEST_TAGS:
            if tag in tags and (known or tag != "language"):
                setattr(room, tag, tags[tag])
        return 0 if known else -100


def parse_data(data: Any, form: Any) -> tuple[str, dict[str, str]]:
    """The action and its tags from `data`: XML text, JSON text, or a JSON object. Strict.

    Raises Refusal: 14 unknown format, 12 unreadable, 13 no action.
    """
    if isinstance(data, dict):
        return _single(data)
    if not isinstance(data, str):
        raise Refusal(12)
    if form == "json":
        try:
            parsed = json.loads(data)
        except ValueError:
            raise Refusal(12) from None
        if not isinstance(parsed, dict):
            raise Refusal(12)
        return _single(parsed)
    if form != "xml":
        raise Refusal(14)
    if "<!DOCTYPE" in data:
        raise Refusal(12)
    try:
        root = ET.fromstring(data)  # noqa: S314  # a simulator; DOCTYPE is refused above
    except ET.ParseError:
        raise Refusal(12) from None
    if root.tag != "pms_data_request" or len(root) > 1:
        raise Refusal(12)
    if len(root) == 0:
        raise Refusal(13)
    return root[0].tag, {child.tag: child.text or "" for child in root[0]}


def _single(parsed: dict[str, Any]) -> tuple[str, dict[str, str]]:
    if len(parsed) != 1:
        raise Refusal(13)
    action, tags = next(iter(parsed.items()))
    if not isinstance(tags, dict):
        raise Refusal(12)
    return action, {str(key): str(value) for key, value in tags.items()}


def _moment(text: str) -> datetime:
    for form in _DATE_FORMS:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007  # hotel time has no zone
        except ValueError:
            continue
    raise Refusal(15)


@lru_cache(maxsize=4096)
def _as_listed(text: str) -> str:
    return f"{_moment(text):%Y-%m-%d %H:%M:%S}" if text else ""
