"""Hand-written stand-ins at seams we own; type-checked against them."""

from datetime import UTC, datetime

from gateway.clock import Clock
from gateway.drivers.ucm.listing import UcmRoom, rooms_in
from gateway.drivers.ucm.replies import Reply
from gateway.drivers.ucm.requests import Request
from gateway.simulators.pbx import Refusal, Rooms


class HandClock(Clock):
    """A clock that moves only when it is wound, or when somebody sleeps on it."""

    def __init__(self, start: datetime = datetime(2026, 3, 14, 10, tzinfo=UTC)) -> None:
        super().__init__(UTC)
        self._epoch = start.timestamp()
        self._now = 1000.0

    def wind(self, seconds: float) -> None:
        """Let this much time pass."""
        self._epoch += seconds
        self._now += seconds

    def jump(self, seconds: float) -> None:
        """Only the wall clock jumps, as after a late time server."""
        self._epoch += seconds

    def now(self) -> float:
        return self._now

    def epoch(self) -> float:
        return self._epoch

    async def sleep(self, seconds: float) -> None:
        self.wind(max(0.0, seconds))
        await super().sleep(0)


class RoomsApi:
    """A UCM's rooms without a network: `gateway.drivers.ucm.api.UcmApi`."""

    has_list = True
    is_fresh = False

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def send(self, request: Request) -> Reply:
        try:
            return Reply(self._rooms.apply(request.action, dict(request.tags)))
        except Refusal as refusal:
            return Reply(refusal.code)

    async def rooms(self) -> list[UcmRoom] | None:
        return rooms_in(Reply(0, response={"pms_room": self._rooms.listed()}))

    async def log_in_again(self) -> None:
        raise AssertionError("no session, no login")

    async def probe(self) -> None:
        pass

    async def close(self) -> None:
        pass
