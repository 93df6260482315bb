"""Minibars: the difference is posted, once, to whoever was there; a correction is a human's."""

import asyncio
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.back.minibar import AT_ONCE, Minibar
from gateway.back.rows import PmsRooms
from gateway.back.sending import NotPossible
from gateway.back.states import Cause
from gateway.drivers.base import Unreachable
from gateway.drivers.legs import Taken
from gateway.house import Actual, Room
from gateway.house.states import STRANGER, Guest
from tests.gateway.back.cash_desk import Desk

PRICES = {"apple": "1.50", "beer": "4", "paper": ""}


class Bar:
    """Rooms with minibars, and what was posted of them."""

    def __init__(self, path, totals=False):
        self.desk, self.totals = Desk(path), totals
        self.rooms, self.actual, self.bars, self.asked = {}, {}, {}, []
        self.codes = {"apple": "01", "beer": "02", "odd": "x7"}
        self.stays, self.fails = 0, False
        self.build()

    def build(self):
        desk = self.desk
        self.minibar = Minibar(
            source=self,
            lane=desk.lane,
            store=desk.store,
            clock=desk.clock,
            rooms=lambda: self.rooms,
            actual=lambda: self.actual,
            stays=lambda: self.stays,
            pms_rooms=PmsRooms(desk.store, lambda room: f"0{room}"),
            totals=self.totals,
        )

    async def goods(self):
        return self.codes

    async def taken(self, room):
        self.asked.append(room)
        if self.fails:
            raise Unreachable("timeout", "no answer", sent=False)
        bar = self.bars.get(room, {})
        return [Taken(name=name, count=n, price=PRICES.get(name, "")) for name, n in bar.items()]

    def moves_in(self, room, number="4711"):
        self.stays += 1
        self.rooms[room] = Room(stay=self.stays, guests=(Guest(key=number, came=None),))
        self.actual[room] = Actual(stay=self.stays)
        self.bars[room] = {}

    def take(self, room, name, count=1):
        self.bars[room][name] = self.bars[room].get(name, 0) + count

    def look(self):
        self.desk.clock.at += 20
        asyncio.run(self.minibar.look())
        return self.posted()

    def posted(self):
        """Room, articles, amount and state of each posting."""
        rows = sorted(self.desk.lane.open.values(), key=lambda row: row.id)
        bodies = [(json.loads(row.body), row) for row in rows]
        return [
            (row.room, [tuple(each) for each in body["articles"]], body.get("amount"),
             row.state, row.reason.split(":")[0])
            for body, row in bodies
        ]  # fmt: skip

    def restart(self):
        self.desk.crash()
        self.build()


@pytest.fixture
def bar(tmp_path):
    bar = Bar(tmp_path / "outbox.db")
    bar.look()
    bar.moves_in("101")
    yield bar
    bar.desk.close()


def test_what_is_taken_is_posted_once(bar):
    assert bar.look() == []
    bar.take("101", "apple", 2)
    bar.take("101", "beer")
    first = ("101", [(1, 2), (2, 1)], None, "waiting", "")
    assert bar.look() == [first]
    assert bar.look() == [first]
    bar.restart()
    assert bar.look() == [first]
    bar.take("101", "apple")
    assert bar.look() == [first, ("101", [(1, 1)], None, "waiting", "")]


def test_the_sum_is_ours_where_the_pms_has_no_articles(tmp_path):
    bar = Bar(tmp_path / "outbox.db", totals=True)
    bar.look()
    bar.moves_in("101")
    bar.take("101", "apple", 2)
    bar.take("101", "beer")
    assert bar.look() == [("101", [(1, 2), (2, 1)], 700, "waiting", "")]
    bar.take("101", "paper")
    assert bar.look()[1][2:] == (None, "held", "no_price")
    bar.desk.close()


def test_less_than_before_is_a_humans(bar):
    bar.take("101", "beer", 3)
    bar.look()
    bar.bars["101"]["beer"] = 1
    (_, held) = bar.look()
    assert held == ("101", [(2, -2)], None, "held", "minibar_corrected")
    id_ = max(bar.desk.lane.open)
    with pytest.raises(NotPossible, match="by hand"):
        asyncio.run(bar.desk.lane.operate(id_, Cause.SAID_AGAIN, "me", ""))
    asyncio.run(bar.desk.lane.operate(id_, Cause.SAID_BOOKED, "me", "taken off"))
    assert len(bar.look()) == 1


@pytest.mark.parametrize("name", ["odd", "new"])
def test_an_article_without_a_number_is_held(bar, name):
    bar.take("101", name)
    assert bar.look() == [("101", [(0, 1)], None, "held", "no_article")]


def test_more_than_two_digits_of_one_article_are_several_pairs(bar):
    bar.take("101", "beer", 230)
    assert bar.look()[0][1] == [(2, 99), (2, 99), (2, 32)]


def test_a_guest_who_moves_takes_along_what_he_took(bar):
    bar.take("101", "beer")
    bar.look()
    bar.rooms["102"], bar.actual["102"] = bar.rooms.pop("101"), bar.actual.pop("101")
    bar.bars["102"] = bar.bars.pop("101")
    assert len(bar.look()) == 1
    bar.take("102", "beer")
    assert bar.look()[1] == ("102", [(2, 1)], None, "waiting", "")


