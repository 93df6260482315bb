"""The UCM's list of wake-ups: what is set, what has rung, and what nobody can read."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.drivers.legs import KeptWakeUp
from gateway.drivers.ucm import wake_ups
from gateway.drivers.ucm.replies import Reply
from protocols.postings import Ending
from tests.gateway.drivers.ucm.bench import bench

WALL = datetime(2026, 3, 14, 12, 0)
AT = datetime(2026, 3, 15, 6, 30)


def kept(**row):
    """What is made of one row."""
    whole = {"address": "101", "w_type": "1", "w_date": "20260315", "w_time": "0630", **row}
    found, _ = wake_ups.page_of(Reply(0, response={"pms_wakeup": [whole]}), WALL)
    return found


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"w_action": "1"}, {"rings": AT}),
        ({"w_action": 1, "w_date": "2026-03-15", "w_time": "06:30"}, {"rings": AT}),
        ({"w_action": "0"}, {"rings": None}),
        ({"w_action": "0", "w_date": "", "w_time": ""}, {"rings": None}),
        ({"w_action": "2", "w_status": "1"}, {"rang": AT, "ending": Ending.ANSWERED}),
        ({"w_action": "2", "w_status": "2"}, {"rang": AT, "ending": Ending.NO_ANSWER}),
        ({"w_action": "2", "w_status": 3}, {"rang": AT, "ending": Ending.BUSY}),
        ({"w_action": "2", "w_status": "4"}, {"rang": AT, "ending": Ending.FAILED}),
        ({"w_action": "2", "w_status": "9"}, {"rang": AT}),
        ({"address": "", "room": "102", "w_action": "1"}, {"room": "102", "rings": AT}),
    ],
)
def test_a_row_is_a_wake_up_that_is_set_or_cleared_or_over(row, expected):
    assert kept(**row) == [KeptWakeUp(**{"room": "101", "rings": None, **expected})]


@pytest.mark.parametrize(
    ("hhmm", "rings"),
    [("0630", datetime(2026, 3, 15, 6, 30)), ("1900", datetime(2026, 3, 14, 19, 0))],
)
def test_a_daily_wake_up_rings_at_its_next_time_whatever_its_date_says(hhmm, rings):
    row = {"w_action": "1", "w_type": "2", "w_date": "20240101", "w_time": hhmm}
    assert kept(**row)[0].rings == rings


def test_a_daily_wake_up_that_has_rung_rings_again():
    (row,) = kept(w_action="2", w_type="2", w_status="1")
    assert (row.rang, row.rings) == (datetime(2026, 3, 14, 6, 30), datetime(2026, 3, 15, 6, 30))
    assert row.ending is Ending.ANSWERED


@pytest.mark.parametrize(
    ("action", "second", "rings", "rang"),
    [
        ("1", 19, 14, None), ("1", 20, 15, None),  # the UCM may still be about to call
        ("2", 5, 15, 14), ("2", 30, 15, 14),
    ],
)  # fmt: skip
def test_the_minute_in_which_a_daily_wake_up_rings_is_todays(action, second, rings, rang):
    row = {"address": "101", "w_action": action, "w_type": "2", "w_time": "1200", "w_status": "1"}
    wall = WALL.replace(second=second)
    found, _ = wake_ups.page_of(Reply(0, response={"pms_wakeup": [row]}), wall)
    assert found[0].rings == datetime(2026, 3, rings, 12, 0)
    assert found[0].rang == (None if rang is None else datetime(2026, 3, rang, 12, 0))


def test_a_wake_up_at_no_moment_says_nothing_of_its_room():
    assert kept(w_action="1", w_date="tomorrow") == []


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["address", "w_action", "w_type", "w_date", "w_time", "w_status"]),
                inner,
                max_size=4,
            )
        ),
    )
)
def test_any_list_is_some_wake_ups(value):
    response = {"pms_wakeup": value, "total_page": value}
    found, pages = wake_ups.page_of(Reply(0, response=response), WALL)
    assert all(each.room for each in found)
    assert pages >= 0


@pytest.mark.asyncio
async def test_all_pages_are_read(tmp_path):
    async with bench(tmp_path) as on:
        on.ucm.rooms.add(*map(str, range(1000, 1447)))
        for room in on.ucm.rooms.rooms:
            on.ucm.rooms.key_wake_up(room, "202603150630")
        found = await on.driver.wake_ups(WALL)
        assert (len(found), len(on.ucm.calls("listWakeUp"))) == (450, 3)


@pytest.mark.asyncio
async def test_a_ucm_without_the_list_is_no_reason_to_stop(tmp_path):
    async with bench(tmp_path) as on:
        on.ucm.settings.lists_wake_ups = False
        assert await on.driver.wake_ups(WALL) is None
        assert await on.driver.rooms() is not None
