"""What an operator asks of the running service: its outbox, its rooms, a resync. Its socket is for
the owner of the data directory only; what it tells are names."""

import contextlib
import os
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from gateway.back.sending import NotPossible
from gateway.clock import Clock
from gateway.house import House
from gateway.logs import logger
from gateway.metrics import GUESTS
from gateway.pipeline.intake import Intake
from gateway.pipeline.look import Drift
from gateway.pipeline.outbox import Outbox
from gateway.pipeline.pump import Pump
from gateway.pipeline.relay import Relay
from gateway.pipeline.step import DROPPED, PARKED, STATES, WAITING, RoomView
from gateway.scope.explain import Finding
from gateway.scope.live import LiveScope
from gateway.store import JournalLine, StorageFailed, Store, StoreWorker
from gateway.web.phones import PhonesDesk
from gateway.web.phones import pages as phone_pages
from gateway.web.postings import Postings
from gateway.web.postings import pages as posting_pages
from gateway.web.views import (
    OPEN_STATES,
    drifts_as_json,
    line_as_json,
    rooms_as_json,
    states_as_json,
    view_as_json,
)

SOCKET_NAME: Final = "control.sock"
JOURNAL_SHOWN: Final = 20


class Declined(Exception):
    """It cannot be done; the text says why and what to do. `status`: the HTTP one."""

    def __init__(self, text: str, status: int = 409) -> None:
        super().__init__(text)
        self.status = status


@dataclass(slots=True)
class Control:
    """The operator's desk inside the service. Methods raise Declined or StorageFailed.

    pumps, scopes   of the lines to the PMS, by their names
    """

    outbox: Outbox
    store: StoreWorker
    house: House
    intake: Intake
    pumps: Mapping[str, Pump]
    relay: Relay
    clock: Clock
    scopes: Mapping[str, LiveScope]
    postings: Postings
    phones: PhonesDesk

    def views(self, states: Sequence[str], room: str | None, limit: int) -> list[RoomView]:
        """Rooms of the outbox in these states, those that have waited longest first."""
        if wrong := sorted(set(states) - set(STATES)):
            raise Declined(f"state {wrong[0]!r} is none of {', '.join(STATES)}", 400)
        if room is not None:
            view = self.outbox.view(room)
            found = [view] if view is not None and view.state in states else []
        else:
            found = list(self.outbox.views(states))[:limit]
        return [self._with_reason(view) for view in found]

    def view(self, room: str) -> RoomView:
        """One room."""
        view = self.outbox.view(room)
        if view is None:
            raise Declined(f"nothing was ever heard of room {room}", 404)
        return self._with_reason(view)

    def _with_reason(self, view: RoomView) -> RoomView:
        """A room that waits for nothing else waits for the UCM."""
        reach = self.relay.reach
        if view.state != WAITING or view.why or reach.is_up:
            return view
        return replace(view, why=f"the UCM does not answer: {reach.trouble}")

    async def journal(self, room: str | None, limit: int = JOURNAL_SHOWN) -> list[JournalLine]:
        """The last calls, of one room or of all."""
        return await self.store(Store.journal, room, limit)

    async def retry(self, room: str) -> RoomView:
        """A parked or dropped room is told again, from what it should show now."""
        view = self.view(room)
        if view.state not in (PARKED, DROPPED) and not (view.state == WAITING and view.attempts):
            raise Declined(f"room {room} is {view.state}: only a refused room can be tried again")
        self.outbox.retry(room)
        self.relay.comparison.is_known = False  # whatever the UCM shows by now
        await self._note(room, "retry")
        logger().info("room_retried", room=room)
        return self.view(room)

    async def drop(self, room: str) -> RoomView:
        """A parked or waiting room is left as it is until the PMS says something new of it."""
        view = self.view(room)
        if view.state not in OPEN_STATES:
            raise Declined(f"room {room} is {view.state}: there is nothing to drop")
        self.outbox.went_wrong(room, DROPPED, "dropped by an operator")
        await self._note(room, "drop")
        logger().warning("room_dropped", room=room)
        return self.view(room)

    async def _note(self, room: str, deed: str) -> None:
        line = JournalLine(at=self.clock.epoch(), room=room, call=deed, result="")
        await self.store(Store.told, self.outbox.told([room]), [line])
        self.relay.changed.set()

    def heal(self) -> str:
        """A human has looked at what differs: it is cured. Returns what holds that up, if any."""
        self.relay.comparison.heals_all = True
        self.outbox.look_again()
        self.relay.changed.set()
        logger().warning("heal_asked")
        reach = self.relay.reach
        if reach.is_up:
            return ""
        return f"asked; the UCM does not answer now ({reach.trouble}): it is done when it is back"

    async def drifts(self) -> Sequence[Drift]:
        """Compare with the UCM now, or as soon as no call is in flight."""
        self.relay.changed.set()
        drifts = await self.relay.comparison.now()
        if drifts is None:
            why = self.relay.reach.trouble or "this API of the UCM has no list of rooms"
            raise Declined(f"the UCM gives no list to compare with: {why}", 503)
        return drifts

    @property
    def pump(self) -> Pump:
        """Of the line of the guests."""
        return self.pumps[GUESTS]

    @property
    def last(self) -> tuple[str, float] | None:
        """Id and moment of the last record of the hotel; None: none since the start."""
        return self.intake.last

    def scope(self, name: str = GUESTS) -> LiveScope:
        """What is recorded of this line."""
        if name not in self.scopes:
            raise Declined(f"line {name!r} is none of {', '.join(self.scopes)}", 404)
        return self.scopes[name]

    def line(self, name: str = GUESTS) -> dict[str, Any]:
        """A line as it is now. Counters and handshake lines are None where there are none."""
        recorder, pump = self.scope(name).recorder, self.pumps[name]
        return {
            "name": name,
            "line": pump.line or recorder.profile.line,
            "protocol": recorder.profile.protocol,
            "lrc": recorder.profile.lrc,
            "ack": recorder.profile.ack,
            "charset": recorder.profile.charset,
            "is_open": recorder.is_open,
            "state": pump.session.state,
            "is_up": pump.session.is_up,
            "modem": recorder.modem,
            "errors": recorder.errors,
            "resyncs": self.house.ledger.resync,
            "in_resync": self.house.ledger.in_resync,
        }

    def known_drifts(self) -> Sequence[Drift]:
        """Rooms in which the UCM differed at the last comparison."""
        return self.relay.comparison.drifts

    def findings(self) -> list[Finding]:
        """What is wrong with the lines of the last hour, the lowest layer first."""
        found = self.scope().findings()
        for name, scope in self.scopes.items():
            if name != GUESTS:
                of_line = f"Line of the {name}"
                found += [
                    replace(each, words=f"{of_line}: {each.words}") for each in scope.findings()
                ]
        return found

    def remark(self, words: str, name: str = GUESTS) -> None:
        """Put a remark into the capture."""
        self.scope(name).recorder.remark(words)

    def resync(self) -> None:
        """Ask the PMS to tell every room."""
        if not self.pump.ask_for_resync():
            state = self.pump.session.state
            raise Declined(
                f"the link to the PMS is {state}: a resync can be asked for once it is up"
            )


