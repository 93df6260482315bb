"""Events of the UCM's WebSocket: every envelope that was seen, and whatever else may come."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.drivers.ucm.events import Event, events_in, messages_in
from protocols.postings import Ending


def events(frame):
    """All events of one frame."""
    text = frame if isinstance(frame, str) else json.dumps(frame)
    return [event for message in messages_in(text) for event in events_in(message)]


def notify(name, body):
    return {"action": "notify", "eventname": name, "eventbody": body}


RANG = {"Extension": "101", "WakeupActionStatus": "2", "WakeupAnswerStatus": "2"}
WAKE_UP = Event(label="wake_up", extension="101", ending=Ending.NO_ANSWER)


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "request", "message": notify("PMSWakeupStatus", RANG)},
        {"type": "request", "message": [notify("PMSWakeupStatus", [RANG])]},
        {"message": notify("PMSWakeupStatus", {
            "extension": 101, "wakeup_action_status": 2, "wakeup_answer_status": 2})},
    ],
)  # fmt: skip
def test_a_wake_up_is_understood_in_every_envelope(frame):
    assert events(frame) == [WAKE_UP]


@pytest.mark.parametrize(
    ("name", "body", "event"),
    [
        ("PMSRoomStatus", {"Extension": "101", "RoomActionStatus": "5"},
         Event(label="room_status", extension="101")),
        ("VoiceMailStatus", [{"extensions": "1000", "newmsg": 1}],
         Event(label="voicemail", extension="1000")),
        ("ActiveCallStatus", {"action": "delete", "channel": "PJSIP/trunk-1"},
         Event(label="call")),
        ("ActiveCallStatus", {"action": "update", "channel": "PJSIP/trunk-1"},
         Event(label="call", is_over=False)),
        ("PMSWakeupStatus", {"PMSActionStatus": "update", "Extension": "101",
                             "WakeupActionStatus": "1", "WakeupAnswerStatus": "1"},
         Event(label="wake_up", extension="101")),
    ],
)  # fmt: skip
def test_what_is_asked_for_is_understood(name, body, event):
    assert events({"message": notify(name, body)}) == [event]


def test_what_is_not_understood_is_kept_as_it_came():
    (event,) = events({"message": notify("PMSRoomStatus", {"Zimmer": "101"})})
    assert event.label == "other"
    assert json.loads(event.raw) == {"eventname": "PMSRoomStatus", "eventbody": {"Zimmer": "101"}}
    assert events({"message": notify("HaStatus", {"extension": "x"})})[0].label == "other"


@pytest.mark.parametrize("status", [0, "0", -37, "-37"])
@pytest.mark.parametrize("place", ["inside", "outside"])
def test_an_answer_has_its_status_inside_or_outside(status, place):
    inner = {"challenge": "1", **({"status": status} if place == "inside" else {})}
    outer = {"status": status} if place == "outside" else {}
    (message,) = messages_in(json.dumps({"response": inner, **outer}))
    assert (message.is_answer, message.status) == (True, int(status))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["message", "response", "type", "action", "status", "eventname", "eventbody",
                 "Extension", "WakeupActionStatus", "WakeupAnswerStatus"]
            ),
            inner | st.sampled_from(["notify", "PMSWakeupStatus", "2"]),
            max_size=6,
        )
    ),
    max_leaves=20,
)  # fmt: skip


@given(VALUES | st.text(max_size=50))
def test_any_frame_is_some_events(value):
    for event in events(value if isinstance(value, str) else json.dumps(value)):
        assert event.label in ("room_status", "wake_up", "voicemail", "call", "other")
