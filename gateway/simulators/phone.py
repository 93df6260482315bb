"""A simulated Grandstream phone with a screen: both generations of its web API, strict, with the
quirks that field captures show.

A random string is good for one login; five wrong logins lock it; a form without a Referer of its
own is refused with a bare page; a session ends after 15 minutes without a request, and when the
phone restarts; an action in `ignores` is answered with success and not done.
"""

import asyncio
import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from gateway.web.http import HttpServer, bind

GENERATIONS: Final = ("manager", "cgi-bin")
MOST_WRONG: Final = 5
LOCKED_S: Final = 300.0
IDLE_S: Final = 900.0
PAGES: Final = {
    "api-get_contact": "contacts", "api-save_contact": "save", "api-del_contact": "delete",
    "api-del_all_contact": "delete", "api-get_group": "groups", "api-add_group": "group",
    "api.values.get": "get", "api.values.post": "put", "api-get_accounts": "accounts",
    "api-sys_operation": "reboot", "api-get_phone_status": "status",
}  # fmt: skip
ACTIONS: Final = {
    "getcontact": "contacts", "setcontact": "save", "removecontact": "delete",
    "getgroup": "groups", "setgroup": "group", "get": "get", "put": "put",
    "accountStatus": "accounts", "product": "product", "reboot": "reboot",
}  # fmt: skip


