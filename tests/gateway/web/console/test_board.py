"""The board of rooms and the outbox, from plain values."""

from datetime import UTC, datetime

import pytest

from gateway.drivers.calls import CheckIn, Move
from gateway.drivers.gxv import Identity
from gateway.house import Desired, Guest, Room
from gateway.pipeline.look import Drift
from gateway.pipeline.phones import PhoneView
from gateway.pipeline.step import RoomView
from gateway.store import JournalLine
from gateway.web.console import board

CAME = datetime(2026, 3, 14, 15, 2)
NOW = 1000.0
ROSSI = Guest(key="4711", name="Rossi", first_name="Anna", came=CAME)
MULLER = Guest(key="4712", name="Müller 2", came=CAME)


def view(**values):
    return RoomView(
        **{
            "room": "101", "state": "parked", "desired": Desired(), "actual": None,
            "call": CheckIn(room="101", tags={}), "since": NOW, "attempts": 2, "due_at": None,
            "why": "18: no such room", "record": "GI|RN101|GNRossi|", **values,
        }
    )  # fmt: skip


def card(room, drift=None, entry=None, **values):
    drifts = [] if drift is None else [Drift("101", drift)]
    outbox = {} if entry is None else {"101": entry}
    cards = board.board({"101": room}, drifts, outbox, UTC, NOW, **{"names": False, **values})
    return cards[0]


def test_guests_are_masked_and_not_searched_unless_asked_for():
    room = Room(guests=(ROSSI, MULLER, Guest(key="@101", came=CAME)), wake_ups=(CAME,))
    shown = card(room)
    assert shown.guests == ("Xxxxx, Xxxx", "Xxxxxx 9", "(no name)")
    assert shown.find.split() == ["101", "4711", "4712"]
    assert (shown.number, shown.wake_ups) == ("4711", ("14 Mar 15:02",))
    named = card(room, names=True)
    assert named.guests[0] == "Rossi, Anna"
    assert {"rossi", "anna", "müller"} <= set(named.find.split())


IN, OUT = Room(guests=(ROSSI,)), Room(out=True)


@pytest.mark.parametrize(
    ("room", "drift", "entry", "tone", "phone", "states"),
    [(IN, None, None, "good", "on the phone", "in occupied"),
     (OUT, None, None, "quiet", "nobody on the phone", "out vacant"),
     (Room(), None, None, "quiet", "the PMS has not said", "unknown"),
     (IN, None, view(), "bad", "the UCM refused: no such room (code 18)", "in occupied parked"),
     (IN, None, view(state="waiting", why=""), "wait", "not yet: waiting since 00:16:40", "in occupied waiting"),
     (IN, None, view(state="waiting", since=NOW - 60), "bad", "not yet: waiting since", "in occupied waiting"),
     (OUT, None, view(state="waiting"), "wait", "; no such room (code 18)", "out vacant waiting"),
     (IN, None, view(state="dropped"), "bad", "dropped by an operator", "in occupied dropped"),
     (IN, "out", None, "bad", "the UCM shows nobody", "in occupied differs"),
     (IN, "stranger", None, "bad", "somebody else", "in occupied differs"),
     (OUT, "in", None, "bad", "still shows a guest", "out vacant differs"),
     (IN, "unlisted", None, "bad", "does not have this room", "in occupied differs"),
     (Room(), "unnamed", None, "quiet", "the PMS never spoke", "unknown"),
     (IN, "unlisted", view(), "bad", "the UCM refused", "in occupied parked")],
)  # fmt: skip
def test_a_card_says_whether_the_guest_is_on_the_phone(room, drift, entry, tone, phone, states):
    one = card(room, drift, entry)
    assert (one.tone, one.states) == (tone, states)
    assert phone in one.shown.words
    assert (one.page == "/outbox") == (entry is not None and entry.state != "dropped")


def test_a_detail_that_differs_is_named():
    drifts = [Drift("101", "details", ("lastname", "cos"))]
    (one,) = board.board({"101": IN}, drifts, {}, UTC, NOW, names=False)
    assert one.shown.words.endswith("last name, class of service")


def test_while_the_ucm_is_away_nobody_is_surely_on_the_phone():
    one = card(IN, away="since 11:33")
    assert one.tone == "quiet"
    assert (
        one.shown.words == "on the phone, as far as is known: the UCM does not answer since 11:33"
    )


