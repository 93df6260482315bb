"""What the demo says of a call and of a phone, in words."""

import pytest

from gateway.demo.story import answer_in_words, asked_in_words, phone_in_words
from gateway.simulators.pbx import UcmRoom
from gateway.simulators.ucm import Call


def call(action, code=0, fault="", **tags):
    return Call(0.0, action, "101", tags, code, applied=code == 0, fault=fault)


@pytest.mark.parametrize(
    ("what", "told"),
    [(call("checkin", lastname="Rossi", cos="2", account="7", language=""), "check in 101 (lastname Rossi, cos 2)"),
     (call("update", cos="3"), "update 101 (cos 3)"),
     (call("checkout"), "check out 101"),
     (call("mov", d_room="205"), "move 101 to 205"),
     (call("wakeup", w_action="1", w_time="0730"), "wake-up for 101 at 07:30"),
     (call("wakeup", w_action="0"), "no wake-up for 101"),
     (call("dnd", status="0"), "do-not-disturb of 101 off"),
     (call("listPMSRoom"), "what do the rooms show?"), (call("challenge"), "")],
)  # fmt: skip
def test_what_isasked_in_words_of_the_ucm(what, told):
    assert asked_in_words(what) == told


@pytest.mark.parametrize(
    ("what", "lost", "told"),
    [(call("checkin"), False, "done"), (call("checkin", fault="drop"), True, "done, but the answer is lost"),
     (call("checkin", None), False, "no answer"),
     (call("checkout", -9), False, "refused, -9: the UCM could not do it")],
)  # fmt: skip
def test_what_the_ucmanswer_in_wordss(what, lost, told):
    assert answer_in_words(what, lost=lost) == told


def test_what_aphone_in_words_shows():
    room = UcmRoom("101", status=3)
    assert phone_in_words(room) == "nobody is in, no voice messages, room status 3"
    room.is_in, room.lastname, room.firstname, room.language, room.cos = (
        True,
        "Rossi",
        "Ana",
        "it",
        "1",
    )
    room.wake_up, room.dnd, room.messages = ("20261126", "0700"), True, 2
    assert phone_in_words(room) == (
        "Rossi, Ana · language it · calls internal · wake-up at 07:00 · does not ring · 2 voice messages"
    )
