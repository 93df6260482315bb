"""Who arrives, who shares, who is changed: records in, calls to an ideal PBX out."""

import pytest

from gateway.house import Remark
from tests.gateway.house.desk import A, B, C

# --- GI ---


def test_arrival_in_an_empty_room_is_a_check_in(desk):
    assert desk.say(f"GI|RN101|{A}GSN|") == ["in 101 A"]


@pytest.mark.parametrize("flag", ["GSY|", ""])
def test_arrival_in_a_taken_room_is_remembered_only(desk, flag):
    desk.say(f"GI|RN101|{A}GSN|")
    assert desk.say(f"GI|RN101|{B}{flag}") == []
    assert [guest.name for guest in desk.house.rooms["101"].guests] == ["A", "B"]


def test_arrival_in_a_room_called_empty_throws_stale_guests_out(desk):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN101|{B}GSY|")
    assert desk.say(f"GI|RN101|{C}GSN|") == ["out 101", "in 101 C"]
    assert desk.remarks == [Remark.STALE_GUESTS]


def test_arrival_told_again_changes_nothing(desk):
    desk.say(f"GI|RN101|{A}GSN|")
    assert desk.say(f"GI|RN101|{A}GSN|", f"GI|RN101|{A}GSN|") == []


def test_arrival_told_again_with_news_is_an_update(desk):
    desk.say(f"GI|RN101|{A}GSN|GLGE|")
    assert desk.say("GI|RN101|G#1|GNAnders|GSN|") == ["update 101 Anders"]
    (guest,) = desk.house.rooms["101"].guests
    assert guest.language == "GE"  # what a record does not say stays


def test_arrival_told_again_as_alone_forgets_the_others(desk):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN101|{B}GSY|")
    assert desk.say(f"GI|RN101|{B}GSN|") == ["update 101 B"]
    assert desk.remarks == [Remark.STALE_GUESTS]
    assert desk.say("GO|RN101|G#2|") == ["out 101"]


def test_arrival_of_a_guest_of_another_room_is_a_move(desk):
    desk.say(f"GI|RN101|{A}GSN|")
    assert desk.say(f"GI|RN205|{A}GSN|") == ["move 101>205"]
    assert desk.remarks == [Remark.IMPLICIT_MOVE]


def test_change_of_a_guest_of_another_room_is_a_move(desk):
    desk.say(f"GI|RN101|{A}GSN|")
    assert desk.say("GC|RN205|G#1|") == ["move 101>205"]
    assert desk.remarks == [Remark.IMPLICIT_MOVE]


def test_flag_of_an_implicit_move_speaks_of_the_new_room(desk):
    """The old room is left by our own count; who was in the new one is gone first."""
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN101|{B}GSY|", f"GI|RN205|{C}GSN|")
    assert desk.say(f"GI|RN205|{A}GSN|") == ["update 101 B", "out 205", "in 205 A"]


def test_who_turns_up_alone_in_a_room_with_a_stale_guest_brings_his_own_mailbox(desk):
    """The stale guest's departure was missed: nobody hears his messages."""
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN102|{B}GSN|")
    assert desk.say(f"GI|RN102|{A}GSN|") == ["out 102", "move 101>102"]


# --- GC ---


def test_change_of_the_displayed_guest_is_an_update(desk):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN101|{B}GSY|")
    assert desk.say("GC|RN101|G#1|GLFR|") == ["update 101 A"]
    assert desk.calls[-1].tags["language"] == "fr"


def test_change_of_another_guest_is_remembered(desk):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN101|{B}GSY|")
    assert desk.say("GC|RN101|G#2|GNBee|") == []
    assert desk.say("GO|RN101|G#1|GSY|") == ["update 101 Bee"]


def test_change_for_a_room_that_is_not_in_is_remembered_and_counted(desk):
    assert desk.say("GC|RN101|G#1|GNA|GLFR|") == []
    assert desk.remarks == [Remark.ROOM_NOT_IN]
    assert desk.say("GI|RN101|G#1|GSN|") == ["in 101 A"]
    assert desk.calls[-1].tags["language"] == "fr"


def test_each_announced_guest_arrives_with_what_was_said_of_him(desk):
    desk.say("GC|RN101|G#1|GNA|GLFR|", "GC|RN101|G#2|GNB|GLGE|")
    assert desk.say("GI|RN101|G#2|GSN|") == ["in 101 B"]
    assert desk.calls[-1].tags["language"] == "de"
    assert desk.house.rooms["101"].expected == ()


def test_change_told_again_for_a_room_that_is_not_in_is_remembered_once(desk):
    desk.say("GC|RN101|G#1|GNA|", "GC|RN101|G#2|GNB|", "GC|RN101|G#1|GNAda|")
    assert [guest.name for guest in desk.house.rooms["101"].expected] == ["B", "Ada"]


def test_guests_announced_for_a_room_are_as_many_as_a_suite_has(desk):
    desk.say(*(f"GC|RN101|G#{number}|GNX|" for number in range(20)))
    keys = [guest.key for guest in desk.house.rooms["101"].expected]
    assert keys == [str(number) for number in range(4, 20)]


def test_change_that_changes_nothing_is_not_told(desk):
    desk.say(f"GI|RN101|{A}GSN|GLFR|")
    assert desk.say("GC|RN101|G#1|GLFR|") == []
