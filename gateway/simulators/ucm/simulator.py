"""The HTTPS server of a simulated UCM, with a few pages to steer it by hand.

POST /api       the new API
GET  /pmsapi    the old API
GET  /_sim/rooms, /_sim/journal
GET  /websockify    the WebSocket
POST /_sim/faults, /_sim/rooms, /_sim/calls, /_sim/maids, /_sim/messages, /_sim/wake_ups,
     /_sim/rings, /_sim/minibars, /_sim/reboot, /_sim/unban
"""

import asyncio
import json
import ssl
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import h11

from gateway.simulators.ucm.faults import Dropped, Hanging
from gateway.simulators.ucm.module import PmsModule
from gateway.simulators.ucm.new_api import NewApi
from gateway.simulators.ucm.old_api import OldApi
from gateway.simulators.ucm.replies import Reply, invalid, json_reply
from gateway.simulators.ucm.websocket import PATH, Sockets

MAX_REQUEST_LINE: Final = 4096
NEVER_S: Final = 3600
"""Longer than any client waits."""


@dataclass(slots=True)
class UcmSimulator(PmsModule):
    """One UCM on loopback.

    seed        of the faults' chances
    wedged      it takes requests and answers none, until a reboot
    port        on which it listens
    context     of TLS, once it is started with a certificate
    """

    seed: int = 0
    wedged: bool = False
    port: int = 0
    context: ssl.SSLContext | None = None
    new_api: NewApi = field(init=False)
    old_api: OldApi = field(init=False)
    sockets: Sockets = field(init=False)
    _server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.rng.seed(self.seed)
        self.new_api, self.old_api = NewApi(self), OldApi(self)
        self.sockets = Sockets(self.settings)

    @property
    def logins(self) -> int:
        return self.new_api.logins

    @property
    def failed_logins(self) -> int:
        return self.new_api.failed_logins

    @property
    def most_logins_at_once(self) -> int:
        return self.new_api.most_logins_at_once

    async def start(self, pem: Path | None, *, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen, with TLS when a PEM file is given. Returns the port."""
        self.context = None
        if pem is not None:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(pem)
        self._server = await asyncio.start_server(self._serve, host, port, ssl=self.context)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self.port

    async def stop(self) -> None:
        """Stop listening and cut every connection; rooms and guests stay."""
        if self._server is not None:
            self._server.close()
        self.cut()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.sleep(0)

    def cut(self) -> None:
        """Every connection ends in the middle of what it is doing."""
        for writer in tuple(self._writers):
            writer.transport.abort()

    def reboot(self) -> None:
        """Every cookie is gone, rooms and guests stay."""
        self.wedged = False
        self.new_api.forget()
        self.cut()

    # --- What happens in the rooms, and what the UCM tells of it ---

    def key_status(self, address: str, status: int, *, maid: str = "0000", at: str = "") -> None:
        """See `Rooms.key_status`; the event says neither maid nor moment."""
        self.rooms.key_status(address, status, maid=maid, at=at)
        body = {"Extension": address, "RoomActionStatus": str(status)}
        self.sockets.emit("PMSRoomStatus", body)

    def leave_message(self, address: str) -> None:
        """See `Rooms.leave_message`."""
        self.rooms.leave_message(address)
        room = self.rooms.rooms[address]
        body = {"extensions": address, "newmsg": room.messages, "urgemsg": 0, "oldmsg": room.heard}
        self.sockets.emit("VoiceMailStatus", body)

    def key_wake_up(self, address: str, at: str = "", *, daily: bool = False) -> None:
        """See `Rooms.key_wake_up`; the event has lost what was keyed."""
        self.rooms.key_wake_up(address, at, daily=daily)
        body = {"PMSActionStatus": "update", "Extension": address, "WakeupActionStatus": "1"}
        self.sockets.emit("PMSWakeupStatus", body)

    def ring(
        self, address: str, ending: str, *, silent: bool = False, forgets: bool = False
    ) -> None:
        """See `Rooms.ring`. `silent`: without an event; `forgets`: the event alone says it."""
        if not forgets:
            self.rooms.ring(address, ending)
        if not silent:
            body = {"Extension": address, "WakeupActionStatus": "2", "WakeupAnswerStatus": ending}
            self.sockets.emit("PMSWakeupStatus", body)

    def take(self, address: str, article: str, count: int = 1) -> None:
        """See `Rooms.take`; the minibar has no event of its own."""
        self.rooms.take(address, article, count)

    # --- Requests ---

    async def respond(self, request: h11.Request, body: bytes) -> Reply:
        """The reply to one request. Raises Dropped; never returns when the UCM hangs."""
        url = urlsplit(request.target.decode("latin-1"))
        if url.path.startswith("/_sim/"):
            return self._steer(f"{request.method.decode()} {url.path}", body)
        if self.wedged:
            await asyncio.sleep(NEVER_S)
        if self.settings.latency_s:
            await asyncio.sleep(self.settings.latency_s)
        try:
            if url.path == "/pmsapi":
                return await self.old_api.answer(request, url.query)
            if request.method == b"POST" and url.path.rstrip("/") == "/api":
                return await self.new_api.answer(body)
        except Hanging:
            await asyncio.sleep(NEVER_S)
            raise Dropped from None
        return invalid()

    def _steer(self, page: str, body: bytes) -> Reply:
        try:
            given = json.loads(body) if body else {}
            match page:
                case "GET /_sim/rooms":
                    rooms = self.rooms.rooms.values()
                    return json_reply({room.address: asdict(room) for room in rooms})
                case "GET /_sim/journal":
                    return json_reply([asdict(call) for call in self.journal])
                case "POST /_sim/faults":
                    self.fail(**given)
                case "POST /_sim/rooms":
                    self.rooms.add(*given["add"])
                case "POST /_sim/maids":
                    self.key_status(**given)
                case "POST /_sim/messages":
                    self.leave_message(**given)
                case "POST /_sim/wake_ups":
                    self.key_wake_up(**given)
                case "POST /_sim/rings":
                    self.ring(**given)
                case "POST /_sim/minibars":
                    self.take(**given)
                case "POST /_sim/calls":
                    self.sockets.emit("ActiveCallStatus", {"action": "delete"})
                    return json_reply(self.phones.call(**given))
                case "POST /_sim/reboot":
                    self.reboot()
                case "POST /_sim/unban":
                    self.new_api.unban()
                case _:
                    return Reply(404)
        except (ValueError, TypeError, KeyError) as error:
            return Reply(400, str(error).encode())
        return json_reply({"status": "ok"})

    # --- HTTP ---

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        connection = h11.Connection(h11.SERVER)
        try:
            first = await reader.read(65536)
            if first.startswith(PATH):
                await self.sockets.serve(first, reader, writer)
                return
            connection.receive_data(first)
            while True:
                request, body = await _read(connection, reader)
                if request is None:
                    return
                await _write(connection, writer, await self.respond(request, body))
                if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                    return
                connection.start_next_cycle()
        except Dropped as dropped:
            writer.write(dropped.data)
        except (h11.ProtocolError, OSError, asyncio.IncompleteReadError):
            pass  # a client's fault ends its own connection only
        except asyncio.CancelledError:
            pass  # `stop`: this task ends here, and asyncio's streams cannot bear it otherwise
        finally:
            self._writers.discard(writer)
            writer.close()


async def _read(
    connection: h11.Connection, reader: asyncio.StreamReader
) -> tuple[h11.Request | None, bytes]:
    request: h11.Request | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            async with asyncio.timeout(30):
                connection.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Request):
            request = event
            if len(event.target) > MAX_REQUEST_LINE:
                raise Dropped
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            return request, bytes(body)
        else:
            return None, b""


async def _write(connection: h11.Connection, writer: asyncio.StreamWriter, reply: Reply) -> None:
    headers = {**reply.headers, "Content-Length": str(len(reply.body))}
    data = b"".join(
        connection.send(event) or b""
        for event in (
            h11.Response(status_code=reply.status, headers=list(headers.items())),
            h11.Data(data=reply.body),
            h11.EndOfMessage(),
        )
    )
    if reply.drips:
        for byte in data:
            writer.write(bytes([byte]))
            await asyncio.sleep(1)
    else:
        writer.write(data)
    await writer.drain()
