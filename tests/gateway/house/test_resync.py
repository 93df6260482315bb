"""A resync: what it tells, what it does not mention, and live records in the middle of it."""

from datetime import datetime

import pytest

from gateway.house import Ledger, Remark
from protocols.facts import GuestLeft, ResyncVoided
from tests.gateway.house.desk import A, B, C

# --- Several rooms of the PMS that are one to the PBX ---


@pytest.mark.parametrize(
    ("told", "calls"),
    [(["GI|RN101|G#1|GNA|GSN|SF|", "vacant"], []), (["vacant", "GI|RN101|G#1|GNA|GSN|SF|"], []),
     (["vacant", "vacant"], ["out 101"])],
)  # fmt: skip
def test_a_part_of_a_suite_that_is_empty_empties_it_of_who_is_not_mentioned(desk, told, calls):
    desk.say(f"GI|RN101|{A}GSN|")
    said = desk.say("DS|")
    for each in told:
        if each == "vacant":
            part = GuestLeft(room="101", reservation=None, in_resync=True, in_part=True)
            said += desk.take(desk.house.apply(part, desk.now))
        else:
            said += desk.say(each)
    assert said + desk.say("DE|") == calls


def test_a_part_that_is_empty_empties_nothing_when_the_resync_does_not_end(desk):
    desk.say(f"GI|RN101|{A}GSN|", "DS|")
    part = GuestLeft(room="101", reservation=None, in_resync=True, in_part=True)
    desk.take(desk.house.apply(part, desk.now))
    assert desk.take(desk.house.apply(ResyncVoided(), desk.now)) == []


# --- Resync ---


def test_a_resync_of_what_is_known_tells_nothing(desk):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN101|{B}GSY|", f"GI|RN102|{C}GSN|")
    assert desk.say("DS|", f"GI|RN101|{B}GSY|SF|", f"GI|RN101|{A}GSN|SF|",
                    f"GI|RN102|{C}GSN|SF|", "GO|RN103|SF|", "DE|") == []  # fmt: skip
    assert desk.house.rooms["101"].shown.name == "A"  # sharers in another order: nothing


def test_a_resync_fills_an_empty_house(desk):
    assert desk.say("DS|", f"GI|RN101|{A}GSN|SF|", f"GI|RN101|{B}GSY|SF|", "DE|") == ["in 101 A"]
    assert len(desk.house.rooms["101"].guests) == 2


def test_a_guest_of_an_empty_room_does_not_wait_for_the_end_of_the_resync(desk):
    desk.say("GO|RN101|")
    assert desk.say("DS|", f"GI|RN101|{A}GSN|SF|") == ["in 101 A"]


def test_guests_of_a_room_we_never_heard_of_wait_for_the_end_of_the_resync(desk):
    """Who lives there is known when all have been told: the UCM may show any of them."""
    assert desk.say("DS|", f"GI|RN101|{B}GSN|SF|", f"GI|RN101|{A}GSY|SF|") == []
    assert desk.say("DE|") == ["in 101 B"]
    assert {guest.key for guest in desk.house.rooms["101"].desired().residents} == {"1", "2"}


def test_another_displayed_guest_is_a_check_out_and_a_check_in(desk):
    desk.say(f"GI|RN101|{A}GSN|")
    assert desk.say("DS|", f"GI|RN101|{B}GSN|SF|") == []
    assert desk.say("DE|") == ["out 101", "in 101 B"]


def test_a_room_told_vacant_is_checked_out(desk):
    desk.say(f"GI|RN101|{A}GSN|")
    assert desk.say("DS|", "GO|RN101|SF|", "DE|") == ["out 101"]


def test_a_guest_not_mentioned_stays_unless_his_room_is_somebody_elses(desk):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN102|{B}GSN|", f"GI|RN102|{C}GSY|")
    assert desk.say("DS|", f"GI|RN102|{C}GSN|SF|", "DE|") == ["update 102 C"]
    assert desk.house.rooms["101"].shown.name == "A"


def test_a_guest_who_moved_while_nobody_listened_takes_his_mailbox_along(desk):
    desk.say(f"GI|RN101|{A}GSN|")
    assert desk.say("DS|", "GO|RN101|SF|", f"GI|RN205|{A}GSN|SF|", "DE|") == ["move 101>205"]
    assert desk.say("GO|RN101|") == []  # the move has told that 101 is out
    assert desk.say("GO|RN205|G#1|GSN|") == ["out 205"]


