"""A UCM that is asked only while we may."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from gateway.drivers.ucm.https import HttpReply, Peer


class FencedPeer:
    """See `https.Peer`. `passed` is waited for before each request."""

    def __init__(self, peer: Peer, passed: Callable[[], Awaitable[None]]) -> None:
        self._peer, self._passed = peer, passed

    @property
    def certificate_ends(self) -> datetime | None:
        return self._peer.certificate_ends

    @certificate_ends.setter
    def certificate_ends(self, value: datetime | None) -> None:
        self._peer.certificate_ends = value

    @property
    def certificate(self) -> bytes:
        return self._peer.certificate

    @certificate.setter
    def certificate(self, value: bytes) -> None:
        self._peer.certificate = value

    async def post(self, content: bytes, max_bytes: int) -> HttpReply:
        await self._passed()
        return await self._peer.post(content, max_bytes)

    async def get(self, query: str, max_bytes: int) -> HttpReply:
        await self._passed()
        return await self._peer.get(query, max_bytes)

    async def close(self) -> None:
        await self._peer.close()
