"""One HTTP connection to one UCM, one request at a time: a transport for httpx, of h11 and asyncio.

httpx's own transport keeps a pool for many hosts and tasks on top of anyio; that is two thirds of
the processor a call takes, and a UCM is asked one thing after the other.
"""

import asyncio
import select
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any, Final

import h11
from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from gateway.lean import without

with without("pygments", "rich"):
    import httpx

CONNECT_TRIES: Final = 2
IDLE_S: Final = 4.0
"""Firmwares close idle connections after 5 s; a call must not meet that moment."""


class UcmTransport(httpx.AsyncBaseTransport):
    """Keeps one connection as long as it is good, and opens the next one when it is needed.

    within_s    for each of CONNECT_TRIES tries to open a connection, TLS included

    Raises what httpx's transports raise. `ConnectTimeout` and `ConnectError`: no byte of the
    request left. A request that is cancelled closes the connection: what comes in later must
    not be taken for the next reply.
    """

    def __init__(self, context: ssl.SSLContext, within_s: float) -> None:
        self._context, self._within_s = context, within_s
        self._wire: _Wire | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        wire = await self._good_wire(request.url)
        with wire.faults():
            head = h11.Request(
                method=request.method, target=request.url.raw_path, headers=request.headers.raw
            )
            assert isinstance(request.stream, httpx.AsyncByteStream)  # bytes always are
            body = b"".join([chunk async for chunk in request.stream])
            wire.send(head, h11.Data(data=body), h11.EndOfMessage())
            while not isinstance(event := await wire.event(), h11.Response):
                if not isinstance(event, h11.InformationalResponse):
                    raise httpx.RemoteProtocolError("the reply has no beginning")
        return httpx.Response(event.status_code, headers=list(event.headers), stream=_Body(wire))

    async def aclose(self) -> None:
        if self._wire is not None:
            self._wire.drop()

    async def _good_wire(self, url: httpx.URL) -> "_Wire":
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
                self._wire = await self._open(url)
                return self._wire
        raise AssertionError("tenacity ends with a result or an exception")

    async def _open(self, url: httpx.URL) -> "_Wire":
        is_secure = url.scheme == "https"
        try:
            async with asyncio.timeout(self._within_s):
                _, wire = await asyncio.get_running_loop().create_connection(
                    _Wire, url.host, url.port or (443 if is_secure else 80),
                    ssl=self._context if is_secure else None,
                )  # fmt: skip
        except TimeoutError as error:
            raise httpx.ConnectTimeout("no connection in time") from error
        except (OSError, UnicodeError, ValueError) as error:  # a host name that can be none
            raise httpx.ConnectError("no connection") from error
        return wire


def _may_pass(error: BaseException) -> bool:
    """Nothing was sent, and another try a moment later may help: not against a certificate."""
    return isinstance(error, httpx.ConnectError | httpx.ConnectTimeout) and not isinstance(
        error.__cause__, ssl.SSLError
    )


class _Wire(asyncio.Protocol):
    """A connection: what asyncio brings is given to h11, and h11 says what it means."""

    def __init__(self) -> None:
        self._http = h11.Connection(h11.CLIENT)
        self._news = asyncio.Event()
        self._transport: Any = None
        self._used_at = 0.0

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

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's shape
        self._http.receive_data(b"")  # h11's word for the end
        self._news.set()

    # The transport's side

    @property
    def is_good(self) -> bool:
        """Neither old nor closed by the peer, and nothing that nobody asked for has come in."""
        if self._transport.is_closing() or self._http.our_state is not h11.IDLE:
            return False
        if asyncio.get_running_loop().time() - self._used_at > IDLE_S or any(
            self._http.trailing_data
        ):
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
            self._news.clear()
            await self._news.wait()
        return event

    async def body(self) -> AsyncIterator[bytes]:
        """The reply's body, as it comes in."""
        with self.faults():
            while isinstance(event := await self.event(), h11.Data):
                yield bytes(event.data)

    def over(self) -> None:
        """The reply is not read any further. Keeps the connection if all of it was."""
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
        """The connection does not outlive a fault, and the fault is told in httpx's words."""
        try:
            yield
        except GeneratorExit:
            raise  # nobody wants the rest; `over` has seen to it
        except BaseException as error:
            self.drop()
            match error:
                case h11.RemoteProtocolError():
                    raise httpx.RemoteProtocolError(str(error)) from error
                case h11.LocalProtocolError():
                    raise httpx.LocalProtocolError(str(error)) from error
            raise


class _Body(httpx.AsyncByteStream):
    def __init__(self, wire: _Wire) -> None:
        self._wire = wire

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._wire.body()

    async def aclose(self) -> None:
        self._wire.over()
