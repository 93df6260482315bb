"""A hotel that notes what its UCM is asked, with a list of its rooms (new API) or without (old API)."""

from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from gateway.drivers.base import Unreachable
from gateway.logs import set_up
from tests.site import Site

BOTH = pytest.mark.parametrize("has_list", [True, False], ids=["new", "old"])
ROOMS = ("101", "102", "205")
ANNA = "GI|RN101|G#4711|GNRossi|GFAnna|GSN|"
ANNA_MOVES = "GC|RN205|RO101|G#4711|GNRossi|GFAnna|GSN|"
ANNA_MARRIES = "GC|RN101|G#4711|GNBell|"
ANNA_LEAVES = "GO|RN101|G#4711|GSN|"
OTTO = "GI|RN102|G#4712|GNMeyer|GFOtto|GSN|"
OTTO_MOVES = "GC|RN205|RO102|G#4712|GNMeyer|GFOtto|GSN|"
CARL = "GI|RN102|G#4713|GNDupont|GFCarl|GSN|"
OUT = None


class NotedSite(Site):
    """A hotel that notes what its UCM is asked, with the answer and the moment.

    said    "checkin 101 19"; "list" where the list of rooms was read
    always  what an action is answered with, whatever the model UCM would say
    """

    def __init__(self, path, **how):
        super().__init__(path, ROOMS, **how)
        self.said, self.moments, self.always = [], [], {}
        self._send, self._rooms = self.api.send, self.api.rooms
        self.api.send, self.api.rooms = self._noted_send, self._noted_rooms

    async def _noted_send(self, request):
        what = f"{request.action} {request.value_of('address')}"
        self.moments.append(self.clock.now())
        if request.action in self.always:
            self.api.plan.insert(0, self.always[request.action])
        try:
            reply = await self._send(request)
        except Unreachable:
            self.said.append(f"{what} lost")
            raise
        self.said.append(f"{what} {reply.code}")
        return reply

    async def _noted_rooms(self):
        self.said.append("list")
        return await self._rooms()

    def forget(self):
        self.said.clear()
        self.moments.clear()

    async def told(self, *records, fates=()):
        """What the UCM is asked because of these records, and because of what it answers."""
        self.forget()
        self.api.plan[:] = fates
        await self.hear(*records)
        await self.rest()
        return self.said

    async def now(self):
        """What the UCM is asked without any time passing."""
        self.forget()
        while await self.turn():
            pass
        return self.said

    async def compared(self):
        """What comes of a comparison with the UCM's list, if there is one."""
        self.forget()
        self.clock.wind(900)
        await self.rest()
        return self.said

    def pauses(self):
        """Seconds by the hand clock between one request and the next."""
        return [round(after - before, 3) for before, after in pairwise(self.moments)]

    def at_reception(self, action, room, **tags):
        """Somebody does it on the UCM's own page."""
        dates = {"datein": "20260314", "dateout": "20260315"} if action == "checkin" else {}
        self.ucm.apply(action, {"address": room, **dates, **tags})

    def shown(self, room):
        """Last name, and for how many messages there is a lamp; None: the room is out."""
        there = self.ucm.rooms[room]
        return (there.lastname, len(self.mailbox(room))) if there.is_in else OUT

    def state(self, room):
        return self.outbox.view(room).state


@asynccontextmanager
async def site_on(tmp_path, has_list, **how):
    """A hotel in which all rooms are out, by the word of the PMS and of the UCM."""
    set_up()  # another test may have asked for quiet
    site = NotedSite(tmp_path / "store.db", has_list=has_list, **how)
    try:
        for room in ROOMS:
            site.at_reception("checkin", room)
        await site.told("DS|", *(f"GO|RN{room}|SF|" for room in ROOMS), "DE|")
        site.forget()
        yield site
    finally:
        site.store.store.close()


def asked(has_list, *said):
    """The same of both kinds of UCM, but for the list."""
    return [each for each in said if has_list or each != "list"]