def test_a_guest_who_moved_while_nobody_listened_keeps_what_is_known_of_him(desk):
    desk.say("GI|RN101|G#1|GNA|GLFR|GSN|", "WR|RN101|DA260315|TI063000|")
    words = desk.say("DS|", "GO|RN101|SF|", "GI|RN205|G#1|GNAda|SF|", "DE|")
    assert words == ["move 101>205", "update 205 Ada"]
    assert desk.calls[-1].tags["language"] == "fr"
    assert desk.pbx.actual["205"].wake_up == datetime(2026, 3, 15, 6, 30)


def test_what_a_resync_says_of_a_guest_in_two_records_adds_up(desk):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN102|{B}GSN|")
    desk.say("DS|", f"GI|RN102|{A}GLFR|SF|", f"GI|RN102|{A}SF|", f"GI|RN102|{B}SF|", "DE|")
    assert [(guest.name, guest.language) for guest in desk.house.rooms["102"].guests] == [
        ("B", None), ("A", "FR")
    ]  # fmt: skip


def test_of_two_rooms_that_a_resync_gives_a_guest_the_last_one_counts(desk):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN102|{B}GSN|", f"GI|RN103|{C}GSN|")
    desk.say("DS|", f"GI|RN102|{A}SF|", f"GI|RN103|{A}SF|", f"GI|RN103|{C}SF|", "DE|")
    guests = {number: [guest.name for guest in room.guests]
              for number, room in desk.house.rooms.items()}  # fmt: skip
    assert guests == {"101": [], "102": ["B"], "103": ["C", "A"]}


@pytest.mark.parametrize("record", [f"GI|RN102|{A}GSY|", "GC|RN102|G#1|GNA|"])
def test_a_live_word_about_a_guest_whom_the_resync_put_elsewhere_puts_him_there(desk, record):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN102|{B}GSN|")
    assert desk.say("DS|", f"GI|RN102|{B}SF|", f"GI|RN102|{A}SF|", record) == ["out 101"]
    assert desk.say("DE|") == []
    assert [guest.name for guest in desk.house.rooms["102"].guests] == ["B", "A"]


def test_guests_who_swapped_rooms_do_not_hear_each_others_messages(desk):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN102|{B}GSN|")
    words = desk.say("DS|", f"GI|RN101|{B}GSN|SF|", f"GI|RN102|{A}GSN|SF|", "DE|")
    assert words == ["out 102", "move 101>102", "in 101 B"]  # no room is free to pass through


def test_guests_who_swapped_rooms_pass_through_a_free_one(desk):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN102|{B}GSN|", "GO|RN103|")
    words = desk.say("DS|", f"GI|RN101|{B}GSN|SF|", f"GI|RN102|{A}GSN|SF|", "DE|")
    assert words == ["move 102>103", "move 101>102", "move 103>101"]


def test_a_chain_of_moves_is_told_from_its_free_end(desk):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN102|{B}GSN|")
    words = desk.say("DS|", "GO|RN101|SF|", f"GI|RN102|{A}GSN|SF|", f"GI|RN103|{B}GSN|SF|", "DE|")
    assert words == ["move 102>103", "move 101>102"]


def test_news_in_a_resync_is_an_update(desk):
    desk.say(f"GI|RN101|{A}GSN|")
    assert desk.say("DS|", "GI|RN101|G#1|GNAda|GSN|SF|") == ["update 101 Ada"]
    assert desk.say("DE|") == []


def test_live_records_inside_a_resync_count_as_live(desk):
    desk.say(f"GI|RN101|{A}GSN|")
    assert desk.say("DS|", "GO|RN101|G#1|GSN|") == ["out 101"]
    assert desk.say(f"GI|RN103|{C}GSY|") == ["in 103 C"]
    assert desk.say("DE|") == []


def test_the_last_word_of_a_resync_counts(desk):
    desk.say(f"GI|RN101|{A}GSN|")
    assert desk.say("DS|", "GO|RN101|SF|", f"GI|RN101|{A}GSN|SF|", "DE|") == []
    assert desk.say("DS|", f"GI|RN101|{A}GSN|SF|", "GO|RN101|SF|", "DE|") == ["out 101"]


def test_a_live_departure_of_a_guest_whom_the_resync_put_elsewhere(desk):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN102|{B}GSN|")
    desk.say("DS|", f"GI|RN102|{A}GSY|SF|")  # in conflict: A is known in 101
    assert desk.say("GO|RN102|G#1|GSY|") == ["out 101"]
    assert desk.say("DE|") == []
    assert desk.house.rooms["102"].shown.name == "B"


