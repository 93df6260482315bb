"""What becomes of a charge on the line: said, held, dropped, given up; and what that proves."""

import pytest

from protocols.fias.framing import write_frame
from protocols.fias.records import Posting
from protocols.session import GaveUp
from tests.protocols.fias.session_play import SERIAL, TCP, events_of
from tests.transcript_play import session_of

CHARGE = Posting(room="101", posting_type="C", total=1250, posting_number=17)


def given_up(session):
    return [
        (each.record, each.may_have_arrived)
        for each in events_of(session)
        if isinstance(each, GaveUp) and each.record == CHARGE
    ]


def up(profile):
    session = session_of(profile)
    session.opened(0.0)
    session.receive_data(write_frame(b"LA|", lrc=profile.lrc), 0.0)
    session.receive_data(b"\x06", 0.1)
    session.bytes_to_send()
    events_of(session)
    return session


@pytest.mark.parametrize("end", ["start", "lost", "left", "ended"])
def test_a_charge_that_has_not_gone_out_is_told_to_be_dropped(end):
    session = up(TCP)
    session.receive_data(b"\x02DS|\x03", 1.0)  # until DE nothing of ours goes out
    session.send(CHARGE, 1.1)
    match end:
        case "start":
            session.receive_data(b"\x02LS|\x03", 1.2)
        case "lost":
            session.lost(1.2)
        case "left":
            session.leave(1.2)
        case "ended":
            session.receive_data(b"\x02LE|\x03", 1.2)
    assert given_up(session) == [(CHARGE, False)]
    assert b"PS|" not in session.bytes_to_send()


def play_answers(*answers):
    """A charge on a serial line, and what the PMS answers to each frame or enquiry of ours."""
    session = up(SERIAL)
    session.send(CHARGE, 1.0)
    now = 1.0
    for answer in answers:
        if answer is None:
            now = session.deadline
            session.handle_timeout(now)
        else:
            session.receive_data(answer, now)
    return session


@pytest.mark.parametrize(
    ("answers", "may_have_arrived"),
    [
        ([b"\x15"] * 4, False),  # each frame was refused at once
        ([b"\x15", None, b"\x15", b"\x15", b"\x15"], True),  # a NAK to an ENQ proves nothing
        ([None] * 9, True),  # silence
    ],
)
def test_a_charge_that_is_given_up_may_have_arrived_or_certainly_not(answers, may_have_arrived):
    assert given_up(play_answers(*answers)) == [(CHARGE, may_have_arrived)]


def test_a_charge_on_a_line_that_breaks_may_have_arrived():
    session = play_answers()
    session.lost(1.5)
    assert given_up(session) == [(CHARGE, True)]


def test_behind_an_alive_check_in_a_resync_a_charge_still_waits():
    session = up(TCP)
    session.receive_data(b"\x02DS|\x03", 1.0)
    session.send(CHARGE, 1.1)
    session.handle_timeout(302.0)
    assert session.bytes_to_send() == b"\x02LS|DA260314|TI101500|\x03"
    session.receive_data(b"\x02LA|\x03\x02DE|\x03", 303.0)
    session.accept(303.0)
    session.accept(303.0)
    session.receive_data(b"", 303.0)
    assert session.bytes_to_send() == b"\x02PS|RN101|PTC|TA1250|P#17|\x03"