@dataclass(slots=True)
class PhoneSimulator:
    """One phone.

    generation  manager, or cgi-bin
    login       challenge; form: with the password itself, as the oldest and the newest do
    ignores     actions of `ACTIONS` that say success and do nothing
    trouble     html: every answer is a page; hang: none comes
    now         seconds, for locks and sessions
    asked       what was done, in its order
    on_done     hears each action
    """

    generation: str = "cgi-bin"
    login: str = "challenge"
    username: str = "gmiadmin"
    password: str = "phone-invented"
    model: str = "GXV3370"
    firmware: str = "1.0.7.41"
    number: str = "101"
    is_registered: bool = True
    ignores: set[str] = field(default_factory=set)
    trouble: str = ""
    now: Callable[[], float] = time.monotonic
    contacts: dict[str, dict[str, str]] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=lambda: {"0": "default", "100": "blacklist"})
    values: dict[str, str] = field(default_factory=lambda: {"1362": "en"})
    asked: list[str] = field(default_factory=list)
    on_done: Callable[[str], None] | None = None
    wrong: int = 0
    port: int = 0
    _locked_until: float = 0.0
    _random: str = ""
    _sessions: dict[str, float] = field(default_factory=dict)
    _count: int = 0
    _server: HttpServer | None = None
    _task: "asyncio.Task[None] | None" = None

    @property
    def address(self) -> str:
        """As it stands in phones.toml."""
        return f"127.0.0.1:{self.port}"

    def type_in(self, name: str, number: str, group: str = "0") -> None:
        """A guest adds a contact."""
        self._count += 1
        self.contacts[str(self._count)] = {
            "contactID": str(self._count), "contactName": name, "groupID": group, "work": number,
            "home": "", "mobile": "", "fax": "", "email": "",
        }  # fmt: skip

    def names(self, group: str | None = None) -> list[str]:
        """The names in its address book; of one group only."""
        ids = [key for key, name in self.groups.items() if group in (None, name)]
        return [c["contactName"] for c in self.contacts.values() if c["groupID"] in ids]

    def restart(self) -> None:
        """Every session is gone, its memory stays."""
        self._sessions.clear()

    async def start(self, port: int = 0, host: str = "127.0.0.1") -> None:
        """Listen, on loopback unless told otherwise."""
        app = Starlette(routes=[Route("/{path:path}", self._serve, methods=["GET", "POST"])])
        self._server = HttpServer(app, bind(f"{host}:{port or self.port}"))
        self.port = self._server.port
        self._task = asyncio.ensure_future(self._server.run())

    async def stop(self) -> None:
        """Off: nobody listens any more."""
        if self._server is not None and self._task is not None:
            self._server.stop()
            await asyncio.wait({self._task}, timeout=2.0)
            self._task.cancel()

    # --- Requests ---

    async def _serve(self, request: Request) -> Response:
        if self.trouble == "hang":
            await asyncio.sleep(3600)
        if self.trouble == "html":
            return HTMLResponse("<html><body>router</body></html>")
        if request.method == "POST":
            if "content-length" not in request.headers:
                return PlainTextResponse("", 411)
            if request.headers.get("referer", "") != f"http://{request.headers['host']}/":
                return HTMLResponse("<html><body>Forbidden</body></html>", 403)
        form = parse_qsl((await request.body()).decode(), keep_blank_values=True)
        given = {**request.query_params, **dict(form)}
        if self.generation == "manager":
            return self._manager(request, given)
        return self._cgi(request, given)

    def _manager(self, request: Request, given: Mapping[str, str]) -> Response:
        if request.url.path != "/manager":
            return PlainTextResponse("", 404)
        action = given.get("action", "")
        if action == "loginrealm":
            return self._realm() or _gmi("error", "command not found")
        if action == "login":
            user = given.get("Username", given.get("username", ""))
            said = given.get("Secret", given.get("secret", ""))
            if self._judge(user, said) is not None:
                return _gmi("error", "authentication failed")
            return self._welcome(_gmi("success"))
        if action not in ACTIONS:
            return _gmi("error", "command not found")
        if not self._is_known(request, given):
            return _gmi("error", "authentication required")
        return self._gmi_done(ACTIONS[action], given)

    def _note(self, action: str) -> None:
        self.asked.append(action)
        if self.on_done is not None:
            self.on_done(action)

    def _gmi_done(self, action: str, given: Mapping[str, str]) -> Response:
        self._note(action)
        match action:
            case "contacts":
                return _gmi("success", list(self.contacts.values()))
            case "groups":
                return _gmi("success", self._groups())
            case "save":
                _, name, group, number, *_ = given["contactInfo"].split("::")
                self._save(name, number, group)
            case "delete":
                self._delete(given.get("contactID", ""))
            case "group":
                self._add_group(given["groupInfo"].split("::")[1])
            case "get":
                name = given["var-0000"]
                return JSONResponse({"res": "success", name: self.values.get(name, "")})
            case "put":
                self._put(given["var-0000"], given["val-0000"])
            case "accounts":
                status = "1" if self.is_registered else "0"
                return JSONResponse({"Response": "Success", "Data": [
                    {"Index": "0", "Server": "10.0.0.6", "Number": self.number,
                     "Status": status, "Activate": "1"},
                ]})  # fmt: skip
            case "product":
                return JSONResponse(
                    {"res": "success", "Product": self.model, "Version": self.firmware}
                )
            case "reboot":
                self.restart()
        return _gmi("success")

    def _cgi(self, request: Request, given: Mapping[str, str]) -> Response:
        page = request.url.path.removeprefix("/cgi-bin/")
        if page == "loginrealm":
            return self._realm() or PlainTextResponse("", 404)
        if page in ("login", "dologin"):
            if (page == "login") != (self.login == "challenge"):
                return PlainTextResponse("", 404)
            user = given.get("Username", given.get("username", ""))
            said = given.get("Secret", given.get("password", ""))
            answer = self._judge(user, said)
            if answer is not None:
                return JSONResponse({"response": "error", "body": answer})
            return self._welcome(None)
        if page not in PAGES:
            return PlainTextResponse("", 404)
        if not self._is_known(request, given):
            if page.startswith("api-") and page != "api-get_phone_status":
                return PlainTextResponse("", 401)
            body: Any = {"status": "session-expired"}
            return JSONResponse({"response": "error", "body": body})
        return self._cgi_done(PAGES[page], given)

    def _cgi_done(self, action: str, given: Mapping[str, str]) -> Response:
        self._note(action)
        body: Any = ""
        match action:
            case "contacts":
                return _gmi("success", list(self.contacts.values()))
            case "groups":
                return _gmi("success", self._groups())
            case "save":
                name = f"{given['firstname']} {given.get('lastname', '')}".strip()
                self._save(name, given["newphone1"], given.get("group", "0"))
            case "delete":
                self._delete(given.get("id", ""))
            case "group":
                self._add_group(given["name"])
            case "get":
                told = {**self.values, "phone_model": self.model, "68": self.firmware}
                body = {name: told.get(name, "") for name in given["request"].split(":")}
            case "put":
                for name, value in given.items():
                    if name.startswith("P"):
                        self._put(name[1:], value)
                body = {"status": "right"}
            case "accounts":
                body = [{"id": 1, "sip_server": "10.0.0.6", "sip_id": self.number,
                         "name": "", "reg": int(self.is_registered)}]  # fmt: skip
            case "status":
                body = "available"
            case "reboot":
                body = "reboot"
                self.restart()
        return JSONResponse({"response": "success", "body": body})

    # --- Login ---

    def _realm(self) -> Response | None:
        if self.login != "challenge":
            return None
        self._random = secrets.token_hex(8)
        return PlainTextResponse(self._random)

    def _judge(self, username: str, said: str) -> str | None:
        """None: that was right; else what it says."""
        if self.now() < self._locked_until:
            return f"locked{int((self._locked_until - self.now()) // 60) + 1}"
        right = self.password
        if self.login == "challenge":
            text = f"{self.username}:{self._random}:{self.password}"
            right, self._random = hashlib.md5(text.encode()).hexdigest(), ""
        if username == self.username and said == right:
            self.wrong = 0
            return None
        self.wrong += 1
        if self.wrong >= MOST_WRONG:
            self._locked_until, self.wrong = self.now() + LOCKED_S, 0
        return f"wrong{MOST_WRONG - self.wrong}"

    def _welcome(self, response: JSONResponse | None) -> Response:
        sid = secrets.token_hex(8)
        self._sessions[sid] = self.now()
        response = response or JSONResponse({"response": "success", "body": {"sid": sid}})
        response.set_cookie("session", sid)
        return response

    def _is_known(self, request: Request, given: Mapping[str, str]) -> bool:
        sid = request.cookies.get("session", "")
        if self.generation == "cgi-bin" and given.get("sid") != sid:
            return False
        at = self._sessions.get(sid)
        if at is None or self.now() - at > IDLE_S:
            return False
        self._sessions[sid] = self.now()
        return True

    # --- What it keeps ---

    def _save(self, name: str, number: str, group: str) -> None:
        if "save" not in self.ignores:
            self.type_in(name, number, group)

    def _delete(self, contact: str) -> None:
        if "delete" in self.ignores:
            return
        if contact:
            self.contacts.pop(contact, None)
        else:
            self.contacts.clear()

    def _add_group(self, name: str) -> None:
        if "group" not in self.ignores:
            self.groups[str(max(map(int, self.groups)) + 1)] = name

    def _put(self, name: str, value: str) -> None:
        if "put" not in self.ignores:
            self.values[name] = value

    def _groups(self) -> list[dict[str, str]]:
        return [{"groupID": key, "groupName": name} for key, name in self.groups.items()]


def _gmi(res: str, msg: Any = None) -> JSONResponse:
    return JSONResponse({"res": res} if msg is None else {"res": res, "msg": msg})
