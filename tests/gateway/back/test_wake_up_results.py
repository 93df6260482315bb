"""How wake-ups ended: one result each, in every order of list, event, restart and silence."""

import asyncio
import json
import tempfile
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.back.rows import PmsRooms
from gateway.back.wake_up_results import NO_RESULT_AFTER, WakeUpResults
from gateway.drivers.legs import KeptWakeUp
from gateway.house import Room
from gateway.store import StorageFailed
from protocols.postings import Ending
from tests.gateway.back.cash_desk import Desk

TRIES = timedelta(seconds=60)


class Night:
    """A lane over a real store, and what the UCM says of wake-ups."""

    def __init__(self, path):
        self.desk, self.rooms, self.rows = Desk(path), {"101": Room(stay=1)}, {}
        self.desk.clock.at = datetime(2026, 3, 14, 6, 30).timestamp()
        self.start = self.wall
        self.build()

    def build(self):
        desk = self.desk
        self.results = WakeUpResults(
            lane=desk.lane,
            store=desk.store,
            clock=desk.clock,
            metrics=desk.metrics,
            rooms=lambda: self.rooms,
            pms_rooms=PmsRooms(desk.store, lambda room: f"0{room}"),
            tries=TRIES,
        )

    @property
    def wall(self):
        return self.desk.clock.stamp()

    def restart(self):
        self.desk.crash()
        self.build()

    def wait(self, seconds):
        self.desk.clock.at += seconds
        return self.settle()

    def settle(self):
        """What was said to the PMS by now: room, moment, ending."""
        asyncio.run(self.results.settle(self.rows))
        return self.said()

    def said(self):
        rows = sorted(self.desk.lane.open.values(), key=lambda row: row.id)
        bodies = [json.loads(row.body) for row in rows if row.kind == "wake_up"]
        return [(each["room"], each["at"], each["ending"]) for each in bodies]

    def shows(self, ending, at=None, room="101"):
        self.rows[room] = KeptWakeUp(
            room=room, rings=None, rang=(at or self.start).replace(second=0), ending=ending
        )


@pytest.fixture
def night(tmp_path):
    night = Night(tmp_path / "outbox.db")
    yield night
    night.desk.close()


def moment(at):
    return at.isoformat()


def test_an_answer_is_said_at_once_and_once_with_the_seconds_of_the_order(night):
    at = night.start.replace(second=17)
    night.results.rang("101", at, True)
    assert night.settle() == []
    night.shows(Ending.ANSWERED)
    assert night.wait(1) == [("0101", moment(at), "answered")]
    night.shows(Ending.NO_ANSWER)
    night.results.ended("101", Ending.BUSY)
    assert len(night.wait(100)) == 1


@pytest.mark.parametrize("ending", [Ending.NO_ANSWER, Ending.BUSY, Ending.FAILED])
def test_what_is_no_answer_may_be_tried_again(night, ending):
    night.results.rang("101", night.start, True)
    night.shows(ending)
    assert night.wait(TRIES.seconds - 1) == []
    assert night.wait(1) == [("0101", moment(night.start), ending.value)]


def test_who_is_woken_by_the_second_try_is_awake(night):
    night.results.rang("101", night.start, True)
    night.results.ended("101", Ending.NO_ANSWER)
    assert night.wait(30) == []
    night.results.ended("101", Ending.ANSWERED)
    assert night.wait(1) == [("0101", moment(night.start), "answered")]


def test_an_event_is_a_result_where_there_is_no_list(night):
    night.results.ended("101", Ending.ANSWERED)  # before our own clock has seen the minute over
    night.desk.clock.at += 20
    night.results.rang("101", night.start, True)
    assert night.settle() == [("0101", moment(night.start), "answered")]


def test_an_event_of_yesterday_is_none_of_today(night):
    night.results.ended("101", Ending.ANSWERED)
    night.desk.clock.at += 86_400
    night.results.rang("101", night.wall, True)
    assert night.settle() == []


def test_an_event_is_about_the_wake_up_that_rang_last(night):
    night.results.rang("101", night.start, True)
    later = night.start + timedelta(minutes=1)
    night.desk.clock.at += 70
    night.results.rang("101", later, True)
    night.results.ended("101", Ending.ANSWERED)
    assert night.settle() == [("0101", moment(later), "answered")]


