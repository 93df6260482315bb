"""Two lanes of a site: a posting goes over the lane of its kind, its answer comes over any line."""

import asyncio
from dataclasses import fields

import pytest

from gateway.back.kinds import CALL, KINDS, MINIBAR, STATUS
from gateway.back.lane import Lane
from gateway.back.lanes import Lanes
from gateway.back.sending import NotPossible
from gateway.back.states import Cause, State
from gateway.store import PostingRow, Store
from protocols.dialects import Books
from protocols.errors import CannotBeSaid
from protocols.facts import PostingAnswered, Verdict
from tests.gateway.back.cash_desk import Desk, Said


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path / "outbox.db", kinds=frozenset(KINDS) - {CALL})
    yield made
    made.close()


def beside(desk, **how):
    """A second lane over the same store; its line is another one."""
    same = {
        each.name: getattr(desk.lane, each.name)
        for each in fields(Lane)
        if each.init and not each.name.startswith("_") and each.name not in ("changed", "open")
    }
    wire = []
    said = {"say": lambda record: not wire.append(record), "kinds": frozenset({CALL})}
    return Lane(**same | said | how), wire


def row(kind, cause):
    return PostingRow(
        kind=kind, cause=cause, room="101", body="{}", guests=("4711",),
        state=State.WAITING.value, at=0.0,
    )  # fmt: skip


def add(desk, lanes, *rows):
    lanes.now_is(asyncio.run(desk.store(Store.add_postings, rows)))


def states(desk):
    return desk.states()


def test_each_kind_has_one_lane_and_they_do_not_wait_for_each_other(desk):
    second, wire = beside(desk)
    lanes = Lanes((desk.lane, second))
    assert [lanes.of(kind) is second for kind in (CALL, MINIBAR, STATUS)] == [True, False, False]
    add(desk, lanes, row(CALL, "a"), row(MINIBAR, "b"))
    for lane in lanes.each:
        asyncio.run(lane._turn())
    assert [each.cause for each in wire] == ["a"]
    assert [each.cause for each in desk.wire] == ["b"]
    numbers = {each.cause: each.number for each in (*wire, *desk.wire)}
    assert sorted(numbers.values()) == [1, 2]  # given once for both
    assert {each.cause for each in lanes.open()} == {"a", "b"}
    fact = PostingAnswered(number=numbers["a"], answer="OK", verdict=Verdict.BOOKED, meaning="-")
    changed, step = lanes.answered(fact, ())
    assert (changed.cause, step.state) == ("a", "booked")
    lanes.now_is([changed])
    assert lanes.has_ended(numbers["a"])
    assert lanes.has_work  # b is still out


@pytest.mark.parametrize(
    ("books", "state"),
    [(Books.ANSWER, "sent"), (Books.ACK, "booked"), (Books.NOTHING, "unconfirmed")],
)
def test_what_books_a_charge_depends_on_the_line(desk, books, state):
    lane, wire = beside(desk, books=books)
    add(desk, Lanes((desk.lane, lane)), row(CALL, "a"))
    asyncio.run(lane._turn())
    lane.arrived(wire[0])
    asyncio.run(lane._turn())
    assert states(desk) == {"a": state}


def test_an_unconfirmed_charge_is_written_again_by_an_operator_only(desk):
    lane, wire = beside(desk, books=Books.NOTHING)
    lanes = Lanes((desk.lane, lane))
    add(desk, lanes, row(CALL, "a"))
    asyncio.run(lane._turn())
    lane.arrived(wire[0])
    asyncio.run(lane._turn())
    lane.link_broke()
    asyncio.run(lane._turn())
    assert len(wire) == 1
    asyncio.run(lanes.operate(1, Cause.SAID_AGAIN, "a person", "not on the bill"))
    asyncio.run(lane._turn())
    assert [each.cause for each in wire] == ["a", "a"]
    with pytest.raises(NotPossible, match="there is no posting 9"):
        asyncio.run(lanes.operate(9, Cause.SAID_DROP, "a person", ""))


def test_what_the_line_has_no_record_for_is_held_and_never_counts_as_sent(desk):
    def record_of(posting, number):
        if posting.cause == "dear":
            raise CannotBeSaid("too_dear", "wider than its column")
        return Said(posting.cause, number)

    lane, wire = beside(desk, record_of=record_of)
    add(desk, Lanes((desk.lane, lane)), row(CALL, "dear"), row(CALL, "cheap"))
    for _ in range(2):
        asyncio.run(lane._turn())
    assert states(desk) == {"dear": "held", "cheap": "sent"}
    assert [each.cause for each in wire] == ["cheap"]
    assert lane.open[1].reason == "too_dear: wider than its column"
