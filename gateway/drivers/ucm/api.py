"""The two APIs of a UCM behind one shape: the new one (challenge, login, cookie, JSON) and the old
one (HTTP digest, everything in the URL). Requests go one at a time."""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from time import perf_counter
from typing import Any, Final, Protocol
from urllib.parse import quote

from gateway.drivers.base import Paused, Unreachable
from gateway.drivers.ucm.https import MAX_LIST_BYTES, MAX_REPLY_BYTES, HttpReply, Peer
from gateway.drivers.ucm.listing import UcmRoom, rooms_in
from gateway.drivers.ucm.replies import VERDICTS, NotAReply, Reply, Verdict, parse_reply, text_of
from gateway.drivers.ucm.requests import Request, to_xml
from gateway.metrics import Metrics

STOP_S: Final = 300.0
"""After a refusal that only an operator can mend: one try in five minutes, so that no ban comes."""


_INVALID: Final = -1
_NO_PERMISSION: Final = -47


class UcmApi(Protocol):
    """How requests reach a UCM. All methods but `close` raise Unreachable or Paused.

    has_list    this API can list the rooms
    is_fresh    the last request began with a login: another one would not help it
    """

    has_list: bool
    is_fresh: bool

    async def send(self, request: Request) -> Reply:
        """One action; logs in first where that is needed."""

    async def rooms(self) -> list[UcmRoom] | None:
        """All rooms as the UCM shows them; None: this API has no list."""

    async def read(self, action: str, parameters: Mapping[str, str], /) -> Reply:
        """One page of a list that is not the PMS module's: calls, extensions."""

    async def read_if_known(
        self, action: str, parameters: Mapping[str, str], /, *, in_module: bool
    ) -> Reply | None:
        """A list that a UCM may not have; None: this one has not, or this user may not read it.

        in_module   ask the PMS module for it
        """

    async def log_in_again(self) -> None:
        """The session is not valid any more: get another one."""

    async def probe(self) -> None:
        """Ask something that changes nothing."""

    async def close(self) -> None:
        """Let go of the connection."""


def pms_token(username: str, password: str, *, upper_case: bool = False) -> str:
    """MD5 of user and password of the PMS page, without a separator.

    Source: PMS API Guide, authentication token; the guides print either case.
    """
    digest = hashlib.md5((username + password).encode()).hexdigest()
    return digest.upper() if upper_case else digest


_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def as_json(payload: dict[str, Any]) -> bytes:
    """A request of the new API. What UTF-8 cannot say is replaced."""
    return _encode(payload).encode(errors="replace")


def raise_for_pause(reply: Reply) -> None:
    """Raise Paused when the reply means that the UCM must be left alone."""
    match reply.verdict:
        case Verdict.PAUSE_15:
            raise Paused(reply.code, reply.advice, 15.0, loud=False)
        case Verdict.PAUSE_60:
            raise Paused(reply.code, reply.advice, 60.0, loud=False)
        case Verdict.BANNED:
            raise Paused(reply.code, reply.advice, reply.seconds_banned(), loud=True)
        case Verdict.STOP:
            raise Paused(reply.code, reply.advice, STOP_S, loud=True)
        case _:
            pass  # it speaks of the room, not of the whole UCM


class _Meter:
    """Counts and times each request the same way for both APIs."""

    def __init__(self, peer: Peer, metrics: Metrics) -> None:
        self._peer, self._metrics = peer, metrics

    def took(self, action: str, started: float, reply: Reply) -> None:
        """The UCM answered."""
        self._metrics.ucm_certificate_refused.set(0)
        good = reply.verdict in (Verdict.DONE, Verdict.DONE_WITH_WARNING)
        self._observe(action, started, "ok" if good else "rejected")
        if not good:
            code = str(reply.code) if reply.code in VERDICTS else "other"
            self._metrics.ucm_failures.labels(action, code).inc()

    def failed(self, action: str, started: float, code: str, result: str = "unreachable") -> None:
        """It did not, or not as a UCM does."""
        self._observe(action, started, result)
        self._metrics.ucm_failures.labels(action, code).inc()
        if code == "tls":
            self._metrics.ucm_certificate_refused.set(1)

    def _observe(self, action: str, started: float, result: str) -> None:
        self._metrics.ucm_request.labels(action, result).observe(perf_counter() - started)
        if self._peer.certificate_ends is not None:
            self._metrics.ucm_certificate_expiry.set(self._peer.certificate_ends.timestamp())


