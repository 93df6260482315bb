"""What is keyed on a phone: told once, a fact once, and found again when we were cut off between."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.back.rows import PmsRooms
from gateway.back.wake_up_orders import WakeUpOrders
from gateway.drivers.legs import KeptWakeUp
from gateway.house import Actual, Room
from gateway.store import JournalLine, StorageFailed, Store
from protocols.facts import WakeUpCleared, WakeUpOrdered
from tests.gateway.back.cash_desk import Desk


class Hall:
    """One room of a UCM, and the house that hears of it."""

    def __init__(self, path):
        self.desk = Desk(path)
        self.desk.clock.at = 1_000_000.0
        self.room, self.have = Room(stay=1), Actual(stay=1)
        self.heard, self.fails = [], False
        self.build()

    def build(self):
        desk = self.desk
        self.orders = WakeUpOrders(
            lane=desk.lane,
            store=desk.store,
            clock=desk.clock,
            rooms=lambda: {"101": self.room},
            actual=lambda _: self.have,
            hear=self.hear,
            saw=self.saw,
            pms_rooms=PmsRooms(desk.store, lambda room: f"0{room}"),
        )

    async def hear(self, fact):
        if self.fails:
            raise StorageFailed("cut off")
        self.heard.append(fact)

    async def saw(self, _, at):
        self.have = replace(self.have, wake_up=at)

    @property
    def later(self):
        return self.desk.clock.stamp().replace(second=0) + timedelta(hours=8)

    def look(self, rings=None, rang=None, began=None):
        row = KeptWakeUp(room="101", rings=rings, rang=rang)
        asyncio.run(self.orders.compare(row, self.desk.clock.at if began is None else began))
        rows = sorted(self.desk.lane.open.values(), key=lambda row: row.id)
        return [json.loads(row.body)["is_wanted"] for row in rows]


@pytest.fixture
def hall(tmp_path):
    hall = Hall(tmp_path / "outbox.db")
    yield hall
    hall.desk.close()


def test_an_order_is_told_once_and_then_a_fact(hall):
    at = hall.later
    assert hall.look(at) == [True]
    assert hall.heard == [WakeUpOrdered(room="101", at=at)]
    assert hall.look(at) == [True]
    assert len(hall.heard) == 1


def test_what_was_told_by_us_is_not_keyed(hall):
    hall.have = replace(hall.have, wake_up=hall.later)
    assert hall.look(hall.later) == []
    assert hall.heard == []


def test_the_same_minute_may_be_keyed_and_cleared_and_keyed_again(hall):
    at = hall.later
    for rings in (at, None, at, None):
        hall.desk.clock.at += 20
        hall.look(rings)
        hall.desk.clock.at += 20
        said = hall.look(rings)
    assert said == [True, False, True, False]
    assert hall.heard[1] == WakeUpCleared(room="101", at=at)


def test_another_moment_instead_of_the_guests_own_takes_its_place(hall):
    first, second = hall.later, hall.later + timedelta(hours=1)
    hall.look(first)
    hall.desk.clock.at += 20
    hall.look(first)  # nothing new: what he keyed is kept in mind
    hall.desk.clock.at += 20
    assert hall.look(second) == [True, True, False]
    assert hall.heard[1:] == [
        WakeUpOrdered(room="101", at=second), WakeUpCleared(room="101", at=first),
    ]  # fmt: skip
    assert hall.have.wake_up == second
    hall.desk.clock.at += 20
    assert len(hall.look(second)) == 3


def test_another_moment_instead_of_the_desks_is_one_more(hall):
    hall.have = replace(hall.have, wake_up=hall.later)
    assert hall.look(hall.later + timedelta(hours=1)) == [True]


def test_while_it_rings_nothing_is_compared(hall):
    hall.desk.clock.at += 65 - hall.desk.clock.stamp().second
    minute = hall.desk.clock.stamp().replace(second=0)
    hall.have = replace(hall.have, wake_up=minute)
    assert hall.look(rings=minute + timedelta(days=1), rang=minute) == []
    hall.desk.clock.at += 20
    assert hall.look(rings=minute + timedelta(days=1), rang=minute) == [True]


def test_cut_off_behind_the_posting_the_fact_is_found_again_and_nothing_told_twice(hall):
    hall.fails = True
    with pytest.raises(StorageFailed):
        hall.look(hall.later)
    hall.desk.crash()
    hall.build()
    hall.fails = False
    assert hall.look(hall.later) == [True]
    assert len(hall.heard) == 1


@pytest.mark.parametrize(
    "have", [None, Actual(), Actual(stay=2)], ids=["under way", "nobody in", "another stay"]
)
def test_a_room_that_is_not_at_rest_is_looked_at_again_later(hall, have):
    hall.have = have
    assert hall.look(hall.later) == []


def test_a_list_that_is_older_than_our_last_call_says_nothing(hall):
    line = JournalLine(at=hall.desk.clock.at, room="101", call="wake_up", result="0")
    asyncio.run(hall.desk.store(Store.told, [], [line]))
    assert hall.look(hall.later, began=hall.desk.clock.at - 1) == []
    assert hall.look(hall.later, began=hall.desk.clock.at + 1) == [True]


def test_one_that_has_rung_is_neither_ordered_nor_cleared(hall):
    past = hall.later - timedelta(hours=9)
    hall.have = replace(hall.have, wake_up=past)
    assert hall.look(rang=past) == []
    hall.have = replace(hall.have, wake_up=hall.later)
    assert hall.look(rang=past) == []
