"""What a browser or a scraper may ask: `/metrics`, `/healthz`, `/readyz`."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol

from gateway.metrics import Metrics

IDLE_S: Final = 30.0
"""For the first question, and for the rest of one that was begun; behind an answer uvicorn waits
five."""
MOST_CONNECTIONS: Final = 100

Status = Callable[[], Awaitable[dict[str, Any]]]
"""Gives the parts of the service: each a dict with `ok` and words."""
Pages = Callable[[], Sequence[BaseRoute]]
Refresh = Callable[[], Awaitable[None]]
"""Brings the gauges up to date before a scrape."""


class _OnDemand:
    """Pages that are made when somebody looks: most gateways are only scraped."""

    def __init__(self, make: Pages) -> None:
        self._make = make
        self._made: ASGIApp | None = None
        self._one = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._one:
            if self._made is None:
                routes = await asyncio.to_thread(self._make)  # its imports take their time
                self._made = Starlette(routes=routes)
        await self._made(scope, receive, send)


def application(
    metrics: Metrics,
    refresh: Refresh,
    status: Status,
    pages: Pages | None = None,
) -> Starlette:
    """What the listener serves.

    refresh     brings the gauges up to date before a scrape
    status      {"loop": {...}, "outbox": {...}, "link": {...}, "ucm": {...}}
    pages       makes what else there is, when it is asked for the first time
    """

    async def expose(_: Request) -> Response:
        await refresh()
        return Response(metrics.expose(), media_type=metrics.content_type)

    async def answer(wanted: tuple[str, ...]) -> Response:
        parts = await status()
        ok = all(parts[name]["ok"] for name in wanted)
        body = {"status": "ok" if ok else "failing", **parts}
        return JSONResponse(body, status_code=200 if ok else 503)

    async def healthz(_: Request) -> Response:
        return await answer(("outbox",))

    async def readyz(_: Request) -> Response:
        return await answer(("link", "ucm"))

    return Starlette(
        routes=[
            Route("/metrics", expose),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            *([Mount("/", _OnDemand(pages))] if pages is not None else ()),
        ]
    )


def bind(address: str) -> socket.socket:
    """A listener on HOST:PORT. Raises OSError."""
    host, port = address.rsplit(":", 1)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host.strip("[]"), int(port)), family=family)
    # Inherited by each connection; asyncio sets it only on sockets that it has made itself. Without
    # it the second of two packets waits 40 ms for the peer's ACK of the first.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


class HttpServer:
    """The listener. Its socket is bound before anything else starts: a taken port is told.

    tls     with which it speaks; None: plain HTTP
    """

    def __init__(
        self, app: ASGIApp, listener: socket.socket, *, tls: ssl.SSLContext | None = None
    ) -> None:
        self._socket = listener
        config = Config(
            app, http=_Impatient, log_config=None, lifespan="off", access_log=False, ws="none",
            server_header=False, date_header=False,
        )  # fmt: skip
        config.load()
        config.ssl = tls  # uvicorn itself takes names of files only, and reads them too late
        self._server = _Quiet(config)

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._socket.getsockname()[1])

    async def run(self) -> None:
        """Serve until `stop`."""
        await self._server.serve(sockets=[self._socket])

    async def stop(self) -> None:
        """Answer what is being answered, briefly, and end."""
        self._server.end()
        await asyncio.sleep(0)


class _Impatient(H11Protocol):
    """A connection that asks nothing is closed, and there are so many at most: each takes an open
    file, and without one left nobody could dial the line.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._seen: object = None
        self._look_at = self.loop.call_later(IDLE_S, self._look)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._look_at.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        cycle: Any = self.cycle
        is_answering = cycle is not None and not cycle.response_complete
        if not is_answering and cycle is self._seen:
            # Nothing since the last look, or half a question, or an answer that nobody takes.
            self.transport.abort()
        self._seen = cycle
        self._look_at = self.loop.call_later(IDLE_S, self._look)


class _Quiet(Server):
    """A server that leaves the process's signals to the app, and sleeps while nobody asks:
    uvicorn's own looks ten times a second whether it should end.
    """

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._over = asyncio.Event()

    def end(self) -> None:
        """Let `serve` come to its end."""
        self.should_exit = True
        self._over.set()

    async def main_loop(self) -> None:
        await self.on_tick(0)  # the headers of every answer
        await self._over.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