def _parsed(reply: HttpReply) -> Reply:
    """The reply of a UCM, or Unreachable for what something else sent."""
    if reply.status >= 500 or reply.status in (403, 404):
        raise Unreachable("http", f"HTTP {reply.status} instead of a reply", sent=True)
    try:
        return parse_reply(reply.body)
    except NotAReply as error:
        raise Unreachable("body", f"not a UCM's reply: {error}", sent=True) from None


class NewApi:
    """`POST /api`: one login at a time, one cookie, requests one after the other.

    Source: UCM HTTPS API, challenge, login, pmsapi. A second login of the same user ends the
    first one's cookie, and a second challenge its challenge, so all of it is under one lock.

    url     the UCM's own address: some firmwares answer a login without it with -1
    """

    def __init__(
        self,
        peer: Peer,
        *,
        username: str,
        password: str,
        token: str,
        metrics: Metrics,
        url: str = "",
    ) -> None:
        self._peer, self._metrics, self._url = peer, metrics, url
        self._username, self._password, self._token = username, password, token
        self._wants_url = False
        self._cookie: str | None = None
        self._used: str | None = None
        self._one = asyncio.Lock()
        self._meter = _Meter(peer, metrics)
        self.has_list = True
        self.is_fresh = False

    async def send(self, request: Request) -> Reply:
        async with self._one:
            payload = {"action": "pmsapi", "token": self._token, "format": "xml"}
            payload["data"] = to_xml(request)
            reply = await self._asked(request.action, payload, MAX_REPLY_BYTES)
            if reply.verdict is Verdict.LOGIN_UNSURE:
                self._cookie = None  # the next request logs in
            return reply

    async def rooms(self) -> list[UcmRoom] | None:
        async with self._one:
            reply = await self._list({})
            if reply.verdict is Verdict.REJECTED:
                return None  # this firmware has no list
            rooms = rooms_in(self._good(reply))
            # The guide's own sample has a wrong total; only more pages than one mean anything.
            pages = text_of(reply.response.get("total_page"))
            last = int(pages) if pages.isdecimal() and len(pages) <= 3 else 1
            seen = {room.address for room in rooms}
            for page in range(2, last + 1):
                more = rooms_in(self._good(await self._list({"page": page})))
                fresh = [room for room in more if room.address not in seen]
                if not fresh:
                    break  # this firmware lists everything at once
                rooms += fresh
                seen |= {room.address for room in fresh}
            return rooms

    async def read(self, action: str, parameters: Mapping[str, str]) -> Reply:
        async with self._one:
            reply = await self._read_once_more(action, {**parameters, "action": action})
            if reply.code == _NO_PERMISSION:  # of this list: rooms may still be told
                do = f"tick {action} in the permissions of the API user"
                raise Unreachable(
                    "body", f"the UCM does not let us read {action}: {do}", sent=False
                )
            raise_for_pause(reply)
            return self._good(reply)

    async def read_if_known(
        self, action: str, parameters: Mapping[str, str], *, in_module: bool
    ) -> Reply | None:
        payload: dict[str, Any] = {**parameters, "action": action}
        if in_module:
            payload = {"action": "pmsapi", "token": self._token, "data": {action: parameters}}
        async with self._one:
            reply = await self._read_once_more(action, payload)
        if reply.verdict is Verdict.REJECTED or reply.code == _NO_PERMISSION:
            return None
        raise_for_pause(reply)
        return self._good(reply)

    async def log_in_again(self) -> None:
        async with self._one:
            if self._cookie == self._used:
                self._cookie = None
                await self._log_in()

    async def probe(self) -> None:
        async with self._one:
            # Whatever it says of the list, it is there, and it knows us.
            await self._list({})

    async def close(self) -> None:
        await self._peer.close()

    async def _list(self, options: dict[str, Any]) -> Reply:
        payload = {"action": "pmsapi", "token": self._token, "data": {"listPMSRoom": options}}
        return await self._read("listPMSRoom", payload)

    async def _read(self, action: str, payload: dict[str, Any]) -> Reply:
        """Ask for something that changes nothing. Raises Paused too."""
        reply = await self._read_once_more(action, payload)
        raise_for_pause(reply)
        return reply

    async def _read_once_more(self, action: str, payload: dict[str, Any]) -> Reply:
        """What changes nothing may be asked again, within another session."""
        reply = await self._asked(action, payload, MAX_LIST_BYTES)
        if reply.verdict in (Verdict.LOGIN, Verdict.LOGIN_UNSURE) and not self.is_fresh:
            self._cookie = None
            self._metrics.ucm_retries.labels(action, "login").inc()
            reply = await self._asked(action, payload, MAX_LIST_BYTES)
        return reply

    @staticmethod
    def _good(reply: Reply) -> Reply:
        """The reply, if it is a list; what is no list now may be one later."""
        if reply.code != 0:
            raise Unreachable("body", f"the list failed, {reply.advice}", sent=False)
        return reply

    async def _asked(self, action: str, payload: dict[str, Any], max_bytes: int) -> Reply:
        """One request within the session; `action` is its name in the metrics."""
        self.is_fresh = self._cookie is None
        if self._cookie is None:
            await self._log_in()
        self._used = self._cookie
        try:
            return await self._call(action, {**payload, "cookie": self._cookie}, max_bytes)
        except Unreachable:
            # A UCM that was restarted has forgotten its sessions, and may not even say so.
            self._cookie = None
            raise

    async def _log_in(self) -> None:
        user = {"user": self._username}
        challenged = self._given(
            await self._step({"action": "challenge", **user, "version": "1.0"}), "challenge"
        )
        # Half a surrogate is no character, but JSON can say it.
        secret = (challenged + self._password).encode(errors="surrogatepass")
        login = {"action": "login", **user, "token": hashlib.md5(secret).hexdigest()}
        if self._wants_url:
            login["url"] = self._url
        reply = await self._step(login)
        if reply.code == _INVALID and not self._wants_url:
            self._wants_url = True
            await self._log_in()
            return
        self._cookie = self._given(reply, "cookie")
        self._metrics.ucm_logins.labels("ok").inc()

    async def _step(self, payload: dict[str, Any]) -> Reply:
        """One step of the login."""
        try:
            return await self._call(payload["action"], payload, MAX_REPLY_BYTES)
        except Unreachable as error:
            self._metrics.ucm_logins.labels("unreachable").inc()
            error.sent = False  # the call itself has not been made
            raise

    def _given(self, reply: Reply, name: str) -> str:
        """What a step of the login gives. A refusal is no room's fault."""
        value = text_of(reply.response.get(name))  # some firmwares say it as a number
        if reply.code == 0 and value:
            return value
        self._metrics.ucm_logins.labels("rejected").inc()
        raise_for_pause(reply)
        raise Unreachable("body", f"login refused, {reply.advice}", sent=False)

    async def _call(self, action: str, payload: dict[str, Any], max_bytes: int) -> Reply:
        content = as_json({"request": payload})
        started = perf_counter()
        try:
            reply = _parsed(await self._peer.post(content, max_bytes))
        except Unreachable as error:
            self._meter.failed(action, started, error.kind)
            raise
        self._meter.took(action, started, reply)
        return reply


