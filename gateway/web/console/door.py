"""The console's door: who may see a page, who may change something, login and logout."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.config.password_hash import fits
from gateway.logs import logger
from gateway.store import StorageFailed
from gateway.web.console.guard import Guard, Session, is_own_form
from gateway.web.console.press import HEADERS, Press
from gateway.web.control import Declined

COOKIE: Final = "pmsgw_session"
MOST_FORM_BYTES: Final = 4096
WITH_NAMES: Final = ("/line", "/rooms", "/outbox", "/back")
"""Pages on which guests can be shown."""

Handle = Callable[[Request, Session | None], Awaitable[Response]]
Change = Callable[[Request, Session, Mapping[str, str]], Awaitable[Response]]


@dataclass(frozen=True)
class Door:
    """Everything that a request has to pass."""

    guard: Guard
    press: Press
    guessing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def look(self, handle: Handle) -> Callable[[Request], Awaitable[Response]]:
        """A page: for who may look."""

        async def answer(request: Request) -> Response:
            session = self.guard.session(request.cookies.get(COOKIE))
            if not self._may_look(request, session):
                return self.to_login(request)
            try:
                return await handle(request, session)
            except (Declined, StorageFailed) as error:
                return self._sorry(session, error)

        return answer

    def change(self, handle: Change) -> Callable[[Request], Awaitable[Response]]:
        """A deed: for who is logged in, by a form of ours."""

        async def answer(request: Request) -> Response:
            session = self.guard.session(request.cookies.get(COOKIE))
            if session is None:
                return RedirectResponse("/login", 303, HEADERS)
            form = await _form(request)
            if not is_own_form(session, form.get("csrf", "")):
                words = (
                    "This form is not from a page of this console, or it is too old: load it again."
                )
                return self.press.page(session, "sorry.html", status=403, words=words)
            try:
                return await handle(request, session, form)
            except (Declined, StorageFailed) as error:
                return self._sorry(session, error)

        return answer

    @staticmethod
    def to_login(request: Request) -> Response:
        """Log in first, then come back to this page."""
        return RedirectResponse(f"/login?{urlencode({'back': request.url.path})}", 303, HEADERS)

    def _sorry(self, session: Session | None, error: Declined | StorageFailed) -> Response:
        status = error.status if isinstance(error, Declined) else 503
        return self.press.page(session, "sorry.html", status=status, words=str(error))

    def _may_look(self, request: Request, session: Session | None) -> bool:
        headers = request.headers
        is_embedded = headers.get("sec-fetch-mode", "navigate") != "navigate"
        if is_embedded and headers.get("sec-fetch-site") == "cross-site":
            return False  # a picture or a script in somebody else's page
        client = request.client.host if request.client else ""
        return self.guard.may_look(session, host=headers.get("host", ""), client=client)

    def as_it_was(self, request: Request, session: Session | None) -> Callable[[], bool]:
        """Says whether an open page may go on as it begins now: by a browser that is (not) known,
        with guests (not) shown."""
        was_known, showed_names = session is not None, shows_names(session)

        def may_go_on() -> bool:
            now = self.guard.session(request.cookies.get(COOKIE), uses=False)
            is_same = (now is not None) == was_known and shows_names(now) == showed_names
            return is_same and self._may_look(request, now)

        return may_go_on

    async def login(self, request: Request) -> Response:
        """The password."""
        hashed = self.guard.password_hash
        if hashed is None:
            return self.press.page(None, "login.html", status=403, is_set=False, words="")
        if request.method == "GET":
            back = request.query_params.get("back", "/")
            return self.press.page(None, "login.html", is_set=True, words="", back=back)
        client = request.client.host if request.client else "?"
        form = await _form(request)
        back = form.get("back", "/")
        async with self.guessing:  # one at a time: a guess costs 16 MiB, and counts before the next
            pause = self.guard.pause(client)
            if pause > 0:
                words = f"Too many wrong passwords: wait {pause:.0f} seconds."
                return self.press.page(
                    None, "login.html", status=429, is_set=True, words=words, back=back
                )
            right = await asyncio.to_thread(fits, form.get("password", ""), hashed)
            session = self.guard.judge(client, right=right)
        if session is None:
            logger().warning("console_login_refused", client=client)
            words = "That is not the password."
            return self.press.page(
                None, "login.html", status=403, is_set=True, words=words, back=back
            )
        logger().info("console_login", client=client)
        is_ours = re.fullmatch(r"/(?!/)[^\\]*", back)  # the link may be from somebody else's page
        answer = RedirectResponse(back if is_ours else "/", 303, HEADERS)
        answer.set_cookie(COOKIE, session.token, httponly=True, samesite="strict")
        return answer

    async def logout(self, _: Request, session: Session, __: Mapping[str, str]) -> Response:
        """He leaves."""
        self.guard.end(session)
        answer = RedirectResponse("/", 303, HEADERS)
        answer.delete_cookie(COOKIE)
        return answer

    async def names(self, _: Request, session: Session, form: Mapping[str, str]) -> Response:
        """Guests are shown to him, or masked again."""
        session.names = form.get("show") == "yes"
        logger().info("console_names", shown=session.names)
        back = form.get("back", "/")
        return RedirectResponse(back if back in WITH_NAMES else "/", 303, HEADERS)


def shows_names(session: Session | None) -> bool:
    """Whether guests are shown to this browser."""
    return session is not None and session.names


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form. A body that is no form, or too long, has none."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_FORM_BYTES:
            return {}
    return {name: texts[-1] for name, texts in parse_qs(body.decode("utf-8", "replace")).items()}
