"""One phone: which API it has, its session, and actions that are looked at after they are done.

A phone may say success and do nothing (field captures of WP826), so whatever is written is read
back. One request at a time: a phone is slow, and its owner may be using it.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from typing import Final, TypeVar

import httpx

from gateway.drivers.gxv.values import (
    Account,
    Contact,
    Entry,
    Identity,
    LoginRefused,
    NoSuchPage,
    PhoneAway,
    PhoneFailed,
    PhoneOdd,
    Reply,
    Request,
    SessionOver,
)
from gateway.drivers.gxv.wire import GENERATIONS, GROUP, LANGUAGE, Api
from gateway.drivers.sockets import UNACKED_S, giving_up_after

T = TypeVar("T")

MAX_REPLY_BYTES: Final = 1024 * 1024
"""An address book of 2,000 entries has 300 KB."""


class Phone:
    """One phone at an address. Every failure is a PhoneFailed.

    address     HOST or HOST:PORT, or http:// or https:// with it. A phone's certificate is its own
                and is not checked: the login never shows the password to whoever answers
    api         which generation it is, if that is known from before
    timeout_s   for one request; a sleeping handset takes seconds for its TLS
    unacked_s   see `giving_up_after`
    passed      is waited for before each request: of a pair only one gateway speaks
    """

    def __init__(
        self,
        address: str,
        username: str,
        password: str,
        *,
        api: str = "",
        timeout_s: float = 10.0,
        unacked_s: float = UNACKED_S,
        passed: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._passed = passed
        self._url = httpx.URL(address if "://" in address else f"http://{address}")
        self._username, self._password = username, password
        self._timeout_s, self._unacked_s = timeout_s, unacked_s
        self._api: Api | None = next((each for each in GENERATIONS if each.name == api), None)
        self._client: httpx.AsyncClient | None = None
        self._sid = ""
        self._refused = ""
        self._one = asyncio.Lock()

    @property
    def api(self) -> str:
        """Which generation it is; empty: it was not asked yet."""
        return self._api.name if self._api else ""

    @property
    def refused(self) -> str:
        """Why its login is not tried any more; empty: it is."""
        return self._refused

    def try_again(self) -> None:
        """Somebody has mended the password, or the phone."""
        self._refused = ""

    async def close(self) -> None:
        """Let go of the connection."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    # --- Actions ---

    async def wipe(self) -> int:
        """Delete all contacts, the hotel's too. Returns how many there were."""
        async with self._one:
            before = len(await self._contacts())
            if before:
                await self._do(lambda api: api.delete_contact(""))
                if left := len(await self._contacts()):
                    raise PhoneOdd(
                        f"it says that it has deleted its contacts, and has {left} of them"
                    )
            return before

    async def write_directory(self, entries: Sequence[Entry]) -> int:
        """Make the hotel's entries these, and leave a guest's alone. Returns how many were new."""
        async with self._one:
            group = await self._group()
            wanted = set(entries)
            for each in await self._contacts():
                if each.group == group and Entry(each.name, each.number) not in wanted:
                    await self._do(_deleting(each.id))
            missing = wanted - await self._entries(group)
            for entry in entries:
                if entry in missing:
                    await self._do(_saving(entry, group))
            if await self._entries(group) != wanted:
                raise PhoneOdd("it says that it has stored the hotel's numbers, and has others")
            return len(missing)

    async def set_language(self, language: str) -> None:
        """The language of its display, by the phone's own code."""
        async with self._one:
            if await self._value(LANGUAGE) == language:
                return
            await self._do(lambda api: api.set_value(LANGUAGE, language))
            if await self._value(LANGUAGE) != language:
                raise PhoneOdd("it says that it has taken the language, and shows another one")

    async def accounts(self) -> list[Account]:
        """Its SIP accounts."""
        async with self._one:
            return await self._ask(lambda api: api.accounts(), lambda api, r: api.read_accounts(r))

    async def identity(self) -> Identity:
        """Model and firmware, as far as it tells them."""
        async with self._one:
            try:
                return await self._ask(
                    lambda api: api.identity(), lambda api, r: api.read_identity(r)
                )
            except NoSuchPage:
                return Identity()

    async def reboot(self) -> None:
        """Restart it."""
        async with self._one:
            await self._do(lambda api: api.reboot())

    async def contacts(self) -> list[Contact]:
        """Everything in its address book: a guest's too, so for nobody's eyes."""
        async with self._one:
            return await self._contacts()

    # --- Below ---

    async def _contacts(self) -> list[Contact]:
        return await self._ask(lambda api: api.contacts(), lambda api, r: api.read_contacts(r))

    async def _entries(self, group: str) -> set[Entry]:
        return {Entry(c.name, c.number) for c in await self._contacts() if c.group == group}

    async def _group(self) -> str:
        """The number of the hotel's group, which is made if it is not there."""
        for _ in range(2):
            found = await self._ask(lambda api: api.groups(), lambda api, r: api.read_groups(r))
            if GROUP in found:
                return found[GROUP]
            await self._do(lambda api: api.save_group(GROUP))
        raise PhoneOdd("it says that it has made the hotel's group, and has it not")

    async def _value(self, name: str) -> str:
        return await self._ask(
            lambda api: api.get_value(name), lambda api, r: api.read_value(r, name)
        )

    async def _do(self, ask: Callable[[Api], Request]) -> None:
        await self._ask(ask, lambda api, reply: api.done(reply))

    async def _ask(self, ask: Callable[[Api], Request], read: Callable[[Api, Reply], T]) -> T:
        """One action, with a login before it where that is needed."""
        for is_last in (False, True):
            if self._client is None:
                await self._log_in()
            assert self._api is not None  # who is logged in knows it
            try:
                return read(self._api, await self._send(ask(self._api)))
            except SessionOver:
                await self.close()
                if is_last:
                    raise PhoneOdd(
                        "it ends each session at once: who else uses this login?"
                    ) from None
            except NoSuchPage:
                await self.close()
                self._api = None  # another phone may stand there now
                if is_last:
                    raise
            except PhoneFailed:
                await self.close()  # what it thinks of our session is not known
                raise
        raise AssertionError("the second try ends")

    async def _log_in(self) -> None:
        if self._refused:
            raise LoginRefused(self._refused)
        transport = httpx.AsyncHTTPTransport(
            verify=_unchecked(), trust_env=False, limits=httpx.Limits(max_connections=1),
            socket_options=giving_up_after(self._unacked_s),
        )  # fmt: skip
        self._client = httpx.AsyncClient(
            transport=transport, trust_env=False, base_url=self._url, timeout=self._timeout_s,
            headers={"Referer": f"{self._url}/", "User-Agent": "pms-gateway"},
        )  # fmt: skip
        self._sid = ""
        try:
            await self._log_in_to(GENERATIONS if self._api is None else (self._api,))
        except LoginRefused as refused:
            self._refused = f"{refused}: mend the login, then `pms-gateway phones retry`"
            await self.close()
            raise LoginRefused(self._refused) from None
        except PhoneFailed:
            await self.close()
            raise

    async def _log_in_to(self, generations: Sequence[Api]) -> None:
        """By the first that knows how. Which it was is remembered: a phone has one."""
        why: PhoneFailed = PhoneOdd("no API that we know")
        for api in generations:
            try:
                random = api.random(await self._send(api.challenge()))
                reply = await self._send(api.login(self._username, self._password, random))
                self._sid = api.logged_in(reply)
            except PhoneOdd as odd:
                why = odd
                continue
            self._api = api
            return
        raise why

    async def _send(self, request: Request) -> Reply:
        assert self._client is not None  # made by who logs in
        if self._passed is not None:
            await self._passed()
        sid = (("sid", self._sid),) if self._sid else ()
        form = None if request.form is None else dict((*request.form, *sid))
        query = request.query + (sid if form is None else ())
        try:
            async with asyncio.timeout(self._timeout_s):
                async with self._client.stream(
                    "GET" if form is None else "POST", request.path, params=query or None, data=form
                ) as response:
                    body = b""
                    async for part in response.aiter_bytes():
                        body += part
                        if len(body) > MAX_REPLY_BYTES:
                            raise PhoneOdd("a reply without an end")
                    return Reply(response.status_code, body)
        # No text of a library: a URL of the first generation has everything in its query.
        except (TimeoutError, httpx.TimeoutException):
            raise PhoneAway("no answer in time: is it on, and is this its address?") from None
        except (httpx.ConnectError, httpx.NetworkError, OSError):
            raise PhoneAway("no connection: is it on, and is this its address?") from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            raise PhoneAway("what answers there is no phone's page: is it https://?") from None


@cache
def _unchecked() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _deleting(contact: str) -> Callable[[Api], Request]:
    return lambda api: api.delete_contact(contact)


def _saving(entry: Entry, group: str) -> Callable[[Api], Request]:
    return lambda api: api.save_contact(entry, group)
