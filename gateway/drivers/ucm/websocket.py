"""Listens to a UCM's WebSocket, as long as it takes one."""

import asyncio
import hashlib
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from gateway.clock import Clock
from gateway.drivers.ucm.events import Event, Message, events_in, messages_in
from gateway.drivers.ucm.replies import text_of
from gateway.logs import logger

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 30.0
REFUSED_PAUSE_S: Final = 300.0
"""After a refused login: a UCM bans whoever tries too often."""
ANSWER_S: Final = 10.0
SILENT_S: Final = 90.0
"""The UCM sends a heartbeat every 30 s."""
MOST_BYTES: Final = 1024 * 1024


class Refused(Exception):
    """The UCM does not let this user listen; the text says what it said."""


@dataclass(slots=True)
class UcmEvents:
    """One WebSocket. What is lost while it is away is never said again: see `connected`.

    url         wss://HOST:PORT/websockify
    context     of TLS: the same trust as for every other word to this UCM
    names       of the events that we want
    heard       each event
    connected   the UCM has begun to tell: everything must be read once
    gone        it has stopped
    passed      waited for before it is connected, and before each message; None: nothing is in the
                way
    trouble     why it does not; empty: it does
    """

    url: str
    username: str
    password: str
    context: ssl.SSLContext | None
    names: Sequence[str]
    clock: Clock
    heard: Callable[[Event], None]
    connected: Callable[[], None]
    gone: Callable[[], None]
    passed: Callable[[], Awaitable[None]] | None = None
    trouble: str = "not connected yet"
    _number: int = field(default=0)

    async def run(self) -> None:
        """For ever."""
        pause = FIRST_PAUSE_S
        while True:
            try:
                await self.listen()
            except Refused as refused:
                self._tell(str(refused))
                await self.clock.sleep(REFUSED_PAUSE_S)
                continue
            except (OSError, WebSocketException) as error:  # a timeout is an OSError
                if not self.trouble:
                    pause = FIRST_PAUSE_S  # it was up
                self._tell(f"{type(error).__name__}: polled only until it is back")
            await self.clock.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _tell(self, trouble: str) -> None:
        if self.trouble != trouble:
            do = "`doctor` tries it; calls and maids are read by polling all the same"
            logger().warning("ucm_events_away", why=trouble, do=do)
        self.trouble = trouble
        self.gone()

    async def tried(self) -> str:
        """Log in once, and hang up. Returns why that is not possible; empty: it is."""
        try:
            async with self._connection() as link:
                await self._log_in(link, self._messages(link))
        except (Refused, OSError, WebSocketException) as error:
            return str(error) or type(error).__name__
        return ""

    def _connection(self) -> connect:
        return connect(
            self.url,
            ssl=self.context,
            proxy=None,
            compression=None,
            ping_interval=None,  # a heartbeat of its own; some firmwares know no ping
            open_timeout=ANSWER_S,
            close_timeout=1.0,
            max_size=MOST_BYTES,
        )

    async def listen(self) -> None:
        """Connect, log in, listen until it ends. Raises Refused, OSError, WebSocketException."""
        if self.passed is not None:
            await self.passed()  # a login may end the session of another gateway
        async with self._connection() as link:
            messages = self._messages(link)
            await self._log_in(link, messages)
            if self.trouble:
                logger().info("ucm_events_listened_to")
            self.trouble = ""
            self.connected()
            while True:
                async with asyncio.timeout(SILENT_S):
                    await self._take(link, await anext(messages))

    async def _log_in(self, link: ClientConnection, messages: AsyncIterator[Message]) -> None:
        user = {"username": self.username}
        challenged = await self._ask(link, messages, "challenge", **user, version="1")
        secret = text_of(challenged.body.get("challenge")) + self.password
        token = hashlib.md5(secret.encode(errors="surrogatepass")).hexdigest()
        await self._ask(link, messages, "login", **user, token=token)
        await self._ask(link, messages, "subscribe", eventnames=list(self.names))

    async def _ask(
        self, link: ClientConnection, messages: AsyncIterator[Message], action: str, **values: Any
    ) -> Message:
        """Raises Refused."""
        self._number += 1
        message = {"transactionid": str(self._number), "action": action, **values}
        await self._send(link, "request", message)
        async with asyncio.timeout(ANSWER_S):
            while True:
                answer = await anext(messages)
                if answer.is_answer and answer.action in ("", action):
                    if answer.status not in (0, None):
                        raise Refused(f"the UCM refuses {action} with {answer.status}")
                    return answer
                await self._take(link, answer)

    async def _send(self, link: ClientConnection, kind: str, message: Mapping[str, Any]) -> None:
        if self.passed is not None:
            await self.passed()
        await link.send(json.dumps({"type": kind, "message": message}))

    async def _messages(self, link: ClientConnection) -> AsyncIterator[Message]:
        while True:
            for message in messages_in(await link.recv()):
                yield message

    async def _take(self, link: ClientConnection, message: Message) -> None:
        if message.action == "heartbeat" and not message.is_answer:
            answer = {
                "transactionid": message.transaction,
                "action": "heartbeat",
                "status": "0",
            }
            await self._send(link, "response", answer)
        elif message.action == "notify":
            for event in events_in(message):
                self.heard(event)
