"""The WebSocket of a simulated UCM: `/websockify`, behind a login of its own."""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from gateway.simulators.ucm.settings import Settings

PATH = b"GET /websockify"


@dataclass(slots=True, eq=False)
class Listener:
    """One client, and how far its login is."""

    writer: asyncio.StreamWriter
    protocol: ServerProtocol
    challenge: str = ""
    is_in: bool = False
    names: tuple[str, ...] = ()

    def send(self, message: Mapping[str, Any], kind: str) -> None:
        """One frame, in the envelope of a request or a response."""
        self.protocol.send_text(json.dumps({"type": kind, "message": message}).encode())
        self.flush()

    def flush(self) -> None:
        """What the protocol has to say."""
        self.writer.write(b"".join(self.protocol.data_to_send()))


@dataclass(slots=True)
class Sockets:
    """All clients.

    as_list     events come in lists, as some firmwares send them
    events      what was told
    heartbeats  numbers of those that were answered
    """

    settings: Settings
    as_list: bool = False
    events: list[tuple[str, Any]] = field(default_factory=list)
    listeners: set[Listener] = field(default_factory=set)
    logins: int = 0
    requests: int = 0
    heartbeats: list[str] = field(default_factory=list)

    async def serve(
        self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """One connection, from its request on."""
        listener = Listener(writer, ServerProtocol())
        self.requests += 1
        try:
            data = first
            while data:
                listener.protocol.receive_data(data)
                for event in listener.protocol.events_received():
                    if isinstance(event, Request):
                        listener.protocol.send_response(listener.protocol.accept(event))
                    elif isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                        self._take(listener, json.loads(bytes(event.data)))
                listener.flush()
                data = await reader.read(65536)
        finally:
            self.listeners.discard(listener)

    def emit(self, name: str, body: Mapping[str, Any]) -> None:
        """Tell an event to everybody who wants it."""
        self.events.append((name, body))
        for listener in tuple(self.listeners):
            if name in listener.names:
                listener.send(self._notify(name, body), "request")

    def say(self, message: Mapping[str, Any]) -> None:
        """Any message, to everybody who is logged in."""
        for listener in tuple(self.listeners):
            listener.send(message, "request")

    def _notify(self, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        bodies = [body] if self.as_list else body
        return {"action": "notify", "eventname": name, "eventbody": bodies}

    def _take(self, listener: Listener, frame: Mapping[str, Any]) -> None:
        asked = frame.get("message", {})
        if frame.get("type") != "request":
            self.heartbeats.append(str(asked.get("transactionid")))
            return
        action, settings = asked.get("action"), self.settings
        answer = {"transactionid": asked.get("transactionid"), "action": action}
        status = 0
        if action == "challenge":
            listener.challenge = "0123456789"
            answer["challenge"] = listener.challenge
            status = 0 if asked.get("username") == settings.ws_username else -47
        elif action == "login":
            wanted = hashlib.md5((listener.challenge + settings.ws_password).encode()).hexdigest()
            listener.is_in = asked.get("token") == wanted
            self.logins += listener.is_in
            status = 0 if listener.is_in else -37
        elif action == "subscribe" and listener.is_in:
            listener.names = tuple(asked.get("eventnames", ()))
            self.listeners.add(listener)
        else:
            status = -1
        listener.send({**answer, "status": status}, "response")