def test_rooms_stand_in_the_order_of_their_numbers_also_those_only_the_ucm_names():
    cards = board.board(
        {"1001": IN, "99": IN}, [Drift("105", "unnamed")], {}, UTC, NOW, names=False
    )
    assert [each.room for each in cards] == ["99", "105", "1001"]


def phone(**values):
    return PhoneView(
        **{
            "room": "101", "address": "10.0.5.101", "identity": Identity(), "is_there": True, "is_registered": True,
            "step": "", "trouble": "", "since": None, **values,
        }
    )  # fmt: skip


BEHIND = {"step": "delete contacts", "trouble": "no answer in time", "since": NOW - 59}


@pytest.mark.parametrize(
    ("values", "words", "tone", "tone_of_the_card"),
    [({}, "", "", "good"),
     ({"is_there": None, "is_registered": None}, "", "", "good"),
     ({"is_there": False, "trouble": "is it on?"}, "its phone: is it on?", "quiet", "good"),
     ({"is_registered": False}, "its phone is not registered at the UCM", "quiet", "good"),
     (BEHIND, "its phone is behind: delete contacts; no answer in time", "wait", "good"),
     ({**BEHIND, "since": NOW - 60}, "its phone is behind: delete contacts; no answer in time", "bad", "bad"),
     ({"step": "delete contacts"}, "its phone is behind: delete contacts", "wait", "good")],
)  # fmt: skip
def test_a_card_tells_of_the_phone_of_its_room(values, words, tone, tone_of_the_card):
    one = card(IN, phones={"101": phone(**values)})
    assert (one.phone.words, one.phone.tone, one.tone) == (words, tone, tone_of_the_card)
    assert one.shown.words == "on the phone"


def test_a_phone_in_the_outbox_waits_and_cannot_be_dropped():
    late = board.phone_entry(phone(**{**BEHIND, "since": NOW - 60}), UTC, NOW)
    assert (late.room, late.state, late.tone, late.call) == (
        "phone 101", "waiting", "bad", "delete contacts",
    )  # fmt: skip
    assert (late.reason, late.deeds) == ("no answer in time", ())
    assert board.phone_entry(phone(step="x"), UTC, NOW).since == ""


def test_what_an_operator_can_do_about_a_room():
    assert board.entry(view(), UTC, NOW, names=False).deeds == ("retry", "drop")
    fresh = view(state="waiting", attempts=0)
    assert board.entry(fresh, UTC, NOW, names=False).deeds == ("drop",)


def test_every_word_of_the_search_is_a_state_of_a_card():
    assert set(card(IN, "out").states.split()) <= set(board.STATES)
    assert set(card(OUT, None, view()).states.split()) <= set(board.STATES)


def test_a_room_of_the_outbox_masks_its_record():
    shown = board.entry(view(), UTC, NOW, names=False)
    assert (shown.record, shown.tone) == ("GI|RN101|GNXxxxx|", "bad")
    assert shown.reason == "no such room (code 18)"
    told = board.entry(view(why="", since=None, state="told"), UTC, NOW, names=True)
    assert (told.record, told.since, told.tone) == ("GI|RN101|GNRossi|", "", "quiet")


def test_a_move_in_the_outbox_says_from_where_to_where():
    move = view(call=Move(room="105", from_room="101"), state="waiting")
    shown = board.entry(move, UTC, NOW, names=False)
    assert (shown.call, shown.tone) == ("move from 101 to 105", "wait")
    assert board.entry(view(state="waiting"), UTC, NOW + 60, names=False).tone == "bad"


def test_the_last_calls_are_told_without_guests():
    line = JournalLine(at=NOW, room="101", call="check_in", result="0", record="GI|RN101|GNRossi|")
    shown = board.delivered(line, UTC, NOW, names=False)
    assert shown == board.Delivered(
        "00:16:40", "101", "good", "checked in on the UCM", "GI|RN101|GNXxxxx|"
    )
    assert board.delivered(line, UTC, NOW, names=True).record == "GI|RN101|GNRossi|"


def test_a_change_without_a_record_says_what_caused_it():
    assert board.record("(clock)", names=False) == "by the clock"
