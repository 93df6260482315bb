"""A driver and the strict simulated UCM, over real TLS, and what they said to each other."""

from contextlib import asynccontextmanager
from datetime import date, datetime

import pytest

from gateway.drivers.calls import (
    CheckIn,
    Move,
    Update,
)
from gateway.drivers.ucm.api import NewApi, OldApi, pms_token
from gateway.drivers.ucm.driver import UcmDriver
from gateway.drivers.ucm.https import HttpsPeer, TlsSettings, Trust
from gateway.drivers.ucm.requests import Words
from gateway.house.states import Guest
from gateway.metrics import Metrics
from gateway.simulators.certificate import fingerprint_of, write_certificate
from gateway.simulators.ucm import UcmSimulator

CAME = datetime(2026, 3, 14, 10, 5)
ANNA = Guest(key="4711", name="Rossi", first_name="Anna", class_of_service="2", came=CAME,
             departure=date(2026, 3, 18))  # fmt: skip
OTTO = Guest(key="4712", name="Meyer", first_name="Otto", came=CAME)
MOVE = Move(room="205", from_room="101")
WORDS = Words(class_of_service={"2": 3}, room_status={"5": 1, "1": 5})
BOTH = pytest.mark.parametrize("old", [False, True], ids=["new", "old"])


class Bench:
    """A UCM, a driver, and what they said to each other."""

    def __init__(self, ucm, driver, peer, metrics):
        self.ucm, self.driver, self.peer, self.metrics = ucm, driver, peer, metrics

    async def apply(self, call):
        return await self.driver.apply(call)

    async def check_in(self, guest, room="101"):
        return await self.apply(CheckIn(room=room, tags=self.driver.tags_of(guest, 7)))

    async def update(self, room="101", **tags):
        return await self.apply(Update(room=room, tags=tags))

    def retries(self):
        """Why requests were repeated: action, reason and how often."""
        return {
            (sample.labels["action"], sample.labels["reason"]): int(sample.value)
            for metric in self.metrics.ucm_retries.collect()
            for sample in metric.samples
            if sample.name.endswith("_total") and sample.value
        }

    def said(self):
        return [f"{call.action} {call.room} {call.code}" for call in self.ucm.calls()]

    def room(self, address="101"):
        return self.ucm.rooms.rooms[address]


@asynccontextmanager
async def bench(tmp_path, *, old=False, timeout_s=5.0, shape="A", tls=None, pem=None):
    ucm = UcmSimulator()
    ucm.settings.shape = shape
    ucm.rooms.add("101", "102", "205")
    pem = pem or write_certificate(tmp_path)
    port = await ucm.start(pem)
    settings = ucm.settings
    metrics = Metrics(version="1", site="test")
    peer = HttpsPeer(
        f"https://127.0.0.1:{port}/{'pmsapi' if old else 'api'}",
        tls=tls or pinned(pem),
        timeout_s=timeout_s,
        digest=(settings.username, settings.password) if old else None,
    )
    token = pms_token(settings.pms_username, settings.pms_password)
    api = (
        OldApi(peer, token=token, metrics=metrics)
        if old
        else NewApi(
            peer,
            username=settings.username,
            password=settings.password,
            token=token,
            url=f"https://127.0.0.1:{port}",
            metrics=metrics,
        )  # fmt: skip
    )
    driver = UcmDriver(api, WORDS, metrics)
    try:
        yield Bench(ucm, driver, peer, metrics)
    finally:
        await driver.close()
        await ucm.stop()


def pinned(pem):
    digest = fingerprint_of(pem).removeprefix("sha256:").replace(":", "")
    return TlsSettings(trust=Trust.PINNED, fingerprint=bytes.fromhex(digest))
