"""What a record takes, in calls of functions: a count, the same on every machine. The bounds are half
as much again as what was counted, so that a doubling is seen and a better sentence is not punished.
The times are in bench/README.md.
"""

import sys
import threading
from contextlib import contextmanager
from datetime import UTC
from functools import partial

import pytest

from bench.decode import MIX
from bench.peers import Ucm, room
from gateway.clock import Clock
from gateway.drivers.https import HttpsPeer, TlsSettings, Trust
from gateway.drivers.ucm_api import NewApi
from gateway.drivers.ucm_wire import Words, guest_tags
from gateway.house import House
from gateway.metrics import Metrics
from gateway.pipeline.intake import Intake
from gateway.pipeline.outbox import Outbox
from gateway.pipeline.repeats import Repeats
from gateway.rooms import RoomMap
from gateway.simulators.certificate import write_certificate
from gateway.store import Store, StoreWorker
from protocols.fias import decode, normalize
from protocols.fias.framing import FrameReader, write_frame
from protocols.session import DataReceived
from tests.site import Site

TIMES = 50
DECODE, INTAKE, NOTHING_NEW, CALL = 35, 870, 225, 3130
"""Counted on CPython 3.11. To take a record in means also to plan its room: what it should show, and
whether the UCM has to be told. A call means all of the UCM side: the room is picked and planned, told
over TLS (four fifths of the count: httpx), planned again, and stored with its line of the journal.
"""
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


def test_a_record_is_read_with_few_calls():
    bodies = [text.encode() for text in MIX] * TIMES
    stream = b"".join(write_frame(body, lrc=True) for body in bodies)
    for _ in range(2):  # the first time makes the plans of the classes
        with counted() as effort:
            records = [
                decode(item.body) for item in FrameReader(lrc=True, handshake=True).receive(stream)
            ]
    assert len(records) == len(bodies)
    assert effort.calls / len(bodies) < 1.5 * DECODE


@pytest.mark.asyncio
async def test_a_record_is_taken_in_with_few_calls_and_what_is_known_with_fewer(tmp_path):
    clock = Clock(UTC)
    with counted() as effort:  # the store's thread begins inside
        store = StoreWorker(Store(tmp_path / "outbox.db"))
        intake = Intake(
            house=House(zone=UTC), rooms=RoomMap(), store=store, normalize=normalize,
            outbox=Outbox(tags_of=partial(guest_tags, words=Words()), wall=clock.stamp),
            clock=clock, metrics=Metrics(version="1", site="t"), repeats=Repeats(),
        )  # fmt: skip
        taken = await _taken_in(intake, effort, "")
        writes = await store(Store.writes)
        told_again = await _taken_in(intake, effort, "WS1|")
        assert len(intake.outbox.waiting) == TIMES
        assert await store(Store.writes) == writes == TIMES  # what is known is not written again
        store.close()
    assert taken < 1.5 * INTAKE
    assert told_again < 1.5 * NOTHING_NEW


async def _taken_in(intake, effort, more):
    """Calls a record, each in a read of its own."""
    before = effort.calls
    for number in range(TIMES):
        body = f"GI|RN{room(number)}|G#{number}|GNBerger|GA261120|GD261125|GSN|{more}".encode()
        await intake.take([DataReceived(decode(body), body)])
    return (effort.calls - before) / TIMES


@pytest.mark.asyncio
async def test_a_room_is_told_with_few_calls_however_many_wait(tmp_path):
    alone = await _told(tmp_path, FEW)
    assert alone < 1.5 * CALL
    assert await _told(tmp_path, MANY) < 1.1 * alone


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
