"""A UCM at the other end of a wire without a socket."""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime
from typing import Any

import h11

from gateway.drivers.base import Unreachable
from gateway.drivers.ucm.https import HttpReply
from gateway.simulators.ucm import Dropped, UcmSimulator
from tests.torture.mailboxes import Seen
from tests.torture.world_line import LATENCY_S

TIMEOUT_S = 15.0
asked_with: ContextVar[Seen] = ContextVar("asked_with")
"""What the gateway knew when it began the request that the UCM is doing."""


class UcmPeer:
    """The UCM at the other end of a wire without a socket: a `Peer`.

    A request that we no longer wait for is still carried out: that is what a slow UCM does.
    """

    def __init__(self, ucm: UcmSimulator, look: Callable[[], Seen]) -> None:
        self._ucm, self._look = ucm, look
        self.certificate_ends: datetime | None = None
        self.certificate = b""
        self.is_away = False
        self.is_dead = False  # our own process is
        self.most_at_once = self._at_once = 0
        self._late: set[asyncio.Task[Any]] = set()

    async def post(self, content: bytes, max_bytes: int) -> HttpReply:
        return await self._exchange("POST", "/api", content)

    async def get(self, query: str, max_bytes: int) -> HttpReply:
        return await self._exchange("GET", f"/pmsapi?{query}", b"")

    async def close(self) -> None:
        pass

    async def _exchange(self, method: str, target: str, body: bytes) -> HttpReply:
        if self.is_dead:
            await asyncio.sleep(1e9)
        if self.is_away:
            await asyncio.sleep(LATENCY_S)
            raise Unreachable("reset", "no connection", sent=False)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            return await self._ask(method, target, body)
        finally:
            self._at_once -= 1

    async def _ask(self, method: str, target: str, body: bytes) -> HttpReply:
        request = h11.Request(method=method, target=target, headers=[("host", "ucm")])
        task = asyncio.get_running_loop().create_task(self._answer(request, body))
        self._late.add(task)
        task.add_done_callback(self._over)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                reply = await asyncio.shield(task)
        except TimeoutError:
            raise Unreachable("timeout", "no reply in time", sent=True) from None
        except asyncio.CancelledError:
            if not task.cancelled():
                raise
            raise Unreachable("reset", "rebooted", sent=True) from None
        except Dropped:
            raise Unreachable("reset", "dropped", sent=True) from None
        if reply.drips:
            await asyncio.sleep(TIMEOUT_S)
            raise Unreachable("timeout", "dripped", sent=True)
        if self.is_away:
            raise Unreachable("reset", "gone meanwhile", sent=True)
        return HttpReply(reply.status, reply.body)

    def forget(self) -> None:
        """The UCM is rebooted: what it had not begun it never does."""
        for task in tuple(self._late):
            task.cancel()

    def _over(self, task: "asyncio.Task[Any]") -> None:
        self._late.discard(task)
        if not task.cancelled():
            task.exception()  # nobody waits for it any more, perhaps

    async def _answer(self, request: h11.Request, body: bytes) -> Any:
        asked_with.set(self._look())
        await asyncio.sleep(LATENCY_S)
        answer = await self._ucm.respond(request, body)
        await asyncio.sleep(LATENCY_S)
        return answer
