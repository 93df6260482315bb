"""What the UCM refuses: for good, for now, or until an operator mends it."""

import pytest

from gateway.drivers.base import (
    Paused,
    Refused,
    Rejected,
)
from tests.gateway.drivers.ucm.bench import ANNA, BOTH, bench


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize("code", [12, 13, 14, 15, 17, 18, 23])
async def test_what_is_refused_for_good_is_asked_once(tmp_path, old, code):
    async with bench(tmp_path, old=old) as on:
        on.ucm.fail("code", value=code, times=-1, action="checkin")
        with pytest.raises(Rejected) as parked:
            await on.check_in(ANNA)
        assert parked.value.code == code
        assert len(on.said()) == 1
        assert "Rossi" not in str(parked.value)


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize("code", [-9, -24, -25, -26, -41, -42, -51, -99])
async def test_what_is_refused_for_a_passing_reason_is_asked_once(tmp_path, old, code):
    async with bench(tmp_path, old=old) as on:
        on.ucm.fail("code", value=code, times=1, action="checkin")
        with pytest.raises(Refused) as refused:
            await on.check_in(ANNA)
        assert (refused.value.code, len(on.said())) == (code, 1)


@pytest.mark.asyncio
@pytest.mark.parametrize(("code", "seconds"), [(-45, 15), (-46, 15), (-57, 60)])
async def test_too_frequent_pauses_the_whole_ucm(tmp_path, code, seconds):
    async with bench(tmp_path) as on:
        on.ucm.fail("code", value=code, times=1, action="checkin")
        with pytest.raises(Paused) as paused:
            await on.check_in(ANNA)
        assert (paused.value.seconds, paused.value.loud) == (seconds, False)


@pytest.mark.asyncio
@pytest.mark.parametrize("code", [16, 21, -37, -47, -70, -71])
async def test_what_only_an_operator_can_mend_stops_the_calls_loudly(tmp_path, code):
    async with bench(tmp_path) as on:
        on.ucm.fail("code", value=code, times=-1, action="checkin")
        with pytest.raises(Paused) as paused:
            await on.check_in(ANNA)
        assert (paused.value.seconds, paused.value.loud, len(on.said())) == (300, True, 1)


@pytest.mark.asyncio
async def test_a_wrong_password_is_tried_once_and_a_ban_lasts_as_long_as_it_says(tmp_path):
    async with bench(tmp_path) as on:
        on.ucm.settings.password = "changed"
        on.ucm.settings.tries = 2
        on.ucm.now = lambda: 1000.0
        with pytest.raises(Paused) as paused:
            await on.check_in(ANNA)
        assert (paused.value.code, on.ucm.failed_logins) == (-37, 1)
        with pytest.raises(Paused):
            await on.check_in(ANNA)
        with pytest.raises(Paused) as banned:
            await on.check_in(ANNA)
        assert (banned.value.code, banned.value.seconds) == (-68, 301)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("setting", "value", "code"),
    [("password", "x", 401), ("permitted", False, 403), ("api_enabled", False, 404)],
)
async def test_a_shut_door_of_the_old_api_stops_the_calls_loudly(tmp_path, setting, value, code):
    async with bench(tmp_path, old=True) as on:
        setattr(on.ucm.settings, setting, value)
        with pytest.raises(Paused) as paused:
            await on.check_in(ANNA)
        assert (paused.value.code, paused.value.loud) == (code, True)
        assert on.said() == []
