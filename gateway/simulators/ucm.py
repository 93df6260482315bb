"""A simulated UCM: both HTTPS APIs over TLS, strict, with faults by request and a journal.

POST /api          the new API: challenge, login, pmsapi
GET  /pmsapi       the old API: HTTP digest
GET  /_sim/rooms, /_sim/journal, /_sim/stats
POST /_sim/faults, /_sim/rooms, /_sim/wedge, /_sim/reboot, /_sim/unban, /_sim/certificate
"""

import asyncio
import hashlib
import json
import random
import re
import secrets
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import h11

from gateway.simulators.pbx import TEXTS, Refusal, Rooms, parse_data

MAX_REQUEST_LINE: Final = 4096
PMS_LISTS: Final = {
    "listPMSRoom": "pms_room",
    "getMiniBar": "minibar_settings",
    "listMiniBarGoods": "goods_name",
    "getPMSRoomGoods": "minibar_goods",
}

FAULTS: Final = {
    "code": "answer with `value` as the code, and do nothing",
    "drop": "do it, then close without a reply",
    "reset": "close before anything is done",
    "hang": "never answer",
    "slow": "answer after `value` seconds",
    "drip": "answer one byte a second",
    "html": "answer 502 with HTML",
    "http": "answer `value` as the HTTP status, empty",
    "empty": "answer 200 with nothing",
    "half": "do it, then close in the middle of the reply",
    "garbage": "do it, then add garbage behind the JSON",
    "cookie": "forget the session first",
}
"""What can be asked for, by name."""


@dataclass(slots=True)
class Fault:
    """A fault that waits for its request.

    action, room    which requests it meets; None: any
    times           how often; -1: for ever
    chance          of meeting a request that fits, 0..1
    """

    kind: str
    action: str | None = None
    room: str | None = None
    times: int = 1
    value: float = 0
    chance: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in FAULTS:
            raise ValueError(f"fault {self.kind!r} is none of {', '.join(FAULTS)}")


@dataclass(frozen=True, slots=True)
class Call:
    """One line of the journal. `code` None: no reply was given."""

    at: float
    action: str
    room: str
    tags: Mapping[str, str]
    code: int | None
    applied: bool


@dataclass(slots=True)
class Settings:
    """What the installer set on the pages of the UCM, and how this firmware behaves.

    unknown_user    what a challenge for somebody else is answered with: -47 or -71
    forbidden       actions that the API user has no permission for
    token_case      which spelling of the PMS token is taken: any, lower or upper
    shape           how failures look: A..F, see `_failure`
    """

    username: str = "pmsgw"
    password: str = "api-secret"  # invented, for loopback
    pms_username: str = "hotel"
    pms_password: str = "pms-secret"  # invented, for loopback
    pms_module: bool = True
    api_enabled: bool = True
    permitted: bool = True
    idle_s: float = 300.0
    absolute_s: float = 600.0
    tries: int = 5
    ban_s: float = 300.0
    unknown_user: int = -47
    forbidden: tuple[str, ...] = ()
    token_case: str = "any"
    shape: str = "A"
    latency_s: float = 0.0


class Dropped(Exception):
    """Close the connection now; `data` may leave first."""

    def __init__(self, data: bytes = b"") -> None:
        super().__init__()
        self.data = data


class _Hanging(Exception):
    """Never answer this request; others go on."""


