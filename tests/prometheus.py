"""A real Prometheus that scrapes the demo's gateway, and what goes on there meanwhile."""

import asyncio
import itertools
import json
import socket
import urllib.parse
import urllib.request
from contextlib import asynccontextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.back import tariff_file
from gateway.back.reader import SETTLED_AFTER_S
from gateway.clock import Clock
from gateway.config.model import Scraped
from gateway.demo import stage
from gateway.demo.stage import TIMEZONE
from gateway.simulators.certificate import write_certificate
from gateway.store import Store

GRAFANA = Path(__file__, "../../grafana").resolve()
EXAMPLE = GRAFANA.parent / "deploy" / "tariff.toml"
TOKEN = "an-invented-token-of-this-test"
INSTANCE = "demo-hotel"


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


def asked(query, rate_interval):
    """A query of a panel with the dashboard's variables filled in: all gateways."""
    chosen = query.replace("$instance", ".+").replace("$site", ".*")
    return chosen.replace("$__rate_interval", rate_interval)


@asynccontextmanager
async def prometheus(folder):
    """One that runs with `folder/prometheus.yml` and keeps what it learns in `folder/tsdb`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        "prometheus", f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/tsdb", f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn", stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        told = Prometheus(port)
        await until(told.is_ready)
        yield told
    finally:
        process.kill()
        await process.wait()


def scraping(folder, on, *, every_s=1, adapt=lambda rules: rules):
    """A Prometheus with our rules for the second listener of this gateway, as grafana/README.md says.

    adapt   what is different in the text of the rules
    """
    (certificate,) = folder.glob("gateway-*.pem")
    for name in ("alerts.yml", "recording.yml"):
        (folder / name).write_text(adapt((GRAFANA / name).read_text()))
    (folder / "prometheus.yml").write_text(f"""
global: {{ scrape_interval: {every_s}s, evaluation_interval: {every_s}s }}
rule_files: [recording.yml, alerts.yml]
scrape_configs:
  - job_name: pms-gateway
    scheme: https
    authorization: {{ credentials_file: {folder}/metrics-token }}
    tls_config: {{ ca_file: {certificate} }}
    static_configs:
      - targets: ["127.0.0.1:{on.service.pages[2].port}"]
        labels: {{ instance: {INSTANCE} }}
""")
    return prometheus(folder)


@asynccontextmanager
async def hotel_day(on, pause=lambda: 0.2):
    """Guests come and go all the time, with pauses of so many seconds."""

    async def go_on():
        while True:
            if on.pms.is_up:
                on.pms.say(*on.hotel.random_deed())
            await asyncio.sleep(pause())

    playing = asyncio.ensure_future(go_on())
    try:
        yield
    finally:
        playing.cancel()


@asynccontextmanager
async def noisy_line(on, one_in=2):
    """Every so manieth long frame of the PMS is damaged."""
    numbers = itertools.count()

    def damage(frame):
        if len(frame) <= 20 or next(numbers) % one_in:
            return frame
        return frame[:5] + bytes([frame[5] ^ 1]) + frame[6:]

    on.pms.damage = damage
    try:
        yield
    finally:
        on.pms.damage = None


class Ahead(Clock):
    """This machine's clock, and a moment may pass at once."""

    ahead = 0.0

    def epoch(self):
        return super().epoch() + self.ahead


async def telephone(on):
    """Two calls: one is charged, the other one is refused by the PMS."""
    on.pms.cashier.answers = lambda posting: "NG" if posting.dialled.endswith("2") else "OK"
    store = on.service.store
    await until(lambda: store(Store.calls_mark))
    on.service.clock.ahead = SETTLED_AFTER_S + 2
    now = on.service.clock.epoch()
    for digits in ("00441632960001", "00441632960002"):
        on.ucm.phones.call("201", digits, talk_s=1, ring_s=0, ended=now - SETTLED_AFTER_S - 1)
    on.service.back.poll.nudged.set()


async def make_trouble(on):
    """A row that is parked, a room that drifts, things nobody understands, answers of a bad UCM."""
    on.ucm.rooms.add("201")
    on.pms.say(
        "GI|RN999|G#9|GNRossi|GSN|",
        "GI|RN201|G#8|GNVerdi|GA260101|GSN|",
        "ZZ|RN1|",
        "GO|RN102|G#77|GSN|",
    )
    await until(lambda: asyncio.sleep(0, on.ucm.rooms.rooms["201"].is_in))
    await telephone(on)
    on.ucm.rooms.rooms["201"].forget_guest()  # somebody at the desk checks him out by hand
    on.ucm.fail("code", value=-9, times=3)
    on.ucm.fail("drop", times=2)
    on.ucm.fail("cookie")


def switch_pms_off(on):
    """The PMS's interface says good-bye and does not come back by itself."""
    on.pms.start_again_s = 3600
    on.pms._link_down()
    on.pms._say_link("LE")


def ucm_port(on):
    """Where the UCM listens, for another that comes in its place."""
    return int(on.ucm_url.split(":")[2].split("/")[0])


def on_stage(folder, *, rooms, reconcile_s=1):
    """The demo over a pseudo-terminal, comparing often and only reporting, with a second listener."""
    pem = write_certificate(folder, name="GATEWAY", address="127.0.0.1")
    (folder / "metrics-token").write_text(TOKEN)
    scraped = Scraped(address="127.0.0.1:0", cert=pem, key=pem, token=TOKEN)

    def adapt(config):
        ucm = config.ucm.model_copy(
            update={"reconcile": "report", "reconcile_interval_s": reconcile_s}
        )
        back = config.back.model_copy(update={"charges": "priced", "poll_s": 1})
        rates = tariff_file.load(EXAMPLE)
        return config.model_copy(
            update={"ucm": ucm, "scraped": scraped, "back": back, "rates": rates}
        )

    clock = Ahead(ZoneInfo(TIMEZONE))
    return stage(folder, serial=True, rooms=rooms, adapt=adapt, clock=clock)