class OldApi:
    """`GET /pmsapi`: HTTP digest, then token and XML in the URL. There is no list of rooms.

    Source: PMS API Guide, connection and authentication; the permitted-IP list denies everybody
    while it is empty.
    """

    def __init__(self, peer: Peer, *, token: str, metrics: Metrics) -> None:
        self._peer, self._metrics, self._token = peer, metrics, token
        self._one = asyncio.Lock()
        self._meter = _Meter(peer, metrics)
        self.has_list = False
        self.is_fresh = False

    async def send(self, request: Request) -> Reply:
        async with self._one:
            return await self._call(request.action, to_xml(request))

    async def rooms(self) -> None:
        return None

    async def read(self, action: str, _: Mapping[str, str]) -> Reply:
        raise Unreachable("body", f"the old API has no {action}", sent=False)

    async def read_if_known(self, _: str, __: Mapping[str, str], **___: bool) -> None:
        return None

    async def log_in_again(self) -> None:
        pass  # every request carries its own credentials

    async def probe(self) -> None:
        async with self._one:
            # An empty request is answered with "no support action" by a UCM that is well.
            raise_for_pause(await self._call("probe", "<pms_data_request></pms_data_request>"))

    async def close(self) -> None:
        await self._peer.close()

    async def _call(self, action: str, xml: str) -> Reply:
        started = perf_counter()
        query = f"token={self._token}&format=xml&data={quote(xml, safe='')}"
        try:
            answer = await self._peer.get(query, MAX_REPLY_BYTES)
            if answer.status in _SHUT:
                self._meter.failed(action, started, "http", "rejected")
                self._metrics.ucm_logins.labels("rejected").inc()
                raise Paused(answer.status, _SHUT[answer.status], STOP_S, loud=True)
            reply = _parsed(answer)
        except Unreachable as error:
            self._meter.failed(action, started, error.kind)
            raise
        self._meter.took(action, started, reply)
        return reply


_SHUT: Final = {
    401: "HTTP 401: wrong API user or password on the UCM's HTTPS API (old) page",
    403: "HTTP 403: permit this address on the UCM's HTTPS API (old) page; empty permits nobody",
    404: "HTTP 404: tick PMSAPI on the UCM's HTTPS API (old) page",
}
