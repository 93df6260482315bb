"""The session plays every transcript to the letter, cut anywhere, and never answers too early."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import LocalProtocolError
from protocols.fias import FiasProfile
from protocols.fias.codec import encode
from protocols.fias.framing import write_frame
from protocols.fias.records import LinkRecordWanted, LinkStart, RoomEquipment
from protocols.fias.session import RESYNC_WITHIN_S, WANTED
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
    ResyncOverdue,
    Signal,
)
from tests.transcript_play import STAMP, play, session_of

LINES = sorted(Path(__file__, "../../../data/lines").resolve().glob("*.line"))
ONE_RECORD = (LinkRecordWanted(wanted="GI", fields=("RN", "G#", "GN")),)
SERIAL = FiasProfile(pacing_s=0, wanted=ONE_RECORD)
TCP = FiasProfile(pacing_s=0, wanted=ONE_RECORD, lrc=False, ack=False, gap_s=60)
BOOKKEEPING = (LinkState, LinkRecord, Handshake, Delivered, LinkStarted)

UP = """
    open
    pms> <STX>LA|DA260314|TI101501|<ETX>
    gw > <STX>LA|DA260314|TI101500|<ETX>
"""


@pytest.mark.parametrize("path", LINES, ids=[path.stem for path in LINES])
def test_transcript_is_played_to_the_letter(path):
    text = path.read_text(encoding="utf-8")
    medium, events = text.splitlines()[:2]
    session = session_of(SERIAL if medium == "# serial" else TCP)
    got = [
        type(event).__name__ for event in play(session, text) if not isinstance(event, BOOKKEEPING)
    ]
    assert got == events.removeprefix("# events:").split()


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


def test_the_alive_check_does_not_wait_behind_what_a_resync_holds_back():
    session = session_of(TCP)
    play(session, UP + "pms> <STX>DS|DA260314|TI101502|<ETX>")
    session.ask_for_resync(101.0)  # waits for DE
    session.handle_timeout(100.0 + 300.0)
    assert session.bytes_to_send() == b"\x02LS|DA260314|TI101500|\x03"
    session.receive_data(b"\x02LA|\x03", 401.0)
    session.handle_timeout(400.0 + 30.0)
    assert session.is_up


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


def test_the_description_lists_every_mandatory_field():
    wanted = {each.wanted: set(each.fields) for each in WANTED}
    assert {"GI", "GO", "GC", "RE", "WR", "WC", "NS", "NE"} == set(wanted)
    for record_id in ("GI", "GO", "GC"):
        assert {"RN", "G#", "GS"} <= wanted[record_id]
    assert "RO" in wanted["GC"]
    assert {"RN", "DA", "TI"} == wanted["WR"] == wanted["WC"]


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


def events_of(session):
    return list(iter(session.next_event, None))


def serial(*bodies):
    return b"".join(write_frame(body, lrc=True) for body in bodies)


def test_the_description_asks_for_these_fields():
    assert [encode(each) for each in WANTED] == [
        b"LR|RIGI|FLRNG#GNGFGLGVGAGDGSSFCS|", b"LR|RIGO|FLRNG#GSSF|",
        b"LR|RIGC|FLRNG#GNGFGLGVGAGDGSCSRO|", b"LR|RIRE|FLRNCSDNRS|", b"LR|RIWR|FLRNDATI|",
        b"LR|RIWC|FLRNDATI|", b"LR|RINS|FLDATI|", b"LR|RINE|FLDATI|",
    ]  # fmt: skip


def test_a_site_without_a_word_of_its_own_speaks_like_most():
    serial_line, tcp = FiasProfile(), FiasProfile.for_tcp()
    assert (serial_line.charset, serial_line.lrc, serial_line.ack) == ("cp1252", True, True)
    assert (serial_line.pacing_s, serial_line.driver_version) == (0.5, "1.0")
    assert (tcp.lrc, tcp.ack, tcp.gap_s > serial_line.gap_s) == (False, False, True)


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


def test_on_a_line_without_answers_nobody_has_to_answer():
    session = session_of(TCP)
    play(session, UP)
    session.receive_data(b"\x02GO|RN1|\x03", 101.0)
    session.accept(101.0)
    session.accept(101.0)
    assert session.bytes_to_send() == b""


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


def test_an_answer_of_an_earlier_line_is_not_repeated_on_a_new_one():
    session = session_of(SERIAL)
    session.opened(0.0)
    session.receive_data(serial(b"LC|A060|"), 0.0)
    assert session.bytes_to_send() == b"\x06"
    session.lost(0.1)
    session.opened(0.2)
    session.receive_data(b"\x05", 0.3)
    assert session.bytes_to_send() == b"\x15"


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
