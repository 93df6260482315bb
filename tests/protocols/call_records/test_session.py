"""A charge port: one record at a time, and none of them twice by itself."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.call_records import CallRecordSession, costed_line, holidex, smdr
from protocols.call_records.records import CostedCall, RawCall
from protocols.call_records.session import ANSWER_S, ENQUIRIES
from protocols.call_records.turns import TURNS, Act, Cause, State
from protocols.checksums import lrc
from protocols.errors import LocalProtocolError
from protocols.session import Delivered, FrameRefused, GaveUp, LinkDown, LinkUp

AT = datetime(2026, 3, 1, 10, 54)
CALL = CostedCall(counter=1, room="7110", at=AT, minutes=2, amount=347, dialled="8056881000")
RAW = RawCall(room="402", at=AT, seconds=24, dialled="14155550187")
TEXT = b"0001 HTL 03/01  7110 10:54 0002 $003.47 8056881000    "
ENQ, ACK, NAK = b"\x05", b"\x06", b"\x15"


def events(session, *kinds):
    found = []
    while (event := session.next_event()) is not None:
        if isinstance(event, kinds):
            found.append(event)
    return found


def opened(delivery):
    session = CallRecordSession(delivery)
    session.opened(0.0)
    return session


def test_holidex_asks_and_its_record_has_a_check_byte():
    session = opened(holidex("HTL"))
    assert (session.bytes_to_send(), session.is_up, session.state) == (ENQ, False, "waiting")
    session.receive_data(ACK, 0.1)
    assert events(session, LinkUp) == [LinkUp()]
    session.send(CALL, 1.0)
    assert session.bytes_to_send() == ENQ
    session.receive_data(ACK, 1.1)
    assert session.bytes_to_send() == b"\x02" + TEXT + b"\x03" + bytes([lrc(TEXT + b"\x03")])
    assert events(session, Delivered) == []
    session.receive_data(ACK, 1.2)
    assert events(session, Delivered) == [Delivered(CALL)]


def test_a_line_without_answers_is_written_and_that_is_all():
    for delivery, record, data in (
        (costed_line("HTL", is_answered=False), CALL, b"\n" + TEXT + b"\r\n"),
        (smdr(), RAW, b" 03/01 10:54  00:00:24 402       14155550187                 T001"
                      + b" " * 15 + b"\r\n"),
    ):  # fmt: skip
        session = opened(delivery)
        assert session.is_up
        session.send(record, 1.0)
        assert session.bytes_to_send() == data
        assert events(session, Delivered) == [Delivered(record)]


@pytest.mark.parametrize("yes", [ACK, b"y", b"\r\ny\r\n"])
def test_a_line_with_answers_waits_for_its_yes_a_byte_or_a_letter(yes):
    session = opened(costed_line("HTL", is_answered=True))
    session.send(CALL, 1.0)
    session.send(CALL, 1.0)
    assert session.bytes_to_send() == b"\n" + TEXT + b"\r\n"  # one at a time
    session.receive_data(yes, 1.5)
    assert events(session, Delivered) == [Delivered(CALL)]
    assert session.bytes_to_send() == b"\n" + TEXT + b"\r\n"


@pytest.mark.parametrize(
    ("what", "may_have"),
    [
        (lambda session: session.receive_data(b"n", 2.0), False),
        (lambda session: session.receive_data(NAK, 2.0), False),
        (lambda session: session.handle_timeout(1.0 + ANSWER_S), True),
        (lambda session: session.lost(2.0), True),
        (lambda session: session.leave(2.0), True),
    ],
)
def test_a_record_without_a_yes_is_given_up_and_never_said_again(what, may_have):
    session = opened(costed_line("HTL", is_answered=True))
    session.send(CALL, 1.0)
    session.bytes_to_send()
    what(session)
    assert events(session, GaveUp) == [GaveUp(CALL, may_have_arrived=may_have)]
    assert session.bytes_to_send() == b""


def test_a_pms_that_does_not_answer_is_down_and_the_record_was_not_said():
    session = opened(holidex("HTL"))
    session.receive_data(ACK, 0.0)
    session.bytes_to_send()
    session.send(CALL, 0.0)
    events(session)
    for turn in range(1, ENQUIRIES + 1):
        assert session.bytes_to_send() == ENQ
        session.handle_timeout(turn * ANSWER_S)
    assert events(session, LinkDown, GaveUp) == [
        LinkDown("late"), GaveUp(CALL, may_have_arrived=False),
    ]  # fmt: skip
    with pytest.raises(LocalProtocolError):
        session.send(CALL, 70.0)
    session.handle_timeout(100.0)
    assert session.bytes_to_send() == ENQ  # for ever
    session.receive_data(ACK, 100.1)
    assert events(session, LinkUp) == [LinkUp()]


def test_a_busy_pms_is_asked_again():
    session = opened(holidex("HTL"))
    session.receive_data(ACK, 0.0)
    session.bytes_to_send()
    session.send(CALL, 0.0)
    session.bytes_to_send()
    session.receive_data(NAK, 0.5)
    session.handle_timeout(0.5 + ANSWER_S)
    assert session.bytes_to_send() == ENQ
    assert events(session, GaveUp) == []


def test_what_is_no_answer_is_refused():
    session = opened(smdr())
    session.receive_data(b"login: \r\n", 1.0)
    assert events(session, FrameRefused) == [FrameRefused("garbage", b"login: ")]


def test_every_state_decides_what_can_happen_in_it():
    heard = {Cause.GOT_ACK, Cause.GOT_NAK}
    for state, row in TURNS.items():
        assert {Cause.LOST, Cause.LEAVE} <= row.keys(), state
        assert state is State.CLOSED or heard <= row.keys(), state
    said = {
        state for row in TURNS.values() for state, acts in row.values() if Act.SAY_RECORD in acts
    }
    assert said == {State.TOLD, State.FREE}


STEPS = st.lists(
    st.one_of(
        st.just("send"),
        st.just("late"),
        st.just("lost"),
        st.sampled_from([ACK, NAK, ENQ, b"y", b"n", b"\r\n", b"\x02x\x03"]),
    ),
    max_size=60,
)


@given(STEPS, st.sampled_from([holidex("H"), costed_line("H", is_answered=True),
                               costed_line("H", is_answered=False)]))  # fmt: skip
def test_each_record_has_one_end_and_goes_over_the_line_once_at_most(steps, delivery):
    session, now, given_, said, ends = opened(delivery), 0.0, 0, b"", 0
    for step in steps:
        now += 1.0
        if step == "send" and session.is_up:
            given_ += 1
            session.send(CALL, now)
        elif step == "late":
            now += ANSWER_S
            session.handle_timeout(now)
        elif step == "lost":
            session.lost(now)
            session.opened(now)
        elif isinstance(step, bytes):
            session.receive_data(step, now)
        said += session.bytes_to_send()
        ends += len(events(session, Delivered, GaveUp))
    session.lost(now)
    ends += len(events(session, Delivered, GaveUp))
    assert ends == given_
    assert said.count(TEXT[:4]) <= given_