def application(control: Control) -> Starlette:
    """The desk over HTTP: JSON in, JSON out; what is declined says so under "error"."""

    def route(path: str, method: str, handle: Callable[[Request], Awaitable[Any]]) -> Route:
        async def answer(request: Request) -> Response:
            try:
                return JSONResponse(await handle(request))
            except Declined as declined:
                return JSONResponse({"error": str(declined)}, status_code=declined.status)
            except NotPossible as error:
                return JSONResponse({"error": str(error)}, status_code=409)
            except StorageFailed as failed:
                return JSONResponse({"error": f"{failed}: {failed.do}"}, status_code=503)
            except ValueError as error:
                return JSONResponse({"error": str(error)}, status_code=400)

        return Route(path, answer, methods=[method])

    zone = control.clock.zone

    async def outbox(request: Request) -> Any:
        asked = request.query_params
        states = tuple(asked.get("state", ",".join(OPEN_STATES)).split(","))
        room, limit = asked.get("room"), int(asked.get("limit", "1000"))
        found = [view_as_json(view, zone) for view in control.views(states, room, limit)]
        return [*found, *control.phones.in_outbox(states, room)]

    async def shown(request: Request) -> Any:
        room = request.path_params["room"]
        told = states_as_json(control.view(room), zone)
        journal = await control.journal(room)
        return {**told, "journal": [line_as_json(line, zone) for line in journal]}

    async def retry(request: Request) -> Any:
        return view_as_json(await control.retry(request.path_params["room"]), zone)

    async def drop(request: Request) -> Any:
        return view_as_json(await control.drop(request.path_params["room"]), zone)

    async def heal(_: Request) -> Any:
        return {"held_up": control.heal()}

    async def rooms(_: Request) -> Any:
        return rooms_as_json(control.house.rooms)

    async def drifts(_: Request) -> Any:
        return drifts_as_json(await control.drifts())

    async def resync(_: Request) -> Any:
        control.resync()
        return {"asked": True}

    def asked_line(request: Request) -> str:
        return str(request.query_params.get("line", GUESTS))

    async def line(request: Request) -> Any:
        return control.line(asked_line(request))

    async def feed(request: Request) -> Response:
        try:
            seconds = float(request.query_params.get("history", "0"))
            lines = control.scope(asked_line(request)).feed(max(0.0, seconds))
        except (ValueError, Declined) as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        return StreamingResponse((line + "\n" async for line in lines), media_type="text/plain")

    async def remark(request: Request) -> Any:
        words = (await request.body()).decode("utf-8", "replace")
        control.remark(words, asked_line(request))
        return {"kept": True}

    return Starlette(
        routes=[
            route("/line", "GET", line),
            Route("/line/feed", feed),
            route("/line/remarks", "POST", remark),
            route("/outbox", "GET", outbox),
            route("/outbox/{room:path}/retry", "POST", retry),
            route("/outbox/{room:path}/drop", "POST", drop),
            route("/outbox/{room:path}", "GET", shown),
            *(route(*each) for each in posting_pages(control.postings)),
            *(route(*each) for each in phone_pages(control.phones)),
            route("/heal", "POST", heal),
            route("/rooms", "GET", rooms),
            route("/drifts", "GET", drifts),
            route("/resync", "POST", resync),
        ]
    )


@contextlib.contextmanager
def reach(folder: Path) -> Iterator[str]:
    """A short name for the socket in this folder: the system allows 107 bytes, a path has more."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{SOCKET_NAME}"
    finally:
        os.close(descriptor)


def listen(folder: Path) -> socket.socket:
    """Bind the socket, for the owner only. One that a crash left is replaced. Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        (folder / SOCKET_NAME).unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with reach(folder) as path:
        before = os.umask(0o177)
        try:
            listener.bind(path)
        finally:
            os.umask(before)
    listener.listen()
    return listener
