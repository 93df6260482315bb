"""Who leaves, and what becomes of the room and of who stays in it."""

import pytest

from gateway.house import Remark
from gateway.pipeline.plan import OUT, is_strangers
from tests.gateway.house.desk import A, B, C, Desk


def test_departure_of_one_of_several_shows_the_next(desk):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN101|{B}GSY|", f"GI|RN101|{C}GSY|")
    assert desk.say("GO|RN101|G#2|GSY|") == []
    assert desk.say("GO|RN101|G#1|GSY|") == ["update 101 C"]


@pytest.mark.parametrize("record", ["GO|RN101|G#1|GSN|", "GO|RN101|G#1|", "GO|RN101|"])
def test_departure_of_the_last_guest_is_a_check_out(desk, record):
    desk.say(f"GI|RN101|{A}GSN|")
    assert desk.say(record) == ["out 101"]


def test_departure_without_a_guest_empties_the_room(desk):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN101|{B}GSY|")
    assert desk.say("GO|RN101|") == ["out 101"]


def test_flag_n_empties_the_room_against_our_count(desk):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN101|{B}GSY|")
    assert desk.say("GO|RN101|G#1|GSN|") == ["out 101"]
    assert desk.remarks == [Remark.SHARE_FLAG]


def test_flag_y_keeps_the_room_in_with_an_empty_name(desk):
    desk.say(f"GI|RN101|{A}GSN|")
    assert desk.say("GO|RN101|G#1|GSY|") == ["update 101 "]
    assert desk.remarks == [Remark.SHARE_FLAG]
    assert desk.say(f"GI|RN101|{B}GSY|") == ["update 101 B"]  # nobody makes room for somebody


def test_the_unknown_guest_of_a_kept_room_can_leave_it(desk):
    desk.say(f"GI|RN101|{A}GSN|", "GO|RN101|G#1|GSY|")
    assert desk.say("GO|RN101|G#9|GSN|") == ["out 101"]


@pytest.mark.parametrize("before", [[], ["GC|RN101|G#1|GNA|"]])
def test_departure_from_a_room_we_never_heard_of_is_told_where_there_is_no_list(before):
    """The UCM may show a guest from before our time; his mailbox must go."""
    desk = Desk(has_list=False)
    desk.say(*before)
    desk.remarks.clear()
    assert desk.say("GO|RN101|G#1|GSN|") == ["out 101"]
    assert desk.remarks == [Remark.UNKNOWN_GUEST]


def test_a_stranger_in_a_room_we_never_heard_of_is_checked_out_when_the_pms_calls_it_empty(desk):
    desk.pbx.actual["101"] = is_strangers(OUT)
    assert desk.say("WR|RN101|DA260315|TI063000|") == ["wake 101 0315-0630"]  # who is in, who knows
    assert desk.say("GO|RN101|G#1|GSN|") == ["out 101"]


def test_flag_y_of_a_room_we_do_not_know_keeps_it_in_with_an_empty_name(desk):
    desk.say("GC|RN101|G#2|GNB|")
    assert desk.say("GO|RN101|G#1|GSY|") == ["in 101 "]
    room = desk.house.rooms["101"]
    assert [guest.is_nobody for guest in room.guests] == [True]
    assert room.expected == ()
    assert desk.say("GO|RN101|") == ["out 101"]


def test_sharers_of_the_same_name_are_two_guests(desk):
    """The UCM knows a guest by his number: a message for the first one is not the second one's."""
    desk.say("GI|RN101|G#1|GNSmith|GSN|", "GI|RN101|G#2|GNSmith|GSY|")
    assert desk.say("GO|RN101|G#1|GSY|") == ["update 101 Smith"]
    assert desk.calls[-1].tags["account"] == "2"


def test_departure_told_again_is_not_told_again(desk):
    desk.say(f"GI|RN101|{A}GSN|", "GO|RN101|G#1|GSN|")
    assert desk.say("GO|RN101|G#1|GSN|", "GO|RN101|") == []


def test_arrival_then_departure_from_the_old_room_is_one_move(desk):
    """GI then GO: the pair of a system without moves, in the other order."""
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN205|{A}GSN|")
    assert desk.say("GO|RN101|G#1|GSN|") == []
    assert desk.house.rooms["205"].shown.name == "A"
    assert desk.say("GO|RN101|G#1|GSN|") == ["out 205"]  # said once more, it is news


def test_departure_from_a_room_we_never_knew_him_in_ends_his_stay_where_we_did(desk):
    """He had moved, and nobody told us: the mirror of an arrival that is a move."""
    desk.say(f"GI|RN101|{A}GSN|")
    assert desk.say("GO|RN102|G#1|GSN|") == ["out 101"]
    assert Remark.IMPLICIT_MOVE in desk.remarks


def test_wake_ups_end_with_the_stay(desk):
    desk.say(f"GI|RN101|{A}GSN|", "WR|RN101|DA260315|TI063000|", "GO|RN101|G#1|GSN|")
    assert desk.house.rooms["101"].wake_ups == ()
