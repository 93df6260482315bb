"""What a record takes, in calls of functions: a count, the same on every machine. The bounds are half
as much again as what was counted, so that a doubling is seen and a better sentence is not punished.
The times are in bench/README.md.
"""

import sys
import threading
from contextlib import contextmanager
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from bench.decode import MIX
from bench.peers import Ucm, room
from gateway.clock import Clock
from gateway.drivers.https import HttpsPeer, TlsSettings, Trust
from gateway.drivers.ucm import UcmDriver
from gateway.drivers.ucm_api import NewApi
from gateway.drivers.ucm_wire import Words
from gateway.events import CheckIn, Guest
from gateway.house import House
from gateway.intake import Intake
from gateway.metrics import Metrics
from gateway.outbox import Outbox, OutboxWorker
from gateway.rooms import RoomMap
from gateway.simulators.certificate import write_certificate
from protocols.fias import decode, normalize
from protocols.fias.framing import FrameReader, write_frame
from protocols.session import DataReceived

TIMES = 50
DECODE, INTAKE, NOTHING_NEW, CALL = 34, 640, 235, 620
"""Counted on CPython 3.11."""


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
    zone = ZoneInfo("Europe/Lisbon")
    with counted() as effort:
        intake = Intake(
            house=House(zone=zone), rooms=RoomMap(), outbox=OutboxWorker(Outbox(tmp_path / "outbox.db")),
            normalize=normalize, clock=Clock(zone), metrics=Metrics(version="1", site="t"), answers=True,
        )  # fmt: skip
        before = effort.calls
        for number in range(TIMES):
            body = f"GI|RN{room(number)}|G#{number}|GNBerger|GA261120|GD261125|GSN|".encode()
            intake.outbox.delivered = number  # those before it, as on a quiet day
            await intake.take([DataReceived(decode(body), body)])
        taken = effort.calls - before
        before = effort.calls
        for number in range(TIMES):
            body = f"GI|RN{room(number)}|G#{number}|GNBerger|GA261120|GD261125|GSN|WS1|".encode()
            await intake.take([DataReceived(decode(body), body)])
        told_again = effort.calls - before
        assert intake.outbox.accepted == TIMES
        intake.outbox.close()
    assert taken / TIMES < 1.5 * INTAKE
    assert told_again / TIMES < 1.5 * NOTHING_NEW


@pytest.mark.asyncio
async def test_a_call_is_made_with_few_calls(tmp_path):
    ucm = Ucm(write_certificate(tmp_path), rooms=TIMES + 1)
    metrics = Metrics(version="1", site="t")
    url = f"https://127.0.0.1:{ucm.port}/api"
    peer = HttpsPeer(url, tls=TlsSettings(trust=Trust.INSECURE), timeout_s=10)
    api = NewApi(peer, username="u", password="p", token="0" * 32, metrics=metrics)
    driver = UcmDriver(api, Words(), metrics)
    guest = Guest(key="1", name="Berger", came=datetime(2026, 11, 21), departure=date(2026, 11, 25))
    try:
        await driver.apply(CheckIn(room=room(TIMES), guest=guest), unsure=False, repairs=False)
        with counted() as effort:
            for number in range(TIMES):
                await driver.apply(
                    CheckIn(room=room(number), guest=guest), unsure=False, repairs=False
                )
        assert len(ucm.calls) == TIMES + 1
    finally:
        await driver.close()
        ucm.close()
    assert effort.calls / TIMES < 1.5 * CALL
