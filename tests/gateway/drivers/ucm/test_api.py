"""The two APIs of a UCM: the token, and challenges that make no sense."""

import asyncio

import pytest

from gateway.drivers.base import (
    Paused,
    Unreachable,
)
from gateway.drivers.ucm.api import OldApi, pms_token
from gateway.drivers.ucm.driver import UcmDriver
from gateway.drivers.ucm.https import HttpsPeer, TlsSettings, Trust
from gateway.metrics import Metrics
from gateway.simulators.ucm.new_api import NewApi
from gateway.simulators.ucm.replies import json_reply
from tests.gateway.drivers.ucm.bench import WORDS, bench


def test_the_token_is_the_printed_example():
    assert pms_token("admin1", "admin123", upper_case=True) == "3FAF8662B93EF7B8B359C0DFD18696D3"


@pytest.mark.asyncio
async def test_a_challenge_that_is_half_a_character_is_no_crash(tmp_path, monkeypatch):
    half = {"response": {"challenge": "\ud800"}, "status": 0}
    monkeypatch.setattr(NewApi, "challenge", lambda *_: json_reply(half))
    async with bench(tmp_path) as on:
        with pytest.raises((Unreachable, Paused)):
            await on.driver.probe()


@pytest.mark.asyncio
async def test_a_ucm_that_wants_its_address_in_the_login_is_given_it_and_it_is_remembered(
    tmp_path, monkeypatch
):
    """A challenge counts once: the second login needs another one."""
    asked, log_in = [], NewApi.login

    def login(self, request):
        asked.append(request.get("url"))
        if not request.get("url"):
            self.challenge(request)  # the one that was given is void
            return json_reply({"response": {}, "status": -1})
        return log_in(self, request)

    monkeypatch.setattr(NewApi, "login", login)
    async with bench(tmp_path) as on:
        await on.driver.probe()
        on.ucm.new_api.forget()
        await on.driver.probe()
    assert [bool(url) for url in asked] == [False, True, True]
    assert asked[1].startswith("https://127.0.0.1:")
    assert not asked[1].endswith("/api")


@pytest.mark.asyncio
async def test_a_ucm_that_refuses_the_login_for_good_is_asked_twice_and_no_more(
    tmp_path, monkeypatch
):
    asked = []

    def login(self, request):
        asked.append(request)
        return json_reply({"response": {}, "status": -1})

    monkeypatch.setattr(NewApi, "login", login)
    async with bench(tmp_path) as on:
        with pytest.raises(Unreachable, match="login refused"):
            await on.driver.probe()
    assert len(asked) == 2


@pytest.mark.asyncio
async def test_a_challenge_that_is_a_number_is_its_text(tmp_path, monkeypatch):
    challenge = NewApi.challenge

    def as_a_number(self, request):
        challenge(self, request)
        self._challenge = "1234567890"
        return json_reply({"response": {"challenge": 1234567890}, "status": 0})

    monkeypatch.setattr(NewApi, "challenge", as_a_number)
    async with bench(tmp_path) as on:
        await on.driver.probe()
        assert (on.ucm.logins, on.ucm.failed_logins) == (1, 0)


@pytest.mark.asyncio
@pytest.mark.parametrize("words", ["algorithm=SHA-9000", 'qop="auth-int"', ""])
async def test_an_odd_digest_challenge_is_an_outage_and_no_crash(words):
    async def odd(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        challenge = f'WWW-Authenticate: Digest realm="x", nonce="y", {words}'
        writer.write(f"HTTP/1.1 401 No\r\n{challenge}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(odd, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    metrics = Metrics(version="1", site="t")
    peer = HttpsPeer(f"http://127.0.0.1:{port}/pmsapi", tls=TlsSettings(trust=Trust.INSECURE),
                     timeout_s=2, digest=("u", "p"))  # fmt: skip
    driver = UcmDriver(OldApi(peer, token="t", metrics=metrics), WORDS, metrics)
    with pytest.raises((Unreachable, Paused)):
        await driver.probe()
    await driver.close()
    server.close()
