"""`UcmDriver`: makes a UCM show what a guest event says, and repairs what it meets on the way."""

from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, assert_never

from gateway.drivers import ucm_wire as wire
from gateway.drivers.base import (
    Paused,
    Refused,
    Rejected,
    SessionRefused,
    ShownRoom,
    Unreachable,
)
from gateway.drivers.ucm_api import UcmApi, raise_for_pause
from gateway.drivers.ucm_wire import Request, UcmRoom, Verdict, Words
from gateway.events import (
    CheckIn,
    CheckOut,
    DoNotDisturb,
    Guest,
    GuestEvent,
    Move,
    RoomStatus,
    Update,
    WakeUp,
)
from gateway.metrics import Metrics

_OWN_ACTION: Final = {
    CheckIn: "checkin",
    CheckOut: "checkout",
    Update: "update",
    Move: "mov",
    DoNotDisturb: "dnd",
    RoomStatus: "update",
    WakeUp: "wakeup",
}
_NO_SUCH_ROOM: Final = 18
_STATE: Final = (Verdict.ALREADY_IN, Verdict.NOT_IN, Verdict.TAKEN)


class _MoveUnsure(Exception):
    """The session broke under a move: it may have been done."""


@contextmanager
def _perhaps_done(*, so: bool) -> Iterator[None]:
    """What fails in here comes behind a call that may have been done, or (not `so`) was not."""
    try:
        yield
    except (Unreachable, Paused) as error:
        error.sent = so
        raise


@dataclass(slots=True)
class _Trip:
    """What one `apply` has already spent: each repair is tried once.

    own_action      the action the event itself asks for; only a lost reply to it makes the row
                    unsure, not one to a repair on the way
    after           what must have happened before anything is said
    """

    own_action: str
    after: Awaitable[object] | None = None
    logged_in: bool = False
    warning: str | None = None


