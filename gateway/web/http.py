"""What a browser or a scraper may ask: `/metrics`, `/healthz`, `/readyz`."""

import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp
from uvicorn import Config, Server

SILENT_S: Final = 30
"""How long the kernel keeps a connection that asks nothing; until then it costs no open file."""


class Exposes(Protocol):
    """Gives the text of the metrics, and its type."""

    content_type: str

    def expose(self) -> bytes:
        """All of them."""


Status = Callable[[], Awaitable[dict[str, Any]]]
"""Gives the parts of the service: each a dict with `ok` and words."""
Refresh = Callable[[], Awaitable[None]]
"""Brings the gauges up to date before a scrape."""


def application(
    metrics: Exposes,
    refresh: Refresh,
    status: Status,
    pages: Sequence[BaseRoute] = (),
) -> Starlette:
    """What the listener serves.

    refresh     brings the gauges up to date before a scrape
    status      {"loop": {...}, "outbox": {...}, "link": {...}, "ucm": {...}}
    pages       what else there is
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
            *pages,
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
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, SILENT_S)
    return listener


class HttpServer:
    """The listener. Its socket is bound before anything else starts: a taken port is told.

    cert, key   PEM files of its certificate; None: plain HTTP. Raises OSError when they do not fit
    """

    def __init__(
        self,
        app: ASGIApp,
        listener: socket.socket,
        *,
        cert: Path | None = None,
        key: Path | None = None,
    ) -> None:
        self._socket = listener
        config = Config(
            app, log_config=None, lifespan="off", access_log=False, ws="none",
            server_header=False, date_header=False, timeout_graceful_shutdown=1,
            ssl_certfile=cert, ssl_keyfile=key,
        )  # fmt: skip
        config.load()
        self._server = _Server(config)

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._socket.getsockname()[1])

    async def run(self) -> None:
        """Serve until `stop`."""
        await self._server.serve(sockets=[self._socket])

    def stop(self) -> None:
        """Answer what is being answered, briefly, and end."""
        self._server.should_exit = True


class _Server(Server):
    """uvicorn's, which leaves the signals of the process to the daemon."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
