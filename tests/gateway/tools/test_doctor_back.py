"""What doctor says of the list of calls, of the UCM's clock, and of mailboxes."""

from datetime import UTC, timedelta, timezone
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from gateway.simulators.certificate import fingerprint_of, write_certificate
from gateway.tools import doctor_back
from gateway.tools.doctor_back import calls, mailboxes
from tests.gateway.drivers.ucm.bench import bench


def site(zone):
    return SimpleNamespace(zone=ZoneInfo(zone))


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("hours", "zone", "ok", "words"),
    [
        (0, "UTC", True, "calls of the last 7 days that the UCM lists: 1"),
        (-5, "UTC", False, "the UCM's time zone is UTC-05:00, the hotel's was UTC+00:00 then"),
        (5.5, "Asia/Kolkata", True, "calls of the last 7 days that the UCM lists: 1"),
        (1, "Asia/Kolkata", False, "UTC+01:00, the hotel's was UTC+05:30"),
    ],
)
async def test_the_clock_of_the_ucm_is_read_from_its_own_calls(tmp_path, hours, zone, ok, words):
    async with bench(tmp_path) as on:
        on.ucm.phones.zone = timezone(timedelta(hours=hours))
        on.ucm.phones.call("101", "00331")
        found = await calls(site(zone), on.driver._api)
        assert found[0] is ok
        assert words in found[1]


@pytest.mark.asyncio
async def test_a_list_without_calls_proves_nothing(tmp_path):
    async with bench(tmp_path) as on:
        ok, words = await calls(site("UTC"), on.driver._api)
        assert (ok, words[:48]) == (True, "the UCM lists no call of the last 7 days: make o")


@pytest.mark.asyncio
async def test_a_user_who_may_not_read_calls_is_told_what_to_tick(tmp_path):
    async with bench(tmp_path) as on:
        on.ucm.fail("code", value=-9, action="cdrapi", times=-1)
        ok, words = await calls(site("UTC"), on.driver._api)
        assert (ok, "tick CDR in the permissions" in words) == (False, True)


@pytest.mark.asyncio
async def test_mailboxes_are_counted(tmp_path):
    async with bench(tmp_path) as on:
        count = len(on.ucm.rooms.rooms)
        assert await mailboxes(on.driver._api) == (True, f"{count} mailboxes are listed")
        on.ucm.fail("html", action="listAccount")
        assert not (await mailboxes(on.driver._api))[0]


def whole(**back):
    """A site of which everything is asked."""
    used = {"charges": "off", "wake_up_results": True, "wake_ups_from_phones": False,
            "room_status": False, "voicemail": True, "minibar": "articles", "websocket": True,
            "ws_username": "pmsgw-ws", "ws_password": SecretStr(""), **back}  # fmt: skip
    return SimpleNamespace(
        zone=ZoneInfo("UTC"),
        back=SimpleNamespace(**used),
        kinds=used["wake_up_results"] or used["voicemail"],
        class_of_service={}, language={}, room_status={}, checkout_time=None,
    )  # fmt: skip


async def findings(on, pem, **back):
    """What doctor says of this site, by name."""
    settings = whole(**back)
    url = f"https://127.0.0.1:{on.ucm.port}/api"
    digest = fingerprint_of(pem)
    settings.ucm = SimpleNamespace(
        url=url, api="new", tls="pinned", ca_file=None, old_tls=False, name_bytes=64,
        pin=bytes.fromhex(digest.removeprefix("sha256:").replace(":", "")),
    )  # fmt: skip
    found = doctor_back.tried(settings, on.driver._api, on.metrics)
    return {name: (ok, words) async for name, ok, words in found}


@pytest.mark.asyncio
async def test_everything_that_is_used_is_tried(tmp_path):
    pem = write_certificate(tmp_path)
    async with bench(tmp_path, pem=pem) as on:
        on.ucm.phones.zone = UTC
        found = await findings(on, pem, ws_password=SecretStr(on.ucm.settings.ws_password))
        assert {name: ok for name, (ok, _) in found.items()} == dict.fromkeys(
            ("ucm clock", "mailboxes", "events", "wake-ups", "minibar"), True
        )
        assert "pmsgw-ws may listen" in found["events"][1]
        on.ucm.rooms.articles[0]["extension"] = "A1"
        found = await findings(on, pem, ws_password=SecretStr("wrong"))
        assert (found["events"][0], "-37" in found["events"][1]) == (False, True)
        assert (found["minibar"][0], "apple" in found["minibar"][1]) == (False, True)


@pytest.mark.asyncio
async def test_wake_ups_of_which_nothing_would_be_heard_are_a_finding(tmp_path):
    pem = write_certificate(tmp_path)
    async with bench(tmp_path, pem=pem) as on:
        on.ucm.settings.lists_wake_ups = False
        found = await findings(on, pem)
        assert (found["wake-ups"][0], "UR" in found["wake-ups"][1]) == (False, True)
        assert "polled" in found["events"][1]
        found = await findings(on, pem, ws_password=SecretStr(on.ucm.settings.ws_password))
        assert found["wake-ups"][0]


@pytest.mark.asyncio
async def test_a_clock_that_is_wrong_is_a_finding(tmp_path):
    pem = write_certificate(tmp_path)
    async with bench(tmp_path, pem=pem) as on:
        on.ucm.phones.zone = timezone(timedelta(hours=3))
        found = await findings(on, pem)
        assert (found["ucm clock"][0], "zone" in found["ucm clock"][1]) == (False, True)


@pytest.mark.asyncio
async def test_what_is_not_used_is_not_tried(tmp_path):
    pem = write_certificate(tmp_path)
    async with bench(tmp_path, pem=pem) as on:
        off = {"wake_up_results": False, "voicemail": False, "minibar": "off"}
        assert await findings(on, pem, **off) == {}
