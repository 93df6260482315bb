"""One HTTP connection to one UCM, one request at a time, of h11 and asyncio.

httpx's own client keeps a pool for many hosts and tasks, and makes a dozen objects of each request;
that is three quarters of the processor a call takes, and a UCM is asked one thing after the other.
"""

import asyncio
import select
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import SplitResult

import h11
from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

CONNECT_TRIES: Final = 2
IDLE_S: Final = 4.0
"""Firmwares close idle connections after 5 s; a call must not meet that moment."""

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole reply."""

    status: int
    headers: Headers
    body: bytes


class NotConnected(Exception):
    """No connection, so no byte of a request left. The cause says why; TimeoutError: too late."""


class Endless(Exception):
    """A reply of more bytes than anybody wants."""


class Connection:
    """Keeps one connection as long as it is good, and opens the next one when it is needed.

    url         whose host and port are meant
    within_s    for each of CONNECT_TRIES tries to open a connection, TLS included
    """

    def __init__(self, url: SplitResult, context: ssl.SSLContext, within_s: float) -> None:
        self._context, self._within_s = context, within_s
        self._is_secure = url.scheme == "https"
        self._place = (url.hostname or "", url.port or (443 if self._is_secure else 80))
        self._wire: _Wire | None = None
        self._host = (b"Host", _as_host(url.netloc))

    async def ask(
        self, method: str, target: bytes, headers: Headers, content: bytes, max_bytes: int
    ) -> Answer:
        """Say a request and wait for the whole reply, of at most so many bytes.

        Raises NotConnected, Endless, and h11.ProtocolError for a peer that hangs up or speaks no
        HTTP. A request that is cancelled closes the connection: what comes in later must not be
        taken for the next reply.
        """
        wire = await self._good_wire()
        if content:
            head = _head(method, target, (self._host, *headers), len(content))
        else:
            head = h11.Request(method=method, target=target, headers=[self._host, *headers])
        with wire.faults():
            wire.send(head, h11.Data(data=content), h11.EndOfMessage())
            while not isinstance(event := await wire.event(), h11.Response):
                if not isinstance(event, h11.InformationalResponse):
                    raise h11.RemoteProtocolError("the reply has no beginning")
            body = bytearray()
            while isinstance(data := await wire.event(), h11.Data):
                body += data.data
                if len(body) > max_bytes:
                    raise Endless(f"more than {max_bytes} bytes")
            wire.over()
        return Answer(event.status_code, list(event.headers), bytes(body))

    async def aclose(self) -> None:
        if self._wire is not None:
            self._wire.drop()

    async def _good_wire(self) -> "_Wire":
        if self._wire is not None and self._wire.is_good:
            return self._wire
        await self.aclose()
        async for attempt in AsyncRetrying(
            retry=retry_if_exception(_may_pass),
            stop=stop_after_attempt(CONNECT_TRIES),
            wait=wait_random_exponential(multiplier=0.1, max=0.5),
            reraise=True,
        ):
            with attempt:
                self._wire = await self._open()
                return self._wire
        raise AssertionError("tenacity ends with a result or an exception")

    async def _open(self) -> "_Wire":
        try:
            async with asyncio.timeout(self._within_s):
                _, wire = await asyncio.get_running_loop().create_connection(
                    _Wire, *self._place, ssl=self._context if self._is_secure else None
                )
        except (OSError, ValueError) as error:  # or a host name that can be none
            raise NotConnected("no connection") from error
        if not wire.is_unspoken:  # it has hung up, or talks before it is asked
            wire.drop()
            raise NotConnected("no connection that could be used")
        return wire


def _may_pass(error: BaseException) -> bool:
    """Nothing was sent, and another try a moment later may help: not against a certificate."""
    return isinstance(error, NotConnected) and not isinstance(error.__cause__, ssl.SSLError)


def _as_host(netloc: str) -> bytes:
    try:
        return netloc.encode("ascii" if netloc.isascii() else "idna")
    except UnicodeError:  # a name that can be none: it will not be found either
        return netloc.encode("ascii", "replace")


@lru_cache(maxsize=512)
def _head(method: str, target: bytes, headers: Headers, length: int) -> h11.Request:
    """The head of a request with a body. Most differ in their length only."""
    sized = [*headers, (b"Content-Length", b"%d" % length)]
    return h11.Request(method=method, target=target, headers=sized)


class _Wire(asyncio.Protocol):
    """A connection: what asyncio brings is given to h11, and h11 says what it means."""

    def __init__(self) -> None:
        self._http = h11.Connection(h11.CLIENT)
        self._news = asyncio.Event()
        self._transport: Any = None
        self._used_at = 0.0
        self._is_broken = False

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._used_at = asyncio.get_running_loop().time()

    def data_received(self, data: bytes) -> None:
        if self._http.our_state is h11.IDLE:
            self.drop()  # nobody asked, and nobody reads: it would be kept without end
            return
        self._http.receive_data(data)
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is None:
            self._http.receive_data(b"")  # h11's word for the end
        else:  # which is no end of a reply that has not said how long it is
            self._is_broken = True
        self._news.set()

    # The transport's side

    @property
    def is_unspoken(self) -> bool:
        """Nobody has hung up, and nothing that nobody asked for has come in."""
        return (
            not self._transport.is_closing()
            and self._http.our_state is h11.IDLE
            and not any(self._http.trailing_data)
        )

    @property
    def is_good(self) -> bool:
        """As above, and not old; nor is there anything that has not been read yet."""
        if not self.is_unspoken or asyncio.get_running_loop().time() - self._used_at > IDLE_S:
            return False
        poll = select.poll()  # for what asyncio has not read yet
        poll.register(self._transport.get_extra_info("socket"), select.POLLIN)
        return not poll.poll(0)

    def send(self, *events: h11.Event) -> None:
        """All of a request in one packet."""
        self._transport.write(b"".join(self._http.send(event) or b"" for event in events))

    async def event(self) -> Any:
        """What the peer says next, in h11's words. Raises h11.RemoteProtocolError."""
        while (event := self._http.next_event()) is h11.NEED_DATA:
            if self._is_broken:
                raise h11.RemoteProtocolError("the connection broke")
            self._news.clear()
            await self._news.wait()
        return event

    def over(self) -> None:
        """The reply has ended. Keeps the connection if both sides say so."""
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
            self._used_at = asyncio.get_running_loop().time()
        else:
            self.drop()

    def drop(self) -> None:
        """Close at once."""
        self._transport.abort()

    @contextmanager
    def faults(self) -> Iterator[None]:
        """The connection does not outlive a fault."""
        try:
            yield
        except BaseException:  # a cancelled request too: its reply must not be the next one's
            self.drop()
            raise
