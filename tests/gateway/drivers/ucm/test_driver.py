"""The driver against the strict simulated UCM, over real TLS: one call, and what it comes to."""

from dataclasses import replace
from datetime import datetime

import pytest

from gateway.drivers.base import (
    Outcome,
    Rejected,
)
from gateway.drivers.calls import (
    CheckIn,
    CheckOut,
    DoNotDisturb,
    Move,
    RoomStatus,
    Update,
    WakeUp,
)
from gateway.drivers.ucm.requests import Words
from tests.gateway.drivers.ucm.bench import ANNA, BOTH, MOVE, OTTO, bench

# --- One call ---


@pytest.mark.asyncio
@BOTH
async def test_a_stay_from_check_in_to_check_out(tmp_path, old):
    async with bench(tmp_path, old=old) as on:
        await on.check_in(ANNA)
        assert (on.room().lastname, on.room().firstname, on.room().cos) == ("Rossi", "Anna", "3")
        assert (on.room().datein, on.room().dateout) == ("2026/03/14 10:05", "2026/03/18 12:00")
        await on.update(lastname="Rossi-Verdi")
        assert (on.room().lastname, on.room().firstname) == ("Rossi-Verdi", "Anna")
        await on.apply(DoNotDisturb(room="101", on=True))
        await on.apply(WakeUp(room="101", at=datetime(2026, 3, 15, 6, 30)))
        assert (on.room().dnd, on.room().wake_up) == (True, ("20260315", "0630"))
        await on.apply(WakeUp(room="101", at=None))
        await on.apply(DoNotDisturb(room="101", on=False))
        assert (on.room().dnd, on.room().wake_up) == (False, None)
        on.ucm.rooms.leave_message("101")
        await on.apply(MOVE)
        assert (on.room().is_in, on.room("205").messages) == (False, 1)
        await on.apply(CheckOut(room="205"))
        assert (on.room("205").is_in, on.room("205").messages) == (False, 0)
        await on.apply(RoomStatus(room="205", code="1"))
        assert on.room("205").status == 5
        assert {call.code for call in on.ucm.calls()} == {0}


@pytest.mark.asyncio
@BOTH
async def test_a_call_that_is_done_is_one_request_and_has_no_warning(tmp_path, old):
    async with bench(tmp_path, old=old) as on:
        answer = await on.check_in(ANNA)
        assert (answer.outcome, answer.code, answer.warning) == (Outcome.DONE, 0, "")
        assert on.said() == ["checkin 101 0"]
        assert on.retries() == {}


@pytest.mark.asyncio
async def test_a_room_status_without_a_mapping_is_a_warning_and_no_request(tmp_path):
    async with bench(tmp_path) as on:
        answer = await on.apply(RoomStatus(room="101", code="77"))
        assert (answer.outcome, on.said()) == (Outcome.DONE, [])
        assert "[room_status]" in answer.warning


@pytest.mark.asyncio
async def test_words_that_are_replaced_count_from_the_next_call_on(tmp_path):
    async with bench(tmp_path) as on:
        on.driver.words = Words(class_of_service={"2": 1}, room_status={"77": 4})
        await on.apply(RoomStatus(room="101", code="77"))
        assert on.room().status == 4
        await on.check_in(ANNA)
        assert on.room().cos == "1"


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize(
    ("call", "outcome", "said"),
    [
        (CheckIn(room="102", tags={"datein": "20260314", "dateout": "20260314"}),
         Outcome.ALREADY_IN, "checkin 102 19"),
        (CheckOut(room="101"), Outcome.NOT_IN, "checkout 101 20"),
        (Update(room="101", tags={"lastname": "Rossi"}), Outcome.NOT_IN, "update 101 20"),
        (Move(room="205", from_room="101"), Outcome.NOT_IN, "mov 101 20"),
        (Move(room="205", from_room="102"), Outcome.TAKEN, "mov 102 24"),
    ],
)  # fmt: skip
async def test_an_answer_about_the_state_of_a_room_is_told_and_not_acted_on(
    tmp_path, old, call, outcome, said
):
    """What it means depends on what the house knows."""
    async with bench(tmp_path, old=old) as on:
        await on.check_in(OTTO, "102")
        await on.check_in(OTTO, "205")
        on.ucm.rooms.leave_message("102")
        answer = await on.apply(call)
        assert (answer.outcome, answer.code) == (outcome, int(said.split()[-1]))
        assert on.said()[2:] == [said]
        assert (on.room("102").lastname, on.room("102").messages) == ("Meyer", 1)
        assert (on.room("101").is_in, on.room("205").lastname) == (False, "Meyer")


# --- A room that is being cleaned ---


