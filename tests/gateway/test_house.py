"""Every row of what a record must do: records in, calls to an ideal PBX out."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.house import Actual, Guest, House, Ledger, Remark, Room
from gateway.house.book import Book
from gateway.jsonable import from_json, to_json
from gateway.pipeline.plan import OUT, is_strangers
from protocols.facts import GuestLeft, ResyncVoided
from protocols.fias import decode, normalize
from tests.plan_play import Pbx, word

NOW = datetime(2026, 3, 14, 10, 0, tzinfo=UTC)


class Desk:
    """A house that is told records, and an ideal PBX that follows it, in a few words."""

    def __init__(self, infer_moves_s=0.0, *, has_list=True):
        self.house = House(infer_moves_s=infer_moves_s)
        self.pbx = Pbx(has_list=has_list)
        self.now = NOW
        self.remarks = []
        self.calls = []

    def say(self, *records):
        """Tell records, ten seconds apart; the calls that they cause, as words."""
        words = []
        for record in records:
            self.now += timedelta(seconds=10)
            for fact in normalize(decode(record.encode("utf-8"), "utf-8")):
                words += self.take(self.house.apply(fact, self.now))
        return words

    def wait(self, seconds):
        self.now += timedelta(seconds=seconds)
        return self.take(self.house.tick(self.now))

    def take(self, told):
        self.remarks += told.remarks
        # What is written must be what is read back: a restart knows the same.
        for number, room in self.house.changed_rooms().items():
            assert from_json(Room, to_json(room)) == room, number
        self.house.commit()
        calls = self.pbx.follow(self.house, told.rooms, self.now.replace(tzinfo=None))
        self.calls += calls
        return [word(call) for call in calls]

    def restart(self):
        """As after a power cut: only what was written is known."""
        rooms = {n: from_json(Room, to_json(room)) for n, room in self.house.rooms.items()}
        ledger = from_json(Ledger, to_json(self.house.ledger))
        self.house = House(infer_moves_s=self.house.infer_moves_s, rooms=rooms, ledger=ledger)


@pytest.fixture
def desk():
    return Desk()


A, B, C = "G#1|GNA|", "G#2|GNB|", "G#3|GNC|"


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


# --- The four kinds of move, with both orders of the blocks ---

MOVE = ["GC|RN205|GS{new}|G#1|GNA|RO101|GS{old}|", "GC|RO101|GS{old}|RN205|GS{new}|G#1|GNA|"]


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


# --- Wake-ups that move along, or were there before ---


def test_wake_up_of_the_new_room_is_told_behind_a_move_that_brings_none(desk):
    desk.say(f"GI|RN101|{A}GSN|", "WR|RN205|DA260315|TI063000|")
    assert desk.say(MOVE[0].format(new="N", old="N")) == ["move 101>205", "wake 205 0315-0630"]


def test_the_earlier_wake_up_of_the_new_room_is_told_and_the_other_one_kept(desk):
    desk.say(f"GI|RN101|{A}GSN|", "WR|RN101|DA260315|TI073000|", "WR|RN205|DA260315|TI063000|")
    assert desk.say(MOVE[0].format(new="N", old="N")) == ["move 101>205", "wake 205 0315-0630"]
    assert len(desk.house.rooms["205"].wake_ups) == 2


def test_wake_up_goes_with_who_moves_in_with_somebody(desk):
    desk.say(f"GI|RN101|{A}GSN|", "WR|RN101|DA260315|TI063000|", f"GI|RN205|{C}GSN|")
    assert desk.say(MOVE[0].format(new="Y", old="N")) == ["out 101", "wake 205 0315-0630"]


def test_wake_up_of_who_stays_outlives_a_resync(desk):
    """The one who was displayed has left unheard; who stays keeps mailbox and wake-up."""
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN101|{B}GSY|", "WR|RN101|DA260315|TI063000|")
    assert desk.say("DS|", f"GI|RN101|{B}GSN|SF|", "DE|") == ["update 101 B"]
    assert desk.pbx.actual["101"].wake_up == datetime(2026, 3, 15, 6, 30)


def test_wake_up_of_the_new_room_outlives_a_move_that_a_resync_tells(desk):
    desk.say(f"GI|RN101|{A}GSN|", "WR|RN205|DA260315|TI063000|")
    assert desk.say("DS|", "GO|RN101|SF|", f"GI|RN205|{A}GSN|SF|", "DE|") == [
        "move 101>205", "wake 205 0315-0630",
    ]  # fmt: skip


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


# --- GO ---


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


# --- Rooms, not guests ---


def test_a_pms_without_reservations_has_one_guest_a_room(desk):
    assert desk.say("GI|RN101|GNA|") == ["in 101 A"]
    assert desk.say("GI|RN101|GNA|") == []
    assert desk.say("GI|RN101|GNB|") == ["out 101", "in 101 B"]  # another name, another guest
    assert desk.say("GC|RN101|GNC|") == ["update 101 C"]
    assert desk.say("GC|RN102|RO101|") == ["move 101>102"]
    assert desk.say("GO|RN102|") == ["out 102"]


def test_a_guest_without_a_number_has_the_rooms_key(desk):
    desk.say("GI|RN101|GNA|")
    assert desk.house.rooms["101"].shown.key == "@101"
    desk.say("GC|RN102|RO101|")
    assert desk.house.rooms["102"].shown.key == "@102"


def test_a_record_without_a_number_means_the_only_guest_of_the_room(desk):
    desk.say(f"GI|RN101|{A}GSN|")
    assert desk.say("GC|RN101|GNAda|") == ["update 101 Ada"]
    assert [guest.key for guest in desk.house.rooms["101"].guests] == ["1"]
    assert desk.say("GC|RN205|RO101|") == ["move 101>205"]


def test_a_move_without_a_reservation_told_again_moves_nothing(desk):
    desk.say("GI|RN101|GNA|")
    assert desk.say("GC|RN205|RO101|") == ["move 101>205"]
    assert desk.say("GC|RN205|RO101|") == []
    assert desk.house.rooms["205"].shown.name == "A"


def test_a_move_without_a_reservation_into_a_taken_room(desk):
    desk.say("GI|RN101|GNA|", "GI|RN205|GNB|")
    assert desk.say("GC|RN205|RO101|") == ["out 101"]
    assert [guest.name for guest in desk.house.rooms["205"].guests] == ["B"]


def test_a_move_without_a_reservation_that_we_know_nothing_of_is_told(desk):
    assert desk.say("GC|RN205|RO101|") == ["in 205 "]


def test_a_move_from_another_room_than_we_know_takes_what_we_know_along(desk):
    desk.say("GI|RN103|G#1|GNSmith|GLFR|GSN|")
    assert desk.say("GC|RN102|RO101|G#1|GSN|GSN|") == ["move 103>102"]
    assert desk.remarks == [Remark.IMPLICIT_MOVE]


def test_a_resync_whose_start_was_missed_does_not_let_an_old_departure_empty_the_room():
    desk = Desk(infer_moves_s=60)
    desk.say(f"GI|RN101|{A}GSN|", "GO|RN101|G#1|GSN|")
    assert desk.say(f"GI|RN101|{B}SF|") == ["out 101", "in 101 B"]
    assert desk.wait(100) == []


def test_the_hour_that_comes_twice_does_not_make_a_departure_wait_for_both():
    zone = ZoneInfo("Europe/Lisbon")
    desk = Desk(infer_moves_s=30)
    desk.house.zone = zone
    desk.now = datetime(2026, 10, 25, 1, 59, 0, tzinfo=zone)
    desk.say(f"GI|RN101|{A}GSN|", "GO|RN101|G#1|GSN|")
    waited = desk.house.deadline(desk.now).astimezone(UTC) - desk.now.astimezone(UTC)
    assert waited == timedelta(seconds=30)


# --- RE ---


def test_equipment_of_a_room_that_is_in(desk):
    desk.say(f"GI|RN101|{A}GSN|")
    assert desk.say("RE|RN101|CS3|DNY|RS5|") == ["update 101 A", "dnd 101 True", "status 101 5"]
    assert desk.say("RE|RN101|DNN|") == ["dnd 101 False"]


def test_equipment_of_a_room_that_is_out_is_counted_but_for_its_status(desk):
    assert desk.say("RE|RN101|CS3|DNY|RS5|") == ["status 101 5"]
    assert desk.remarks == [Remark.ROOM_NOT_IN, Remark.ROOM_NOT_IN]


def test_class_of_service_stays_with_the_room_when_its_guest_leaves(desk):
    desk.say(f"GI|RN101|{A}GSN|CS1|", f"GI|RN101|{B}GSY|CS1|", "RE|RN101|CS3|", "GO|RN101|G#1|GSY|")
    assert desk.pbx.actual["101"].tags["cos"] == "4"


def test_message_lamp_and_rights_mean_nothing_to_the_pbx(desk):
    desk.say(f"GI|RN101|{A}GSN|")
    assert desk.say("RE|RN101|MLY|TVTN|MRML|") == []


# --- Wake-ups ---


def test_wake_up_is_set_and_cancelled(desk):
    assert desk.say("WR|RN101|DA260315|TI063000|") == ["wake 101 0315-0630"]
    assert desk.say("WC|RN101|DA260315|TI063000|") == ["wake 101 none"]


def test_clearing_without_a_moment_clears_all(desk):
    desk.say("WR|RN101|DA260315|TI063000|", "WR|RN101|DA260315|TI070000|")
    assert desk.say("WC|RN101|DA|TI|") == ["wake 101 none"]
    assert desk.house.rooms["101"].wake_ups == ()


def test_a_ucm_keeps_one_wake_up_so_the_next_one_is_told_in_time(desk):
    assert desk.say("WR|RN101|DA260314|TI110000|") == ["wake 101 0314-1100"]
    assert desk.say("WR|RN101|DA260314|TI123000|") == []
    assert desk.say("WR|RN101|DA260314|TI103000|") == ["wake 101 0314-1030"]
    assert desk.house.deadline(desk.now) == datetime(2026, 3, 14, 10, 30, 20, tzinfo=UTC)
    desk.now = datetime(2026, 3, 14, 10, 30, 19, tzinfo=UTC)
    assert desk.wait(0) == []
    desk.restart()
    assert desk.wait(1) == ["wake 101 0314-1100"]
    desk.now = datetime(2026, 3, 14, 11, 0, 20, tzinfo=UTC)
    assert desk.wait(0) == ["wake 101 0314-1230"]
    desk.now += timedelta(days=1)
    assert desk.wait(0) == []
    assert desk.house.deadline(desk.now) is None


def test_a_wake_up_of_the_very_next_minute_is_told_before_it(desk):
    desk.say("WR|RN101|DA260314|TI103000|", "WR|RN101|DA260314|TI103100|")
    desk.now = datetime(2026, 3, 14, 10, 30, 21, tzinfo=UTC)
    assert desk.wait(0) == ["wake 101 0314-1031"]


def test_a_wake_up_close_ahead_is_told_and_not_missed(desk):
    desk.say("WR|RN101|DA260314|TI103000|", "WR|RN101|DA260314|TI103100|")
    desk.now = datetime(2026, 3, 14, 10, 31, 19, tzinfo=UTC)
    assert desk.wait(0) == ["wake 101 0314-1031"]
    assert desk.remarks == []


def test_a_wake_up_ordered_just_before_another_rings_does_not_replace_it(desk):
    desk.say("WR|RN101|DA260314|TI103000|")
    desk.now = datetime(2026, 3, 14, 10, 29, 40, tzinfo=UTC)
    assert desk.say("WR|RN101|DA260314|TI103100|") == []
    assert desk.pbx.actual["101"].wake_up == datetime(2026, 3, 14, 10, 30)


@pytest.mark.parametrize(("second", "words"), [(19, ["wake 101 0314-1045"]), (20, [])])
def test_a_wake_up_is_past_when_the_ucm_must_have_called(desk, second, words):
    desk.say("WR|RN101|DA260314|TI103000|", "WR|RN101|DA260314|TI104500|")
    desk.now = datetime(2026, 3, 14, 10, 45, second, tzinfo=UTC)
    assert desk.wait(0) == words


def test_a_wake_up_that_has_rung_is_told_once(desk):
    desk.say("WR|RN101|DA260314|TI103000|")
    desk.now = datetime(2026, 3, 14, 10, 30, 20, tzinfo=UTC)
    rung = ("101", datetime(2026, 3, 14, 10, 30))
    assert desk.house.tick(desk.now).rung == (rung,)
    assert desk.house.tick(desk.now + timedelta(seconds=30)).rung == ()


def test_a_clock_that_was_ahead_for_a_moment_has_cost_no_wake_up(desk):
    desk.say("WR|RN101|DA260314|TI103000|", "WR|RN101|DA260315|TI070000|")
    right = desk.now
    desk.now = datetime(2027, 3, 14, 10, tzinfo=UTC)
    assert desk.wait(0) == []
    desk.now = right
    assert desk.wait(0) == []
    assert desk.pbx.actual["101"].wake_up == datetime(2026, 3, 14, 10, 30)
    desk.now = datetime(2026, 3, 14, 10, 31, tzinfo=UTC)
    assert desk.wait(0) == ["wake 101 0315-0700"]


def test_a_wake_up_is_cancelled_by_its_minute(desk):
    """A PMS orders with seconds and cancels without."""
    assert desk.say("WR|RN101|DA260315|TI063017|") == ["wake 101 0315-0630"]
    assert desk.say("WC|RN101|DA260315|TI0630|") == ["wake 101 none"]


def test_an_earlier_pending_wake_up_is_told_before_a_newly_ordered_one(desk):
    desk.say("WR|RN101|DA260314|TI101500|", "WR|RN101|DA260314|TI110000|")
    desk.now = datetime(2026, 3, 14, 10, 15, 40, tzinfo=UTC)  # rung, and no tick came yet
    assert desk.say("WR|RN101|DA260314|TI120000|") == ["wake 101 0314-1100"]


def test_cancelling_the_next_wake_up_tells_the_one_after(desk):
    desk.say("WR|RN101|DA260315|TI063000|", "WR|RN101|DA260315|TI070000|")
    assert desk.say("WC|RN101|DA260315|TI063000|") == ["wake 101 0315-0700"]


def test_cancelling_a_later_wake_up_changes_nothing_on_the_ucm(desk):
    desk.say("WR|RN101|DA260315|TI063000|", "WR|RN101|DA260315|TI070000|")
    assert desk.say("WC|RN101|DA260315|TI070000|") == []
    assert desk.house.rooms["101"].wake_ups == (datetime(2026, 3, 15, 6, 30),)
    assert desk.remarks == []


def test_cancelling_an_unknown_wake_up_is_told_when_none_is_known(desk):
    assert desk.say("WC|RN101|DA260315|TI063000|") == ["wake 101 none"]
    assert desk.remarks == [Remark.WAKE_UP_UNKNOWN]


def test_cancelling_an_unknown_wake_up_leaves_the_known_one_alone(desk):
    desk.say("WR|RN101|DA260314|TI103000|")
    assert desk.say("WC|RN101|DA260315|TI070000|") == []
    assert desk.remarks == [Remark.WAKE_UP_UNKNOWN]
    assert desk.pbx.actual["101"].wake_up == datetime(2026, 3, 14, 10, 30)
    desk.now = datetime(2026, 3, 14, 10, 30, 9, tzinfo=UTC)  # one second before it is over
    assert desk.say("WC|RN101|DA260315|TI070000|") == []
    desk.now = datetime(2026, 3, 14, 10, 30, 10, tzinfo=UTC)
    assert desk.say("WC|RN101|DA260315|TI070000|") == ["wake 101 none"]


def test_a_wake_up_in_the_past_is_counted_and_not_told(desk):
    assert desk.say("WR|RN101|DA260106|TI063000|") == []
    assert desk.remarks == [Remark.WAKE_UP_PAST]


def test_a_wake_up_in_the_past_does_not_push_out_one_to_come(desk):
    desk.say("WR|RN101|DA260315|TI063000|")
    assert desk.say("WR|RN101|DA260106|TI063000|") == []
    assert desk.remarks == [Remark.WAKE_UP_PAST]
    assert desk.house.rooms["101"].wake_ups == (datetime(2026, 3, 15, 6, 30),)


@pytest.mark.parametrize(
    ("second", "words", "remarks"),
    [(19, ["wake 101 0314-1030"], []), (20, [], [Remark.WAKE_UP_PAST])],
)
def test_a_wake_up_of_this_minute_is_past_when_it_must_have_rung(desk, second, words, remarks):
    desk.say("WR|RN101|DA260314|TI110000|")
    desk.now = datetime(2026, 3, 14, 10, 30, second - 10, tzinfo=UTC)
    assert desk.say("WR|RN101|DA260314|TI103000|") == words
    assert desk.remarks == remarks


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


def test_night_audit_is_a_mark(desk):
    assert desk.say("NS|") == []
    assert desk.house.ledger.night_audit
    assert desk.say("NE|") == []
    assert not desk.house.ledger.night_audit


def test_what_a_fact_came_to_is_told_once(desk):
    def rooms(record):
        (fact,) = normalize(decode(record.encode()))
        told = desk.house.apply(fact, desk.now)
        return set(told.rooms), len(told.remarks)

    assert rooms("GC|RN101|G#1|GNA|") == ({"101"}, 1)
    assert rooms(f"GI|RN102|{B}GSN|") == ({"102"}, 0)
    assert rooms(f"GI|RN102|{B}GSN|") == (set(), 0)
    assert rooms(f"GI|RN103|{B}GSN|") == ({"102", "103"}, 1)


def test_a_remark_is_counted_under_its_own_name():
    assert all(remark.value == remark.name.lower() for remark in Remark)


# --- Memory and disk ---


def test_a_guest_announced_long_ago_who_never_came_is_forgotten(desk):
    desk.say("GC|RN101|G#1|GNA|GLFR|")
    before = desk.now.replace(tzinfo=None)
    desk.say("GC|RN101|G#2|GNB|GLGE|")
    desk.house.forget(before)
    assert [guest.key for guest in desk.house.rooms["101"].expected] == ["1", "2"]
    desk.house.forget(before + timedelta(microseconds=1))
    assert [guest.key for guest in desk.house.rooms["101"].expected] == ["2"]


def test_a_change_that_was_on_disk_after_all_is_made_again(desk):
    desk.say(f"GI|RN101|{A}GSN|")
    for record in (f"GC|RN205|GSN|{A}RO101|GSN|", "NS|"):
        for fact in normalize(decode(record.encode())):
            desk.house.apply(fact, desk.now)
    rooms, ledger = dict(desk.house.changed_rooms()), desk.house.changed_ledger()
    desk.house.rollback()
    desk.house.adopt(rooms, ledger, {})
    assert desk.house.rooms["205"].shown.name == "A"
    assert desk.house.ledger.night_audit
    assert (desk.house.changed_rooms(), desk.house.changed_ledger()) == ({}, None)
    desk.house.adopt({}, None, {})
    assert desk.house.ledger.night_audit
    desk.say("GO|RN205|G#1|GSN|")
    assert desk.house.rooms["205"].out


def test_only_what_differs_from_the_disk_is_to_be_written(desk):
    def hear(*records):
        for record in records:
            for fact in normalize(decode(record.encode())):
                desk.house.apply(fact, desk.now)

    hear("NS|")
    assert desk.house.changed_ledger() == Ledger(night_audit=True)
    hear("NE|")
    assert desk.house.changed_ledger() is None
    hear(f"GI|RN101|{A}GSN|", "NS|")
    assert list(desk.house.changed_rooms()) == ["101"]
    desk.house.commit()
    hear("GC|RN101|G#1|GNAda|", "GC|RN101|G#1|GNA|", "DS|", "NE|")
    assert desk.house.changed_rooms() == {}  # it is as it was
    desk.house.rollback()
    assert desk.house.ledger == Ledger(stays=1, night_audit=True)
    assert (desk.house.changed_rooms(), desk.house.changed_ledger()) == ({}, None)


def test_rollback_forgets_what_was_not_stored(desk):
    desk.say(f"GI|RN101|{A}GSN|", f"GI|RN102|{B}GSN|")
    before = dict(desk.house.rooms), desk.house.ledger
    for record in (
        f"GC|RN205|GSN|{A}RO101|GSN|",
        "GO|RN102|",
        f"GI|RN9|{C}|",
        "DS|",
        "GO|RN205|SF|",
    ):
        for fact in normalize(decode(record.encode())):
            desk.house.apply(fact, desk.now)
    assert desk.house.changed_rooms()
    desk.house.rollback()
    assert (dict(desk.house.rooms), desk.house.ledger) == before
    assert desk.house.changed_rooms() == {}
    assert desk.say(f"GC|RN205|GSN|{A}RO101|GSN|") == ["move 101>205"]


def test_who_has_left_the_house_is_not_mentioned_any_more(desk):
    book = Book(rooms={"101": Room(guests=(Guest(key="1", came=desk.now.replace(tzinfo=None)),))})
    book.mention("1")
    book.commit()
    book.put("101", Room(out=True))
    assert book.mentioned == set()
    assert book.changed_mentions() == {"1": False}
    book.rollback()
    assert book.mentioned == {"1"}
