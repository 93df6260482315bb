"""The new API of a simulated UCM: JSON in POST /api, behind a login with challenge and cookie."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from gateway.simulators.pbx import Refusal
from gateway.simulators.ucm.module import Asked, PmsModule, Result, md5, peek
from gateway.simulators.ucm.replies import Reply, failure, invalid, json_reply

IDLE_S: Final = 300.0
ABSOLUTE_S: Final = 600.0
BAN_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class Session:
    """A login that is still good. `began` and `used`: moments."""

    cookie: str
    began: float
    used: float


@dataclass(slots=True)
class NewApi:
    """The only session, and the count of logins.

    logins_at_once  challenges that made an older one void since the last login
    """

    module: PmsModule
    session: Session | None = None
    banned_until: float = float("-inf")
    logins: int = 0
    failed_logins: int = 0
    logins_at_once: int = 0
    most_logins_at_once: int = 0
    _challenge: str | None = None

    def forget(self) -> None:
        """Every cookie and challenge is void, as after a reboot."""
        self.session = self._challenge = None

    def unban(self) -> None:
        """Logins are looked at again, and all tries are left."""
        self.banned_until, self.failed_logins = float("-inf"), 0

    async def answer(self, body: bytes) -> Reply:
        """The reply to one request. Raises Dropped and Hanging."""
        try:
            request = json.loads(body)["request"]
            action = request["action"]
        except (ValueError, KeyError, TypeError):
            return invalid()
        async with self.module.lock:
            if action == "pmsapi":
                return await self._pmsapi(request)
            if action == "cdrapi":
                return await self._cdrapi(request)
            if action == "listAccount":
                return await self._list_account(request)
            if action == "getSystemStatus":
                return await self._system_status(request)
            if action == "listWakeUp":
                return await self._list_wake_ups(request)
            if action not in ("challenge", "login"):
                return invalid()
            asked = Asked(action)
            fault = await self.module.fault(asked)
            if fault is not None:  # the login itself is not done
                return self.module.answer(asked, fault, lambda: 0, self._write)
            return self.login(request) if action == "login" else self.challenge(request)

    def challenge(self, request: Mapping[str, Any]) -> Reply:
        """The first half of a login: the text that the password is hashed with."""
        settings = self.module.settings
        self.module.note(Asked("challenge"), 0)
        if self.module.now() < self.banned_until:
            return self._banned()
        is_open = settings.api_enabled and settings.permitted
        if not is_open or request.get("user") != settings.username:
            return failure(-47, "F")
        if self._challenge is not None:
            self.logins_at_once += 1
            self.most_logins_at_once = max(self.most_logins_at_once, self.logins_at_once)
        self._challenge = f"{self.module.rng.randrange(10**10):016}"
        return json_reply({"response": {"challenge": self._challenge}, "status": 0})

    def login(self, request: Mapping[str, Any]) -> Reply:
        """The second half: a cookie for the right hash, and the ban after too many wrong ones."""
        settings, now = self.module.settings, self.module.now()
        if now < self.banned_until:
            return self._banned()
        challenge, self._challenge = self._challenge, None
        self.logins_at_once = 0
        is_right = (
            challenge is not None
            and request.get("user") == settings.username
            and str(request.get("token")).lower() == md5(challenge + settings.password)
        )
        if not is_right:
            self.failed_logins += 1
            self.module.note(Asked("login"), -37)
            left = settings.tries - self.failed_logins
            if left <= 0:
                self.banned_until = now + BAN_S
                return self._banned()
            return json_reply({"response": {"remain_num": left}, "status": -37})
        self.logins += 1
        self.module.note(Asked("login"), 0)
        cookie = f"sid{self.module.rng.randrange(10**9)}"
        self.session = Session(cookie, now, now)  # a second login ends the first
        return json_reply({"response": {"cookie": cookie}, "status": 0})

    def _banned(self) -> Reply:
        left = int(self.banned_until - self.module.now()) + 1
        return json_reply({"response": {"remain_time": left}, "status": -68})

    async def _pmsapi(self, request: Mapping[str, Any]) -> Reply:
        asked = peek(request)
        fault = await self.module.fault(asked)
        if fault is not None and fault.kind == "cookie":
            self.session = fault = None

        def do() -> Result:
            self._check_cookie(str(request.get("cookie")))
            return self.module.do(request)

        return self.module.answer(asked, fault, do, self._write)

    async def _cdrapi(self, request: Mapping[str, Any]) -> Reply:
        """The list of calls; it has no status. To be asked to delete is a fault of the gateway."""
        assert "delete" not in request, "the gateway must never ask for this"
        asked = Asked("cdrapi")
        fault = await self.module.fault(asked)
        if fault is not None and fault.kind == "cookie":
            self.session = fault = None

        def do() -> Result:
            self._check_cookie(str(request.get("cookie")))
            listed = self.module.phones.listed(request)
            return listed if isinstance(listed, dict) else {"csv": listed}

        def write(result: Result) -> Reply:
            if not isinstance(result, dict):
                return self._write(result)
            csv = result.get("csv")
            return json_reply(result) if csv is None else Reply(200, str(csv).encode())

        return self.module.answer(asked, fault, do, write)

    async def _list_account(self, request: Mapping[str, Any]) -> Reply:
        """The extensions with what `options` asks for."""
        asked = Asked("listAccount")
        fault = await self.module.fault(asked)

        def do() -> Result:
            self._check_cookie(str(request.get("cookie")))
            rows = [
                {
                    "extension": room.address,
                    "newmsg": room.messages,
                    "oldmsg": room.heard,
                    "urgemsg": 0,
                }
                for room in self.module.rooms.rooms.values()
            ]
            wanted = str(request.get("options") or "extension").split(",")
            count, page = int(request.get("item_num") or len(rows) or 1), int(request["page"])
            shown = rows[(page - 1) * count : page * count]
            return {
                "account": [{name: row[name] for name in wanted} for row in shown],
                "page": page,
                "total_item": len(rows),
                "total_page": -(-len(rows) // count),
            }

        return self.module.answer(asked, fault, do, self._write)

    async def _system_status(self, request: Mapping[str, Any]) -> Reply:
        """The clock, as the guide prints it."""
        asked = Asked("getSystemStatus")
        fault = await self.module.fault(asked)

        def do() -> Result:
            self._check_cookie(str(request.get("cookie")))
            phones = self.module.phones
            shown = datetime.fromtimestamp(phones.epoch(), phones.zone)
            zone = f"{shown:%z}"
            return {"system-time": f"{shown:%Y-%m-%d %H:%M:%S} UTC{zone[:3]}:{zone[3:]}"}

        return self.module.answer(asked, fault, do, self._write)

    async def _list_wake_ups(self, request: Mapping[str, Any]) -> Reply:
        """As the UCM's own pages ask for it."""
        asked = Asked("listWakeUp")
        fault = await self.module.fault(asked)

        def do() -> Result:
            self._check_cookie(str(request.get("cookie")))
            if not self.module.settings.lists_wake_ups:
                raise Refusal(-47)
            rows = self.module.rooms.wake_ups()
            count, page = int(request.get("item_num") or len(rows) or 1), int(request["page"])
            return {
                "pms_wakeup": rows[(page - 1) * count : page * count],
                "page": page,
                "total_item": len(rows),
                "total_page": -(-len(rows) // count),
            }

        return self.module.answer(asked, fault, do, self._write)

    def _check_cookie(self, cookie: str) -> None:
        now, session = self.module.now(), self.session
        if session is None or session.cookie != cookie:
            raise Refusal(-6)
        if now - session.used > IDLE_S or now - session.began > ABSOLUTE_S:
            self.session = None
            raise Refusal(-6)
        self.session = replace(session, used=now)

    def _write(self, result: Result) -> Reply:
        if isinstance(result, int) and result != 0:
            return failure(result, self.module.settings.shape)
        return json_reply({"response": result or {}, "status": 0})
