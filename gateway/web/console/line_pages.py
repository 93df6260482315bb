"""The pages of a line: its transactions as they come, captures, and remarks."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from gateway.metrics import GUESTS
from gateway.scope.rows import Row, Watcher
from gateway.store import StorageFailed
from gateway.web.console import line
from gateway.web.console.door import Door, shows_names
from gateway.web.console.guard import Session
from gateway.web.console.line import Followed
from gateway.web.console.press import HEADERS, Events, Press
from gateway.web.control import Control, Declined
from gateway.web.views import OPEN_STATES
from gateway.web.words import Told

PAST_ROWS: Final = 200
MOST_OPEN: Final = 500
MOST_CALLS: Final = 200
"""Calls of the journal that are looked through for what became of the rows of the line."""

_FORMS: Final = {
    "line": "text/plain; charset=utf-8",
    "jsonl": "application/x-ndjson",
    "pcapng": "application/x-pcapng",
}
_MINUTES: Final = (5, 15, 60)


def _asked(request: Request) -> str:
    """The name of the line that is asked for."""
    return str(request.query_params.get("line", GUESTS))


@dataclass(frozen=True)
class LinePages:
    """What the console serves under `/line`; `?line=` says which, where there are two."""

    control: Control
    door: Door
    press: Press
    zone: tzinfo
    exporting: asyncio.Lock = field(default_factory=asyncio.Lock)

    def routes(self) -> list[BaseRoute]:
        """The page, its stream, and its actions."""
        look, change = self.door.look, self.door.change
        return [
            Route("/line", look(self._line)),
            Route("/events/line", look(self.line_stream)),
            Route("/line/capture", look(self._capture)),
            Route("/line/remarks", change(self._remark), methods=["POST"]),
        ]

    async def _line(self, request: Request, session: Session | None) -> Response:
        name = _asked(request)
        scope = self.control.scope(name)
        watcher = Watcher(scope.profile, names=shows_names(session))
        past = await scope.past(watcher, PAST_ROWS)
        followed = [each for id_, row in enumerate(past) if (each := line.followed(id_, row))]
        charset = scope.profile.charset
        became = await self._fates(followed, charset, names=shows_names(session))
        rows = [
            (id_, line.line_row(row, self.zone, charset, became.get(id_, line.NOTHING)))
            for id_, row in enumerate(past)
        ]
        return self.press.page(
            session,
            "line.html",
            line=self.control.line(name),
            lines=list(self.control.scopes),
            rows=rows[::-1],
            forms=_FORMS,
            minutes=_MINUTES,
        )

    async def _fates(self, rows: list[Followed], charset: str, *, names: bool) -> dict[int, Told]:
        if not rows:
            return {}
        try:
            journal = await self.control.journal(None, MOST_CALLS)
        except StorageFailed:
            journal = []  # the disk does not give them now
        views = self.control.views(OPEN_STATES, None, MOST_OPEN)
        return line.fates(rows, journal, views, self.zone, charset, names=names)

    async def line_stream(self, request: Request, session: Session | None) -> Response:
        """Transactions as they come, and what becomes of those that are told already."""
        may_go_on, names = self.door.as_it_was(request, session), shows_names(session)
        name = _asked(request)
        scope = self.control.scope(name)

        async def events() -> AsyncIterator[Events]:
            count = 0
            followed: deque[Followed] = deque(maxlen=PAST_ROWS)
            shown: dict[int, Told] = {}
            async for rows in scope.rows(last=PAST_ROWS, names=names):
                if not may_go_on():
                    return
                numbered = list(enumerate(rows, count))
                count += len(rows)
                followed.extend(each for id_, row in numbered if (each := line.followed(id_, row)))
                became = await self._fates(list(followed), scope.profile.charset, names=names)
                news, shown = line.changed(shown, became), became
                told = "".join(self._row(name, id_, row, became) for id_, row in numbered)
                outcomes = [[id_, each.tone, each.words] for id_, each in news.items()]
                yield {
                    **({"rows": told} if told else {}),
                    **({"outcomes": outcomes} if outcomes else {}),
                }

        return self.press.stream(events())

    def _row(self, name: str, id_: int, row: Row, became: Mapping[int, Told]) -> str:
        control = self.control
        charset = control.scope(name).profile.charset
        told = line.line_row(row, self.zone, charset, became.get(id_, line.NOTHING))
        return self.press.render("_row.html", id=id_, row=told, line=control.line(name))

    async def _capture(self, request: Request, _: Session | None) -> Response:
        asked = request.query_params
        form, minutes = asked.get("format", "line"), asked.get("minutes", "all")
        if form not in _FORMS:
            raise Declined(f"format {form!r} is none of {', '.join(_FORMS)}", 400)
        if minutes not in ("all", *map(str, _MINUTES)):
            raise Declined(f"minutes are one of {', '.join(map(str, _MINUTES))}, all", 400)
        if self.exporting.locked():
            raise Declined("another capture is being made: try again", 503)
        async with self.exporting:
            last_s = None if minutes == "all" else int(minutes) * 60.0
            data = await self.control.scope(_asked(request)).capture(form, last_s)
        name = f'attachment; filename="line.{form}"'
        headers = {**HEADERS, "Content-Disposition": name}
        return Response(data, media_type=_FORMS[form], headers=headers)

    async def _remark(
        self, request: Request, session: Session, form: Mapping[str, str]
    ) -> Response:
        text = " ".join(form.get("words", "").split())
        if text:
            self.control.remark(text, _asked(request))
        session.said = "The remark is in the capture." if text else "The remark was empty."
        return RedirectResponse(f"/line?line={_asked(request)}", 303, HEADERS)
