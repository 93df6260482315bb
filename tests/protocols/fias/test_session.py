"""The session plays every transcript to the letter, cut anywhere, and never answers too early."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import LocalProtocolError
from protocols.fias import FiasProfile
from protocols.fias.framing import write_frame
from protocols.fias.records import LinkRecordWanted, LinkStart
from protocols.fias.session import WANTED
from protocols.session import (
    DataReceived,
    Delivered,
    Handshake,
    LinkDown,
    LinkRecord,
    LinkStarted,
    LinkState,
    LinkUp,
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
    assert session.bytes_to_send() == b""
    assert session.deadline is None or session.deadline > 101.0  # and it does not spin
    session.receive_data(b"\x02LS|\x03", 101.0)
    assert session.bytes_to_send().startswith(b"\x02LD|")


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
