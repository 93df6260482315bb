"""Hotel words for moments, calls and what came of them."""

from datetime import UTC, datetime

import pytest

from gateway.drivers.calls import CALL_NAMES, CheckIn, DoNotDisturb, Move, WakeUp
from gateway.store import JournalLine
from gateway.web import words

NOON = datetime(2026, 3, 14, 12, 0, 30, tzinfo=UTC).timestamp()


def line(call, result, **values):
    return JournalLine(at=NOON, room="101", call=call, result=result, **values)


def test_a_moment_names_its_day_unless_it_is_today():
    assert words.moment(NOON, UTC, NOON + 60) == "12:00:30"
    assert words.moment(NOON - 86_400, UTC, NOON) == "13 Mar 12:00"
    assert words.since(NOON, UTC, NOON + 60) == "since 12:00"
    assert words.since(NOON, UTC, NOON + 86_400) == "since 14 Mar 12:00"
    assert words.since(None, UTC, NOON) == ""
    assert words.clock(None, UTC) == ""


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(-5, "just now"), (59, "just now"), (60, "1 minute ago"), (17 * 60, "17 minutes ago"),
     (7200, "2 hours ago")],
)  # fmt: skip
def test_how_long_ago(seconds, told):
    assert words.ago(seconds) == told


@pytest.mark.parametrize(
    ("text", "told"), [("no", "no."), ("no.", "no."), ("is it up?", "is it up?"), ("up?.", "up?")]
)
def test_a_sentence_has_one_full_stop(text, told):
    assert words.sentence(text) == told


def test_the_number_of_a_refusal_stands_behind_its_words():
    assert words.reason("18: no such room") == "no such room (code 18)"
    assert words.reason("-9: could not") == "could not (code -9)"
    assert words.reason("dropped by an operator") == "dropped by an operator"


@pytest.mark.parametrize(
    ("call", "told"),
    [(CheckIn(room="101", tags={}), "check-in of 101"),
     (Move(room="105", from_room="101"), "move from 101 to 105"),
     (WakeUp(room="101", at=datetime(2026, 3, 15, 7)), "wake-up of 101 at 15 Mar 07:00"),
     (WakeUp(room="101", at=None), "no wake-up for 101"),
     (DoNotDisturb(room="101", on=False), "do-not-disturb of 101 off")],
)  # fmt: skip
def test_a_call_in_words(call, told):
    assert words.call(call) == told


def test_every_call_that_was_done_has_its_words():
    for name in CALL_NAMES.values():
        told = words.outcome(line(name, "0"))
        assert told.tone == "good"
        assert "_" not in told.words
        assert told.words.endswith("on the UCM")


@pytest.mark.parametrize(
    ("call", "result", "tone", "told"),
    [("check_in", "18", "bad", "check-in refused: the UCM has no such room"),
     ("check_in", "19", "quiet", "already"), ("check_out", "20", "quiet", "already"),
     ("update", "timeout", "wait", "update tried: the UCM did not answer in time"),
     ("move", "our fault", "wait", "a fault of the gateway"),
     ("retry", "", "quiet", "tried again by an operator"),
     ("drop", "", "quiet", "dropped by an operator"),
     ("check_in", "9999", "bad", "code 9999"), ("check_in", "odd", "bad", "odd")],
)  # fmt: skip
def test_what_came_of_a_call(call, result, tone, told):
    outcome = words.outcome(line(call, result))
    assert outcome.tone == tone
    assert told in outcome.words
    assert "_" not in outcome.words


def test_a_move_names_both_rooms():
    assert words.rooms(line("move", "0", from_room="100")) == "100 to 101"
    assert words.rooms(line("check_in", "0")) == "101"
