"""What it takes to tell a room, in calls of functions: a count, the same on every machine."""

import sys
import threading
from contextlib import contextmanager

import pytest

from bench.peers import Ucm, room
from gateway.drivers.ucm.api import NewApi
from gateway.drivers.ucm.https import HttpsPeer, TlsSettings, Trust
from gateway.simulators.certificate import write_certificate
from tests.site import Site

TIMES = 50
FEW, MANY = 100, 1000
"""Rooms that wait. Whatever looked at each of them would show as hundreds of calls."""


class Effort:
    """Calls of Python's and of C's functions, in this thread and in those that begin inside."""

    def __init__(self):
        self.calls = 0

    def note(self, _, event, __):
        self.calls += event in ("call", "c_call")


@contextmanager
def counted():
    effort = Effort()
    threading.setprofile(effort.note)
    sys.setprofile(effort.note)
    try:
        yield effort
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


@pytest.mark.asyncio
async def test_a_room_is_told_with_as_many_calls_however_many_wait(tmp_path):
    assert await _told(tmp_path, MANY) < 1.1 * await _told(tmp_path, FEW)


async def _told(folder, waiting):
    """Calls a room, with so many that wait; to a UCM that answers over TLS."""
    numbers = [room(number) for number in range(waiting)]
    ucm = Ucm(write_certificate(folder), rooms=waiting)
    site = Site(folder / f"{waiting}.db", ())
    url = f"https://127.0.0.1:{ucm.port}/api"
    peer = HttpsPeer(url, tls=TlsSettings(trust=Trust.INSECURE), timeout_s=10)
    site.api = NewApi(peer, username="u", password="p", token="0" * 32, metrics=site.metrics)
    site.start()
    try:
        await site.hear(*(f"GI|RN{number}|G#{number}|GNBerger|GSN|" for number in numbers))
        while not ucm.calls:
            await site.turn()  # logs in, reads the list, tells the first room
        with counted() as effort:
            for _ in range(TIMES):
                await site.turn()
        assert len(ucm.calls) == TIMES + 1
        assert len(site.outbox.waiting) == waiting - TIMES - 1
        return effort.calls / TIMES
    finally:
        await peer.close()
        ucm.close()
        site.store.store.close()
