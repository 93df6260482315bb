"""A real Prometheus scrapes a gateway in trouble: every panel shows something, and alerts ring."""

import asyncio
import itertools
import json
import os
import re
import shutil
import socket
import urllib.parse
import urllib.request
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from gateway import logs
from gateway.demo import stage
from gateway.named_files import scraped
from gateway.simulators.certificate import write_certificate
from grafana.pages import DASHBOARDS
from grafana.panel import whole

logs.set_up(quiet=True)
GRAFANA = Path(__file__, "../../../grafana").resolve()
ROOMS = ("101", "102", "103", "104", "105", "106")
TOKEN = "an-invented-token-of-this-test"
NEEDS_HARDWARE = {"Serial driver errors"}
"""Panels that are empty here: a pseudo-terminal has no driver that counts."""
RING_HERE = {
    "LinkDown", "CheckBytesFail", "UcmUnreachable", "UcmLoginRefused", "UcmCertificateRefused", "EntriesStuck",
    "RowsParked", "RoomsDrifted",
}  # fmt: skip
"""The others take longer than a test may; grafana/tests/ sees each of them ring."""


class Prometheus:
    """One that runs on loopback."""

    def __init__(self, port):
        self._url = f"http://127.0.0.1:{port}"

    def _get(self, path):
        try:
            with urllib.request.urlopen(self._url + path, timeout=5) as reply:
                return reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.read().decode()

    async def get(self, path, **query):
        """`data` of an answer of its API; an AssertionError for an error of it."""
        answer = await asyncio.to_thread(self._get, f"{path}?{urllib.parse.urlencode(query)}")
        parsed = json.loads(answer)
        assert parsed["status"] == "success", (query, parsed)
        return parsed["data"]

    async def values(self, query):
        """What a query gives now, NaN left out: a quantile of nothing is no data."""
        data = await self.get("/api/v1/query", query=query)
        found = (
            [data["result"]]
            if data["resultType"] == "scalar"
            else [each["value"] for each in data["result"]]
        )
        return [float(text) for _, text in found if text != "NaN"]

    async def has_rung(self):
        """Names of alerts that have rung at any time."""
        query = 'count by (alertname) (max_over_time(ALERTS{alertstate="firing"}[5m]))'
        data = await self.get("/api/v1/query", query=query)
        return {each["metric"]["alertname"] for each in data["result"]}

    async def is_ready(self):
        try:
            return "Ready" in await asyncio.to_thread(self._get, "/-/ready")
        except OSError:
            return False


async def until(condition, within_s=20.0):
    """Wait for something that others bring about."""
    async with asyncio.timeout(within_s):
        while not await condition():
            await asyncio.sleep(0.2)


def impatient(text):
    """Rules that ring after a second, for a test that cannot wait."""
    return re.sub(r"for: \w+", "for: 1s", text).replace("> 300", "> 2")


@asynccontextmanager
async def prometheus(folder, target, certificate):
    """A Prometheus with our rules that scrapes the second listener, as the README of grafana/ says."""
    program = shutil.which("prometheus")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs prometheus: apt-get install prometheus")
        pytest.skip("prometheus is not installed; CI has it")
    for name in ("alerts.yml", "recording.yml"):
        (folder / name).write_text(impatient((GRAFANA / name).read_text()))
    (folder / "prometheus.yml").write_text(f"""
global: {{ scrape_interval: 1s, evaluation_interval: 1s }}
rule_files: [recording.yml, alerts.yml]
scrape_configs:
  - job_name: pms-gateway
    scheme: https
    authorization: {{ credentials_file: {folder}/metrics-token }}
    tls_config: {{ ca_file: {certificate} }}
    static_configs: [{{ targets: ["127.0.0.1:{target}"] }}]
""")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        program, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn",
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        told = Prometheus(port)
        await until(told.is_ready)
        yield told
    finally:
        process.kill()
        await process.wait()


def scraping(folder, on):
    """A Prometheus for the second listener of this gateway."""
    (certificate,) = folder.glob("gateway-*.pem")
    return prometheus(folder, on.service.pages[2].port, certificate)