def test_who_is_not_told_again_after_his_room_was_told_vacant_is_gone(desk):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN101|{B}GSY|")
    desk.say("DS|", f"GI|RN101|{A}GSN|SF|", f"GI|RN101|{B}GSY|SF|", "GO|RN101|SF|")
    assert desk.say(f"GI|RN101|{A}GSN|SF|", "DE|") == []
    assert [guest.name for guest in desk.house.rooms["101"].guests] == ["A"]


@pytest.mark.parametrize("record", ["GO|RN102|SF|", "GO|RN102|"])
def test_a_room_told_empty_takes_nobody_who_was_said_to_be_in_it(desk, record):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN102|{B}GSN|")
    desk.say("DS|", f"GI|RN102|{A}GSY|SF|")  # in conflict: A is known in 101
    assert desk.say(record, "DE|") == ["out 102"]
    assert desk.house.rooms["101"].shown.name == "A"


@pytest.mark.parametrize(("flag", "guests"), [("N", ["C"]), ("Y", ["C", "A"])])
def test_a_live_arrival_alone_in_the_room_is_the_later_word(desk, flag, guests):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN102|{B}GSN|")
    desk.say("DS|", f"GI|RN102|{A}GSY|SF|", f"GI|RN102|{C}GS{flag}|", "DE|")
    assert [guest.name for guest in desk.house.rooms["102"].guests] == guests


def test_a_guest_told_out_of_a_room_is_gone_from_that_room_only(desk):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN101|{B}GSY|", f"GI|RN102|{C}GSN|")
    assert desk.say("DS|", "GO|RN101|G#1|SF|", "GO|RN101|G#3|SF|") == []
    assert desk.say("DE|") == ["update 101 B"]
    assert desk.house.rooms["102"].shown.name == "C"


def test_a_guest_told_twice_in_a_resync_is_in_the_room_once(desk):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN102|{B}GSN|")
    desk.say("DS|", f"GI|RN101|{A}SF|", f"GI|RN101|{B}SF|", "GI|RN101|G#2|GNBee|SF|", "DE|")
    assert [guest.name for guest in desk.house.rooms["101"].guests] == ["A", "Bee"]


@pytest.mark.parametrize(
    "record", [f"GI|RN101|{A}GSY|", "GC|RN101|G#1|GLFR|", f"GC|RN101|GSY|{A}RO102|GSN|"]
)
def test_a_live_word_about_a_guest_is_a_mention_in_the_resync(desk, record):
    desk.say(f"GI|RN101|{B}GSN|", f"GI|RN{'102' if 'RO' in record else '101'}|{A}GSY|")
    desk.say("DS|", f"GI|RN101|{B}SF|", record, "DE|")
    assert [guest.name for guest in desk.house.rooms["101"].guests] == ["B", "A"]


def test_a_live_change_in_a_room_told_vacant_says_that_it_is_not(desk):
    desk.say(f"GI|RN101|{A}GSN|")
    assert desk.say("DS|", "GO|RN101|SF|", "GC|RN101|G#1|GLFR|", "DE|") == ["update 101 A"]


def test_a_live_move_of_a_guest_whom_the_resync_put_elsewhere(desk):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN102|{B}GSN|")
    desk.say("DS|", f"GI|RN102|{A}GSY|SF|", f"GC|RN103|GSN|{A}RO102|GSY|", "DE|")
    guests = {number: [guest.name for guest in room.guests]
              for number, room in desk.house.rooms.items()}  # fmt: skip
    assert guests == {"101": [], "102": ["B"], "103": ["A"]}


def test_nobody_makes_room_for_somebody_when_the_resync_breaks(desk):
    desk.say(f"GI|RN101|{A}GSN|", "GO|RN101|G#1|GSY|")
    desk.say("DS|", f"GI|RN101|{B}GSN|SF|")
    desk.take(desk.house.apply(ResyncVoided(), desk.now))
    assert [guest.name for guest in desk.house.rooms["101"].guests] == ["B"]


def test_a_live_word_that_a_guest_is_alone_takes_nobody_else_in(desk):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN102|{B}GSN|")
    desk.say("DS|", f"GI|RN102|{A}GSY|SF|", f"GI|RN102|{B}GSN|")
    assert desk.say("DE|") == []
    assert [guest.name for guest in desk.house.rooms["102"].guests] == ["B"]


def test_a_resync_ends_once(desk):
    desk.say("DS|", "GO|RN101|SF|", "DE|")
    assert desk.house.ledger == Ledger(resync=1)
    assert desk.remarks == []
    desk.say("DE|")
    assert desk.remarks == [Remark.NO_RESYNC]


