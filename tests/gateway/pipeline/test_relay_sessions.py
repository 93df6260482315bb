"""Sessions that break, and a UCM that is away or wants to be left alone."""

import pytest
from structlog.testing import capture_logs

from tests.gateway.pipeline.noted_site import ANNA, BOTH, OTTO, asked, site_on


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize("code", [-5, -6])
async def test_a_session_that_is_refused_once_is_renewed_and_the_call_made_again(
    tmp_path, has_list, code
):
    async with site_on(tmp_path, has_list) as site:
        assert await site.told(ANNA, fates=[code]) == [f"checkin 101 {code}", "checkin 101 0"]
        assert (site.pauses(), site.wrong()) == ([0], [])


@pytest.mark.asyncio
@BOTH
async def test_a_session_that_is_always_refused_is_no_rooms_fault(tmp_path, has_list):
    """Each try costs a login: again after the interval, for as long as it takes."""
    async with site_on(tmp_path, has_list, retries=0) as site:
        said = await site.told(ANNA, OTTO, fates=[-6] * 20)
        refused = [each for each in said if each.endswith("-6")]
        assert (len(refused), site.wrong()) == (20, [])
        assert site.pauses()[:20] == [0, 60] * 10
        assert (site.state("101"), site.state("102")) == ("told", "told")


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize("code", [-7, -8])
@pytest.mark.parametrize("is_done", [False, True])
async def test_a_call_whose_session_broke_may_have_been_done(tmp_path, has_list, code, is_done):
    async with site_on(tmp_path, has_list) as site:
        site.api.plan[:] = [code]
        await site.hear(ANNA)
        await site.turn()
        if is_done:
            site.ucm.apply("checkin", site.api.calls[-1][1])
            site.leave_message("101")
        await site.rest()
        again = [] if is_done and has_list else [f"checkin 101 {19 if is_done else 0}"]
        assert site.said == asked(has_list, f"checkin 101 {code}", "list", *again)
        assert (site.shown("101"), site.wrong()) == (("Rossi", int(is_done)), [])


@pytest.mark.asyncio
@BOTH
async def test_a_session_that_breaks_for_ever_is_no_rooms_fault(tmp_path, has_list):
    async with site_on(tmp_path, has_list, retries=0) as site:
        said = await site.told(ANNA, OTTO, fates=[-7] * 20)
        assert len([each for each in said if each.endswith("-7")]) == 20
        assert site.pauses()[:20] == [0, *[60] * 19]
        assert (site.state("101"), site.state("102"), site.wrong()) == ("told", "told", [])


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize(
    ("code", "seconds", "loud"),
    [
        (-45, 15, False), (-46, 15, False), (-57, 60, False), (-68, 60, True),
        (16, 300, True), (21, 300, True), (-37, 300, True), (-47, 300, True), (-70, 300, True),
        (-71, 300, True),
    ],
)  # fmt: skip
async def test_a_ucm_that_wants_to_be_left_alone_is_asked_once_behind_each_pause(
    tmp_path, has_list, code, seconds, loud
):
    async with site_on(tmp_path, has_list, retries=0) as site:
        with capture_logs() as logs:
            said = await site.told(ANNA, OTTO, fates=[code] * 3)
        assert said[:3] == [f"checkin 101 {code}"] * 3
        assert site.pauses()[:3] == [seconds] * 3
        assert (site.state("101"), site.state("102"), site.wrong()) == ("told", "told", [])
        stops = [line for line in logs if line["event"] == "ucm_stopped"]
        assert [line["log_level"] for line in stops] == (["error"] * 3 if loud else [])


@pytest.mark.asyncio
@BOTH
async def test_a_ucm_that_is_away_is_asked_with_growing_pauses_for_as_long_as_it_takes(
    tmp_path, has_list
):
    async with site_on(tmp_path, has_list, retries=0) as site:
        await site.told(ANNA, OTTO, fates=["down"] * 18)
        assert site.pauses()[:18] == [1, 2, 4, 8, 16, 32, *[60] * 12]
        assert (site.state("101"), site.state("102"), site.wrong()) == ("told", "told", [])


@pytest.mark.asyncio
@BOTH
async def test_a_call_that_the_ucm_cannot_bear_holds_back_nobody_else(tmp_path, has_list):
    """Each time that it is made the reply is lost, and it is never done."""
    async with site_on(tmp_path, has_list, retries=0) as site:
        send = site.api.send

        async def choking(request):
            if request.value_of("address") == "101":
                site.api.plan.insert(0, "lost")
            return await send(request)

        site.api.send = choking
        await site.hear(ANNA, OTTO)
        for _ in range(40):
            await site.turn()
        assert site.shown("102") == ("Meyer", 0)
        assert site.state("101") == "waiting"
        site.api.send = send
        await site.rest()
        assert site.wrong() == []
