"""What is acknowledged, what is not, and when an answer is said again."""

import pytest

from protocols.errors import LocalProtocolError
from protocols.fias.framing import write_frame
from protocols.session import (
    DataReceived,
    Direction,
    Handshake,
    LinkRecord,
    Signal,
)
from tests.protocols.fias.session_play import SERIAL, TCP, UP, events_of, serial
from tests.transcript_play import play, session_of


def test_data_is_not_acknowledged_before_it_is_accepted():
    session = session_of(SERIAL)
    events = play(
        session,
        """
        open
        pms> <STX>RE|RN101|CS3|<ETX>g
        gw > <STX>LS|DA260314|TI101500|<ETX><7F>
        """,
        accept=False,
    )
    assert [type(each) for each in events if isinstance(each, DataReceived)] == [DataReceived]
    session.accept(101.0)
    assert session.bytes_to_send() == b"\x06"


def test_a_record_that_cannot_be_stored_is_asked_for_again():
    session = session_of(SERIAL)
    play(session, "open\npms> <STX>RE|RN101|CS3|<ETX>g\ngw > <STX>LS|DA260314|TI101500|<ETX><7F>",
         accept=False)  # fmt: skip
    session.refuse(101.0)
    assert session.bytes_to_send() == b"\x15"
    session.receive_data(b"\x05", 101.5)
    assert session.bytes_to_send() == b"\x15"


def test_an_answer_that_comes_after_the_peer_gave_up_is_not_said():
    """Three ENQ without an answer: the peer has dropped its record and sends the next one."""
    session = session_of(SERIAL)
    play(session, "open\npms> <STX>RE|RN101|CS3|<ETX>g\ngw > <STX>LS|DA260314|TI101500|<ETX><7F>",
         accept=False)  # fmt: skip
    session.receive_data(b"\x06", 100.1)
    session.receive_data(write_frame(b"GO|RN101|G#4711|GSN|", lrc=True), 113.0)
    session.accept(113.1)
    assert session.bytes_to_send() == b""
    session.accept(113.2)
    assert session.bytes_to_send() == b"\x06"


def test_records_of_one_read_are_answered_in_their_order():
    session = session_of(SERIAL)
    session.opened(0)
    good, bad = write_frame(b"RE|RN1|CS3|", lrc=True), b"\x02RE|RN1|CS3|\x03\x00"
    session.receive_data(good + bad + good, 0.0)
    session.bytes_to_send()
    session.accept(0.1)
    session.accept(0.2)
    assert session.bytes_to_send() == b"\x06\x15\x06"


def test_answering_what_was_never_asked_is_our_bug():
    session = session_of(SERIAL)
    session.opened(0)
    with pytest.raises(LocalProtocolError):
        session.accept(0)


def test_what_is_not_taken_after_leaving_leaves_no_answer_owed():
    """An answer that hung back would be given for a later frame, in the wrong order."""
    session = session_of(SERIAL)
    play(session, "open")
    session.leave(100.0)
    session.receive_data(write_frame(b"GO|RN1|", lrc=True), 100.1)
    assert session.bytes_to_send() == b""
    session.receive_data(b"\x02GO|RN1|\x03\x00", 100.2)
    assert session.bytes_to_send() == b"\x15"
    session.receive_data(b"\x05", 100.3)
    assert session.bytes_to_send() == b"\x15"


def test_what_is_not_taken_is_not_confused_with_an_equal_frame_before_it():
    """Else the LS behind it would be acknowledged first, and the PMS take that for its record."""
    session = session_of(SERIAL)
    play(session, "open")
    guest = write_frame(b"GO|RN1|", lrc=True)
    session.receive_data(guest, 100.0)
    session.leave(100.0)
    session.bytes_to_send()
    session.receive_data(write_frame(b"LS|", lrc=True) + guest, 100.0)
    session.receive_data(write_frame(b"LS|", lrc=True), 100.0)
    assert session.bytes_to_send() == b""
    session.accept(100.1)
    assert session.bytes_to_send() == b"\x06\x06\x06"