@asynccontextmanager
async def hotel_day(on):
    """Guests come and go all the time, and every second frame of the PMS is damaged."""
    turns = itertools.cycle((True, False))

    def damage(frame):
        return (
            frame[:5] + bytes([frame[5] ^ 1]) + frame[6:]
            if len(frame) > 20 and next(turns)
            else frame
        )

    async def go_on():
        while True:
            if on.pms.is_up:
                on.pms.say(*on.hotel.random_deed())
            await asyncio.sleep(0.2)

    on.pms.damage = damage
    playing = asyncio.ensure_future(go_on())
    try:
        yield
    finally:
        on.pms.damage = None
        playing.cancel()


async def make_trouble(on):
    """A row that is parked, a room that drifts, things nobody understands, answers of a bad UCM."""
    on.ucm.rooms.add("201")
    on.pms.say(
        "GI|RN999|G#9|GNRossi|GSN|", "GI|RN201|G#8|GNVerdi|GSN|", "ZZ|RN1|", "GO|RN102|G#77|GSN|"
    )
    await until(lambda: asyncio.sleep(0, on.ucm.rooms.rooms["201"].is_in))
    on.ucm.rooms.rooms["201"].forget_guest()  # somebody at the desk checks him out by hand
    on.ucm.fail("code", value=-9, times=3)
    on.ucm.fail("drop", times=2)
    on.ucm.fail("cookie")


def on_stage(folder):
    """The demo over a pseudo-terminal, comparing often and only reporting, with a second listener."""
    pem = write_certificate(folder, name="GATEWAY", address="127.0.0.1")
    (folder / "metrics-token").write_text(TOKEN)
    keys = {"metrics_listen": "127.0.0.1:0", "metrics_cert_file": pem.name, "metrics_key_file": pem.name,
            "metrics_token_file": "metrics-token"}  # fmt: skip

    def adapt(config):
        ucm = config.ucm.model_copy(update={"reconcile": "report", "reconcile_interval_s": 1})
        return replace(config, ucm=ucm, scraped=scraped(config.path, keys, []))

    return stage(folder, serial=True, rooms=ROOMS, adapt=adapt)


async def empty_panels(told):
    """Titles of panels that show nothing, with the query; a query that is wrong is an error."""
    found = []
    for panel in (panel for dashboard in DASHBOARDS for panel in dashboard.panels):
        for query in panel.queries.values():
            asked = whole(query).replace("$instance", ".+").replace("$__rate_interval", "15s")
            if not await told.values(asked) and panel.title not in NEEDS_HARDWARE:
                found.append((panel.title, asked))
    return found


@pytest.mark.asyncio
async def test_every_panel_shows_something_and_alerts_ring(tmp_path):
    async with on_stage(tmp_path) as on, scraping(tmp_path, on) as told:
        port = int(on.ucm_url.split(":")[2].split("/")[0])
        own = next(tmp_path.glob("ucm6304-*.pem"))

        async def rings(*names):
            async def all_of_them():
                return set(names) <= await told.has_rung()

            await until(all_of_them, within_s=15)

        async with asyncio.timeout(20):
            await on.pms.link_up()
        async with hotel_day(on):
            await make_trouble(on)
            await rings("RowsParked", "RoomsDrifted", "CheckBytesFail")
            for _ in range(20):
                if not (empty := await empty_panels(told)):
                    break
                await asyncio.sleep(0.5)
            assert not empty

            await on.ucm.stop()
            await on.ucm.start(write_certificate(tmp_path, name="THIEF"), port=port)
            await rings("UcmCertificateRefused", "UcmUnreachable", "EntriesStuck")
            await on.ucm.stop()
            on.ucm.settings.password = "changed by somebody"
            on.ucm.reboot()
            await on.ucm.start(own, port=port)
            await rings("UcmLoginRefused")
        on.pms.start_again_s = 3600  # a PMS that is switched off for the night
        on.pms._link_down()
        on.pms._say_link("LE")
        await rings("LinkDown")

        assert await told.has_rung() == RING_HERE
        for group in (await told.get("/api/v1/rules"))["groups"]:
            for rule in group["rules"]:
                assert (rule["name"], rule["health"]) == (rule["name"], "ok"), rule.get("lastError")
                for alert in rule.get("alerts", ()):
                    assert "error expanding" not in str(alert["annotations"])
