"""Renders pages and streams of events from templates, with the headers that every answer has."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import jinja2
from starlette.responses import Response, StreamingResponse
from starlette.staticfiles import StaticFiles

from gateway.web.console.guard import Session
from gateway.web.control import Declined

HERE: Final = Path(__file__).parent
MOST_STREAMS: Final = 16
"""Open pages; one more is told to wait, so that a forgotten browser cannot eat the appliance."""

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

Events = Mapping[str, object]
"""What a page is told at one moment: events by their name; none: only that we are still here."""


@dataclass(frozen=True)
class Press:
    """The printer of the console.

    time            the time of day that a page shows as its own
    has_password    whether anybody can log in
    streams         open pages
    """

    site: str
    time: Callable[[], str]
    has_password: Callable[[], bool]
    streams: set[object] = field(default_factory=set)

    @cached_property
    def _templates(self) -> jinja2.Environment:
        return jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def render(self, name: str, **values: Any) -> str:
        """A template as text."""
        return self._templates.get_template(name).render(**values)

    def page(
        self, session: Session | None, name: str, *, status: int = 200, **values: Any
    ) -> Response:
        """A whole page; what came of the reader's last deed is on it, once."""
        said = ""
        if session is not None:
            said, session.said = session.said, ""
        text = self.render(
            name,
            site=self.site,
            session=session,
            said=said,
            as_of=self.time(),
            has_password=self.has_password(),
            **values,
        )
        return Response(text, status, HEADERS, "text/html; charset=utf-8")

    def stream(self, events: AsyncIterator[Events]) -> Response:
        """Server-sent events, their data as JSON; after each lot a beat with the time of day."""
        if len(self.streams) >= MOST_STREAMS:
            raise Declined("too many pages are open: close one", 503)

        async def told() -> AsyncIterator[str]:
            place = object()
            self.streams.add(place)
            try:
                async for lot in events:
                    yield "".join(_event(name, data) for name, data in lot.items()) + _event(
                        "beat", self.time()
                    )
            finally:
                self.streams.discard(place)

        return StreamingResponse(told(), headers=HEADERS, media_type="text/event-stream")


def _event(name: str, data: object) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


class Static(StaticFiles):
    """Our own files, with the headers of the pages."""

    async def get_response(self, path: str, scope: Any) -> Response:
        answer = await super().get_response(path, scope)
        answer.headers.update({**HEADERS, "Cache-Control": "max-age=3600"})
        return answer