def test_every_byte_of_the_handshake_is_told_with_its_direction():
    session = session_of(SERIAL)
    session.opened(0.0)
    session.receive_data(b"\x05" + serial(b"LC|A060|"), 0.0)
    signals = [(each.signal, each.direction) for each in events_of(session)
               if isinstance(each, Handshake)]  # fmt: skip
    assert signals == [
        (Signal.ENQ, Direction.IN), (Signal.NAK, Direction.OUT), (Signal.ACK, Direction.OUT)
    ]  # fmt: skip
    assert [each.value for each in (*Direction, *Signal)] == ["in", "out", "ack", "nak", "enq"]


def test_a_record_that_is_sent_again_is_counted_once():
    session = session_of(SERIAL)
    session.opened(0.0)
    session.handle_timeout(3.0)
    session.receive_data(b"\x15\x15", 3.1)
    assert session.bytes_to_send() == serial(b"LS|DA260314|TI101500|") * 3
    told = [each for each in events_of(session) if isinstance(each, LinkRecord)]
    assert [(each.record.record_id, each.direction) for each in told] == [("LS", Direction.OUT)]


def test_data_after_our_goodbye_is_not_acknowledged():
    """The PMS keeps what nobody has acknowledged."""
    session = session_of(SERIAL)
    session.opened(0.0)
    session.leave(0.1)
    session.bytes_to_send()
    session.receive_data(serial(b"GO|RN1|"), 0.2)
    assert session.bytes_to_send() == b""
    assert not [each for each in events_of(session) if isinstance(each, DataReceived | LinkRecord)]


@pytest.mark.parametrize(
    ("waited", "said", "then"), [(12.0, b"\x06", b"\x06"), (12.1, b"", b"\x15")]
)
def test_an_answer_is_said_as_long_as_the_peer_can_wait_for_it(waited, said, then):
    """Three seconds for the answer and three questions of three seconds each."""
    session = session_of(SERIAL)
    session.opened(0.0)
    session.receive_data(serial(b"RE|RN101|CS3|"), 0.0)
    session.receive_data(b"\x06", 0.0)  # our LS is acknowledged: nothing else is out
    session.bytes_to_send()
    session.accept(waited)
    assert session.bytes_to_send() == said
    session.receive_data(b"\x05", waited + 0.1)
    assert session.bytes_to_send() == then


@pytest.mark.parametrize(
    ("after", "data", "said"),
    [
        (6.5, b"\x05", b"\x06"),
        (6.6, b"\x05", b"\x15"),  # too late for a peer that missed our answer
        (1.0, b"\r\n\x05", b"\x15"),
        (1.0, b"\x02GI|RN\x05", b"\x15"),
        (1.0, b"\x06\x05", b"\x15"),
        (1.0, b"\x15\x05", b"\x15"),
    ],
)
def test_an_ack_is_repeated_only_to_who_asks_at_once_and_says_nothing_between(after, data, said):
    session = session_of(SERIAL)
    session.opened(0.0)
    session.receive_data(serial(b"LC|A060|"), 0.0)
    assert session.bytes_to_send() == b"\x06"
    session.receive_data(data, after)
    assert session.bytes_to_send() == said


def test_noise_instead_of_an_answer_is_asked_about():
    session = session_of(SERIAL)
    session.opened(0.0)
    session.handle_timeout(3.0)
    session.bytes_to_send()
    session.receive_data(b"noise\r", 3.1)
    assert session.bytes_to_send() == b"\x05"


def test_on_a_line_without_answers_nobody_has_to_answer():
    session = session_of(TCP)
    play(session, UP)
    session.receive_data(b"\x02GO|RN1|\x03", 101.0)
    session.accept(101.0)
    session.accept(101.0)
    assert session.bytes_to_send() == b""


def test_an_answer_of_an_earlier_line_is_not_repeated_on_a_new_one():
    session = session_of(SERIAL)
    session.opened(0.0)
    session.receive_data(serial(b"LC|A060|"), 0.0)
    assert session.bytes_to_send() == b"\x06"
    session.lost(0.1)
    session.opened(0.2)
    session.receive_data(b"\x05", 0.3)
    assert session.bytes_to_send() == b"\x15"
