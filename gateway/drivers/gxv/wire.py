"""The two generations of the phones' web API, as tables of requests and readers of replies. Pure.

Manager     `/manager?action=...`: GXV3240, GXV3275 (vendor's GMI Web Service Guide 1.9)
CgiBin      `/cgi-bin/...`: GXV33xx, WP8xx (vendor's GXV32XX/33XX Web API guide; the login form as
            field captures of WP826 have it)

The second guide came to us without the names of its pages for contacts and groups. What stands in
`CgiBin.PAGES` below for those is derived from its other names and was never seen on a phone: a
phone that has no such page says 404, and it is told with the model and the page.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Final, Protocol

from gateway.drivers.gxv.values import (
    Account,
    Contact,
    Entry,
    Identity,
    LoginRefused,
    NoSuchPage,
    PhoneAway,
    PhoneOdd,
    Reply,
    Request,
    SessionOver,
)

GROUP: Final = "Hotel"
"""Of the hotel's own entries: what stands in it is ours, all else is the guest's."""
LANGUAGE: Final = "1362"
"""The P-value of the display's language; medium confidence: as of the GXP family."""


class Api(Protocol):
    """One generation. Each reader raises PhoneFailed for what is no success."""

    name: str

    def challenge(self) -> Request:
        """Ask for the random string of a login."""

    def random(self, reply: Reply) -> str:
        """The random string; empty: it knows the login without one. Raises NoSuchPage: it is of
        another generation.
        """

    def login(self, username: str, password: str, random: str) -> Request:
        """Log in; without a random string with the password itself."""

    def logged_in(self, reply: Reply) -> str:
        """Whether that was right. Returns what each later query carries as `sid`, or nothing."""

    def contacts(self) -> Request: ...
    def read_contacts(self, reply: Reply) -> list[Contact]: ...
    def delete_contact(self, contact: str) -> Request:
        """One by its id; an empty one: all."""

    def save_contact(self, entry: Entry, group: str) -> Request: ...
    def groups(self) -> Request: ...
    def read_groups(self, reply: Reply) -> dict[str, str]:
        """Their ids by their names."""

    def save_group(self, name: str) -> Request: ...
    def get_value(self, name: str) -> Request: ...
    def read_value(self, reply: Reply, name: str) -> str: ...
    def set_value(self, name: str, value: str) -> Request: ...
    def accounts(self) -> Request: ...
    def read_accounts(self, reply: Reply) -> list[Account]: ...
    def identity(self) -> Request: ...
    def read_identity(self, reply: Reply) -> Identity: ...
    def reboot(self) -> Request: ...
    def done(self, reply: Reply) -> Any:
        """What a success says beside that it is one."""


def secret(username: str, password: str, random: str) -> str:
    """The answer to a random string: both guides, "Password Token Authentication"."""
    return hashlib.md5(f"{username}:{random}:{password}".encode()).hexdigest()


def told(reply: Reply) -> dict[str, Any]:
    """The JSON of a reply. Raises PhoneFailed for whatever is none."""
    if reply.status == 401:
        raise SessionOver("the session has ended")
    if reply.status == 404:
        raise NoSuchPage("it has no such page: is it a GXV, and its firmware new enough?")
    if reply.status >= 500:
        raise PhoneAway(f"HTTP {reply.status}: it restarts, or is busy")
    if reply.status != 200:
        raise PhoneOdd(f"HTTP {reply.status}: is this the address of the phone?")
    try:
        text = json.loads(reply.body)
    except ValueError:
        raise PhoneOdd("it answers no JSON: is this the address of the phone?") from None
    if not isinstance(text, dict):
        raise PhoneOdd("it answers another JSON than a phone does")
    return text


