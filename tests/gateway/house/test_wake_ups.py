"""Wake-ups: ordered, cancelled, rung, moved along; a UCM keeps one of a room."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.house import Remark
from protocols.facts import WakeUpOrdered
from tests.gateway.house.desk import MOVE, A, B, C

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
    desk.now = datetime(2026, 3, 14, 10, 34, 59, tzinfo=UTC)
    assert desk.wait(0) == []
    desk.restart()
    assert desk.wait(1) == ["wake 101 0314-1100"]
    desk.now = datetime(2026, 3, 14, 11, 5, tzinfo=UTC)
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


@pytest.mark.parametrize(
    ("next_at", "told_at"),
    [
        ("1200", (10, 35, 0)),  # the UCM tries for five minutes
        ("1034", (10, 32, 0)),  # the next one is near
        ("1031", (10, 30, 20)),
    ],
)
def test_the_next_wake_up_is_not_told_while_the_ucm_may_still_ring(desk, next_at, told_at):
    desk.say("WR|RN101|DA260314|TI103000|", f"WR|RN101|DA260314|TI{next_at}00|")
    told_at = datetime(2026, 3, 14, *told_at, tzinfo=UTC)
    for _ in range(3):
        due = desk.house.deadline(desk.now)
        desk.now = due
        words = desk.wait(0)
        if words:
            break
    assert (words, due) == ([f"wake 101 0314-{next_at}"], told_at)


def test_a_wake_up_that_still_rings_is_ended_by_the_word_of_the_pms(desk):
    desk.say("WR|RN101|DA260314|TI103000|", "WR|RN101|DA260314|TI120000|")
    desk.now = datetime(2026, 3, 14, 10, 31, tzinfo=UTC)
    assert desk.wait(0) == []
    assert desk.say("WC|RN101|DA260314|TI103000|") == ["wake 101 0314-1200"]


def test_the_word_about_another_wake_up_does_not_end_the_one_that_rings(desk):
    desk.say("WR|RN101|DA260314|TI103000|")
    desk.now = datetime(2026, 3, 14, 10, 31, tzinfo=UTC)
    assert desk.say("WC|RN101|DA260315|TI070000|") == []
    assert desk.say("WR|RN101|DA260315|TI080000|") == []
    desk.now = datetime(2026, 3, 14, 10, 35, tzinfo=UTC)
    assert desk.wait(0) == ["wake 101 0315-0800"]


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
    desk.now = datetime(2026, 3, 14, 10, 36, tzinfo=UTC)
    assert desk.wait(0) == ["wake 101 0315-0700"]


def test_a_wake_up_is_cancelled_by_its_minute(desk):
    """A PMS orders with seconds and cancels without."""
    assert desk.say("WR|RN101|DA260315|TI063017|") == ["wake 101 0315-0630"]
    assert desk.say("WC|RN101|DA260315|TI0630|") == ["wake 101 none"]


def test_an_earlier_pending_wake_up_is_told_before_a_newly_ordered_one(desk):
    desk.say("WR|RN101|DA260314|TI101500|", "WR|RN101|DA260314|TI110000|")
    desk.now = datetime(2026, 3, 14, 10, 20, 40, tzinfo=UTC)  # rung, and no tick came yet
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
    assert desk.say("WC|RN101|DA260315|TI070000|") == []
    desk.now = datetime(2026, 3, 14, 10, 35, tzinfo=UTC)  # it rings no more
    assert desk.wait(0) == ["wake 101 none"]


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


# --- Minutes, and the nights in which the clock is changed ---

BERLIN = ZoneInfo("Europe/Berlin")


def test_a_moment_without_seconds_cancels_the_order_of_its_minute(desk):
    desk.say(f"GI|RN101|{A}GSN|", "WR|RN101|DA260315|TI063017|")
    assert desk.say("WC|RN101|DA260315|TI0630|") == ["wake 101 none"]


def test_a_minute_is_ordered_once_and_its_last_seconds_are_kept(desk):
    desk.say("WR|RN101|DA260315|TI063017|", "WR|RN101|DA260315|TI063040|")
    assert desk.house.rooms["101"].wake_ups == (datetime(2026, 3, 15, 6, 30, 40),)


def test_in_the_hour_that_comes_twice_the_second_one_is_meant(desk):
    desk.now = datetime(2027, 10, 31, 2, 50, tzinfo=BERLIN)
    desk.say(f"GI|RN101|{A}GSN|", "WR|RN101|DA271031|TI070000|")
    assert desk.say("WR|RN101|DA271031|TI023000|") == []  # a UCM would take it for passed
    assert Remark.WAKE_UP_PAST not in desk.remarks
    assert tick(desk, datetime(2027, 10, 31, 2, 59, tzinfo=BERLIN)) == []
    again = datetime(2027, 10, 31, 2, 0, tzinfo=BERLIN, fold=1)
    assert tick(desk, again) == ["wake 101 1031-0230"]
    assert tick(desk, again.replace(minute=31)) == []
    assert tick(desk, again.replace(minute=35)) == ["wake 101 1031-0700"]


def tick(desk, now):
    """Arithmetic with moments would forget which of the two hours it is."""
    desk.now = now
    return desk.take(desk.house.tick(now))


def test_what_has_passed_for_good_is_past_in_that_night_too(desk):
    now = datetime(2027, 10, 31, 2, 50, tzinfo=BERLIN, fold=1)
    order = WakeUpOrdered(room="101", at=datetime(2027, 10, 31, 2, 30))
    assert desk.house.apply(order, now).remarks == (Remark.WAKE_UP_PAST,)


def test_in_the_hour_that_is_left_out_the_moment_behind_it_is_meant(desk):
    desk.now = datetime(2027, 3, 27, 22, 0, tzinfo=BERLIN)
    desk.say(f"GI|RN101|{A}GSN|")
    assert desk.say("WR|RN101|DA270328|TI023000|") == ["wake 101 0328-0300"]
    assert desk.say("WC|RN101|DA270328|TI023000|") == ["wake 101 none"]
