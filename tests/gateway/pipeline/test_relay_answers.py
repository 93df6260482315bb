"""What each answer about the state of a room leads to: 19, 20, 22, 23 and 24."""

import pytest

from tests.gateway.pipeline.noted_site import (
    ANNA,
    ANNA_LEAVES,
    ANNA_MARRIES,
    ANNA_MOVES,
    BOTH,
    OTTO,
    OUT,
    NotedSite,
    asked,
    site_on,
)

# --- 19 on a check-in ---


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "tags", [{"account": "4711", "lastname": "Old"}, {"lastname": "Rossi"}], ids=["account", "name"]
)
async def test_19_with_our_guest_is_an_update_and_never_a_check_out(tmp_path, tags):
    async with site_on(tmp_path, has_list=True) as site:
        site.at_reception("checkin", "101", **tags)
        site.leave_message("101")
        assert await site.told(ANNA) == ["checkin 101 19", "list", "update 101 0"]
        assert (site.shown("101"), site.ucm.rooms["101"].firstname) == (("Rossi", 1), "Anna")
        assert await site.compared() == ["list"]


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize(
    "tags", [{"account": "9", "lastname": "Rossi"}, {"lastname": "Meyer"}], ids=["account", "name"]
)
async def test_19_with_a_stranger_throws_him_and_his_mailbox_out(tmp_path, has_list, tags):
    async with site_on(tmp_path, has_list) as site:
        site.at_reception("checkin", "101", **tags)
        site.leave_message("101")
        assert await site.told(ANNA) == asked(
            has_list, "checkin 101 19", "list", "checkout 101 0", "checkin 101 0"
        )
        assert (site.shown("101"), site.wrong()) == (("Rossi", 0), [])


@pytest.mark.asyncio
async def test_19_without_a_list_is_a_stranger_although_he_may_be_ours(tmp_path):
    """Who has just come has no messages worth more than another's privacy."""
    async with site_on(tmp_path, has_list=False) as site:
        site.at_reception("checkin", "101", account="4711", lastname="Rossi")
        site.leave_message("101")
        assert await site.told(ANNA) == ["checkin 101 19", "checkout 101 0", "checkin 101 0"]
        assert site.shown("101") == ("Rossi", 0)


@pytest.mark.asyncio
async def test_19_behind_a_lost_reply_is_a_stranger_where_the_room_was_not_known_to_be_out(
    tmp_path,
):
    site = NotedSite(tmp_path / "store.db", has_list=False)
    site.at_reception("checkin", "101", account="9", lastname="Meyer")
    site.leave_message("101")
    said = await site.told(ANNA, fates=["lost"])
    assert said[:4] == ["checkin 101 lost", "checkin 101 19", "checkout 101 0", "checkin 101 0"]
    assert (site.shown("101"), site.wrong()) == (("Rossi", 0), [])
    site.store.store.close()


# --- 20 ---


@pytest.mark.asyncio
@BOTH
async def test_20_on_a_check_out_is_done_and_what_was_left_behind_is_cancelled_with_the_next_stay(
    tmp_path, has_list
):
    async with site_on(tmp_path, has_list) as site:
        await site.told(ANNA)
        site.at_reception("checkout", "101")
        site.at_reception("wakeup", "101", w_action="1", w_date="20260315", w_time="0600")
        site.at_reception("dnd", "101", status="1")
        assert await site.told(ANNA_LEAVES) == ["checkout 101 20"]
        assert site.state("101") == "told"
        assert await site.told(ANNA) == ["checkin 101 0", "dnd 101 0", "wakeup 101 0"]
        assert (site.ucm.rooms["101"].dnd, site.ucm.rooms["101"].wake_up) == (False, None)


@pytest.mark.asyncio
@BOTH
async def test_20_on_a_check_out_has_wake_up_and_dnd_of_the_next_stay_told(tmp_path, has_list):
    async with site_on(tmp_path, has_list) as site:
        await site.told(ANNA)
        site.at_reception("checkout", "101")
        await site.told(ANNA_LEAVES)
        await site.told(ANNA, "WR|RN101|DA260315|TI070000|", "RE|RN101|DNY|")
        room = site.ucm.rooms["101"]
        assert (room.dnd, room.wake_up, site.wrong()) == (True, ("20260315", "0700"), [])


