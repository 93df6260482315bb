"""The four kinds of move, told and untold; what moves along."""

from datetime import datetime, timedelta

import pytest

from gateway.house import Actual, Remark
from protocols.fias import decode, normalize
from tests.gateway.house.desk import MOVE, A, B, C, Desk
from tests.plan_play import word

# --- The four kinds of move, with both orders of the blocks ---


@pytest.mark.parametrize("record", MOVE)
def test_move_from_and_to_an_empty_room_is_a_mov(desk, record):
    desk.say(f"GI|RN101|{A}GSN|", "WR|RN101|DA260315|TI063000|")
    assert desk.say(record.format(new="N", old="N")) == ["move 101>205"]
    assert desk.house.rooms["205"].wake_ups == (datetime(2026, 3, 15, 6, 30),)
    assert desk.house.rooms["101"].wake_ups == ()
    assert desk.say("GO|RN101|", "GO|RN205|G#1|GSN|") == ["out 205"]


@pytest.mark.parametrize("record", MOVE)
def test_move_with_news_is_a_mov_and_an_update(desk, record):
    desk.say("GI|RN101|G#1|GNOld|GSN|")
    assert desk.say(record.format(new="N", old="N")) == ["move 101>205", "update 205 A"]


@pytest.mark.parametrize("record", MOVE)
def test_move_out_of_a_shared_room_into_an_empty_one(desk, record):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN101|{B}GSY|")
    assert desk.say(record.format(new="N", old="Y")) == ["update 101 B", "in 205 A"]


def test_move_of_the_second_guest_leaves_the_display_alone(desk):
    desk.say(f"GI|RN101|{B}GSN|", f"GI|RN101|{A}GSY|")
    assert desk.say(MOVE[0].format(new="N", old="Y")) == ["in 205 A"]


@pytest.mark.parametrize("record", MOVE)
def test_move_from_an_emptied_room_into_a_taken_one(desk, record):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN205|{C}GSN|")
    assert desk.say(record.format(new="Y", old="N")) == ["out 101"]
    assert desk.say("GO|RN205|G#3|GSY|") == ["update 205 A"]


@pytest.mark.parametrize("record", MOVE)
def test_move_between_shared_rooms(desk, record):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN101|{B}GSY|", f"GI|RN205|{C}GSN|")
    assert desk.say(record.format(new="Y", old="Y")) == ["update 101 B"]


def test_move_without_a_flag_is_decided_by_our_own_count(desk):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN101|{B}GSY|")
    assert desk.say("GC|RN205|GSN|G#1|RO101|") == ["update 101 B", "in 205 A"]


def test_move_into_a_room_called_empty_throws_stale_guests_out(desk):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN205|{C}GSN|")
    assert desk.say(MOVE[0].format(new="N", old="N")) == ["out 205", "move 101>205"]
    assert desk.remarks == [Remark.STALE_GUESTS]


def test_move_from_a_room_that_is_out_does_not_check_it_out_again(desk):
    desk.say(f"GI|RN101|{B}GSN|", "GO|RN101|G#2|GSN|", f"GI|RN205|{C}GSN|")
    assert desk.say(MOVE[0].format(new="Y", old="N")) == []


def test_move_told_again_moves_nothing(desk):
    desk.say(f"GI|RN101|{A}GSN|", MOVE[0].format(new="N", old="N"))
    assert desk.say(MOVE[0].format(new="N", old="N")) == []


def test_move_told_again_with_news_is_an_update(desk):
    desk.say(f"GI|RN101|{A}GSN|", MOVE[0].format(new="N", old="N"))
    assert desk.say("GC|RN205|GSN|G#1|GNAda|RO101|GSN|") == ["update 205 Ada"]


def test_move_of_a_guest_we_never_knew_into_a_taken_room_empties_his_old_one(desk):
    desk.say(f"GI|RN205|{C}GSN|")
    assert desk.say(MOVE[0].format(new="Y", old="N")) == []
    assert [guest.name for guest in desk.house.rooms["205"].guests] == ["C", "A"]
    assert desk.house.rooms["101"].out  # whoever the PBX shows there must go


def test_move_of_a_guest_we_never_knew_takes_along_what_the_pbx_has_of_him(desk):
    """A gateway put between the two in the middle of a stay: the list shows him where he was."""
    desk.house.apply(*normalize(decode(MOVE[0].format(new="N", old="N").encode())), desk.now)
    stay = desk.house.rooms["205"].stay
    desk.pbx.actual["101"] = Actual(stay=stay, tags={"account": "1", "lastname": "A"})
    assert desk.take(desk.house.tick(desk.now)) == []
    calls = desk.pbx.follow(desk.house, ["205"], desk.now.replace(tzinfo=None))
    assert [word(call) for call in calls] == ["move 101>205", "update 205 A"]


