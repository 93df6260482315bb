"""The pages: `/` now, `/line`, `/rooms`, `/outbox`, `/findings`, `/about`, and the login."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

import jinja2
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from gateway.console import views
from gateway.console.guard import Guard, Session, fits, is_own_form
from gateway.control import OPEN_STATES, Control, Declined
from gateway.logs import logger
from gateway.pipeline.step import STATES
from gateway.scope.rows import Watcher
from gateway.store import StorageFailed

HERE: Final = Path(__file__).parent
COOKIE: Final = "pmsgw_session"
LOOK_EVERY_S: Final = 0.5
MOST_STREAMS: Final = 16
"""Open pages; one more is told to wait, so that a forgotten browser cannot eat the appliance."""
MOST_FORM_BYTES: Final = 4096
PAST_ROWS: Final = 200
MOST_ROOMS: Final = 20_000

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

_FORMS: Final = {
    "line": "text/plain; charset=utf-8",
    "jsonl": "application/x-ndjson",
    "pcapng": "application/x-pcapng",
}

Status = Callable[[], Awaitable[dict[str, Any]]]
Handle = Callable[[Request, Session | None], Awaitable[Response]]
Change = Callable[[Request, Session, Mapping[str, str]], Awaitable[Response]]


@dataclass(frozen=True)
class Console:
    """Everything that the pages need.

    status      as `/readyz` tells it
    about       sections of names and values; nothing secret in it
    """

    control: Control
    guard: Guard
    status: Status
    about: Callable[[], dict[str, dict[str, str]]]
    site: str
    zone: tzinfo
    streams: set[object] = field(default_factory=set)
    guessing: asyncio.Lock = field(default_factory=asyncio.Lock)
    exporting: asyncio.Lock = field(default_factory=asyncio.Lock)

    def routes(self) -> list[BaseRoute]:
        """What the HTTP listener serves beside the metrics."""
        look, change = self._look, self._change
        return [
            Route("/", look(self._now)),
            Route("/events/now", look(self._now_stream)),
            Route("/line", look(self._line)),
            Route("/events/line", look(self._line_stream)),
            Route("/line/capture", look(self._capture)),
            Route("/rooms", look(self._rooms)),
            Route("/outbox", look(self._outbox)),
            Route("/outbox/{room:path}/{deed}", look(self._confirm), methods=["GET"]),
            Route("/outbox/{room:path}/{deed}", change(self._mend), methods=["POST"]),
            Route("/findings", look(self._findings)),
            Route("/about", look(self._about)),
            Route("/login", self._login, methods=["GET", "POST"]),
            Route("/logout", change(self._logout), methods=["POST"]),
            Route("/names", change(self._names), methods=["POST"]),
            Mount("/static", _Static(directory=HERE / "static")),
        ]

    # --- The door ---

    def _look(self, handle: Handle) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            session = self.guard.session(request.cookies.get(COOKIE))
            if not self._may_look(request, session):
                return RedirectResponse("/login", 303, HEADERS)
            try:
                return await handle(request, session)
            except (Declined, StorageFailed) as error:
                status = error.status if isinstance(error, Declined) else 503
                return self._page(session, "sorry.html", status=status, words=str(error))

        return answer

    def _may_look(self, request: Request, session: Session | None) -> bool:
        headers = request.headers
        is_embedded = headers.get("sec-fetch-mode", "navigate") != "navigate"
        if is_embedded and headers.get("sec-fetch-site") == "cross-site":
            return False  # a picture or a script in somebody else's page
        client = request.client.host if request.client else ""
        return self.guard.may_look(session, host=headers.get("host", ""), client=client)

    def _still(self, request: Request, *, known: bool, names: bool) -> bool:
        """Whether an open page may go on as it began: by a browser that was (not) known, with
        guests (not) shown."""
        session = self.guard.session(request.cookies.get(COOKIE), uses=False)
        as_it_was = (session is not None) == known and _names(session) == names
        return as_it_was and self._may_look(request, session)

    def _change(self, handle: Change) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            session = self.guard.session(request.cookies.get(COOKIE))
            if session is None:
                return RedirectResponse("/login", 303, HEADERS)
            form = await _form(request)
            if not is_own_form(session, form.get("csrf", "")):
                words = (
                    "This form is not from a page of this console, or it is too old: load it again."
                )
                return self._page(session, "sorry.html", status=403, words=words)
            try:
                return await handle(request, session, form)
            except (Declined, StorageFailed) as error:
                status = error.status if isinstance(error, Declined) else 503
                return self._page(session, "sorry.html", status=status, words=str(error))

        return answer

    async def _login(self, request: Request) -> Response:
        hashed = self.guard.password_hash
        if hashed is None:
            return self._page(None, "login.html", status=403, is_set=False, words="")
        if request.method == "GET":
            return self._page(None, "login.html", is_set=True, words="")
        client = request.client.host if request.client else "?"
        form = await _form(request)
        async with self.guessing:  # one at a time: a guess costs 16 MiB, and counts before the next
            pause = self.guard.pause(client)
            if pause > 0:
                words = f"Too many wrong passwords: wait {pause:.0f} seconds."
                return self._page(None, "login.html", status=429, is_set=True, words=words)
            right = await asyncio.to_thread(fits, form.get("password", ""), hashed)
            session = self.guard.judge(client, right=right)
        if session is None:
            logger().warning("console_login_refused", client=client)
            words = "That is not the password."
            return self._page(None, "login.html", status=403, is_set=True, words=words)
        logger().info("console_login", client=client)
        answer = RedirectResponse("/", 303, HEADERS)
        answer.set_cookie(COOKIE, session.token, httponly=True, samesite="strict")
        return answer

    async def _logout(self, _: Request, session: Session, __: Mapping[str, str]) -> Response:
        self.guard.end(session)
        answer = RedirectResponse("/", 303, HEADERS)
        answer.delete_cookie(COOKIE)
        return answer

    async def _names(self, _: Request, session: Session, form: Mapping[str, str]) -> Response:
        session.names = form.get("show") == "yes"
        logger().info("console_names", shown=session.names)
        back = form.get("back", "/")
        return RedirectResponse(
            back if back in ("/line", "/rooms", "/outbox") else "/", 303, HEADERS
        )

    # --- Now ---

    async def _now(self, _: Request, session: Session | None) -> Response:
        return self._page(session, "now.html", **await self._now_told())

    async def _now_told(self) -> dict[str, Any]:
        control = self.control
        status, line = await self.status(), control.line()
        drifts = control.known_drifts()
        return {
            "cards": views.cards(status, line, control.house.rooms),
            "troubles": views.troubles(status, line, control.findings(), drifts),
        }

    async def _now_stream(self, request: Request, session: Session | None) -> Response:
        known, names = session is not None, _names(session)

        async def fragments() -> AsyncIterator[str]:
            shown = ""
            while not self.control.scope.is_over and self._still(request, known=known, names=names):
                text = self._render("_now.html", **await self._now_told())
                if text != shown:
                    shown = text
                    yield text
                else:
                    yield ""
                await asyncio.sleep(LOOK_EVERY_S)

        return self._stream("now", fragments())

    # --- Line ---

    async def _line(self, _: Request, session: Session | None) -> Response:
        scope = self.control.scope
        watcher = Watcher(scope.profile, names=_names(session))
        past = await scope.past(watcher, PAST_ROWS)
        rows = [views.line_row(row, self.zone, scope.profile.charset) for row in reversed(past)]
        line = self.control.line()
        return self._page(session, "line.html", line=line, rows=rows, forms=_FORMS)

    async def _line_stream(self, request: Request, session: Session | None) -> Response:
        known, names = session is not None, _names(session)
        charset = self.control.scope.profile.charset

        async def fragments() -> AsyncIterator[str]:
            async for rows in self.control.scope.rows(last=PAST_ROWS, names=names):
                if not self._still(request, known=known, names=names):
                    return
                yield "".join(
                    self._render("_row.html", row=views.line_row(row, self.zone, charset))
                    for row in rows
                )

        return self._stream("rows", fragments())

    async def _capture(self, request: Request, _: Session | None) -> Response:
        form = request.query_params.get("format", "line")
        if form not in _FORMS:
            raise Declined(f"format {form!r} is none of {', '.join(_FORMS)}", 400)
        if self.exporting.locked():
            raise Declined("another capture is being made: try again", 503)
        async with self.exporting:
            data = await self.control.scope.capture(form)
        name = f'attachment; filename="line.{form}"'
        return Response(
            data, media_type=_FORMS[form], headers={**HEADERS, "Content-Disposition": name}
        )

    # --- Rooms, outbox, findings, about ---

    async def _rooms(self, _: Request, session: Session | None) -> Response:
        control = self.control
        outbox = {view.room: view for view in control.views(STATES, None, MOST_ROOMS)}
        names = _names(session)
        board = views.board(control.house.rooms, control.known_drifts(), outbox, names=names)
        return self._page(session, "rooms.html", board=board)

    async def _outbox(self, _: Request, session: Session | None) -> Response:
        names = _names(session)
        waiting = self.control.views(OPEN_STATES, None, 500)
        entries = [views.entry(view, self.zone, names=names) for view in waiting]
        return self._page(session, "outbox.html", entries=entries)

    async def _confirm(self, request: Request, session: Session | None) -> Response:
        if session is None:
            return RedirectResponse("/login", 303, HEADERS)
        deed = _deed(request)
        view = self.control.view(request.path_params["room"])
        entry = views.entry(view, self.zone, names=session.names)
        return self._page(session, "confirm.html", deed=deed, entry=entry)

    async def _mend(self, request: Request, _: Session, __: Mapping[str, str]) -> Response:
        room = request.path_params["room"]
        await (self.control.retry if _deed(request) == "retry" else self.control.drop)(room)
        return RedirectResponse("/outbox", 303, HEADERS)

    async def _findings(self, _: Request, session: Session | None) -> Response:
        findings = self.control.findings()
        return self._page(
            session, "findings.html", findings=findings, time=lambda at: views.clock(at, self.zone)
        )

    async def _about(self, _: Request, session: Session | None) -> Response:
        return self._page(session, "about.html", sections=self.about())

    # --- Printing ---

    @cached_property
    def _templates(self) -> jinja2.Environment:
        return jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def _render(self, name: str, **values: Any) -> str:
        return self._templates.get_template(name).render(**values)

    def _page(
        self, session: Session | None, name: str, *, status: int = 200, **values: Any
    ) -> Response:
        text = self._render(
            name,
            site=self.site,
            session=session,
            has_password=self.guard.password_hash is not None,
            **values,
        )
        return Response(text, status, HEADERS, "text/html; charset=utf-8")

    def _stream(self, event: str, fragments: AsyncIterator[str]) -> Response:
        """Fragments as server-sent events; an empty one only shows that we are still here."""
        if len(self.streams) >= MOST_STREAMS:
            raise Declined("too many pages are open: close one", 503)

        async def told() -> AsyncIterator[str]:
            place = object()
            self.streams.add(place)
            try:
                async for text in fragments:
                    yield (
                        f"event: {event}\ndata: {json.dumps(text)}\n\n"
                        if text
                        else ": still here\n\n"
                    )
            finally:
                self.streams.discard(place)

        return StreamingResponse(told(), headers=HEADERS, media_type="text/event-stream")


class _Static(StaticFiles):
    """Our own files, with the headers of the pages."""

    async def get_response(self, path: str, scope: Any) -> Response:
        answer = await super().get_response(path, scope)
        answer.headers.update({**HEADERS, "Cache-Control": "max-age=3600"})
        return answer


def _names(session: Session | None) -> bool:
    """Whether guests are shown to this browser."""
    return session is not None and session.names


def _deed(request: Request) -> str:
    deed = str(request.path_params["deed"])
    if deed not in ("retry", "drop"):
        raise HTTPException(404)
    return deed


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form. A body that is no form, or too long, has none."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_FORM_BYTES:
            return {}
    return {name: texts[-1] for name, texts in parse_qs(body.decode("utf-8", "replace")).items()}