@pytest.mark.asyncio
@BOTH
async def test_20_on_an_update_checks_in_with_everything_known(tmp_path, has_list):
    async with site_on(tmp_path, has_list) as site:
        await site.told(ANNA, "RE|RN101|DNY|")
        site.at_reception("checkout", "101")
        assert await site.told(ANNA_MARRIES) == ["update 101 20", "checkin 101 0", "dnd 101 0"]
        assert (site.shown("101"), site.wrong()) == (("Bell", 0), [])


@pytest.mark.asyncio
@BOTH
async def test_20_on_a_move_checks_in_at_the_destination_with_everything_known(tmp_path, has_list):
    async with site_on(tmp_path, has_list) as site:
        await site.told(ANNA, "WR|RN101|DA260315|TI070000|")
        site.at_reception("checkout", "101")
        assert await site.told(ANNA_MOVES) == ["mov 101 20", "checkin 205 0", "wakeup 205 0"]
        assert (site.shown("101"), site.shown("205"), site.wrong()) == (OUT, ("Rossi", 0), [])


# --- 22 ---


@pytest.mark.asyncio
@BOTH
async def test_22_sets_the_room_available_and_the_guest_comes_in(tmp_path, has_list):
    async with site_on(tmp_path, has_list) as site:
        site.ucm.rooms["101"].status = site.ucm.rooms["205"].status = 2
        assert await site.told(ANNA) == ["checkin 101 22", "update 101 0", "checkin 101 0"]
        site.leave_message("101")
        assert await site.told(ANNA_MOVES) == ["mov 101 22", "update 205 0", "mov 101 0"]
        assert (site.shown("205"), site.wrong()) == (("Rossi", 1), [])


@pytest.mark.asyncio
@BOTH
async def test_22_that_stays_parks_the_room_alone(tmp_path, has_list):
    async with site_on(tmp_path, has_list) as site:
        said = await site.told(ANNA, OTTO, fates=[22, "ok", 22])
        assert said == ["checkin 101 22", "update 101 0", "checkin 101 22", "checkin 102 0"]
        assert (site.state("101"), site.state("102")) == ("parked", "told")


# --- 23 and 24 on a move ---


@pytest.mark.asyncio
@BOTH
async def test_23_checks_out_the_old_room_and_parks_the_new_one(tmp_path, has_list):
    async with site_on(tmp_path, has_list) as site:
        await site.told(ANNA)
        assert await site.told(ANNA_MOVES, fates=[23]) == ["mov 101 23", "checkout 101 0"]
        assert (site.shown("101"), site.state("101")) == (OUT, "told")
        assert (site.shown("205"), site.state("205")) == (OUT, "parked")


@pytest.mark.asyncio
async def test_24_with_our_guest_there_is_done(tmp_path):
    async with site_on(tmp_path, has_list=True) as site:
        await site.told(ANNA)
        site.leave_message("101")
        site.at_reception("mov", "101", d_address="205")
        site.at_reception("checkin", "101", account="9", lastname="Meyer")
        assert await site.told(ANNA_MOVES) == ["mov 101 24", "list", "checkout 101 0"]
        assert (site.shown("205"), site.wrong()) == (("Rossi", 1), [])


@pytest.mark.asyncio
@BOTH
async def test_24_with_a_stranger_throws_him_out_and_moves_once_more(tmp_path, has_list):
    async with site_on(tmp_path, has_list) as site:
        await site.told(ANNA)
        site.leave_message("101")
        site.at_reception("checkin", "205", account="9", lastname="Meyer")
        site.leave_message("205")
        assert await site.told(ANNA_MOVES) == asked(
            has_list, "mov 101 24", "list", "checkout 205 0", "mov 101 0"
        )
        assert site.mailbox("205") == ("4711",)
        assert site.wrong() == []


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize(
    ("action", "code", "before", "record", "parked"),
    [("mov", 24, [ANNA], ANNA_MOVES, "205"), ("checkin", 19, [], ANNA, "101")],
)
async def test_a_ucm_that_contradicts_itself_for_ever_is_parked(
    tmp_path, has_list, action, code, before, record, parked
):
    async with site_on(tmp_path, has_list, retries=1) as site:
        await site.told(*before)
        site.always = {action: code}
        said = await site.told(record, OTTO if action == "mov" else "RE|RN102|RS1|")
        assert site.state(parked) == "parked"
        assert said.count(f"{action} 101 {code}") <= 5
        assert (site.outbox.waiting, site.shown("101")) == (set(), OUT)