@pytest.mark.parametrize("before", [[], [f"GI|RN103|{A}GSN|"]])
def test_move_out_of_a_room_that_shows_somebody_else_carries_no_mailbox_along(desk, before):
    """What came between was lost on the way: who is shown there is surely not who moves."""
    desk.say(f"GI|RN101|{C}GSN|", *before)
    told = desk.say("GC|RN205|GSN|G#1|GNA|RO101|GSN|")
    assert told == (["out 101", "move 103>205"] if before else ["out 101", "in 205 A"])


def test_move_of_somebody_of_the_same_name_is_his_own_under_another_number(desk):
    desk.say(f"GI|RN101|{A}GSN|")
    assert desk.say("GC|RN205|GSN|G#9|GNa|RO101|GSN|")[0] == "move 101>205"


@pytest.mark.parametrize(
    ("before", "told"),
    [([], ["in 101 ", "in 205 A"]), ([f"GI|RN205|{C}GSN|"], ["in 101 "])],
)
def test_move_out_of_a_room_we_never_heard_of_in_which_somebody_stays(desk, before, told):
    desk.say(*before)
    assert desk.say("GC|RN205|GSY|G#1|GNA|RO101|GSY|") == told
    assert [guest.is_nobody for guest in desk.house.rooms["101"].guests] == [True]


# --- Systems without moves ---


@pytest.mark.parametrize("infer", [0.0, 30.0])
def test_departure_then_arrival_elsewhere(infer):
    desk = Desk(infer_moves_s=infer)
    desk.say(f"GI|RN101|{A}GSN|")
    words = desk.say("GO|RN101|G#1|GSN|", f"GI|RN205|{A}GSN|")
    assert words == (["move 101>205"] if infer else ["out 101", "in 205 A"])


def test_departure_without_an_arrival_happens_when_its_time_has_come():
    desk = Desk(infer_moves_s=30)
    desk.say(f"GI|RN101|{A}GSN|")
    assert desk.say("GO|RN101|G#1|GSN|") == []
    assert desk.house.deadline(desk.now) == desk.now + timedelta(seconds=30)
    assert desk.wait(29) == []
    desk.restart()
    assert desk.wait(1) == ["out 101"]
    assert desk.house.deadline(desk.now) is None


def test_two_sharers_move_as_two_pairs():
    desk = Desk(infer_moves_s=60)
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN101|{B}GSY|")
    assert desk.say("GO|RN101|G#1|GSY|", "GO|RN101|G#2|GSN|") == []
    assert desk.say(f"GI|RN205|{A}GSN|") == ["update 101 B", "in 205 A"]
    assert desk.house.deadline(desk.now) is not None
    assert desk.say(f"GI|RN205|{B}GSY|") == ["out 101"]
    assert desk.house.deadline(desk.now) is None
    assert desk.remarks == [Remark.IMPLICIT_MOVE] * 2


def test_a_departure_that_became_a_move_leaves_the_others_waiting():
    desk = Desk(infer_moves_s=60)
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN102|{B}GSN|", "GO|RN101|G#1|GSN|", "GO|RN102|G#2|GSN|")
    assert desk.say(f"GI|RN205|{A}GSN|") == ["move 101>205"]
    assert desk.wait(60) == ["out 102"]


def test_a_new_guest_of_the_room_ends_the_waiting():
    desk = Desk(infer_moves_s=60)
    desk.say(f"GI|RN101|{A}GSN|")
    assert desk.say("GO|RN101|G#1|GSN|", f"GI|RN101|{B}GSN|") == ["out 101", "in 101 B"]


def test_the_same_guest_in_the_same_room_is_a_new_stay():
    desk = Desk(infer_moves_s=60)
    desk.say(f"GI|RN101|{A}GSN|")
    assert desk.say("GO|RN101|G#1|GSN|", f"GI|RN101|{A}GSN|") == ["out 101", "in 101 A"]


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (f"GC|RN101|{B}", ["out 101"]),
        (f"GC|RN102|{B}", []),
        (f"GC|RN101|GSN|{C}RO103|GSN|", ["out 101", "move 103>101"]),
        (f"GC|RN104|GSN|{C}RO103|GSN|", ["move 103>104"]),
        (f"GI|RN101|{B}SF|", ["out 101", "in 101 B"]),
        (f"GI|RN102|{A}SF|", ["out 101", "in 102 A"]),
        (f"GI|RN102|{B}SF|", ["in 102 B"]),
        ("GO|RN101|G#9|GSN|", ["out 101"]),
        ("GO|RN102|G#9|GSN|", []),
        ("GO|RN101|", ["out 101"]),
        ("DS|", ["out 101"]),
        ("DE|", ["out 101"]),
        ("RE|RN101|DNY|", ["dnd 101 True"]),
    ],
)
def test_a_departure_waits_no_longer_than_its_room_is_left_alone(record, words):
    desk = Desk(infer_moves_s=60)
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN103|{C}GSN|", "GO|RN101|G#1|GSN|")
    assert desk.say(record) == words
    assert (desk.house.deadline(desk.now) is None) == ("out 101" in words)
