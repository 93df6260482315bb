"""`UcmDriver`: makes one call to a UCM, with what belongs to a request: a login, a shorter name."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, tzinfo
from typing import Final

from gateway.drivers.base import (
    Answer,
    Interrupted,
    Outcome,
    Refused,
    Rejected,
    SessionRefused,
    ShownRoom,
)
from gateway.drivers.calls import (
    Call,
    CheckIn,
    CheckOut,
    DoNotDisturb,
    Move,
    RoomStatus,
    Update,
    WakeUp,
)
from gateway.drivers.legs import KeptWakeUp, KeyedStatus, Leg, Mailbox, Taken
from gateway.drivers.ucm import cdr, listing, mailbox, minibar, requests, system, wake_ups
from gateway.drivers.ucm.api import UcmApi, raise_for_pause
from gateway.drivers.ucm.listing import UcmRoom
from gateway.drivers.ucm.replies import Reply, Verdict
from gateway.drivers.ucm.requests import Request, Words
from gateway.house.states import Guest
from gateway.metrics import Metrics

_ACTIONS: Final = {
    CheckIn: "checkin",
    CheckOut: "checkout",
    Update: "update",
    Move: "mov",
    DoNotDisturb: "dnd",
    RoomStatus: "update",
    WakeUp: "wakeup",
}
_OUTCOMES: Final = {
    Verdict.DONE: Outcome.DONE,
    Verdict.DONE_WITH_WARNING: Outcome.DONE,
    Verdict.ALREADY_IN: Outcome.ALREADY_IN,
    Verdict.NOT_IN: Outcome.NOT_IN,
    Verdict.TAKEN: Outcome.TAKEN,
}


class UcmDriver:
    """One UCM. See `gateway.drivers.base.Driver`. `words` may be replaced between two calls.

    before_check_out    asked with the room: a check-out erases what the UCM keeps of it
    """

    def __init__(self, api: UcmApi, words: Words, metrics: Metrics) -> None:
        self._api, self.words, self._metrics = api, words, metrics
        self.has_list = api.has_list
        self.before_check_out: Callable[[str], Awaitable[None]] | None = None

    async def apply(self, call: Call) -> Answer:
        request = requests.request_of(call, self.words)
        if request is None:
            assert isinstance(call, RoomStatus)  # every other call has its request
            why = f"room status {call.code!r} has no mapping under [room_status]"
            return Answer(warning=why)
        if isinstance(call, CheckOut) and self.before_check_out is not None:
            await self.before_check_out(call.room)
        reply = await self._say(request)
        outcome = _OUTCOMES[reply.verdict]
        warning = reply.advice if reply.verdict is Verdict.DONE_WITH_WARNING else ""
        return Answer(outcome, reply.code, warning)

    def action_of(self, call: Call) -> str:
        return _ACTIONS[type(call)]

    async def probe(self) -> None:
        await self._api.probe()

    async def rooms(self) -> list[UcmRoom] | None:
        listed = await self._api.rooms()
        self.has_list = listed is not None
        return listed

    async def legs(self, since: float, until: float, zone: tzinfo) -> list[Leg]:
        """All legs of calls that ended in this time, as the UCM lists them. Raises as `apply`.

        zone    of the UCM's clock
        """
        legs: dict[str, Leg] = {}
        offset = 0
        while True:
            reply = await self._api.read("cdrapi", cdr.request(since, until, offset))
            page = cdr.page_of(reply, zone)
            self._metrics.calls_unread.inc(page.unread)
            known = len(legs)
            legs |= {leg.key: leg for leg in page.legs}
            offset += page.records
            # A firmware that does not know the offset gives the first page for ever.
            if page.records < cdr.PAGE or len(legs) == known:
                return list(legs.values())

    async def keyed(self) -> list[KeyedStatus]:
        """The status of each room, and which maid keyed it when. Raises as `apply`."""
        return [
            KeyedStatus(room=row.address, status=row.status, keyed=row.keyed, maid=row.maid)
            for row in await self.rooms() or ()
        ]

    async def mailboxes(self) -> list[Mailbox]:
        """The voice messages of each extension. Raises as `apply`."""
        found: dict[str, Mailbox] = {}
        page = 1
        while True:
            reply = await self._api.read("listAccount", mailbox.request(page))
            boxes, last = mailbox.page_of(reply)
            known = len(found)
            found |= {each.extension: each for each in boxes}
            if page >= last or len(found) == known:
                return list(found.values())
            page += 1

    async def wake_ups(self, wall: datetime) -> list[KeptWakeUp] | None:
        """The wake-up of each room; None: this firmware has no such list. Raises as `apply`.

        wall    hotel time now, without a zone
        """
        found: dict[str, KeptWakeUp] = {}
        page = 1
        while True:
            reply = await self._wake_up_page(page)
            if reply is None or wake_ups.LIST not in reply.response:
                return None
            kept, last = wake_ups.page_of(reply, wall)
            known = len(found)
            found |= {each.room: each for each in kept}
            if page >= last or len(found) == known:
                return list(found.values())
            page += 1

    def tags_of(self, guest: Guest, stay: int | None) -> dict[str, str]:
        return requests.guest_tags(guest, stay, self.words)

    def is_ours(self, row: ShownRoom, tags: Mapping[str, str], *, was_told: bool = False) -> bool:
        assert isinstance(row, UcmRoom)  # they come from `rooms`
        return listing.is_ours(row, tags, was_told=was_told)

    def shown_tags(self, row: ShownRoom, tags: Mapping[str, str]) -> dict[str, str]:
        assert isinstance(row, UcmRoom)  # they come from `rooms`
        return listing.shown_tags(row, tags)

    async def close(self) -> None:
        await self._api.close()

    async def clock(self) -> datetime | None:
        """What the UCM's clock shows, in its own zone; None: it does not say. Raises as `apply`."""
        reply = await self._api.read_if_known(system.ACTION, {}, in_module=False)
        return None if reply is None else system.time_of(reply)

    async def goods(self) -> dict[str, str]:
        """The code of each article of the minibars, by its name. Raises as `apply`."""
        replies = await self._minibar_pages(minibar.GOODS, {})
        return {
            name: code for each in replies or () for name, code in minibar.goods_of(each).items()
        }

    async def taken(self, room: str) -> list[Taken] | None:
        """What was taken from the minibar of this room; None: it cannot be asked. Raises as
        `apply`.
        """
        replies = await self._minibar_pages(minibar.TAKEN, {"room": room})
        if replies is None:
            return None
        return [taken for each in replies for taken in minibar.taken_of(each)]

    async def _minibar_pages(self, action: str, asked: Mapping[str, str]) -> list[Reply] | None:
        """All pages; None: it is no list."""
        pages: list[Reply] = []
        last = 1
        while len(pages) < last:
            more = {"page": str(len(pages) + 1)} if pages else {}
            reply = await self._api.read_if_known(action, {**asked, **more}, in_module=True)
            if reply is None or not minibar.has_list(reply):
                return None
            if pages and reply.response == pages[-1].response:
                break  # a firmware that knows no pages gives the first one again
            pages.append(reply)
            last = minibar.pages_of(reply)
        return pages

    async def _wake_up_page(self, page: int) -> Reply | None:
        """Which way this list is asked for is not known for every firmware."""
        asked = wake_ups.request(page)
        reply = await self._api.read_if_known(wake_ups.ACTION, asked, in_module=False)
        if reply is None:
            reply = await self._api.read_if_known(wake_ups.ACTION, asked, in_module=True)
        return reply

    async def _say(self, request: Request) -> Reply:
        """Say it until it is said, each repair once. Returns a reply that has an outcome."""
        logged_in = made_available = made_plain = False
        while True:
            reply = await self._api.send(request)
            raise_for_pause(reply)
            match reply.verdict:
                case verdict if verdict in _OUTCOMES:
                    return reply
                case Verdict.LOGIN if not (logged_in or self._api.is_fresh):
                    logged_in = True
                    self._repeat(request, "login")
                    await self._api.log_in_again()
                case Verdict.LOGIN_UNSURE:
                    self._repeat(request, "login")
                    raise Interrupted(reply.advice)
                case Verdict.LOGIN:
                    raise SessionRefused(reply.code, reply.advice)
                case Verdict.UNDER_REPAIR if not made_available:
                    made_available = True
                    self._repeat(request, "under_repair")
                    room = request.value_of("d_address") or request.value_of("address") or ""
                    raise_for_pause(await self._api.send(requests.set_status(room, 1)))
                case Verdict.NAME_TOO_LONG:
                    shorter = requests.shorten(request, reply.code, exact=reply.exact)
                    if shorter is None:
                        raise Rejected(reply.code, reply.advice)
                    self._repeat(request, "name_too_long")
                    request = shorter
                case Verdict.SENSITIVE if not made_plain and requests.plain(request) != request:
                    made_plain = True
                    self._repeat(request, "sensitive")
                    request = requests.plain(request)
                case Verdict.UNDER_REPAIR | Verdict.SENSITIVE | Verdict.REJECTED:
                    raise Rejected(reply.code, reply.advice)
                case _:
                    raise Refused(reply.code, reply.advice)

    def _repeat(self, request: Request, reason: str) -> None:
        self._metrics.ucm_retries.labels(request.action, reason).inc()
