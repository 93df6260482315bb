"""The list of extensions: their mailboxes, in either spelling, over all pages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.drivers.base import Unreachable
from gateway.drivers.legs import Mailbox
from gateway.drivers.ucm import mailbox
from gateway.drivers.ucm.replies import Reply
from tests.gateway.drivers.ucm.bench import bench


def test_both_spellings_of_the_guide_are_read():
    rows = [
        {"extension": "101", "newmsg": 2, "oldmsg": "1", "urgemsg": 1},
        {"extension": "102", "newms": "3", "urgmsg": 1},
        {"extension": "103"},
        {"newmsg": 1},
        "x",
    ]
    boxes, pages = mailbox.page_of(Reply(0, response={"account": rows, "total_page": 2}))
    assert boxes == [
        Mailbox(extension="101", unread=3, read=1),
        Mailbox(extension="102", unread=4, read=0),
        Mailbox(extension="103", unread=0, read=0),
    ]
    assert pages == 2


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["extension", "newmsg", "oldmsg"]), inner, max_size=3)
        ),
    )
)
def test_any_list_is_some_mailboxes(value):
    boxes, pages = mailbox.page_of(Reply(0, response={"account": value, "total_page": value}))
    assert all(box.unread >= 0 and box.read >= 0 for box in boxes)
    assert 0 <= pages <= 999


@pytest.mark.asyncio
async def test_a_list_that_the_user_may_not_read_is_no_reason_to_leave_the_ucm_alone(tmp_path):
    async with bench(tmp_path) as on:
        on.ucm.fail("code", action="listAccount", value=-47, times=1)
        with pytest.raises(Unreachable, match="tick listAccount in the permissions"):
            await on.driver.mailboxes()
        assert await on.driver.mailboxes()


@pytest.mark.asyncio
async def test_all_pages_are_read(tmp_path):
    async with bench(tmp_path) as on:
        on.ucm.rooms.add(*map(str, range(1000, 1000 + 2 * mailbox.PAGE)))
        on.ucm.rooms.leave_message("1399")
        boxes = {box.extension: box for box in await on.driver.mailboxes()}
        assert boxes["1399"] == Mailbox(extension="1399", unread=1, read=0)
        assert len(boxes) == len(on.ucm.rooms.rooms)
        assert len(on.ucm.calls("listAccount")) == 3