@pytest.mark.parametrize("record", ["GI|RN102|G#1|GNNew|GSY|", "GC|RN102|G#1|GNNew|"])
def test_a_live_word_about_a_guest_is_later_than_what_the_resync_said(desk, record):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN102|{B}GSN|")
    desk.say("DS|", f"GI|RN102|{B}SF|", "GI|RN102|G#1|GNOld|SF|", record, "DE|")
    assert [guest.name for guest in desk.house.rooms["102"].guests] == ["B", "New"]


def test_a_guest_who_is_told_out_again_is_not_said_to_be_there(desk):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN102|{B}GSN|")
    assert desk.say("DS|", f"GI|RN102|{B}SF|", f"GI|RN102|{A}SF|", "GO|RN102|G#1|SF|", "DE|") == []
    assert desk.house.rooms["101"].shown.name == "A"


def test_a_change_of_a_guest_who_is_not_in_is_remembered_in_a_resync_too(desk):
    assert desk.say("DS|", "GC|RN101|G#1|GNA|GLFR|", "DE|", "GI|RN101|G#1|") == ["in 101 A"]


def test_a_room_told_vacant_and_then_taken_is_not_vacant_when_the_resync_breaks(desk):
    desk.say(f"GI|RN101|{A}GSN|")
    desk.say("DS|", "GO|RN101|SF|", f"GI|RN101|{B}GSY|SF|")
    assert desk.take(desk.house.apply(ResyncVoided(), desk.now)) == []
    assert [guest.name for guest in desk.house.rooms["101"].guests] == ["A", "B"]


@pytest.mark.parametrize(
    ("mover", "stayer", "words"),
    [(B, A, ["in 205 B"]), (A, B, ["update 101 B", "in 205 A"])],
)
def test_a_guest_who_left_others_behind_takes_no_mailbox_along(desk, mover, stayer, words):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN101|{B}GSY|")
    assert desk.say("DS|", f"GI|RN101|{stayer}GSN|SF|", f"GI|RN205|{mover}GSN|SF|", "DE|") == words


def test_a_room_is_known_out_by_the_pmss_word_only(desk):
    desk.say(f"GI|RN101|{A}GSN|", f"GC|RN102|{B}", "DS|", "GO|RN103|SF|", "DE|")
    known_out = {number for number, room in desk.house.rooms.items() if room.out}
    assert known_out == {"103"}  # of 102 nobody has said that it is empty
    desk.say("GO|RN101|", f"GI|RN103|{C}GSN|")
    known_out = {number for number, room in desk.house.rooms.items() if room.out}
    assert known_out == {"101"}


@pytest.mark.parametrize("restart", [False, True])
def test_a_resync_without_an_end_sweeps_nobody(desk, restart):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN102|{C}GSN|")
    desk.say("DS|", f"GI|RN101|{B}GSN|SF|", "GO|RN102|SF|")
    if restart:
        desk.restart()
    assert desk.take(desk.house.apply(ResyncVoided(), desk.now)) == ["out 102"]
    assert [guest.name for guest in desk.house.rooms["101"].guests] == ["A", "B"]
    assert Remark.RESYNC_VOIDED in desk.remarks


def test_a_second_start_begins_the_resync_anew(desk):
    desk.say(f"GI|RN101|{A}GSN|")
    assert desk.say("DS|", f"GI|RN101|{A}GSN|SF|", "DS|", f"GI|RN101|{B}GSN|SF|", "DE|") == [
        "out 101", "in 101 B"
    ]  # fmt: skip


def test_a_second_start_keeps_what_the_first_one_said_and_sweeps_nobody(desk):
    desk.say(f"GI|RN101|{A}GSN|", "DS|", f"GI|RN101|{B}GSN|SF|", "DS|")
    assert [guest.name for guest in desk.house.rooms["101"].guests] == ["A", "B"]
    assert desk.house.ledger == Ledger(stays=1, resync=2, in_resync=True)


def test_a_resync_that_does_not_run_cannot_be_voided(desk):
    assert desk.take(desk.house.apply(ResyncVoided(), desk.now)) == []
    assert desk.remarks == []


def test_an_end_without_a_start_is_counted(desk):
    assert desk.say("DE|") == []
    assert desk.remarks == [Remark.NO_RESYNC]


def test_records_of_a_resync_whose_start_we_missed_empty_nothing(desk):
    desk.say(f"GI|RN101|{A}GSN|")
    assert desk.say(f"GI|RN101|{B}GSN|SF|") == []


def test_a_departure_of_a_resync_whose_start_we_missed_is_a_departure(desk):
    desk.say(f"GI|RN101|{A}GSN|")
    assert desk.say("GO|RN101|SF|") == ["out 101"]