def test_a_ucm_that_forgets_it_with_a_move_corrects_nothing(bar):
    bar.take("101", "beer")
    bar.look()
    bar.rooms["102"], bar.actual["102"] = bar.rooms.pop("101"), bar.actual.pop("101")
    bar.bars = {"102": {}}
    assert len(bar.look()) == 1


def test_a_move_and_a_restart_charge_nothing_twice(bar):
    bar.rooms["102"], bar.actual["102"] = bar.rooms.pop("101"), bar.actual.pop("101")
    bar.bars["102"] = bar.bars.pop("101")
    bar.take("102", "beer")
    bar.look()
    bar.rooms["101"], bar.actual["101"] = bar.rooms.pop("102"), bar.actual.pop("102")
    bar.bars["101"] = bar.bars.pop("102")
    bar.take("101", "apple")
    assert len(bar.look()) == 2
    bar.restart()
    assert len(bar.look()) == 2


def test_a_list_that_is_empty_once_corrects_nothing(bar):
    bar.take("101", "beer", 2)
    bar.look()
    kept, bar.bars["101"] = bar.bars["101"], {}
    assert len(bar.look()) == 1
    bar.bars["101"] = kept
    assert len(bar.look()) == 1
    bar.bars["101"] = {}
    assert [len(bar.look()) for _ in range(2)] == [1, 2]


@pytest.mark.parametrize("price", ["NaN", "Infinity", "1e300000", "-5", "4,50", "x"])
def test_a_price_that_is_none_is_a_humans(tmp_path, price, monkeypatch):
    monkeypatch.setitem(PRICES, "beer", price)
    bar = Bar(tmp_path / "outbox.db", totals=True)
    bar.look()
    bar.moves_in("101")
    bar.take("101", "beer")
    assert bar.look()[0][2:] == (None, "held", "no_price")
    bar.desk.close()


def test_the_next_guest_pays_nothing_of_the_last(bar):
    bar.take("101", "beer")
    bar.look()
    bar.moves_in("101", "4712")
    assert len(bar.look()) == 1
    bar.take("101", "beer")
    (_, second) = bar.look()
    assert second == ("101", [(2, 1)], None, "waiting", "")
    assert bar.desk.lane.open[max(bar.desk.lane.open)].guests == ("4712",)


def test_what_was_taken_last_is_read_before_the_check_out(bar):
    bar.look()
    bar.take("101", "beer")
    bar.look()
    bar.rooms["101"] = Room()  # the PMS has checked him out; the UCM still shows him
    bar.take("101", "beer")
    asyncio.run(bar.minibar.before_check_out("101"))
    assert len(bar.posted()) == 2
    assert bar.desk.lane.open[max(bar.desk.lane.open)].guests == ("4711",)


def test_a_ucm_that_does_not_answer_holds_up_no_check_out(bar):
    bar.fails = True
    asyncio.run(bar.minibar.before_check_out("101"))
    assert bar.posted() == []


def test_what_was_taken_before_our_first_look_ever_is_on_no_bill_by_us(tmp_path):
    bar = Bar(tmp_path / "outbox.db")
    bar.moves_in("101")
    bar.take("101", "beer", 2)
    assert bar.look() == []
    bar.take("101", "beer")
    assert bar.look() == [("101", [(2, 1)], None, "waiting", "")]
    bar.desk.close()


def test_a_stranger_pays_nothing(bar):
    bar.actual["101"] = Actual(stay=STRANGER)
    bar.take("101", "beer")
    assert bar.look() == []
    asyncio.run(bar.minibar.before_check_out("101"))
    assert bar.posted() == []


def test_all_rooms_have_their_turn_and_a_nudged_one_is_first(bar):
    rooms = [str(room) for room in range(200, 225)]
    for room in rooms:
        bar.moves_in(room)
    for _ in range(3):
        bar.look()
    assert set(bar.asked) == {"101", *rooms}
    bar.asked.clear()
    bar.minibar.nudge("213")
    bar.look()
    assert bar.asked[0] == "213"
    assert len(bar.asked) == AT_ONCE + 1


@given(
    story=st.lists(
        st.one_of(
            st.tuples(st.just("take"), st.sampled_from(["apple", "beer"])),
            st.just(("look", "")),
            st.just(("restart", "")),
            st.just(("leave", "")),
            st.just(("fails", "")),
        ),
        max_size=25,
    )
)
def test_whatever_happens_each_article_is_posted_once(story):
    with tempfile.TemporaryDirectory() as folder:
        bar = Bar(Path(folder, "outbox.db"))
        bar.look()
        bar.moves_in("101")
        taken = 0
        for what, name in story:
            if what == "take":
                bar.take("101", name)
                taken += 1
            elif what == "look":
                bar.look()
            elif what == "restart":
                bar.restart()
            elif what == "fails":
                bar.fails = True
                with pytest.raises(Unreachable):
                    bar.look()
                bar.fails = False
            else:
                asyncio.run(bar.minibar.before_check_out("101"))
                bar.moves_in("101")
        bar.look()
        posted = sum(count for _, articles, *_ in bar.posted() for _, count in articles)
        bar.desk.close()
        assert posted == taken
