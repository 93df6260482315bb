"""Replies that are lost: the call was done, or it was not."""

import pytest

from tests.gateway.pipeline.noted_site import (
    ANNA,
    ANNA_LEAVES,
    ANNA_MARRIES,
    ANNA_MOVES,
    BOTH,
    OUT,
    asked,
    site_on,
)


@pytest.mark.asyncio
@BOTH
async def test_a_check_in_that_was_done_is_not_done_again(tmp_path, has_list):
    async with site_on(tmp_path, has_list) as site:
        site.api.after_each = lambda: site.mailbox("101") or site.leave_message("101")
        behind = "list" if has_list else "checkin 101 19"
        assert await site.told(ANNA, fates=["done"]) == ["checkin 101 lost", behind]
        assert (site.shown("101"), site.wrong()) == (("Rossi", 1), [])


@pytest.mark.asyncio
@BOTH
async def test_a_check_out_that_was_done_is_not_done_again(tmp_path, has_list):
    async with site_on(tmp_path, has_list) as site:
        await site.told(ANNA)
        behind = "list" if has_list else "checkout 101 20"
        assert await site.told(ANNA_LEAVES, fates=["done"]) == ["checkout 101 lost", behind]
        assert (site.shown("101"), site.state("101")) == (OUT, "told")


@pytest.mark.asyncio
@BOTH
async def test_a_move_that_was_done_is_not_done_again(tmp_path, has_list):
    async with site_on(tmp_path, has_list) as site:
        await site.told(ANNA)
        site.leave_message("101")
        behind = "list" if has_list else "mov 101 20"
        assert await site.told(ANNA_MOVES, fates=["done"]) == ["mov 101 lost", behind]
        assert (site.shown("101"), site.shown("205"), site.wrong()) == (OUT, ("Rossi", 1), [])


@pytest.mark.asyncio
@BOTH
async def test_a_move_that_was_done_takes_nobody_along_who_came_into_the_old_room(
    tmp_path, has_list
):
    async with site_on(tmp_path, has_list) as site:
        await site.told(ANNA)
        site.leave_message("101")
        site.api.plan[:] = ["done"]
        await site.hear(ANNA_MOVES)
        await site.turn()
        site.at_reception("checkin", "101", account="9", lastname="Meyer")
        await site.rest()
        behind = ["list", "checkout 101 0"] if has_list else ["mov 101 24"]
        assert site.said[1:] == ["mov 101 lost", *behind]
        assert site.shown("205") == ("Rossi", 1)


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize(
    ("before", "record", "call"),
    [([], ANNA, "checkin 101"), ([ANNA], ANNA_LEAVES, "checkout 101"),
     ([ANNA], ANNA_MOVES, "mov 101"), ([ANNA], ANNA_MARRIES, "update 101")],
)  # fmt: skip
async def test_a_call_that_was_not_done_is_made_again(tmp_path, has_list, before, record, call):
    async with site_on(tmp_path, has_list) as site:
        await site.told(*before)
        assert await site.told(record, fates=["lost"]) == asked(
            has_list, f"{call} lost", "list", f"{call} 0"
        )
        assert site.wrong() == []


@pytest.mark.asyncio
@BOTH
@pytest.mark.parametrize("crashes", [False, True])
@pytest.mark.parametrize(
    ("record", "call"), [(ANNA_MARRIES, "update 101 0"), (ANNA_LEAVES, "checkout 101 0")]
)
async def test_nothing_else_is_said_of_a_room_before_it_is_known_what_became_of_its_call(
    tmp_path, has_list, record, call, crashes
):
    async with site_on(tmp_path, has_list) as site:
        site.api.plan[:] = ["done"]
        await site.hear(ANNA)
        await site.turn()
        await site.hear(record)
        if crashes:
            site.start()
        await site.rest()
        behind = "list" if has_list else "checkin 101 19"
        assert site.said == ["checkin 101 lost", behind, call]
        assert site.wrong() == []
