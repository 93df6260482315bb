"""Maids and mailboxes: what is said of a change, and what is none."""

import asyncio

import pytest

from gateway.back.levels import ECHO_S, Levels
from gateway.back.rows import PmsRooms
from gateway.back.sending import IN_DOUBT_S
from gateway.drivers.legs import KeyedStatus, Mailbox
from gateway.house import Room
from gateway.house.states import Guest
from gateway.store import JournalLine, Store
from tests.gateway.back.cash_desk import Desk

STATUSES = {"1": ("3", "4"), "2": ("0", "0"), "5": ("1", "2")}


class Floor:
    """Rooms of a PBX, and what is said of them."""

    def __init__(self, path):
        self.desk = Desk(path)
        self.rows, self.boxes, self.rooms = {}, {}, {}
        self.levels = self.build()

    def build(self):
        return Levels(
            source=self,
            lane=self.desk.lane,
            store=self.desk.store,
            clock=self.desk.clock,
            rooms=lambda: self.rooms,
            pms_rooms=PmsRooms(self.desk.store, lambda room: f"0{room}"),
            statuses=STATUSES,
            mailboxes=True,
        )

    async def keyed(self):
        return list(self.rows.values())

    async def mailboxes(self):
        return list(self.boxes.values())

    def moves_in(self, room, number="4711", stay=1):
        guest = Guest(key=number, came=None)
        self.rooms[room] = Room(stay=stay, guests=(guest,))

    def shows(self, room, status, keyed="", maid=""):
        self.rows[room] = KeyedStatus(room=room, status=status, keyed=keyed, maid=maid)

    def has(self, room, unread, read=0):
        self.boxes[room] = Mailbox(extension=room, unread=unread, read=read)

    def called(self, room):
        """The UCM is told something of this room by us."""
        line = JournalLine(at=self.desk.clock.at, room=room, call="check_in", result="0")
        asyncio.run(self.desk.store(Store.told, [], [line]))

    def look(self):
        """What waits to be said after another look, by room."""
        self.desk.clock.at += 20
        asyncio.run(self.levels.look())
        return {row.room: row.body for row in self.desk.lane.open.values()}

    def restart(self):
        self.desk.crash()
        self.levels = self.build()


@pytest.fixture
def floor(tmp_path):
    floor = Floor(tmp_path / "outbox.db")
    yield floor
    floor.desk.close()


def said(status, maid=""):
    return f'{{"room":"0101","status":"{status}"' + (f',"maid":"{maid}"' if maid else "") + "}"


def test_the_first_look_says_nothing(floor):
    floor.shows("101", "5", "202603141030", "17")
    assert floor.look() == {}


@pytest.mark.parametrize(("is_in", "code"), [(False, "1"), (True, "2")])
def test_a_status_means_another_code_in_an_occupied_room(floor, is_in, code):
    if is_in:
        floor.moves_in("101")
    floor.shows("101", "1")
    floor.look()
    floor.shows("101", "5", "202603141030", "17")
    assert floor.look() == {"101": said(code, "17")}


def test_a_maid_without_a_number_and_a_status_without_a_code(floor):
    floor.shows("101", "1")
    floor.look()
    floor.shows("101", "5", "202603141030", "0000")
    assert floor.look() == {"101": said("1")}
    floor.shows("101", "2", "202603141031", "0000")  # being cleaned: no PMS has a word for it
    assert floor.look() == {"101": said("1")}


def test_the_echo_of_our_own_call_is_no_maid(floor):
    floor.shows("101", "1")
    floor.look()
    floor.called("101")
    floor.shows("101", "5")
    assert floor.look() == {}
    floor.shows("101", "1", "202603141040", "0000")  # and now a maid, some time later
    assert floor.look() == {"101": said("3")}


def test_a_maid_who_gives_her_number_is_heard_beside_our_own_call(floor):
    floor.shows("101", "1")
    floor.look()
    floor.called("101")
    floor.shows("101", "5", "202603141030", "17")
    assert floor.look() == {"101": said("1", "17")}


def test_an_echo_is_known_for_seconds_not_for_ever(floor):
    floor.shows("101", "1")
    floor.called("101")
    floor.desk.clock.at += ECHO_S + 1
    floor.look()
    floor.shows("101", "5", "202603141030", "0000")
    assert floor.look() == {"101": said("1")}


def test_what_was_keyed_while_we_were_stopped_is_said_once(floor):
    floor.shows("101", "1")
    floor.look()
    floor.restart()
    floor.shows("101", "5", "202603141030", "17")
    assert floor.look() == {"101": said("1", "17")}
    floor.restart()
    assert floor.look() == {"101": said("1", "17")}
    assert len(floor.desk.lane.open) == 1


def test_messages_are_told_of_an_occupied_room_and_only_when_they_change(floor):
    floor.has("101", 1)
    assert floor.look() == {}
    floor.moves_in("101")
    floor.has("101", 0)
    assert floor.look() == {}  # an empty mailbox of a guest who has just come
    floor.has("101", 2, 1)
    told = {"101": '{"room":"0101","unread":2,"read":1}'}
    assert floor.look() == floor.look() == told
    floor.has("101", 0, 3)
    assert floor.look() == {"101": '{"room":"0101","unread":0,"read":3}'}
    assert len(floor.desk.lane.open) == 1  # the older one made way


def test_the_next_guest_of_a_room_begins_anew(floor):
    floor.moves_in("101")
    floor.has("101", 1)
    floor.look()
    floor.moves_in("101", "4712", stay=2)
    floor.has("101", 0)
    assert len(floor.look()) == 1
    floor.has("101", 1)
    assert floor.look() == {"101": '{"room":"0101","unread":1,"read":0}'}


def written(floor, **how):
    """A status that is on the line, where the line has no answers."""
    floor.desk.lane.is_acknowledged = False
    floor.shows("101", "1")
    floor.look()
    floor.shows("101", "5", keyed="202603141030", maid="17")
    floor.look()
    asyncio.run(floor.desk.lane._turn())
    (record,) = floor.desk.wire
    floor.desk.wire.clear()
    floor.desk.lane.arrived(record)
    asyncio.run(floor.desk.lane._turn())
    assert floor.desk.lane.open == {}


def test_what_was_written_just_before_the_line_broke_is_said_again(floor):
    written(floor)
    floor.desk.clock.at += IN_DOUBT_S
    floor.desk.lane.link_broke()
    for _ in range(2):
        asyncio.run(floor.desk.lane._turn())
    assert len(floor.desk.wire) == 1
    floor.desk.lane.link_broke()  # it was not written yet this time
    assert floor.desk.lane._again == []


@pytest.mark.parametrize("why", ["long ago", "acknowledged"])
def test_what_has_certainly_arrived_is_not_said_again(floor, why):
    written(floor)
    floor.desk.clock.at += IN_DOUBT_S + 1 if why == "long ago" else 1
    floor.desk.lane.is_acknowledged = why == "acknowledged"
    floor.desk.lane.link_broke()
    asyncio.run(floor.desk.lane._turn())
    assert floor.desk.wire == []