class Manager:
    """`/manager?action=...`; everything is a GET, and the session is a cookie."""

    name = "manager"

    def _ask(self, action: str, **more: str) -> Request:
        return Request("/manager", (("action", action), *more.items(), ("format", "json")))

    def challenge(self) -> Request:
        return self._ask("loginrealm")

    def random(self, reply: Reply) -> str:
        try:
            return _random(reply) or _text(self.done(reply))
        except NoSuchPage:
            if reply.status == 404:
                raise
            return ""  # older firmware knows no such action

    def login(self, username: str, password: str, random: str) -> Request:
        if not random:
            return self._ask("login", username=username, secret=password)
        return self._ask("login", Username=username, Secret=secret(username, password, random))

    def logged_in(self, reply: Reply) -> str:
        self.done(reply)
        return ""

    def contacts(self) -> Request:
        return self._ask("getcontact")

    def read_contacts(self, reply: Reply) -> list[Contact]:
        return _contacts(self.done(reply))

    def delete_contact(self, contact: str) -> Request:
        return self._ask("removecontact", contactID=contact)

    def save_contact(self, entry: Entry, group: str) -> Request:
        # id::name::group::work::home::mobile::fax::mail; what is in a name must not part it.
        name = entry.name.replace("::", ": ")
        info = f"::{name}::{group}::{entry.number}::::::::"
        return self._ask("setcontact", contactInfo=info)

    def groups(self) -> Request:
        return self._ask("getgroup")

    def read_groups(self, reply: Reply) -> dict[str, str]:
        return _groups(self.done(reply))

    def save_group(self, name: str) -> Request:
        return self._ask("setgroup", groupInfo=f"::{name}::")

    def get_value(self, name: str) -> Request:
        return self._ask("get", **{"var-0000": name})

    def read_value(self, reply: Reply, name: str) -> str:
        self.done(reply)
        return _text(told(reply).get(name))

    def set_value(self, name: str, value: str) -> Request:
        return self._ask("put", **{"var-0000": name, "val-0000": value})

    def accounts(self) -> Request:
        return self._ask("accountStatus")

    def read_accounts(self, reply: Reply) -> list[Account]:
        rows = self.done(reply)
        return [
            Account(_text(each.get("Number")), _text(each.get("Status")) not in ("", "0"))
            for each in _rows(rows)
            if _text(each.get("Activate")) != "0"
        ]

    def identity(self) -> Request:
        return self._ask("product")

    def read_identity(self, reply: Reply) -> Identity:
        self.done(reply)
        text = told(reply)
        return Identity(_text(text.get("Product")), _text(text.get("Version")))

    def reboot(self) -> Request:
        return self._ask("reboot")

    def done(self, reply: Reply) -> Any:
        """GMI guide, "Return": res and msg; of some actions Response and Data."""
        text = told(reply)
        word = _text(text.get("res") or text.get("Response")).lower()
        said = text.get("msg", text.get("Data"))
        if word == "success":
            return said
        words = _text(said if said is not None else text.get("Message")).lower()
        match words:
            case "authentication required":
                raise SessionOver("the session has ended")
            case "authentication failed":
                raise LoginRefused("user or password is wrong")
            case "phone rebooting":
                raise PhoneAway("it restarts")
            case "command not found":
                raise NoSuchPage("its firmware has no such action")
        raise _refused(words)


