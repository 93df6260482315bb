"""Two gateways of one house: real processes between a simulated PMS and UCM, over a real PostgreSQL."""

import asyncio
import contextlib
import json
import os
import re
import secrets
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from gateway.line import ListenSpec, opener_for
from gateway.simulators.certificate import fingerprint_of, write_certificate
from gateway.simulators.hotel import Hotel, differences
from gateway.simulators.pms import PmsSimulator
from gateway.simulators.ucm import UcmSimulator
from tests.postgres import free_port
from tests.wires import Wire

ROOMS = ("101", "102", "103", "104", "105")


class Gateway:
    """One process, and its three wires: to the PMS, the UCM and the database."""

    def __init__(self, house, name):
        self.house, self.name = house, name
        self.folder = house.folder / name
        self.folder.mkdir()
        self.http = free_port()
        self.config = self.folder / "gateway.toml"
        self.log = self.folder / "log"
        self.process = None

    async def plug_in(self):
        house = self.house
        self.pms = await Wire(self.name, house.opener.port, house.spoken).lay()
        self.ucm = await Wire(self.name, house.ucm.port, house.spoken).lay()
        url = house.url
        self.databases = []
        for port in re.findall(r":(\d+)(?=[,/])", url):
            self.databases.append(await Wire(self.name, int(port)).lay())
            url = url.replace(f":{port}", f":{self.databases[-1].port}")
        self.config.write_text(
            f'[site]\nname = "{house.schema}"\ntimezone = "Europe/Lisbon"\n'
            f'data_dir = "{self.folder}/data"\n'
            f'[pms]\nline = "tcp:127.0.0.1:{self.pms.port}"\n'
            f'[ucm]\nurl = "https://127.0.0.1:{self.ucm.port}/api"\n{house.ucm_section}'
            f"[fias]\nrecord_pacing_ms = 20\nack = {house.ack}\nlrc = {house.ack}\n"
            f'[http]\nlisten = "127.0.0.1:{self.http}"\n'
            f'[store]\nurl = "{url}"\n'
            f'[pair]\nname = "{self.name}"\nlease_s = {house.lease_s}\n{house.extra}',
            encoding="utf-8",
        )

    @property
    def wires(self):
        return self.pms, self.ucm, *self.databases

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gateway", "run", "--config", str(self.config)],
                stdout=log, stderr=log, env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )  # fmt: skip
        return self

    def signal(self, number):
        self.process.send_signal(number)

    def end(self):
        if self.process is not None and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGCONT)
                self.process.kill()
            self.process.wait(10)

    async def get(self, path):
        async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
            return await client.get(f"http://127.0.0.1:{self.http}{path}")

    async def role(self):
        try:
            return (await self.get("/readyz")).json().get("role", "")
        except (httpx.HTTPError, json.JSONDecodeError):
            return ""

    async def sees(self):
        """Whom it sees at work."""
        return (await self.get("/readyz")).json()["pair"]["holder"]


class House:
    """A PMS, a UCM, and two gateways, each with a folder of its own.

    ack     whether the PMS's line has answers
    spoken  whatever the gateways said to the PMS and the UCM: (monotonic, name, bytes)
    """

    def __init__(self, folder, url, schema, *, lease_s=1.0, ack=False, extra=""):
        self.folder, self.url, self.schema = Path(folder), url, schema
        self.lease_s, self.extra = lease_s, extra
        self.ack = "true" if ack else "false"
        self.spoken = []
        self._playing = []

    async def __aenter__(self):
        self.opener = opener_for(ListenSpec("127.0.0.1", 0))
        await self.opener.listen()
        self.hotel = Hotel(rooms=ROOMS, seed=1)
        self.pms = PmsSimulator(
            opener=self.opener, lrc=self.ack == "true", ack=self.ack == "true",
            every_room=lambda: self.hotel.resync()[1:-1], start_again_s=0.5,
        )  # fmt: skip
        self.ucm = UcmSimulator(seed=1)
        self.ucm.rooms.add(*ROOMS)
        self.ucm.settings.password = secrets.token_hex(8)
        pem = write_certificate(self.folder)
        await self.ucm.start(pem)
        settings = self.ucm.settings
        self.ucm_section = (
            f'username = "{settings.username}"\npassword = "{settings.password}"\npms_username = "{settings.pms_username}"\n'
            f'pms_password = "{settings.pms_password}"\nfingerprint = "{fingerprint_of(pem)}"\n'
            "retry_interval_s = 0.5\ntimeout_s = 3\n"
        )
        self.left, self.right = Gateway(self, "left"), Gateway(self, "right")
        for gateway in (self.left, self.right):
            await gateway.plug_in()
        self._playing.append(asyncio.create_task(self.pms.run()))
        return self

    async def __aexit__(self, *_):
        for gateway in (self.left, self.right):
            gateway.end()
            for wire in gateway.wires:
                await wire.take_up()
        for task in self._playing:
            task.cancel()
        await self.opener.close()
        await self.ucm.stop()

    async def holder(self, within_s=20.0):
        """The gateway that is at work, once there is one."""
        async with asyncio.timeout(within_s):
            while True:
                for gateway in (self.left, self.right):
                    if await gateway.role() == "holder":
                        return gateway
                await asyncio.sleep(0.05)

    def other(self, gateway):
        return self.right if gateway is self.left else self.left

    async def until(self, condition, within_s=20.0):
        async with asyncio.timeout(within_s):
            while not condition():
                await asyncio.sleep(0.02)

    def differences(self):
        return differences(self.hotel, self.ucm.rooms.rooms)

    async def agreed(self, within_s=30.0):
        """Until every room shows what the PMS means."""
        await self.until(lambda: not self.differences(), within_s)