@pytest.mark.asyncio
@BOTH
async def test_22_on_a_check_in_sets_the_room_available_once_and_tries_again(tmp_path, old):
    async with bench(tmp_path, old=old) as on:
        on.room("205").status = 2
        answer = await on.check_in(ANNA, "205")
        assert on.said() == ["checkin 205 22", "update 205 0", "checkin 205 0"]
        assert (answer.outcome, on.room("205").lastname) == (Outcome.DONE, "Rossi")
        assert on.ucm.calls("update")[0].tags["status"] == "1"
        assert on.retries() == {("checkin", "under_repair"): 1}


@pytest.mark.asyncio
@BOTH
async def test_22_on_a_move_sets_the_new_room_available_and_not_the_old_one(tmp_path, old):
    async with bench(tmp_path, old=old) as on:
        await on.check_in(ANNA)
        on.room("205").status = 3
        await on.apply(MOVE)
        assert on.said()[1:] == ["mov 101 22", "update 205 0", "mov 101 0"]
        assert on.room("205").lastname == "Rossi"


@pytest.mark.asyncio
async def test_22_that_stays_is_refused_for_good(tmp_path):
    async with bench(tmp_path) as on:
        on.ucm.fail("code", action="checkin", value=22, times=-1)
        with pytest.raises(Rejected) as parked:
            await on.check_in(ANNA)
        assert parked.value.code == 22
        assert on.said() == ["checkin 101 22", "update 101 0", "checkin 101 22"]


@pytest.mark.asyncio
async def test_an_answer_behind_a_room_made_available_is_told_as_any_other(tmp_path):
    async with bench(tmp_path) as on:
        await on.check_in(OTTO)
        on.ucm.fail("code", action="checkin", value=22)
        answer = await on.check_in(ANNA)
        assert (answer.outcome, on.said()[-1]) == (Outcome.ALREADY_IN, "checkin 101 19")


# --- Names ---


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize(("long", "code"), [("lastname", 26), ("firstname", 25)])
async def test_a_name_too_long_is_halved_until_it_fits(tmp_path, long, code, old):
    name = {"lastname": "name", "firstname": "first_name"}[long]
    async with bench(tmp_path, shape="B", old=old) as on:
        on.ucm.rooms.name_bytes = 20
        answer = await on.check_in(replace(ANNA, **{name: "ä" * 30}))
        assert on.said() == [f"checkin 101 {code}", f"checkin 101 {code}", "checkin 101 0"]
        assert (answer.outcome, getattr(on.room(), long)) == (Outcome.DONE, "ä" * 8)
        assert on.retries() == {("checkin", "name_too_long"): 2}


@pytest.mark.asyncio
async def test_a_name_that_is_too_long_at_eight_characters_is_refused_for_good(tmp_path):
    async with bench(tmp_path, shape="B") as on:
        on.ucm.rooms.name_bytes = 4
        with pytest.raises(Rejected) as parked:
            await on.check_in(replace(ANNA, first_name="", name="x" * 30))
        lengths = [len(call.tags["lastname"]) for call in on.ucm.calls("checkin")]
        assert (parked.value.code, lengths) == (26, [30, 15, 8])


@pytest.mark.asyncio
@BOTH
async def test_sensitive_characters_are_left_out_on_the_second_try_only(tmp_path, old):
    async with bench(tmp_path, old=old) as on:
        await on.check_in(replace(ANNA, name='O\'Hara; "Bo"`\\'))
        assert on.said() == ["checkin 101 -50", "checkin 101 0"]
        assert on.room().lastname == "OHara Bo"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("name", "said"),
    [("O'Mey", ["update 101 -50"] * 2),
     ("Meyer", ["update 101 -50"])],  # nothing to leave out: the same request again is no help
)  # fmt: skip
async def test_sensitive_characters_that_are_still_there_are_refused_for_good(tmp_path, name, said):
    async with bench(tmp_path) as on:
        await on.check_in(ANNA)
        on.ucm.fail("code", action="update", value=-50, times=-1)
        with pytest.raises(Rejected) as parked:
            await on.update(lastname=name)
        assert (parked.value.code, on.said()[1:], on.room().lastname) == (-50, said, "Rossi")


@pytest.mark.asyncio
async def test_a_name_that_is_sensitive_and_too_long_gets_both_repairs(tmp_path):
    async with bench(tmp_path, shape="B") as on:
        on.ucm.rooms.name_bytes = 10
        await on.check_in(replace(ANNA, name="O'" + "x" * 18))
        assert on.said() == ["checkin 101 -50", "checkin 101 26", "checkin 101 0"]
        assert on.room().lastname == "O" + "x" * 8


@pytest.mark.asyncio
@BOTH
async def test_a_language_without_prompts_is_done_with_a_warning(tmp_path, old):
    async with bench(tmp_path, old=old) as on:
        on.ucm.rooms.languages = ("en",)
        answer = await on.check_in(replace(ANNA, language="FR"))
        assert (answer.outcome, answer.code) == (Outcome.DONE, -100)
        assert answer.warning.startswith("-100: done")
        assert on.room().is_in