def test_silence_is_told_to_the_desk_and_counted(night):
    night.results.rang("101", night.start, True)
    limit = (TRIES + NO_RESULT_AFTER).seconds
    assert night.wait(limit - 1) == []
    assert night.wait(1) == [("0101", moment(night.start), "failed")]
    text = night.desk.metrics.expose().decode()
    assert 'pmsgw_wake_ups_total{ending="no_result"} 1.0' in text
    assert 'pmsgw_wake_ups_total{ending="failed"} 0.0' in text


def test_behind_a_start_the_list_is_asked_before_nobody_knows(night):
    night.desk.clock.at += 900  # the service was down; the house looks back
    night.results.rang("101", night.start, True)
    asyncio.run(night.results.settle())
    assert night.said() == []
    night.shows(Ending.ANSWERED, at=night.start)
    assert night.settle() == [("0101", moment(night.start), "answered")]


def test_a_ucm_that_stays_away_behind_a_start_has_its_time(night):
    night.desk.clock.at += 900
    night.results.rang("101", night.start, True)
    asyncio.run(night.results.settle())
    night.desk.clock.at += NO_RESULT_AFTER.seconds
    asyncio.run(night.results.settle())
    assert night.said() == [("0101", moment(night.start), "failed")]


def test_a_ucm_whose_clock_is_a_little_fast_is_believed(night):
    night.desk.clock.at -= 15
    night.results.ended("101", Ending.ANSWERED)
    night.desk.clock.at += 40
    night.results.rang("101", night.start, True)
    assert night.settle() == [("0101", moment(night.start), "answered")]


def test_a_wake_up_of_which_the_ucm_never_knew_has_failed(night):
    night.results.rang("101", night.start, False)
    assert night.settle() == [("0101", moment(night.start), "failed")]


def test_a_guest_who_moved_meanwhile_was_woken_in_his_new_room(night):
    night.results.rang("101", night.start, True)
    assert night.settle() == []
    night.rooms = {"102": Room(stay=1)}
    night.shows(Ending.ANSWERED, room="102")
    assert night.settle() == [("0101", moment(night.start), "answered")]


def test_the_row_of_another_wake_up_is_no_result(night):
    night.results.rang("101", night.start, True)
    night.shows(Ending.ANSWERED, at=night.start - timedelta(days=1))
    assert night.settle() == []


def test_what_is_owed_survives_a_restart_and_is_said_once(night):
    night.results.rang("101", night.start, True)
    assert night.settle() == []
    night.restart()
    night.results.rang("101", night.start, True)  # the house looks back for an hour
    night.shows(Ending.ANSWERED)
    assert len(night.settle()) == 1
    night.restart()
    night.results.rang("101", night.start, True)
    assert len(night.wait(30)) == 1
    text = night.desk.metrics.expose().decode()
    assert 'pmsgw_wake_ups_total{ending="answered"} 0.0' in text  # since the last start


def test_a_disk_that_fails_loses_no_result(night):
    night.results.rang("101", night.start, True)
    night.shows(Ending.ANSWERED)
    night.desk.fails = "before"
    with pytest.raises(StorageFailed):
        night.settle()
    assert night.settle() == [("0101", moment(night.start), "answered")]


@given(
    story=st.lists(
        st.sampled_from(["ring", "list", "event", "wait", "restart", "settle", "fails"]),
        max_size=14,
    ),
    ending=st.sampled_from(list(Ending)),
)
def test_in_every_order_each_wake_up_has_one_result(story, ending):
    with tempfile.TemporaryDirectory() as folder:
        night = Night(Path(folder, "outbox.db"))
        orders = []
        for step in story:
            if step == "ring" and not (orders and night.wall < orders[-1] + timedelta(minutes=1)):
                orders.append(night.wall.replace(microsecond=0))
                night.results.rang("101", orders[-1], True)
                asyncio.run(night.results.settle())  # as the poll does before every look
            elif step == "list" and orders:
                night.shows(ending, at=orders[-1])
            elif step == "event":
                night.results.ended("101", ending)
            elif step == "wait":
                night.wait(90)
            elif step == "restart":
                night.restart()
            elif step == "settle":
                night.settle()
            elif step == "fails":
                night.desk.fails = "before"
                with suppress(StorageFailed):
                    night.settle()
                night.desk.fails = ""
        night.rows = {}
        night.wait(3600)
        said = [at for _, at, _ in night.said()]
        night.desk.close()
        assert sorted(said) == sorted({moment(at) for at in orders})
