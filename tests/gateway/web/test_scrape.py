"""The second listener over real HTTPS: metrics and health to who knows the token, else nothing."""

import asyncio
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from gateway import logs
from gateway.config import ConfigError, load
from gateway.config.model import Scraped
from gateway.demo import stage
from gateway.metrics import Metrics
from gateway.simulators.certificate import write_certificate
from gateway.web.scrape import listen

logs.set_up(quiet=True)
TOKEN = "an-invented-token-of-this-test"
SITE = """
[pms]
line = "tcp:127.0.0.1:9"
[ucm]
url = "https://127.0.0.1:9/api"
username = "u"
password = "p-invented"
pms_username = "h"
pms_password = "q-invented"
tls = "insecure"
[http]
listen = "127.0.0.1:0"
"""


def scraped(folder, *, tls=True, token=True):
    """Files in a folder, and the keys of [http] that name them."""
    keys = ['metrics_listen = "127.0.0.1:0"']
    if tls:
        pem = write_certificate(folder, name="GATEWAY")
        keys += [f'metrics_cert_file = "{pem.name}"', f'metrics_key_file = "{pem.name}"']
    if token:
        (folder / "metrics-token").write_text(TOKEN + "\n")
        keys += ['metrics_token_file = "metrics-token"']
    return "\n".join(keys) + "\n"


def config_of(folder, text):
    path = folder / "gateway.toml"
    path.write_text(f'[site]\ndata_dir = "{folder}/data"\n{SITE}{text}', encoding="utf-8")
    return load(path)


