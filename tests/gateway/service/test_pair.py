"""A gateway that waits for its house; what both do together is told in tests/story/test_pair.py."""

import asyncio
import socket

import httpx
import pytest

from gateway import logs
from gateway.config import load
from gateway.config.site_config import REQUEST_SHARE, UNACKED_SHARE
from gateway.metrics import StandbyMetrics
from gateway.service.pair import Standby, name_of
from tests.postgres import free_port, needed

logs.set_up(quiet=True)


def config_of(tmp_path, *, pair="", port=1):
    path = tmp_path / "gateway.toml"
    path.write_text(
        '[pms]\nline = "tcp:127.0.0.1:1"\n[ucm]\nurl = "https://127.0.0.1:1/api"\nusername = "u"\n'
        'password = "p"\npms_username = "u"\npms_password = "p"\ntls = "insecure"\n'
        f'[http]\nlisten = "127.0.0.1:{port}"\n[store]\n'
        f'url = "postgresql://u:third-secret@127.0.0.1:{free_port()}/nowhere"\n{pair}'
    )
    return load(path)


def test_one_without_a_partner_goes_by_the_name_of_its_machine(tmp_path):
    assert name_of(config_of(tmp_path)) == socket.gethostname()[:32]
    assert name_of(config_of(tmp_path, pair='[pair]\nname = "a"\n')) == "a"


def test_in_a_pair_a_request_is_over_before_the_other_one_takes_over(tmp_path):
    assert config_of(tmp_path).request_within_s == 15
    paired = config_of(tmp_path, pair='[pair]\nname = "a"\nlease_s = 10\n')
    assert paired.request_within_s == 4
    half, whole = paired.pair.lease_s / 2, paired.pair.lease_s
    assert half + paired.request_within_s + paired.request_unacked_s <= whole
    assert half + paired.line_unacked_s <= whole
    assert REQUEST_SHARE + UNACKED_SHARE <= 0.5
    assert config_of(tmp_path).line_unacked_s == config_of(tmp_path).request_unacked_s == 20


@pytest.mark.asyncio
async def test_without_its_database_it_says_so_and_stops_when_it_is_told(tmp_path):
    needed()  # psycopg alone would do, and comes with it
    port, stop = free_port(), asyncio.Event()
    config = config_of(tmp_path, pair='[pair]\nname = "a"\n', port=port)
    standby = Standby(config, StandbyMetrics(version="1", site="x"))
    running = asyncio.create_task(standby.run(stop))
    async with httpx.AsyncClient(trust_env=False, base_url=f"http://127.0.0.1:{port}") as client:
        told = {}
        for _ in range(100):
            if "refused" in str(told.get("pair", {}).get("trouble", "")):
                break
            await asyncio.sleep(0.1)
            answer = await client.get("/readyz")
            told = answer.json()
        assert (answer.status_code, told["role"]) == (503, "standby")
        assert "refused" in told["pair"]["trouble"]
        page = (await client.get("/")).text
        assert "does not answer" in page
        assert "third-secret" not in page + answer.text
        assert (await client.get("/healthz")).status_code == 200
    stop.set()
    assert await running is None
