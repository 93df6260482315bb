"""One HTTP connection to one UCM, one request at a time: a transport for httpx, of h11 and asyncio.

httpx's own transport keeps a pool for many hosts and tasks on top of anyio; that is two thirds of
the processor a call takes, and a UCM is asked one thing after the other.
"""

import asyncio
import contextlib
import select
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any, Final

import h11
import httpx

READ_BYTES: Final = 65536
IDLE_S: Final = 4.0
"""Firmwares close idle connections after 5 s; a call must not meet that moment."""


class UcmTransport(httpx.AsyncBaseTransport):
    """Keeps one connection as long as it is good, and opens the next one when it is needed.

    within_s    for opening a connection, TLS included

    Raises what httpx's transports raise. `ConnectTimeout` and `ConnectError`: no byte of the
    request left. A request that is cancelled closes the connection: what comes in later must
    not be taken for the next reply.
    """

    def __init__(self, context: ssl.SSLContext, within_s: float) -> None:
        self._context, self._within_s = context, within_s
        self._http = h11.Connection(h11.CLIENT)
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._used_at = 0.0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        reader, writer = await self._connection(request.url)
        with self._faults():
            head = h11.Request(
                method=request.method, target=request.url.raw_path, headers=request.headers.raw
            )
            assert isinstance(request.stream, httpx.AsyncByteStream)  # an AsyncClient's always is
            body = b"".join([chunk async for chunk in request.stream])
            parts = (head, h11.Data(data=body), h11.EndOfMessage())
            writer.write(b"".join(self._http.send(part) or b"" for part in parts))  # one packet
            await writer.drain()
            while not isinstance(event := await self._event(reader), h11.Response):
                if not isinstance(event, h11.InformationalResponse):
                    raise httpx.RemoteProtocolError("the reply has no beginning")
        return httpx.Response(
            event.status_code, headers=list(event.headers), stream=_Body(self, reader)
        )

    async def aclose(self) -> None:
        self._drop()

    async def body(self, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
        """The reply's body, as it comes in."""
        with self._faults():
            while isinstance(event := await self._event(reader), h11.Data):
                yield bytes(event.data)

    def over(self) -> None:
        """The reply is not read any further. Keeps the connection if all of it was."""
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
            self._used_at = asyncio.get_running_loop().time()
        else:
            self._drop()

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """The connection does not outlive a fault, and the fault is told in httpx's words."""
        try:
            yield
        except GeneratorExit:
            raise  # nobody wants the rest; `over` has seen to it
        except BaseException as error:
            self._drop()
            match error:
                case h11.RemoteProtocolError():
                    raise httpx.RemoteProtocolError(str(error)) from error
                case h11.LocalProtocolError():
                    raise httpx.LocalProtocolError(str(error)) from error
                case OSError() if not isinstance(error, TimeoutError):  # that is our caller's own
                    raise httpx.ReadError(str(error)) from error
            raise

    async def _event(self, reader: asyncio.StreamReader) -> Any:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(await reader.read(READ_BYTES))
        return event

    async def _connection(
        self, url: httpx.URL
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._reader is not None and self._writer is not None and self._is_good():
            return self._reader, self._writer
        self._drop()
        port = url.port or (443 if url.scheme == "https" else 80)
        context = self._context if url.scheme == "https" else None
        try:
            async with asyncio.timeout(self._within_s):
                self._reader, self._writer = await asyncio.open_connection(
                    url.host, port, ssl=context
                )
        except TimeoutError as error:
            raise httpx.ConnectTimeout("no connection in time") from error
        except (OSError, UnicodeError, ValueError) as error:  # a host name that can be none
            raise httpx.ConnectError("no connection") from error
        return self._reader, self._writer

    def _is_good(self) -> bool:
        """Neither old nor closed by the peer, and nothing that nobody asked for came in."""
        assert self._writer is not None
        if asyncio.get_running_loop().time() - self._used_at > IDLE_S or self._writer.is_closing():
            return False
        poll = select.poll()
        poll.register(self._writer.get_extra_info("socket"), select.POLLIN)
        return not poll.poll(0)

    def _drop(self) -> None:
        if self._writer is not None:
            with contextlib.suppress(OSError, RuntimeError):  # RuntimeError: the loop is closed
                self._writer.transport.abort()
        self._reader = self._writer = None
        self._http = h11.Connection(h11.CLIENT)


class _Body(httpx.AsyncByteStream):
    def __init__(self, transport: UcmTransport, reader: asyncio.StreamReader) -> None:
        self._transport, self._reader = transport, reader

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._transport.body(self._reader)

    async def aclose(self) -> None:
        self._transport.over()
