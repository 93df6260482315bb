"""Names that had to be changed, rooms that are parked, and what brings them back."""

import pytest
from structlog.testing import capture_logs

from tests.gateway.pipeline.noted_site import (
    ANNA,
    ANNA_MARRIES,
    ANNA_MOVES,
    BOTH,
    CARL,
    OTTO,
    OTTO_MOVES,
    OUT,
    asked,
    site_on,
)

# --- Names and languages ---


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize(
    ("record", "code", "name"),
    [("GI|RN101|G#4711|GN" + "x" * 30 + "|GSN|", 26, "x" * 15),
     ("GI|RN101|G#4711|GNO'Hara; Bo|GSN|", -50, "OHara Bo")],
)  # fmt: skip
async def test_a_name_that_had_to_be_changed_is_not_told_again_at_each_comparison(
    tmp_path, has_list, record, code, name
):
    async with site_on(tmp_path, has_list) as site:
        site.ucm.name_bytes = 20
        assert await site.told(record) == [f"checkin 101 {code}", "checkin 101 0"]
        assert site.shown("101") == (name, 0)
        assert await site.compared() == asked(has_list, "list")
        assert await site.told(record) == []


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize(
    ("name", "code", "tries"), [("x" * 30, 26, 3), ("O'Hara", -50, 2), ("Rossi", -50, 1)]
)
async def test_a_name_that_the_ucm_never_takes_parks_the_room(
    tmp_path, has_list, name, code, tries
):
    async with site_on(tmp_path, has_list) as site:
        site.always = {"checkin": code}
        said = await site.told(f"GI|RN101|G#4711|GN{name}|GSN|")
        assert said == [f"checkin 101 {code}"] * tries
        assert site.state("101") == "parked"


@pytest.mark.asyncio
@BOTH
async def test_a_language_without_prompts_is_done_with_a_warning_and_said_once(tmp_path, has_list):
    async with site_on(tmp_path, has_list) as site:
        site.ucm.languages = ("en",)
        with capture_logs() as logs:
            assert await site.told(ANNA + "GLFR|") == ["checkin 101 -100"]
            assert await site.compared() == asked(has_list, "list")
        assert (site.shown("101"), site.state("101")) == (("Rossi", 0), "told")
        [warning] = [line for line in logs if line["log_level"] == "warning"]
        assert (warning["event"], warning["room"]) == ("delivered_with_warning", "101")


@pytest.mark.asyncio
@BOTH
async def test_what_the_ucm_would_not_see_differently_is_not_said(tmp_path, has_list):
    async with site_on(tmp_path, has_list) as site:
        await site.told(ANNA)
        assert await site.told(ANNA, ANNA + "GLXX|", "GC|RN101|G#4711|GV0|CS9|GA260314|") == []


# --- Refusals ---


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize("code", [12, 13, 14, 15, 17, 18])
async def test_a_refusal_for_good_parks_its_room_after_one_try_and_says_so(
    tmp_path, has_list, code
):
    async with site_on(tmp_path, has_list) as site:
        with capture_logs() as logs:
            assert await site.told(ANNA, OTTO, fates=[code]) == [
                f"checkin 101 {code}", "checkin 102 0",
            ]  # fmt: skip
        assert (site.state("101"), site.shown("101")) == ("parked", OUT)
        assert site.outbox.view("101").why.startswith(f"{code}: ")
        [error] = [line for line in logs if line["log_level"] == "error"]
        assert (error["event"], error["room"]) == ("parked", "101")
        assert "Rossi" not in repr(logs)


@pytest.mark.asyncio
@BOTH
async def test_a_parked_room_is_left_alone_by_comparisons_by_others_and_by_a_restart(
    tmp_path, has_list
):
    async with site_on(tmp_path, has_list) as site:
        await site.told(ANNA, fates=[18])
        assert set(await site.compared()) <= {"list"}
        assert await site.told(OTTO) == ["checkin 102 0"]
        site.start()
        assert set(await site.told()) <= {"list"}
        assert site.state("101") == "parked"


@pytest.mark.asyncio
@BOTH
async def test_a_parked_room_is_tried_again_when_the_pms_says_something_new_of_it(
    tmp_path, has_list
):
    async with site_on(tmp_path, has_list) as site:
        await site.told(ANNA, fates=[18])
        assert await site.told(ANNA) == []  # nothing new
        assert await site.told(ANNA_MARRIES) == ["checkin 101 0"]
        assert (site.shown("101"), site.wrong()) == (("Bell", 0), [])


@pytest.mark.asyncio
@BOTH
async def test_a_parked_room_is_tried_again_when_an_operator_says_so(tmp_path, has_list):
    async with site_on(tmp_path, has_list) as site:
        await site.told(ANNA)
        await site.told(ANNA_MOVES, fates=[23])
        site.operator_retries_all()
        assert await site.now() == ["checkin 205 0"]
        assert (site.shown("205"), site.wrong()) == (("Rossi", 0), [])


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize("code", [-9, -24, -25, -26, -41, -42, -51, -99])
async def test_a_passing_refusal_is_tried_so_often_at_the_interval_and_then_parked(
    tmp_path, has_list, code
):
    async with site_on(tmp_path, has_list, retries=2) as site:
        site.always = {"checkin": code}
        await site.hear(ANNA)
        for tries in (1, 2, 3):
            assert await site.now() == [f"checkin 101 {code}"]
            assert site.state("101") == ("waiting" if tries < 3 else "parked")
            site.clock.wind(59)
            assert await site.now() == []
            site.clock.wind(1)
        site.clock.wind(700)
        assert await site.now() == []


@pytest.mark.asyncio
@BOTH
async def test_a_restart_does_not_forget_how_often_a_room_was_refused(tmp_path, has_list):
    async with site_on(tmp_path, has_list, retries=1) as site:
        site.always = {"checkin": -9}
        await site.hear(ANNA)
        await site.now()
        site.start()
        site.forget()
        await site.rest()
        assert site.said.count("checkin 101 -9") == 1
        assert site.state("101") == "parked"


@pytest.mark.asyncio
@BOTH
async def test_a_room_that_waits_out_a_refusal_holds_back_only_who_needs_it(tmp_path, has_list):
    """Otto cannot move yet: Carl must wait for his old room, and Anna need not."""
    async with site_on(tmp_path, has_list) as site:
        await site.told(OTTO)
        site.leave_message("102")
        site.api.plan[:] = [-9]
        await site.hear(OTTO_MOVES)
        assert await site.now() == ["mov 102 -9"]
        await site.hear(CARL, ANNA)
        assert await site.now() == ["checkin 101 0"]
        site.clock.wind(60)
        assert await site.now() == ["mov 102 0", "checkin 102 0"]
        assert (site.shown("205"), site.shown("102")) == (("Meyer", 1), ("Dupont", 0))
