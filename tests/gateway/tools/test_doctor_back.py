"""What doctor says of the list of calls, of the UCM's clock, and of mailboxes."""

from datetime import timedelta, timezone
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

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
