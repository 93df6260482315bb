"""What an operator asks of the running service: rows, rooms, a resync. Its socket is for the
owner of the data directory only; what it tells are names."""

import contextlib
import os
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from gateway.clock import Clock
from gateway.house import House, Room
from gateway.logs import logger
from gateway.outbox import OPEN_STATES, STATES, Outbox, OutboxWorker, Row, StorageFailed
from gateway.pump import Pump
from gateway.reconcile import Drift
from gateway.relay import Relay
from gateway.scope.explain import Finding
from gateway.scope.live import LiveScope

SOCKET_NAME: Final = "control.sock"


class Declined(Exception):
    """It cannot be done; the text says why and what to do. `status`: the HTTP one."""

    def __init__(self, text: str, status: int = 409) -> None:
        super().__init__(text)
        self.status = status


def row_as_json(row: Row) -> dict[str, Any]:
    """A row, with what an operator can do about it."""
    advice = ""
    if row.state == "parked":
        advice = (
            f"mend the cause, then `outbox retry {row.id}`; or `outbox drop {row.id}`;"
            " a later record of the room makes it needless by itself"
        )
    return {**asdict(row), "do": advice}


def rooms_as_json(rooms: Mapping[str, Room]) -> list[dict[str, Any]]:
    """Who is in which room by the PMS's word; the first guest is the displayed one."""
    return [
        {
            "room": number,
            "state": "in" if room.guests else "out" if room.is_known_out else "unknown",
            "guests": [
                {
                    "reservation": guest.reservation,
                    "name": guest.name,
                    "first_name": guest.first_name,
                    "arrival": guest.arrival and guest.arrival.isoformat(),
                    "departure": guest.departure and guest.departure.isoformat(),
                }
                for guest in room.guests
            ],
            "wake_ups": [each.isoformat(timespec="minutes") for each in room.wake_ups],
        }
        for number, room in sorted(rooms.items())
    ]


def drifts_as_json(drifts: Sequence[Drift]) -> list[dict[str, Any]]:
    """Rooms that differ, each with what it means."""
    return [{**asdict(drift), "means": _MEANS[drift.kind]} for drift in drifts]


_MEANS: Final = {
    "in": "the UCM shows a guest, the PMS says that nobody is in",
    "out": "the PMS says that a guest is in, the UCM shows nobody",
    "stranger": "the UCM shows somebody else than the PMS",
    "details": "the right guest, shown differently",
    "unlisted": "the UCM's list does not have this room: add it there, or map it under [rooms]",
}


@dataclass(slots=True)
class Control:
    """The operator's desk inside the service. Methods raise Declined or StorageFailed."""

    outbox: OutboxWorker
    house: House
    pump: Pump
    relay: Relay
    clock: Clock
    scope: LiveScope

    async def rows(self, states: Sequence[str], room: str | None, limit: int) -> list[Row]:
        """Rows of the outbox in these states, the newest last."""
        if wrong := sorted(set(states) - set(STATES)):
            raise Declined(f"state {wrong[0]!r} is none of {', '.join(STATES)}", 400)
        await self.outbox.settle()
        return await self.outbox(Outbox.rows, states, room=room, limit=limit)

    async def row(self, id_: int) -> Row:
        """One row, whatever its state."""
        await self.outbox.settle()
        row = await self.outbox(Outbox.row, id_) if id_ < 1 << 63 else None  # what SQLite counts to
        if row is None:
            raise Declined(f"there is no row {id_}: purged, or never made", 404)
        return row

    async def retry(self, id_: int) -> Row:
        """A parked row is delivered again, in its old place."""
        row = await self.row(id_)
        if not await self.outbox(Outbox.retry, id_):
            raise Declined(f"row {id_} is {row.state}: only a parked row can be tried again")
        self.outbox.new_entries.set()
        logger().info("row_retried", row=id_, room=row.room)
        return await self.row(id_)

    async def drop(self, id_: int) -> Row:
        """A parked or waiting row will not be delivered."""
        row = await self.row(id_)
        if not await self.outbox(Outbox.drop, id_, self.clock.epoch()):
            raise Declined(f"row {id_} is {row.state}: there is nothing left to drop")
        self.outbox.new_entries.set()
        logger().warning("row_dropped", row=id_, room=row.room)
        return await self.row(id_)

    async def drifts(self) -> Sequence[Drift]:
        """Compare with the UCM now, or as soon as no call is in flight."""
        drifts = await self.relay.compare_now()
        if drifts is None:
            why = self.relay.ucm_trouble or "this API of the UCM has no list of rooms"
            raise Declined(f"the UCM gives no list to compare with: {why}", 503)
        return drifts

    def line(self) -> dict[str, Any]:
        """The line as it is now. Counters and handshake lines are None where there are none."""
        recorder = self.scope.recorder
        return {
            "line": self.pump.line or recorder.profile.line,
            "lrc": recorder.profile.lrc,
            "ack": recorder.profile.ack,
            "charset": recorder.profile.charset,
            "is_open": recorder.is_open,
            "state": self.pump.session.state,
            "modem": recorder.modem,
            "errors": recorder.errors,
        }

    def known_drifts(self) -> Sequence[Drift]:
        """Rooms in which the UCM differed at the last comparison."""
        return self.relay.known_drifts

    def findings(self) -> list[Finding]:
        """What is wrong with the line of the last hour, the lowest layer first."""
        return self.scope.findings()

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
            except StorageFailed as failed:
                return JSONResponse({"error": f"{failed}: free the disk"}, status_code=503)
            except ValueError as error:
                return JSONResponse({"error": str(error)}, status_code=400)

        return Route(path, answer, methods=[method])

    async def rows(request: Request) -> Any:
        asked = request.query_params
        states = tuple(asked.get("state", ",".join(OPEN_STATES)).split(","))
        found = await control.rows(states, asked.get("room"), int(asked.get("limit", "1000")))
        return [row_as_json(row) for row in found]

    async def row(request: Request) -> Any:
        return row_as_json(await control.row(int(request.path_params["id"])))

    async def retry(request: Request) -> Any:
        return row_as_json(await control.retry(int(request.path_params["id"])))

    async def drop(request: Request) -> Any:
        return row_as_json(await control.drop(int(request.path_params["id"])))

    async def rooms(_: Request) -> Any:
        return rooms_as_json(control.house.rooms)

    async def drifts(_: Request) -> Any:
        return drifts_as_json(await control.drifts())

    async def resync(_: Request) -> Any:
        control.resync()
        return {"asked": True}

    async def line(_: Request) -> Any:
        return control.line()

    async def feed(request: Request) -> Response:
        try:
            seconds = float(request.query_params.get("history", "0"))
        except ValueError as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        lines = control.scope.feed(max(0.0, seconds))
        return StreamingResponse((line + "\n" async for line in lines), media_type="text/plain")

    async def remark(request: Request) -> Any:
        control.scope.recorder.remark((await request.body()).decode("utf-8", "replace"))
        return {"kept": True}

    return Starlette(
        routes=[
            route("/line", "GET", line),
            Route("/line/feed", feed),
            route("/line/remarks", "POST", remark),
            route("/outbox", "GET", rows),
            route("/outbox/{id:int}", "GET", row),
            route("/outbox/{id:int}/retry", "POST", retry),
            route("/outbox/{id:int}/drop", "POST", drop),
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
