"""The pages: `/` now, `/line`, `/rooms`, `/outbox`, `/back`, `/findings`, `/about`, the actions."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from functools import cached_property
from time import perf_counter
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from gateway.pipeline.step import STATES, WAITING
from gateway.scope.explain import not_open
from gateway.store import JournalLine, StorageFailed
from gateway.web import words
from gateway.web.console import board, now
from gateway.web.console.back import BackPages
from gateway.web.console.day import Day
from gateway.web.console.door import Door, shows_names
from gateway.web.console.guard import Guard, Session
from gateway.web.console.line_pages import LinePages
from gateway.web.console.picture import picture
from gateway.web.console.press import HEADERS, HERE, Events, Press, Static
from gateway.web.control import Control
from gateway.web.views import OPEN_STATES

LOOK_EVERY_S: Final = 0.5
LOOK_AT_ROOMS_EVERY_S: Final = 2.0
"""A large house has thousands of rooms, and each of them is compared anew."""
IDLE_SHARE: Final = 9
"""A page that takes long to make is made less often: records share the loop with it."""
MOST_ROOMS: Final = 20_000
MOST_OPEN: Final = 500
OUTCOME_WITHIN_S: Final = 1.5
"""So long who has said "retry" waits to read what came of it."""

_PLAIN: Final = {"None": "not set", "": "not set", "{}": "none", "()": "none",
                 "True": "yes", "False": "no"}  # fmt: skip

Status = Callable[[], Awaitable[dict[str, Any]]]
Values = Callable[[Session | None], Awaitable[dict[str, Any]]]


@dataclass(frozen=True)
class Console:
    """Everything that the pages need.

    decimals    of the site's tariff; None: it prices no calls
    status      as `/readyz` tells it
    about       sections of names and values; nothing secret in it
    day         counts of the last day
    """

    control: Control
    guard: Guard
    status: Status
    about: Callable[[], dict[str, dict[str, str]]]
    day: Day
    site: str
    zone: tzinfo
    decimals: int | None = None

    @cached_property
    def press(self) -> Press:
        """What prints the pages."""
        return Press(
            site=self.site,
            time=lambda: f"{self.control.clock.wall():%H:%M:%S}",
            has_password=lambda: self.guard.password_hash is not None,
        )

    @cached_property
    def door(self) -> Door:
        """What every request has to pass."""
        return Door(self.guard, self.press)

    @cached_property
    def back(self) -> BackPages:
        """What goes back to the PMS."""
        is_on = self.control.postings.lanes is not None
        return BackPages(self.control, self.door, self.press, self.zone, is_on, self.decimals)

    @cached_property
    def line(self) -> LinePages:
        """The lines to the PMS."""
        return LinePages(self.control, self.door, self.press, self.zone)

    def routes(self) -> list[BaseRoute]:
        """What the HTTP listener serves beside the metrics."""
        look, change = self.door.look, self.door.change
        return [
            *self._live("/", "now", self._now, LOOK_EVERY_S),
            *self._live("/rooms", "rooms", self._rooms, LOOK_AT_ROOMS_EVERY_S),
            *self._live("/outbox", "outbox", self._outbox, LOOK_EVERY_S * 2),
            *self._live("/back", "back", self.back.values, LOOK_AT_ROOMS_EVERY_S),
            *self.back.routes(),
            *self._live("/findings", "findings", self._findings, LOOK_EVERY_S * 2),
            *self._live("/about", "about", self._about, LOOK_AT_ROOMS_EVERY_S),
            *self.line.routes(),
            Route("/resync", change(self._resync), methods=["POST"]),
            Route("/outbox/{room:path}/{deed}", look(self._confirm), methods=["GET"]),
            Route("/outbox/{room:path}/{deed}", change(self._mend), methods=["POST"]),
            Route("/login", self.door.login, methods=["GET", "POST"]),
            Route("/logout", change(self.door.logout), methods=["POST"]),
            Route("/names", change(self.door.names), methods=["POST"]),
            Mount("/static", Static(directory=HERE / "static")),
            Route("/{path:path}", look(self._missing)),
        ]

    def _live(self, path: str, name: str, values: Values, every_s: float) -> list[BaseRoute]:
        """A page and the stream that renews its part `_name.html`."""

        async def page(_: Request, session: Session | None) -> Response:
            return self.press.page(session, f"{name}.html", **await values(session))

        async def stream(request: Request, session: Session | None) -> Response:
            may_go_on = self.door.as_it_was(request, session)

            async def events() -> AsyncIterator[Events]:
                shown = ""
                while not self.control.scope().is_over and may_go_on():
                    began = perf_counter()
                    text = self.press.render(f"_{name}.html", **await values(session))
                    took_s = perf_counter() - began
                    yield {name: text} if text != shown else {}
                    shown = text
                    await asyncio.sleep(max(every_s, IDLE_SHARE * took_s))

            return self.press.stream(events())

        look = self.door.look
        return [Route(path, look(page)), Route(f"/events/{name}", look(stream))]

    async def _missing(self, _: Request, session: Session | None) -> Response:
        return self.press.page(session, "missing.html", status=404)

    # --- Pages ---

    async def _now(self, _: Session | None) -> dict[str, Any]:
        control, day = self.control, self.day
        relay, pump = control.relay, control.pump
        today, whole_day = day.today()
        site = now.Site(
            status=await self.status(),
            lines=[control.line(name) for name in control.scopes],
            rooms=control.house.rooms,
            phones=control.phones.views(),
            open=control.views(OPEN_STATES, None, MOST_ROOMS),
            drifts=control.known_drifts(),
            compared_at=relay.comparison.looked_at,
            findings=control.findings(),
            moments=pump.moments,
            ucm_at=relay.reach.since,
            last=control.last,
            today=today,
            whole_day=whole_day,
            zone=self.zone,
            now=control.clock.epoch(),
        )
        return {
            "cards": now.cards(site),
            "troubles": now.troubles(site),
            "picture": picture(day.quarters(), day.ticks(), day.since, self.zone),
            "counts_since": words.since(day.since, self.zone, site.now),
        }

    async def _rooms(self, session: Session | None) -> dict[str, Any]:
        control = self.control
        at, reach = control.clock.epoch(), control.relay.reach
        away = "" if reach.is_up else words.since(reach.since, self.zone, at) or "yet"
        cards = board.board(
            control.house.rooms,
            control.known_drifts(),
            {view.room: view for view in control.views(STATES, None, MOST_ROOMS)},
            self.zone,
            at,
            names=shows_names(session),
            away=away,
            phones={phone.room: phone for phone in control.phones.views()},
        )
        states = " ".join(board.STATES)
        return {"board": cards, "states": states, "names": shows_names(session)}

    async def _outbox(self, session: Session | None) -> dict[str, Any]:
        names, at = shows_names(session), self.control.clock.epoch()
        journal = await self._journal()
        lines = [board.delivered(each, self.zone, at, names=names) for each in reversed(journal)]
        views = self.control.views(OPEN_STATES, None, MOST_OPEN)
        behind = [phone for phone in self.control.phones.views() if phone.step]
        return {
            "entries": [
                *(board.entry(view, self.zone, at, names=names) for view in views),
                *(board.phone_entry(phone, self.zone, at) for phone in behind),
            ],
            "delivered": lines,
        }

    async def _journal(self, limit: int = 20) -> list[JournalLine]:
        """The last calls; none while the disk does not give them."""
        try:
            return await self.control.journal(None, limit)
        except StorageFailed:
            return []

    async def _findings(self, _: Session | None) -> dict[str, Any]:
        at, control = self.control.clock.epoch(), self.control
        closed = [line for name in control.scopes if not (line := control.line(name))["is_open"]]
        findings = [*(not_open(line["line"]) for line in closed), *control.findings()]
        return {
            "findings": now.texts(findings, self.zone, at),
            "time": lambda moment: words.clock(moment, self.zone),
        }

    async def _about(self, _: Session | None) -> dict[str, Any]:
        return {
            "sections": {
                title: {name: _PLAIN.get(value, value) for name, value in values.items()}
                for title, values in self.about().items()
            }
        }

    # --- Deeds ---

    async def _resync(self, _: Request, session: Session, __: Mapping[str, str]) -> Response:
        self.control.resync()
        session.said = (
            "The PMS was asked to tell every room: the part Resync below says what comes of it."
        )
        return RedirectResponse("/", 303, HEADERS)

    async def _confirm(self, request: Request, session: Session | None) -> Response:
        deed = request.path_params["deed"]
        if deed not in ("retry", "drop"):
            return await self._missing(request, session)
        if session is None:
            return self.door.to_login(request)
        view = self.control.view(request.path_params["room"])
        at = self.control.clock.epoch()
        entry = board.entry(view, self.zone, at, names=session.names)
        return self.press.page(session, "confirm.html", deed=deed, entry=entry)

    async def _mend(self, request: Request, session: Session, _: Mapping[str, str]) -> Response:
        room, deed = request.path_params["room"], request.path_params["deed"]
        if deed not in ("retry", "drop"):
            return await self._missing(request, session)
        if deed == "drop":
            await self.control.drop(room)
            session.said = f"Room {room} is dropped until the PMS says something new of it."
        else:
            await self.control.retry(room)
            session.said = await self._came_of(room)
        return RedirectResponse("/outbox", 303, HEADERS)

    async def _came_of(self, room: str) -> str:
        """What a retry came to, if that is known soon."""
        for _ in range(int(OUTCOME_WITHIN_S / 0.1)):
            if self.control.view(room).state != WAITING:
                break
            await asyncio.sleep(0.1)
        view = self.control.view(room)
        if view.state == WAITING:
            why = f" {words.sentence(words.reason(view.why))}" if view.why else ""
            return f"Room {room} is waiting to be told again.{why}"
        if view.state in OPEN_STATES:
            return words.sentence(f"Room {room} was refused again: {words.reason(view.why)}")
        return f"Room {room}: the UCM shows now what the PMS says."