class UcmDriver:
    """One UCM. See `gateway.drivers.base.Driver`. `words` may be replaced between two calls."""

    def __init__(self, api: UcmApi, words: Words, metrics: Metrics) -> None:
        self._api, self.words, self._metrics = api, words, metrics

    async def apply(
        self,
        event: GuestEvent,
        *,
        unsure: bool,
        repairs: bool,
        after: Awaitable[object] | None = None,
    ) -> str | None:
        trip = _Trip(self.action_of(event), after)
        match event:
            case CheckIn(room=room, guest=guest):
                await self._check_in(trip, room, guest, unsure=unsure)
            case CheckOut(room=room):
                await self._say(trip, wire.check_out(room))  # "not checked in" is done
            case Update(room=room, guest=guest, was=was):
                request = wire.update(room, guest, None if repairs else was, self.words)
                if request is not None:
                    await self._say_in(trip, request, guest)
            case Move(room=room, from_room=from_room, guest=guest):
                await self._move(trip, from_room, room, guest, unsure=unsure, repairs=repairs)
            case DoNotDisturb(room=room, on=on, guest=guest):
                await self._say_in(trip, wire.do_not_disturb(room, on), guest)
            case RoomStatus(room=room, code=code, guest=guest):
                status = self.words.room_status.get(code)
                if status is None:
                    return f"room status {code!r} has no mapping under [room_status]"
                await self._say_in(trip, wire.set_status(room, status), guest)
            case WakeUp(room=room, at=at):
                await self._say_in(trip, wire.wake_up(room, at), None)
            case _:
                assert_never(event)
        return trip.warning

    def action_of(self, event: GuestEvent) -> str:
        return _OWN_ACTION[type(event)]

    async def probe(self) -> None:
        await self._api.probe()

    async def rooms(self) -> list[UcmRoom] | None:
        return await self._api.rooms()

    def differences(self, room: ShownRoom, guest: Guest) -> tuple[str, ...] | None:
        assert isinstance(room, UcmRoom)  # they come from `rooms`
        return wire.differences(room, guest, self.words)

    async def close(self) -> None:
        await self._api.close()

    # --- Steps ---

    async def _check_in(self, trip: _Trip, room: str, guest: Guest, *, unsure: bool) -> None:
        request = wire.check_in(room, guest, self.words)
        if await self._say(trip, request) is not Verdict.ALREADY_IN:
            return
        if await self._shows(room, guest, unsure=unsure):
            everything = wire.update(room, guest, None, self.words)
            if everything is not None and await self._say(trip, everything) in _STATE:
                raise Refused(20, "the UCM says checked in and not checked in at once")
            return
        # A stranger: his mailbox must be gone before our guest hears it.
        await self._say(trip, wire.check_out(room))
        if await self._say(trip, request) in _STATE:
            raise Refused(19, "still checked in after a check-out")

    async def _say_in(self, trip: _Trip, request: Request, guest: Guest | None) -> None:
        """Say something of a room that is in; a UCM that has forgotten the guest hears of him."""
        if await self._say(trip, request) is not Verdict.NOT_IN:
            return
        if guest is None:
            raise Rejected(20, "20: the UCM wants a guest in this room first")
        room = request.value_of("address") or ""
        await self._check_in(trip, room, guest, unsure=False)
        is_about_guest = request.action == "update" and request.value_of("status") is None
        if not is_about_guest and await self._say(trip, request) in _STATE:
            raise Refused(20, "not checked in after a check-in")

    async def _move(
        self, trip: _Trip, from_room: str, room: str, guest: Guest, *, unsure: bool, repairs: bool
    ) -> None:
        request = wire.move(from_room, room)
        if unsure and await self._has_moved(room, guest):
            return
        if repairs and not await self._shows(from_room, guest, unsure=False):
            # He was never shown there: what lies in that mailbox is somebody else's.
            await self._leave(trip, from_room)
            await self._check_in(trip, room, guest, unsure=unsure)
            return
        verdict = await self._say_move(trip, request, room, guest)
        if verdict is Verdict.TAKEN:
            if await self._shows(room, guest, unsure=unsure):
                return
            await self._say(trip, wire.check_out(room))
            verdict = await self._say_move(trip, request, room, guest)
            if verdict is Verdict.TAKEN:
                raise Rejected(24, "24: the room to move to stays checked in: look at the UCM")
        if verdict is Verdict.NOT_IN:
            await self._check_in(trip, room, guest, unsure=unsure)

    async def _leave(self, trip: _Trip, room: str) -> None:
        """Check a room out that the UCM perhaps does not even have."""
        try:
            await self._say(trip, wire.check_out(room))
        except Rejected as error:
            if error.code != _NO_SUCH_ROOM:
                raise

    async def _say_move(self, trip: _Trip, request: Request, room: str, guest: Guest) -> Verdict:
        """Say a move; when the session breaks under it, look before it is said again."""
        try:
            return await self._say(trip, request)
        except _MoveUnsure:
            with _perhaps_done(so=True):
                has_moved = await self._has_moved(room, guest)
            return Verdict.DONE if has_moved else await self._say(trip, request)

    async def _has_moved(self, room: str, guest: Guest) -> bool:
        """A lost reply: the list says whether the move was done; without a list, try again."""
        return self._is_listed(await self._api.rooms() or [], room, guest)

    def _is_listed(self, rows: list[UcmRoom], room: str, guest: Guest) -> bool:
        return any(
            row.address == room and row.is_in and wire.is_ours(row, guest, self.words)
            for row in rows
        )

    async def _shows(self, room: str, guest: Guest, *, unsure: bool) -> bool:
        """Whether the room that the UCM calls checked in shows our guest.

        The old API has no list: there it is our guest if an earlier try lost its reply.
        """
        rows = await self._api.rooms()
        return unsure if rows is None else self._is_listed(rows, room, guest)

    # --- One request, with the repairs that belong to a request ---

    async def _say(self, trip: _Trip, request: Request) -> Verdict:
        """Say it until it is said. Returns DONE or what the UCM knows of the room's state."""
        made_available = made_plain = False
        while True:
            is_own = request.action == trip.own_action
            try:
                reply = await self._api.send(request, trip.after)
            except Unreachable as error:
                error.sent = error.sent and is_own
                raise
            raise_for_pause(reply)
            match reply.verdict:
                case Verdict.DONE:
                    return Verdict.DONE
                case Verdict.DONE_WITH_WARNING:
                    trip.warning = reply.advice
                    return Verdict.DONE
                case Verdict.ALREADY_IN | Verdict.NOT_IN | Verdict.TAKEN as state:
                    return state
                case Verdict.LOGIN | Verdict.LOGIN_UNSURE as verdict:
                    unsure = verdict is Verdict.LOGIN_UNSURE
                    if trip.logged_in:
                        raise SessionRefused(reply.code, reply.advice, sent=unsure and is_own)
                    trip.logged_in = True
                    self._repeat(request, "login")
                    with _perhaps_done(so=unsure and is_own):
                        await self._api.log_in_again()
                    if unsure and request.action == "mov":
                        raise _MoveUnsure
                case Verdict.UNDER_REPAIR if not made_available:
                    made_available = True
                    self._repeat(request, "under_repair")
                    room = request.value_of("d_address") or request.value_of("address") or ""
                    await self._say(trip, wire.set_status(room, 1))
                case Verdict.NAME_TOO_LONG:
                    shorter = wire.shorten(request, reply.code, exact=reply.exact)
                    if shorter is None:
                        raise Rejected(reply.code, reply.advice)
                    self._repeat(request, "name_too_long")
                    request = shorter
                case Verdict.SENSITIVE if not made_plain and wire.plain(request) != request:
                    made_plain = True
                    self._repeat(request, "sensitive")
                    request = wire.plain(request)
                case Verdict.UNDER_REPAIR | Verdict.SENSITIVE | Verdict.REJECTED:
                    raise Rejected(reply.code, reply.advice)
                case _:
                    raise Refused(reply.code, reply.advice)

    def _repeat(self, request: Request, reason: str) -> None:
        self._metrics.ucm_retries.labels(request.action, reason).inc()
