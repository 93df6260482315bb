"""A resync in the session: asked for, held back between DS and DE, overdue."""

import pytest

from protocols.errors import LocalProtocolError
from protocols.fias.framing import write_frame
from protocols.fias.session import RESYNC_WITHIN_S
from protocols.session import (
    LinkStarted,
    ResyncOverdue,
)
from tests.protocols.fias.session_play import SERIAL, TCP, UP
from tests.transcript_play import play, session_of


def test_every_start_is_told_because_a_running_resync_will_not_end():
    session = session_of(TCP)
    play(session, UP)
    session.receive_data(b"\x02LS|\x03", 200.0)
    assert LinkStarted() in [session.next_event() for _ in range(3)]


def test_resync_is_asked_for_only_while_the_link_is_up():
    session = session_of(TCP)
    with pytest.raises(LocalProtocolError):
        session.ask_for_resync(0)
    play(session, UP)
    session.ask_for_resync(100.0)
    assert session.bytes_to_send() == b"\x02DR|DA260314|TI101500|\x03"


def test_a_resync_that_a_start_of_the_pms_pushed_aside_is_asked_for_after_it():
    session = session_of(SERIAL)
    play(session, """
        open
        now+ 3
        gw > <STX>LS|DA260314|TI101500|<ETX><7F>
        pms> <STX>LA|DA260314|TI101501|<ETX><6C>
        gw > <ACK>
    """)  # fmt: skip
    session.ask_for_resync(103.0)  # our LS is not acknowledged yet: DR waits behind it
    session.receive_data(b"\x06" + write_frame(b"LS|", lrc=True), 103.1)
    said = b""
    for now in (103.2, 103.3, 103.4, 103.5, 103.6, 103.7):
        said += session.bytes_to_send()
        session.receive_data(b"\x06", now)
        if b"LA|" in said and not session._wants_resync:
            break
        if b"LA|" in said:
            session.receive_data(write_frame(b"LA|", lrc=True), now)
    assert said.count(b"DR|") == 1


def test_between_ds_and_de_nothing_but_the_link_itself_is_said():
    session = session_of(TCP)
    play(session, UP + "pms> <STX>DS|DA260314|TI101502|<ETX>")
    session.ask_for_resync(101.0)
    session.receive_data(b"\x02GI|RN101|G#1|SF|\x03", 101.0)
    assert session.bytes_to_send() == b""
    assert session.deadline is None or session.deadline > 101.0  # and it does not spin
    session.receive_data(b"\x02LS|\x03", 101.0)
    assert session.bytes_to_send().startswith(b"\x02LD|")


def test_a_resync_that_does_not_end_is_overdue_and_holds_nothing_back():
    session = session_of(TCP)
    play(session, UP + "pms> <STX>DS|DA260314|TI101502|<ETX>")
    for _ in range(3):  # asked for three times, said once
        session.ask_for_resync(110.0)
    session.receive_data(b"\x02GI|RN101|G#1|SF|\x03", 400.0)
    session.receive_data(b"\x02GI|RN102|G#2|\x03", 900.0)  # a live record is none of it
    while session.next_event():
        pass
    session.bytes_to_send()
    assert session.deadline <= 400.0 + RESYNC_WITHIN_S
    session.handle_timeout(400.0 + RESYNC_WITHIN_S)
    events = list(iter(session.next_event, None))
    assert events.count(ResyncOverdue()) == 1
    assert session.bytes_to_send().count(b"DR|") == 1
    session.handle_timeout(400.0 + 2 * RESYNC_WITHIN_S)
    assert ResyncOverdue() not in list(iter(session.next_event, None))


@pytest.mark.parametrize("end", [b"\x02DE|\x03", b"\x02LS|\x03"])
def test_a_resync_that_has_ended_is_not_overdue(end):
    session = session_of(TCP)
    play(session, UP + "pms> <STX>DS|DA260314|TI101502|<ETX>")
    session.receive_data(end, 102.0)
    session.handle_timeout(102.0 + RESYNC_WITHIN_S)
    assert ResyncOverdue() not in list(iter(session.next_event, None))


def test_a_start_of_the_pms_ends_the_silence_of_its_resync():
    """It began anew in the middle of a resync: the DE never comes, and our DR must not wait."""
    session = session_of(TCP)
    play(session, UP + "pms> <STX>DS|DA260314|TI101502|<ETX>")
    session.ask_for_resync(101.0)
    session.receive_data(b"\x02LS|\x03", 102.0)
    session.bytes_to_send()
    session.receive_data(b"\x02LA|\x03", 103.0)
    assert session.bytes_to_send() == b"\x02DR|DA260314|TI101500|\x03"


@pytest.mark.parametrize("record", [b"LE|", None])
def test_a_link_that_went_down_in_a_resync_is_not_silent_afterwards(record):
    session = session_of(TCP)
    play(session, UP + "pms> <STX>DS|DA260314|TI101502|<ETX>")
    session.ask_for_resync(101.0)
    if record:
        session.receive_data(b"\x02" + record + b"\x03", 102.0)
    else:
        session.lost(102.0)
        session.opened(102.0)
    session.receive_data(b"\x02LS|\x03", 103.0)
    session.receive_data(b"\x02LA|\x03", 104.0)
    assert session.is_up
    assert b"DR|" not in session.bytes_to_send()  # it was asked for in another life
    session.ask_for_resync(105.0)
    assert session.bytes_to_send() == b"\x02DR|DA260314|TI101500|\x03"


def test_an_alive_check_is_said_although_a_resync_is_held_back_and_does_not_drop_it():
    session = session_of(TCP)
    play(session, UP + "pms> <STX>DS|DA260314|TI101502|<ETX>")
    session.ask_for_resync(101.0)
    assert session.deadline == 400.0
    session.handle_timeout(400.0)
    assert session.bytes_to_send() == b"\x02LS|DA260314|TI101500|\x03"
    session.receive_data(b"\x02LA|\x03", 401.0)
    assert session.bytes_to_send() == b""
    session.receive_data(b"\x02DE|\x03", 402.0)
    assert session.bytes_to_send() == b"\x02DR|DA260314|TI101500|\x03"
    session.handle_timeout(430.0)
    assert session.is_up


def test_a_resync_that_began_before_the_link_was_up_ends_with_the_line():
    session = session_of(TCP)
    session.opened(0.0)
    session.receive_data(b"\x02LS|\x03\x02DS|\x03", 0.0)
    session.lost(1.0)
    session.opened(2.0)
    session.receive_data(b"\x02LA|\x03", 2.0)
    session.bytes_to_send()
    session.ask_for_resync(3.0)
    assert session.bytes_to_send() == b"\x02DR|DA260314|TI101500|\x03"