class CgiBin:
    """`/cgi-bin/...`; values and operations, the session is a cookie and a `sid`."""

    name = "cgi-bin"

    PAGES: Final = {
        "contacts": "api-get_contact", "save": "api-save_contact", "delete": "api-del_contact",
        "delete all": "api-del_all_contact", "groups": "api-get_group", "group": "api-add_group",
    }  # fmt: skip

    def _get(self, page: str, *query: tuple[str, str]) -> Request:
        return Request(f"/cgi-bin/{page}", query)

    def _post(self, page: str, *form: tuple[str, str]) -> Request:
        return Request(f"/cgi-bin/{page}", (), form)

    def challenge(self) -> Request:
        return self._get("loginrealm")

    def random(self, reply: Reply) -> str:
        if reply.status == 404:
            return ""  # as a WP826: a form
        return _random(reply) or _text(self.done(reply))

    def login(self, username: str, password: str, random: str) -> Request:
        if not random:
            return self._post("dologin", ("username", username), ("password", password))
        token = secret(username, password, random)
        return self._get("login", ("Username", username), ("Secret", token))

    def logged_in(self, reply: Reply) -> str:
        body = self.done(reply)
        return _text(body.get("sid")) if isinstance(body, dict) else ""

    def contacts(self) -> Request:
        return self._post(self.PAGES["contacts"])

    def read_contacts(self, reply: Reply) -> list[Contact]:
        return _contacts(self.done(reply))

    def delete_contact(self, contact: str) -> Request:
        if not contact:
            return self._post(self.PAGES["delete all"])
        return self._post(self.PAGES["delete"], ("id", contact))

    def save_contact(self, entry: Entry, group: str) -> Request:
        return self._post(
            self.PAGES["save"], ("firstname", entry.name), ("lastname", ""), ("group", group),
            ("newphone1", entry.number),
        )  # fmt: skip

    def groups(self) -> Request:
        return self._post(self.PAGES["groups"])

    def read_groups(self, reply: Reply) -> dict[str, str]:
        return _groups(self.done(reply))

    def save_group(self, name: str) -> Request:
        return self._post(self.PAGES["group"], ("name", name))

    def get_value(self, name: str) -> Request:
        return self._get("api.values.get", ("request", name))

    def read_value(self, reply: Reply, name: str) -> str:
        body = self.done(reply)
        return _text(body.get(name)) if isinstance(body, dict) else ""

    def set_value(self, name: str, value: str) -> Request:
        return self._post("api.values.post", (f"P{name}", value))

    def accounts(self) -> Request:
        return self._get("api-get_accounts")

    def read_accounts(self, reply: Reply) -> list[Account]:
        return [
            Account(_text(each.get("sip_id")), _text(each.get("reg")) == "1")
            for each in _rows(self.done(reply))
        ]

    def identity(self) -> Request:
        return self._get("api.values.get", ("request", "phone_model:68"))

    def read_identity(self, reply: Reply) -> Identity:
        body = self.done(reply)
        body = body if isinstance(body, dict) else {}
        return Identity(_text(body.get("phone_model")), _text(body.get("68")))

    def reboot(self) -> Request:
        return self._post("api-sys_operation", ("request", "REBOOT"))

    def done(self, reply: Reply) -> Any:
        """Web API guide: response and body; contacts and groups: res and msg. A session that has
        ended is told in three ways (field captures of WP826).
        """
        text = told(reply)
        word = _text(text.get("response", text.get("res")))
        body = text.get("body", text.get("msg"))
        status = _text(body.get("status")) if isinstance(body, dict) else _text(body)
        if status in ("unauthorized", "session-expired"):
            raise SessionOver("the session has ended")
        if word == "success":
            return body
        if status.startswith("locked"):
            raise LoginRefused("it has locked itself for some minutes, after too many wrong logins")
        if status.startswith("wrong"):
            raise LoginRefused("user or password is wrong")
        raise _refused(status)


GENERATIONS: Final[Sequence[Api]] = (Manager(), CgiBin())
"""In the order in which a phone is tried."""


def _refused(words: str) -> PhoneOdd:
    """Its own words, if they are a word of its programs and no text of a guest."""
    known = words if words.replace(" ", "").replace("-", "").isalpha() and len(words) < 40 else ""
    return PhoneOdd(f"it refuses: {known or 'without a reason that we know'}")


def _random(reply: Reply) -> str:
    """A bare string, in quotes or not; empty: there is a JSON in its place."""
    text = reply.body.decode("utf-8", "replace").strip()
    if reply.status != 200 or text.startswith("{"):
        told(reply)
        return ""
    text = text.strip('"')
    if not text or len(text) > 128 or not text.isprintable() or "<" in text:
        raise PhoneOdd("it answers no random string: is this the address of the phone?")
    return text


def _rows(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise PhoneOdd("it answers no list")
    return value


def _contacts(value: Any) -> list[Contact]:
    return [
        Contact(
            _text(each.get("contactID")), _text(each.get("contactName")),
            _text(each.get("work")), _text(each.get("groupID")),
        )
        for each in _rows(value)
    ]  # fmt: skip


def _groups(value: Any) -> dict[str, str]:
    return {_text(each.get("groupName")): _text(each.get("groupID")) for each in _rows(value)}


def _text(value: Any) -> str:
    return "" if value is None else str(value)
