"""The minibars of the UCM, by the guide and by the UCM's own pages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.drivers.legs import Taken
from gateway.drivers.ucm import minibar
from gateway.drivers.ucm.replies import Reply
from tests.gateway.drivers.ucm.bench import bench


@pytest.mark.parametrize("name", ["goods_name", "minibar_goods"])
def test_both_names_of_the_list_of_goods_are_read(name):
    rows = [
        {"amount": "100", "extension": "01", "goods_name": "apple", "goods_tax": 1.1},
        {"amount": "", "extension": "03", "goods_name": "paper"},
        {"extension": "04"},
        "x",
    ]
    assert minibar.goods_of(Reply(0, response={name: rows})) == {"apple": "01", "paper": "03"}


def test_a_count_is_a_number_however_it_is_written():
    rows = [
        {"goods_name": "apple", "count": 2, "amount": "1.50"},
        {"goods_name": "apple", "count": "1.0", "amount": 1.5},
        {"goods_name": "beer", "count": "-1"},
        {"count": 7},
    ]
    assert minibar.taken_of(Reply(0, response={"minibar_goods": rows})) == [
        Taken(name="apple", count=2, price="1.50"),
        Taken(name="apple", count=1, price="1.5"),
        Taken(name="beer", count=0),
    ]


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["goods_name", "count", "amount", "extension"]), inner, max_size=4
            )
        ),
    )
)
def test_any_reply_is_some_goods(value):
    reply = Reply(0, response={"minibar_goods": value, "goods_name": value})
    assert all(minibar.goods_of(reply))
    assert all(each.name and each.count >= 0 for each in minibar.taken_of(reply))


@pytest.mark.asyncio
async def test_a_ucm_tells_what_was_taken_in_a_room(tmp_path):
    async with bench(tmp_path) as on:
        on.ucm.rooms.take("101", "apple", 2)
        assert await on.driver.taken("101") == [Taken(name="apple", count=2, price="1.50")]
        assert await on.driver.taken("999") is None
        assert (await on.driver.goods())["beer"] == "02"


@pytest.mark.parametrize(
    ("response", "is_list"),
    [({"minibar_goods": []}, True), ({"goods_name": [{}]}, True), ({}, False),
     ({"minibar_goods": "x"}, False)],
)  # fmt: skip
def test_a_reply_without_a_list_says_nothing(response, is_list):
    assert minibar.has_list(Reply(0, response=response)) is is_list


@pytest.mark.asyncio
async def test_all_pages_are_read(tmp_path, monkeypatch):
    async with bench(tmp_path) as on:
        asked = []

        async def pages(action, parameters, *, in_module):
            asked.append(dict(parameters))
            number = int(parameters.get("page", 1))
            rows = [{"goods_name": f"g{number}", "count": number}]
            return Reply(0, response={"minibar_goods": rows, "page": number, "total_page": 3})

        monkeypatch.setattr(on.driver._api, "read_if_known", pages)
        assert [each.count for each in await on.driver.taken("101")] == [1, 2, 3]
        assert asked == [
            {"room": "101"},
            {"room": "101", "page": "2"},
            {"room": "101", "page": "3"},
        ]


@pytest.mark.asyncio
async def test_a_room_is_read_before_its_check_out(tmp_path):
    from gateway.drivers.calls import CheckOut

    async with bench(tmp_path) as on:
        seen = []

        async def look(room):
            seen.append((room, len(on.ucm.calls("checkout"))))

        on.driver.before_check_out = look
        await on.driver.apply(CheckOut(room="101"))
        assert seen == [("101", 0)]
