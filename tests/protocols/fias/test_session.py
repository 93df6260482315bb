"""The session plays every transcript to the letter, and stays whole whatever the peer says."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import LocalProtocolError
from protocols.fias import FiasProfile
from protocols.fias.framing import write_frame
from protocols.fias.records import LinkStart, RoomEquipment
from protocols.session import (
    DataReceived,
    Delivered,
    Direction,
    GaveUp,
    Handshake,
    LinkDown,
    LinkRecord,
    LinkStarted,
    LinkState,
    LinkUp,
    RecordRefused,
)
from tests.protocols.fias.session_play import ONE_RECORD, SERIAL, TCP, UP, events_of, serial
from tests.transcript_play import STAMP, play, session_of

LINES = sorted(Path(__file__, "../../../data/lines").resolve().glob("*.line"))
BOOKKEEPING = (LinkState, LinkRecord, Handshake, Delivered, LinkStarted)


@pytest.mark.parametrize("path", LINES, ids=[path.stem for path in LINES])
def test_transcript_is_played_to_the_letter(path):
    text = path.read_text(encoding="utf-8")
    medium, events = text.splitlines()[:2]
    session = session_of(SERIAL if medium == "# serial" else TCP)
    got = [
        type(event).__name__ for event in play(session, text) if not isinstance(event, BOOKKEEPING)
    ]
    assert got == events.removeprefix("# events:").split()


def test_leaving_says_goodbye_and_hears_nothing_more():
    session = session_of(TCP)
    play(session, UP)
    session.leave(101.0)
    assert session.bytes_to_send() == b"\x02LE|DA260314|TI101500|\x03"
    session.receive_data(b"\x02LE|\x03\x02GO|RN1|\x03", 101.1)
    left = []
    while (event := session.next_event()) is not None:
        left.append(event)
    assert LinkDown("left") in left
    assert not [event for event in left if isinstance(event, DataReceived)]
    assert session.bytes_to_send() == b""


def test_description_is_paced():
    profile = FiasProfile(lrc=False, ack=False, pacing_s=0.5, wanted=ONE_RECORD)
    session = session_of(profile)
    session.opened(0.0)
    session.receive_data(b"\x02LS|\x03", 0.0)
    said = [session.bytes_to_send()]
    for now in (0.49, 0.5, 0.99, 1.0):
        session.handle_timeout(now)
        said.append(session.bytes_to_send())
    assert [text[1:3] for text in said] == [b"LD", b"", b"LR", b"", b"LA"]


CHATTER = st.lists(
    st.one_of(
        st.sampled_from(
            [
                write_frame(body, lrc=True)
                for body in (
                    b"LS|",
                    b"LA|",
                    b"LE|",
                    b"LC|A060|",
                    b"GI|RN1|G#1|",
                    b"DS|",
                    b"DE|",
                    b"LD|",
                    b"",
                )
            ]
        ),  # fmt: skip
        st.sampled_from([b"\x05", b"\x06", b"\x15", b"A", b"\x02GI|RN", b"\x02LS|\x03"]),
        st.floats(0.1, 40),
    ),
    max_size=40,
)


@given(CHATTER, st.booleans())
def test_whatever_the_peer_says_the_session_stays_whole(chatter, handshake):
    """Nothing raises, up and down are told in turn, and no deadline lies in the past."""
    session = session_of(FiasProfile(pacing_s=0.5, wanted=ONE_RECORD, ack=handshake))
    now, ups = 0.0, []
    session.opened(now)
    for word in chatter:
        if isinstance(word, bytes):
            session.receive_data(word, now)
        else:
            until = now + word
            while (due := session.deadline) is not None and due <= until:
                assert due >= now - 1e-9
                now = max(now, due)
                before = session.deadline
                session.handle_timeout(now)
                assert session.deadline != before or session.bytes_to_send() is not None
            now = until
        while (event := session.next_event()) is not None:
            if isinstance(event, LinkUp | LinkDown):
                ups.append(isinstance(event, LinkUp))
            if type(event).__name__ in ("DataReceived", "RecordRefused"):
                session.accept(now)
    assert all(a is not b for a, b in itertools.pairwise(ups))
    assert (ups[-1:] == [True]) == session.is_up


@given(st.integers(1, 4), st.booleans())
def test_two_sessions_back_to_back_never_storm(minutes, handshake):
    """Two gateways on one cable: refused and counted, and the line stays nearly silent."""
    profile = FiasProfile(pacing_s=0, wanted=ONE_RECORD, ack=handshake, lrc=True)
    left, right = session_of(profile), session_of(profile)
    now, said = 0.0, 0
    left.opened(now)
    right.opened(now)
    while now < minutes * 60:
        for one, other in ((left, right), (right, left)):
            data = one.bytes_to_send()
            said += len(data)
            if data:
                other.receive_data(data, now)
            while (event := other.next_event()) is not None:
                if type(event).__name__ in ("DataReceived", "RecordRefused"):
                    other.accept(now)
        now += 0.25
        left.handle_timeout(now)
        right.handle_timeout(now)
    assert said < minutes * 60 * 60  # bytes: less than 60 a second


def test_the_session_says_what_time_the_hotel_has():
    session = session_of(TCP)
    play(session, UP)
    session.receive_data(b"\x02LS|\x03", 100.0)
    assert f"DA{STAMP:%y%m%d}|TI{STAMP:%H%M%S}|".encode() in session.bytes_to_send()
    assert LinkStart.record_id == "LS"


def test_a_line_that_is_lost_twice_or_was_never_open_is_lost():
    session = session_of(TCP)
    session.lost(0.0)
    play(session, UP)
    session.lost(101.0)
    session.lost(102.0)
    assert [each for each in events_of(session) if isinstance(each, LinkDown)] == [LinkDown("lost")]
    assert (session.state, session.deadline) == ("closed", None)


def test_what_only_a_pbx_says_is_refused_with_its_reason():
    session = session_of(TCP)
    play(session, UP)
    session.receive_data(b"\x02PS|RN1|\x03", 101.0)
    (refused,) = [each for each in events_of(session) if isinstance(each, RecordRefused)]
    assert (refused.reason, refused.body) == ("ours", b"PS|RN1|")


def test_a_description_whose_last_record_is_refused_four_times_is_over_all_the_same():
    session = session_of(SERIAL)
    session.opened(0.0)
    session.receive_data(serial(b"LS|"), 0.0)
    session.receive_data(b"\x06", 0.1)
    session.receive_data(b"\x06", 0.2)
    events_of(session)
    session.receive_data(b"\x15" * 4, 0.3)
    assert [each.record.record_id for each in events_of(session) if isinstance(each, GaveUp)] == [
        "LA"
    ]
    assert (session.state, session.deadline) == ("described", 30.3)


def test_a_pms_that_dies_after_its_alive_is_called_again():
    session = session_of(SERIAL)
    session.opened(0.0)
    session.receive_data(serial(b"LS|", b"LA|"), 0.0)
    assert session.state == "greeted"
    now = 0.0
    while session.state == "greeted":
        now = session.deadline
        session.handle_timeout(now)
    assert (now, session.state) == (12.0, "calling")
    assert session.bytes_to_send().endswith(b"\x05\x05\x05" + serial(b"LS|DA260314|TI101500|"))


def test_a_pms_in_a_hurry_gets_its_description_without_pauses():
    session = session_of(FiasProfile(lrc=False, ack=False, pacing_s=5.0, wanted=ONE_RECORD))
    session.opened(0.0)
    session.receive_data(b"\x02LS|\x03", 0.0)
    assert [part[:2] for part in session.bytes_to_send().split(b"\x02")[1:]] == [b"LD"]
    session.receive_data(b"\x02LS|\x03", 5.0)
    said = [part[:2] for part in session.bytes_to_send().split(b"\x02")[1:]]
    assert said == [b"LD", b"LR", b"LA"]


def test_a_renewed_link_waits_for_its_acceptance_from_the_end_of_a_paced_description():
    session = session_of(FiasProfile(lrc=False, ack=False, pacing_s=5.0, wanted=ONE_RECORD))
    play(session, UP)
    session.receive_data(b"\x02LS|\x03", 200.0)
    session.handle_timeout(205.0)
    session.handle_timeout(210.0)
    assert session.deadline == 240.0
    session.handle_timeout(239.9)
    assert session.is_up
    session.handle_timeout(240.0)
    assert not session.is_up


def test_a_deadline_is_when_something_of_ours_may_be_said():
    session = session_of(FiasProfile(lrc=False, ack=False, pacing_s=0.5, wanted=ONE_RECORD))
    assert session.deadline is None
    session.opened(0.0)
    assert session.deadline == 3.0
    session.receive_data(b"\x02LS|\x03", 1.0)
    assert session.deadline == 1.5
    session.receive_data(b"\x02GI|", 1.1)
    session.handle_timeout(1.5)
    session.handle_timeout(2.0)
    assert session.deadline == 2.6  # a begun frame may pause for 1.5 s
    session.handle_timeout(2.6)
    assert session.deadline == 32.0


def test_a_link_that_went_down_says_why():
    for record, now, why in ((b"\x02LE|\x03", 101.0, "ended"), (b"", 500.0, "late")):
        session = session_of(TCP)
        play(session, UP)
        session.receive_data(record, now)
        session.handle_timeout(now)
        session.handle_timeout(now + 30)
        downs = [event.why for event in events_of(session) if isinstance(event, LinkDown)]
        assert downs == [why]


def test_each_new_state_is_told_once():
    session = session_of(TCP)
    events = play(session, UP + "pms> <STX>LA|<ETX>\npms> <STX>LC|A060|<ETX>\nclose\n")
    assert [event.to for event in events if isinstance(event, LinkState)] == [
        "waiting", "up", "closed"
    ]  # fmt: skip


def test_every_record_of_the_link_is_counted_in_both_directions():
    session = session_of(TCP)
    events = play(session, UP)
    session.leave(101.0)
    told = [(each.record.record_id, each.direction) for each in [*events, *events_of(session)]
            if isinstance(each, LinkRecord)]  # fmt: skip
    assert told == [("LA", Direction.IN), ("LA", Direction.OUT), ("LE", Direction.OUT)]


def test_any_frame_shows_for_five_minutes_that_the_peer_is_alive():
    session = session_of(TCP)
    play(session, UP)
    session.receive_data(b"\x02GO|RN1|\x03", 150.0)
    assert session.deadline == 450.0


def test_a_peer_that_answers_nothing_while_up_is_down():
    session = session_of(SERIAL)
    session.opened(0.0)
    session.receive_data(serial(b"LA|"), 0.0)
    session.receive_data(b"\x06", 0.1)
    assert session.state == "up"
    session.ask_for_resync(1.0)
    now = 1.0
    while session.is_up:
        now = session.deadline
        session.handle_timeout(now)
    assert (now, session.state) == (13.0, "calling")
    assert session._wants_resync is False


def test_a_record_of_ours_is_said_in_its_turn_and_told_of():
    session = session_of(SERIAL)
    record = RoomEquipment(room="101", room_status="3")
    session.opened(0.0)
    with pytest.raises(LocalProtocolError, match="RE was to be said while the link is down"):
        session.send(record, 0.0)
    session.receive_data(serial(b"LA|"), 0.0)
    session.receive_data(b"\x06", 0.1)
    session.bytes_to_send()
    events_of(session)
    session.send(record, 1.0)
    session.send(record, 1.0)
    assert session.bytes_to_send() == serial(b"RE|RN101|RS3|")
    session.receive_data(b"\x06", 1.1)
    assert [each.record for each in events_of(session) if isinstance(each, Delivered)] == [record]
    assert session.bytes_to_send() == serial(b"RE|RN101|RS3|")


@pytest.mark.parametrize("ack", [True, False])
@pytest.mark.parametrize("pacing_s", [0.0, 0.5])
def test_a_line_that_returns_every_byte_never_brings_the_link_up(ack, pacing_s):
    """A loopback plug, or a device server in test mode: nobody is there."""
    session = session_of(FiasProfile(ack=ack, lrc=ack, pacing_s=pacing_s))
    now, refused = 0.0, []
    session.opened(now)
    while now < 120:
        now += 0.25
        session.handle_timeout(now)
        while echo := session.bytes_to_send():
            session.receive_data(echo, now)
            while (event := session.next_event()) is not None:
                assert not isinstance(event, LinkUp)
                if isinstance(event, RecordRefused):
                    refused.append(event.reason)
                    session.accept(now)
    assert set(refused) == {"ours"}
    session.receive_data(write_frame(b"LS|DA260314|TI101459|", lrc=ack), now)
    session.receive_data(write_frame(b"LA|DA260314|TI101459|", lrc=ack), now)
    assert session.state in ("greeted", "up")  # the plug is out, and a PMS speaks
