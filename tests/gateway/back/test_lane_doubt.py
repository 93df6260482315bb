"""Writes of unknown outcome: the lane goes on from what is on disk."""

import pytest

from gateway.back.kinds import CALL
from gateway.back.states import Cause, State
from gateway.store import Batch, PostingRow, StorageFailed, Store
from protocols.facts import PostingAnswered, Verdict
from tests.gateway.back.cash_desk import Desk


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path / "outbox.db")
    yield desk
    desk.close()


async def states(desk):
    rows = await desk.store(Store.postings, tuple(state.value for state in State), 10)
    return [row.state for row in rows]


async def unheard(desk, asked):
    """It is stored, and nobody hears of it."""
    desk.fails = "after"
    with pytest.raises(StorageFailed):
        async with desk.lane.writing:
            await asked


@pytest.mark.asyncio
async def test_a_posting_that_was_stored_unheard_is_sent(desk):
    row = PostingRow(
        kind=CALL, cause="c1", room="101", body="{}", state=State.WAITING.value, at=1.0
    )
    await unheard(desk, desk._write(Store.add_postings, [row]))
    await desk.turn()
    assert [each.cause for each in desk.wire] == ["c1"]


@pytest.mark.asyncio
async def test_what_an_operator_said_unheard_is_done(desk):
    await desk.add("c1")
    await desk.turn()
    desk.lane.given_up(desk.wire[0], may_have_arrived=True)
    await desk.turn()
    (id_,) = desk.lane.open
    assert desk.lane.open[id_].state == "unknown"
    desk.fails = "after"
    with pytest.raises(StorageFailed):
        await desk.lane.operate(id_, Cause.SAID_AGAIN, "x", "")
    await desk.turn(2)
    assert len(desk.wire) == 2


@pytest.mark.asyncio
async def test_an_answer_that_was_stored_unheard_is_not_made_unknown(desk):
    await desk.add("c1")
    await desk.turn()
    answer = PostingAnswered(
        number=desk.wire[0].number, answer="OK", verdict=Verdict.BOOKED, meaning="-"
    )
    change = desk.lane.answered(answer)
    desk.fails = "after"
    with pytest.raises(StorageFailed):
        async with desk.lane.writing:
            await desk._write(Store.put, Batch(postings=[change]))
    desk.lane.arrived(desk.wire[0])
    desk.clock.at += 60  # longer than an answer is waited for
    await desk.turn(2)
    assert await states(desk) == ["booked"]
    assert desk.lane.open == {}
    assert desk.lane.has_ended(desk.wire[0].number)  # its answer may come again


@pytest.mark.asyncio
async def test_a_number_that_was_stored_unheard_was_not_said_and_is_said_once(desk):
    await desk.add("c1")
    desk.fails = "after"
    await desk.turn()
    assert (desk.wire, await states(desk)) == ([], ["sent"])
    await desk.turn(2)
    assert len(desk.wire) == 1
    assert await desk.answer(desk.wire[0].number)


@pytest.mark.asyncio
async def test_what_was_sent_before_a_crash_is_unknown_also_when_that_is_stored_unheard(desk):
    await desk.add("c1")
    await desk.turn()
    desk.crash()
    desk.fails = "after"
    await desk.turn(2)
    assert await states(desk) == ["unknown"]


@pytest.mark.asyncio
async def test_what_was_unknown_after_a_crash_and_is_said_again_is_like_any_other(desk):
    await desk.add("c1")
    await desk.turn()
    desk.crash()
    await desk.turn()
    (id_,) = desk.lane.open
    assert desk.lane.open[id_].state == "unknown"
    await desk.lane.operate(id_, Cause.SAID_AGAIN, "x", "")
    said = len(desk.wire)
    desk.fails = "after"
    await desk.turn()
    assert (len(desk.wire), await states(desk)) == (said, ["sent"])
    await desk.turn(2)
    assert len(desk.wire) == said + 1