@dataclass(slots=True)
class UcmSimulator:
    """One UCM on loopback.

    now     seconds, for cookies and bans; wound by hand in tests
    seed    of the faults' chances
    """

    rooms: Rooms = field(default_factory=Rooms)
    settings: Settings = field(default_factory=Settings)
    now: Callable[[], float] = time.monotonic
    seed: int = 0
    faults: list[Fault] = field(default_factory=list)
    journal: list[Call] = field(default_factory=list)
    on_call: Callable[[Call], None] | None = None
    logins: int = 0
    failed_logins: int = 0
    connections: int = 0
    logins_at_once: int = 0
    most_logins_at_once: int = 0
    wedged: bool = False
    _challenges: dict[str, str] = field(default_factory=dict)
    _sessions: dict[str, tuple[float, float]] = field(default_factory=dict)
    _banned_until: float = float("-inf")
    _nonces: dict[str, float] = field(default_factory=dict)
    _server: asyncio.Server | None = None
    _context: ssl.SSLContext | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)
    _random: random.Random = field(default_factory=random.Random)

    async def start(self, pem: Path | None, *, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen, with TLS when a PEM file is given. Returns the port."""
        self._random.seed(self.seed)
        context = self._context = None
        if pem is not None:
            context = self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pem)
        self._server = await asyncio.start_server(self._serve, host, port, ssl=context)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop listening and cut every connection; rooms and guests stay."""
        if self._server is not None:
            self._server.close()
        for writer in tuple(self._writers):
            writer.transport.abort()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.sleep(0)

    def reboot(self) -> None:
        """Every cookie is gone, rooms and guests stay."""
        self.wedged = False
        self._sessions.clear()
        self._challenges.clear()
        for writer in tuple(self._writers):
            writer.transport.abort()

    def fail(self, kind: str, **how: Any) -> None:
        """Ask for a fault; see FAULTS and Fault."""
        self.faults.append(Fault(kind, **how))

    def calls(self, action: str | None = None, room: str | None = None) -> list[Call]:
        """The journal of `pmsapi` actions that were asked for."""
        return [
            call
            for call in self.journal
            if call.action not in ("challenge", "login", "logout")
            and (action is None or call.action == action)
            and (room is None or call.room == room)
        ]

    # --- HTTP ---

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        connection = h11.Connection(h11.SERVER)
        try:
            while True:
                request, body = await self._request(connection, reader)
                if request is None:
                    return
                status, payload, headers = await self._respond(request, body)
                await self._write(connection, writer, status, payload, headers)
                if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                    return
                connection.start_next_cycle()
        except Dropped as dropped:
            writer.write(dropped.data)
        except (h11.ProtocolError, OSError, asyncio.IncompleteReadError):
            pass  # a client's fault ends its own connection only
        except asyncio.CancelledError:
            pass  # `stop`: this task ends here, and asyncio's streams cannot bear it otherwise
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _request(
        self, connection: h11.Connection, reader: asyncio.StreamReader
    ) -> tuple[h11.Request | None, bytes]:
        request: h11.Request | None = None
        body = bytearray()
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                async with asyncio.timeout(30):
                    data = await reader.read(65536)
                connection.receive_data(data)
            elif isinstance(event, h11.Request):
                request = event
                if len(event.target) > MAX_REQUEST_LINE:
                    raise Dropped
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                return request, bytes(body)
            else:
                return None, b""

    async def _write(
        self,
        connection: h11.Connection,
        writer: asyncio.StreamWriter,
        status: int,
        payload: bytes,
        headers: Mapping[str, str],
    ) -> None:
        lines = [
            (name.encode(), text.encode())
            for name, text in {**headers, "Content-Length": str(len(payload))}.items()
        ]
        head = connection.send(h11.Response(status_code=status, headers=lines)) or b""
        data = connection.send(h11.Data(data=payload)) or b""
        end = connection.send(h11.EndOfMessage()) or b""
        if headers.get("X-Drip"):
            for byte in head + data + end:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(1)
        writer.write(head + data + end)
        await writer.drain()

    async def _respond(
        self, request: h11.Request, body: bytes
    ) -> tuple[int, bytes, Mapping[str, str]]:
        url = urlsplit(request.target.decode("latin-1"))
        method = request.method.decode()
        if url.path.startswith("/_sim/"):
            return self._control(method, url.path, body)
        if self.wedged:
            await asyncio.sleep(3600)
        if self.settings.latency_s:
            await asyncio.sleep(self.settings.latency_s)
        try:
            if url.path == "/pmsapi":
                return await self._old_api(request, method, url.query)
            if method != "POST" or url.path.rstrip("/") != "/api":
                return _json(_INVALID)
            return await self._new_api(body)
        except _Hanging:
            await asyncio.sleep(3600)
            raise Dropped from None

    # --- The new API ---

    async def _new_api(self, body: bytes) -> tuple[int, bytes, Mapping[str, str]]:
        try:
            request = json.loads(body)["request"]
            action = request["action"]
        except (ValueError, KeyError, TypeError):
            return _json(_INVALID)
        async with self._one:  # a UCM does one thing at a time
            match action:
                case "challenge" | "login" | "logout":
                    fault = await self._fault(action, "")
                    if fault is not None:
                        return await self._spoil(fault, action, "", {}, lambda: 0)
                    return _json(getattr(self, f"_{action}")(request))
                case "pmsapi":
                    return await self._pmsapi(request)
        return _json(_INVALID)

    def _challenge(self, request: Mapping[str, Any]) -> dict[str, Any]:
        self._note("challenge", "", {}, 0)
        if self._is_banned:
            return self._ban()
        if not self.settings.api_enabled or not self.settings.permitted:
            return {"response": {}, "status": -47}
        user = str(request.get("user", ""))
        if user != self.settings.username:
            return {"response": {}, "status": self.settings.unknown_user}
        challenge = f"{self._random.randrange(10**10):016}"
        if user in self._challenges:
            self.logins_at_once += 1  # the older one is void: two logins at once
            self.most_logins_at_once = max(self.most_logins_at_once, self.logins_at_once)
        self._challenges[user] = challenge
        return {"response": {"challenge": challenge}, "status": 0}

    def _login(self, request: Mapping[str, Any]) -> dict[str, Any]:
        if self._is_banned:
            return self._ban()
        challenge = self._challenges.pop(str(request.get("user", "")), "?")
        wanted = hashlib.md5((challenge + self.settings.password).encode()).hexdigest()
        if str(request.get("token", "")).lower() != wanted:
            self.failed_logins += 1
            left = self.settings.tries - self.failed_logins
            self._note("login", "", {}, -37)
            if left <= 0:
                self._banned_until = self.now() + self.settings.ban_s
                return self._ban()
            return {"response": {"remain_num": left}, "status": -37}
        self.logins += 1
        self._note("login", "", {}, 0)
        cookie = f"sid{self._random.randrange(10**9)}-{int(time.monotonic())}"
        self._sessions = {cookie: (self.now(), self.now())}  # a second login ends the first
        return {"response": {"cookie": cookie}, "status": 0}

    def _logout(self, request: Mapping[str, Any]) -> dict[str, Any]:
        self._sessions.pop(str(request.get("cookie", "")), None)
        return {"response": {}, "status": 0}

    @property
    def _is_banned(self) -> bool:
        return self.now() < self._banned_until

    def _ban(self) -> dict[str, Any]:
        left = int(self._banned_until - self.now()) + 1
        return {"response": {"remain_time": left}, "status": -68}

    async def _pmsapi(self, request: Mapping[str, Any]) -> tuple[int, bytes, Mapping[str, str]]:
        data, form = request.get("data"), request.get("format")
        action, tags = _peek(data, form)
        room = tags.get("address", "")
        fault = await self._fault(action, room)
        if fault is not None and fault.kind == "cookie":
            self._sessions.clear()
            fault = None

        def run() -> int | dict[str, Any]:
            self._check_cookie(request.get("cookie"))
            return self._do(data, form, request.get("token"))

        if fault is not None:
            return await self._spoil(fault, action, room, tags, run)
        try:
            result = run()
        except Refusal as refusal:
            self._note(action, room, tags, refusal.code)
            return self._failure(refusal.code)
        if isinstance(result, dict):
            self._note(action, room, tags, 0)
            return _json({"response": result, "status": 0})
        self._note(action, room, tags, result, applied=True)
        if result == -100:
            return self._failure(-100)
        return _json({"response": {}, "status": 0})

    def _check_cookie(self, cookie: Any) -> None:
        began, used = self._sessions.get(str(cookie), (None, None))
        now = self.now()
        if began is None or used is None:
            raise Refusal(-6)
        if now - used > self.settings.idle_s or now - began > self.settings.absolute_s:
            del self._sessions[str(cookie)]
            raise Refusal(-6)
        self._sessions[str(cookie)] = (began, now)

    def _do(self, data: Any, form: Any, token: Any) -> int | dict[str, Any]:
        """The PMS module: module, token, format, XML, action, fields, room, state."""
        if not self.settings.pms_module:
            raise Refusal(21)
        wanted = hashlib.md5(
            (self.settings.pms_username + self.settings.pms_password).encode()
        ).hexdigest()
        spelt = {"lower": wanted, "upper": wanted.upper()}.get(self.settings.token_case)
        if str(token).lower() != wanted or spelt not in (None, token):
            raise Refusal(16)
        action, tags = parse_data(data, form)
        if action in self.settings.forbidden:
            raise Refusal(-47)
        if action in PMS_LISTS:
            key = PMS_LISTS[action]
            rows = self.rooms.listed() if action == "listPMSRoom" else []
            return {"page": 1, key: rows, "total_item": len(rows), "total_page": 1}
        return self.rooms.apply(action, tags)

    def _failure(self, code: int) -> tuple[int, bytes, Mapping[str, str]]:
        """A failure in the shape of this firmware; the guides do not print one."""
        if code < 0 and code not in TEXTS:  # the API's own codes come in the status
            return _json({"response": {}, "status": code})
        text = TEXTS[code]
        match self.settings.shape:
            case "B":
                return _json({"response": {"error_msg": f"[{code}] {text}"}, "status": -1})
            case "C":
                return _json({"error": text, "response": {}, "status": -1})
            case "D":
                return 200, f"[{code}] {text}".encode(), {"Content-Type": "text/plain"}
            case "E":
                return _json({"response": {"error": text}, "status": 0})
            case "F":
                return _json({"response": {}, "status": code})
        return _json({"response": {"error": text}, "status": -1})

    # --- The old API ---

    async def _old_api(
        self, request: h11.Request, method: str, query: str
    ) -> tuple[int, bytes, Mapping[str, str]]:
        if not self.settings.permitted:
            return 403, b"Forbidden", {}
        if not self.settings.api_enabled:
            return 404, b"Not Found", {}
        headers = {name.decode().lower(): value.decode() for name, value in request.headers}
        if not self._digest_fits(method, headers.get("authorization", "")):
            nonce = secrets.token_hex(8)
            self._nonces = {nonce: self.now()}
            stale = ", stale=true" if "nonce=" in headers.get("authorization", "") else ""
            challenge = (
                f'Digest realm="asterisk", nonce="{nonce}", algorithm=MD5, qop="auth"{stale}'
            )
            return 401, b"", {"WWW-Authenticate": challenge}
        if method != "GET":
            return 405, b"", {}
        values = {key: each[0] for key, each in parse_qs(query, keep_blank_values=True).items()}
        data, form = values.get("data"), values.get("format")
        action, tags = _peek(data, form)
        room = tags.get("address", "")
        async with self._one:
            fault = await self._fault(action, room)

            def run() -> int | dict[str, Any]:
                if isinstance(data, str) and any(name in data for name in PMS_LISTS):
                    raise Refusal(13)  # the lists came with the new API
                return self._do(data, form, values.get("token"))

            if fault is not None and fault.kind != "cookie":
                return await self._spoil(fault, action, room, tags, run, old=True)
            try:
                code = run()
            except Refusal as refusal:
                code = refusal.code
            self._note(action, room, tags, int(code), applied=code in (0, -100))  # type: ignore[arg-type]  # lists are refused above
            return _old_text(int(code))  # type: ignore[arg-type]  # as above

    def _digest_fits(self, method: str, header: str) -> bool:
        given = dict(re.findall(r'(\w+)=(?:"([^"]*)"|[\w./+]+)', header))
        bare = dict(re.findall(r"(\w+)=([\w./+]+)", header))
        given = {**bare, **{key: value for key, value in given.items() if value}}
        if self.now() - self._nonces.get(given.get("nonce", ""), float("-inf")) > 60:
            return False

        def md5(text: str) -> str:
            return hashlib.md5(text.encode()).hexdigest()

        secret = md5(f"{self.settings.username}:asterisk:{self.settings.password}")
        request = md5(f"{method}:{given.get('uri', '')}")
        proof = f"{given.get('nonce')}:{given.get('nc')}:{given.get('cnonce')}:auth:{request}"
        return given.get("response") == md5(f"{secret}:{proof}")

    # --- Faults and journal ---

    async def _fault(self, action: str, room: str) -> Fault | None:
        for fault in self.faults:
            fits = fault.action in (None, action) and fault.room in (None, room)
            if fits and fault.times != 0 and self._random.random() < fault.chance:
                fault.times -= fault.times > 0
                if fault.kind == "slow":
                    await asyncio.sleep(fault.value)
                    return None
                return fault
        return None

    async def _spoil(
        self,
        fault: Fault,
        action: str,
        room: str,
        tags: Mapping[str, str],
        run: Callable[[], int | dict[str, Any]],
        *,
        old: bool = False,
    ) -> tuple[int, bytes, Mapping[str, str]]:
        if fault.kind in ("drop", "half", "garbage", "drip"):
            try:
                result = run()
                code, applied = (0 if isinstance(result, dict) else result), True
            except Refusal as refusal:
                code, applied = refusal.code, False
            self._note(action, room, tags, code, applied=applied)
            whole = (
                _old_text(code)
                if old
                else (_json({"response": {}, "status": 0}) if code == 0 else self._failure(code))
            )
            match fault.kind:
                case "drop":
                    raise Dropped
                case "half":
                    head = b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n"
                    raise Dropped(head + whole[1][: len(whole[1]) // 2])
                case "garbage":
                    return whole[0], whole[1] + b"\x00\x00}{", whole[2]
                case _:
                    return whole[0], whole[1], {**whole[2], "X-Drip": "1"}
        self._note(action, room, tags, int(fault.value) if fault.kind == "code" else None)
        match fault.kind:
            case "code":
                code = int(fault.value)
                return _old_text(code) if old else self._failure(code)
            case "hang":
                raise _Hanging
            case "html":
                return 502, b"<html><body>Bad Gateway</body></html>", {"Content-Type": "text/html"}
            case "http":
                return int(fault.value), b"", {}
            case "empty":
                return 200, b"", {}
        raise Dropped

    def _note(
        self,
        action: str,
        room: str,
        tags: Mapping[str, str],
        code: int | None,
        *,
        applied: bool = False,
    ) -> None:
        if action == "login":
            self.logins_at_once = 0
        call = Call(self.now(), action, room, dict(tags), code, applied)
        self.journal.append(call)
        if self.on_call is not None:
            self.on_call(call)

    # --- Control ---

    def _control(self, method: str, path: str, body: bytes) -> tuple[int, bytes, Mapping[str, str]]:
        try:
            given = json.loads(body) if body else {}
            match method, path:
                case "GET", "/_sim/rooms":
                    return _json({room.address: asdict(room) for room in self.rooms.rooms.values()})
                case "GET", "/_sim/journal":
                    return _json([asdict(call) for call in self.journal])
                case "GET", "/_sim/stats":
                    return _json(
                        {
                            "connections": self.connections,
                            "logins": self.logins,
                            "failed_logins": self.failed_logins,
                            "faults": [asdict(fault) for fault in self.faults],
                        }
                    )
                case "POST", "/_sim/faults":
                    self.faults.append(Fault(**given))
                case "POST", "/_sim/rooms":
                    self.rooms.add(*given["add"])
                case "POST", "/_sim/reboot":
                    self.reboot()
                case "POST", "/_sim/wedge":
                    self.wedged = True  # until /_sim/reboot
                case "POST", "/_sim/certificate":
                    self._context.load_cert_chain(given["pem"])  # type: ignore[union-attr]  # 400
                case "POST", "/_sim/unban":
                    self._banned_until, self.failed_logins = float("-inf"), 0
                case _:
                    return 404, b"", {}
        except (ValueError, TypeError, KeyError, AttributeError, OSError) as error:
            return 400, str(error).encode(), {}
        return _json({"status": "ok"})


_INVALID: Final = {"response": {"error_msg": "Invalid parameters!"}, "status": -1}


def _json(value: Any) -> tuple[int, bytes, Mapping[str, str]]:
    return 200, json.dumps(value).encode(), {"Content-Type": "application/json;charset=UTF-8"}


def _old_text(code: int) -> tuple[int, bytes, Mapping[str, str]]:
    return 200, f"[{code}] {TEXTS.get(code, 'Error !')}\r\n".encode(), {"Content-Type": "text/html"}


def _peek(data: Any, form: Any) -> tuple[str, dict[str, str]]:
    """Action and tags for the journal and the faults, whatever the checks will say."""
    try:
        return parse_data(data, form or "xml")
    except Refusal:
        return "unreadable", {}