def get(url, authorization=None):
    """Status, body and headers of a page."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    headers = {} if authorization is None else {"Authorization": authorization}
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=5, context=context) as reply:
            return reply.status, reply.read().decode(), dict(reply.headers)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), dict(error.headers)


async def ask(on, path, authorization=None, scheme="https"):
    url = f"{scheme}://127.0.0.1:{on.service.pages[2].port}{path}"
    return await asyncio.to_thread(get, url, authorization)


def on_stage(folder, **how):
    """The demo with the second listener."""
    settings = config_of(folder, scraped(folder, **how)).scraped

    def adapt(config):
        return config.model_copy(update={"scraped": settings})

    return stage(folder, rooms=("101",), adapt=adapt)


@pytest.mark.asyncio
async def test_who_knows_the_token_gets_metrics_and_health_over_tls(tmp_path):
    async with on_stage(tmp_path) as on:
        status, body, _ = await ask(on, "/metrics", f"Bearer {TOKEN}")
        assert (status, "pmsgw_build_info" in body) == (200, True)
        assert "pmsgw_clock_timestamp_seconds 1." in body  # the gauges are brought up to date
        assert (await ask(on, "/healthz", f"bearer {TOKEN}"))[0] == 200
        assert (await ask(on, "/readyz", f"Bearer {TOKEN}"))[0] in (200, 503)


@pytest.mark.asyncio
@pytest.mark.parametrize("path", ["/", "/rooms", "/login", "/metrics/x", "/static/x"])
async def test_there_is_nothing_else(tmp_path, path):
    async with on_stage(tmp_path) as on:
        assert (await ask(on, path, f"Bearer {TOKEN}"))[0] == 404
        assert "pmsgw" not in (await ask(on, "/", f"Bearer {TOKEN}"))[1]
        assert (await ask(on, path))[0] == 401


@pytest.mark.asyncio
async def test_who_does_not_know_the_token_learns_only_that_there_is_one(tmp_path):
    wrong = (None, "", "Bearer", "Bearer ", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x",
             f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN.upper()}", "Bearer \xe4\xf6")  # fmt: skip
    async with on_stage(tmp_path) as on:
        for authorization in wrong:
            for path in ("/metrics", "/healthz", "/readyz"):
                status, body, headers = await ask(on, path, authorization)
                assert (status, body) == (401, "a bearer token is needed\n"), authorization
                assert headers["www-authenticate"].startswith("Bearer")


@pytest.mark.asyncio
async def test_tls_and_token_are_each_by_choice(tmp_path):
    async with on_stage(tmp_path, tls=False) as on:
        assert (await ask(on, "/metrics", f"Bearer {TOKEN}", "http"))[0] == 200
        assert (await ask(on, "/metrics", scheme="http"))[0] == 401
    other = tmp_path / "other"
    other.mkdir()
    async with on_stage(other, token=False) as on:
        assert (await ask(on, "/metrics"))[0] == 200
        with pytest.raises(OSError, match=r"."):  # no plain HTTP where TLS was asked for
            await ask(on, "/metrics", scheme="http")


@pytest.mark.asyncio
async def test_without_it_there_is_one_listener(tmp_path):
    async with stage(tmp_path, rooms=("101",)) as on:
        assert len(on.service.pages) == 2


def test_a_port_that_is_taken_is_told_before_anything_starts(tmp_path):
    config_of(tmp_path, "")
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        config_of(tmp_path, f'metrics_listen = "{address}"\n')
        run = [sys.executable, "-m", "gateway", "run", "--config", str(tmp_path / "gateway.toml")]
        done = subprocess.run(run, capture_output=True, timeout=60, check=False, text=True)
    assert done.returncode == 1
    assert f"http.metrics_listen = '{address}': another program listens there" in done.stderr


def test_the_listener_is_bound_when_it_is_made():
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = Scraped(address=f"127.0.0.1:{other.getsockname()[1]}")
        with pytest.raises(OSError, match="in use"):
            listen(taken, Metrics(version="1", site="t"), None, None)


# --- What check-config says ---


def mistakes(folder, text):
    with pytest.raises(ConfigError) as wrong:
        config_of(folder, text)
    return [each.removeprefix(f"{folder}/gateway.toml: ") for each in wrong.value.sentences]


def test_the_files_are_read_and_the_token_is_never_printed(tmp_path):
    config = config_of(tmp_path, scraped(tmp_path))
    assert config.scraped.token == TOKEN
    assert TOKEN not in repr(config) + str(config.scraped)


def test_a_token_may_be_a_credential(tmp_path, monkeypatch):
    keys = scraped(tmp_path, tls=False)
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "metrics-token").write_text("another-token-from-systemd")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    assert config_of(tmp_path, keys).scraped.token == "another-token-from-systemd"


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ('metrics_listen = "9844"', "http.metrics_listen = '9844': expected HOST:PORT"),
        ('metrics_token_file = "t"', "http.metrics_token_file: there is no http.metrics_listen that it would serve"),
        ('metrics_listen = "127.0.0.1:0"\nmetrics_cert_file = "good.pem"', "http.metrics_cert_file and http.metrics_key_file: give both, or none"),
        ('metrics_listen = "127.0.0.1:0"\nmetrics_key_file = "good.pem"', "http.metrics_cert_file and http.metrics_key_file: give both, or none"),
        ('metrics_listen = "127.0.0.1:0"\nmetrics_cert_file = "good.pem"\nmetrics_key_file = "none"', "http.metrics_key_file = 'none': {dir}/none does not exist"),
        ('metrics_listen = "127.0.0.1:0"\nmetrics_cert_file = "good.pem"\nmetrics_key_file = "other.pem"', "http.metrics_cert_file and http.metrics_key_file: no certificate and its own key in PEM, without a password (KEY_VALUES_MISMATCH)"),
        ('metrics_listen = "127.0.0.1:0"\nmetrics_cert_file = "empty"\nmetrics_key_file = "good.pem"', "http.metrics_cert_file and http.metrics_key_file: no certificate"),
        ('metrics_listen = "127.0.0.1:0"\nmetrics_token_file = "none"', "http.metrics_token_file = 'none': {dir}/none: No such file"),
        ('metrics_listen = "127.0.0.1:0"\nmetrics_token_file = "empty"', "http.metrics_token_file = 'empty': {dir}/empty is empty"),
        ('metrics_listen = "127.0.0.1:0"\nmetrics_token_file = "short"', "http.metrics_token_file = 'short': expected one line of 16 or more letters"),
        ('metrics_listen = "127.0.0.1:0"\nmetrics_token_file = "words"', "http.metrics_token_file = 'words': expected one line of 16 or more letters"),
    ],
)  # fmt: skip
def test_a_mistake_has_its_sentence(tmp_path, keys, sentence):
    write_certificate(tmp_path, name="A").rename(tmp_path / "good.pem")
    write_certificate(tmp_path, name="B").rename(tmp_path / "other.pem")
    for name, text in (("empty", ""), ("short", "abc"), ("words", "a token with blanks in it")):
        (tmp_path / name).write_text(text)
    found = mistakes(tmp_path, keys + "\n")
    assert [each for each in found if each.startswith(sentence.replace("{dir}", str(tmp_path)))]
    assert len(found) == 1


def test_a_key_with_a_password_is_told_and_nobody_is_asked_for_it(tmp_path):
    from cryptography.hazmat.primitives import serialization

    pem = write_certificate(tmp_path, name="A")
    key = serialization.load_pem_private_key(pem.read_bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    (tmp_path / "locked.key").write_bytes(locked)
    keys = f'metrics_listen = "127.0.0.1:0"\nmetrics_cert_file = "{pem.name}"\nmetrics_key_file = "locked.key"\n'
    assert "without a password (the key has a password)" in mistakes(tmp_path, keys)[0]


@pytest.mark.asyncio
async def test_connections_that_ask_nothing_leave_the_line_its_open_files(tmp_path):
    async with stage(tmp_path) as on:
        port = on.service.pages[0].port
        before = len(list(Path("/proc/self/fd").iterdir()))
        kept = [await asyncio.open_connection("127.0.0.1", port) for _ in range(20)]
        status, *_ = await asyncio.to_thread(get, f"http://127.0.0.1:{port}/healthz")
        assert status == 200
        assert (
            len(list(Path("/proc/self/fd").iterdir())) < before + 2 * 20
        )  # their own ends, not ours
        for _, writer in kept:
            writer.close()
