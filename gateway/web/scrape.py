"""The second listener: metrics and health for a Prometheus elsewhere, and nothing else."""

import hmac
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.config.model import Scraped
from gateway.metrics import Metrics
from gateway.web.http import HttpServer, Refresh, Status, application, bind

_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="pms-gateway"'}


def listen(settings: Scraped, metrics: Metrics, refresh: Refresh, status: Status) -> HttpServer:
    """`/metrics`, `/healthz` and `/readyz` on their own port. Raises OSError."""
    app: ASGIApp = application(metrics, refresh, status)
    if settings.token:
        app = _Bearer(app, settings.token)
    return HttpServer(app, bind(settings.address), cert=settings.cert, key=settings.key)


class _Bearer:
    """Lets through who knows the token; everybody else learns only that there is one."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scheme, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
        # How long the comparison takes says nothing of how much of a guess was right.
        if scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), self._token):
            await self._app(scope, receive, send)
            return
        answer = PlainTextResponse("a bearer token is needed\n", 401, _CHALLENGE)
        await answer(scope, receive, send)
