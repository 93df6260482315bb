"""The link: whose turn it is, who is answered when, and what became of what we say."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import LocalProtocolError
from protocols.mitel.controls import ANSWER_S, ENQUIRIES, RESYNC_WITHIN_S, TEXT_TRIES
from protocols.mitel.framing import write_text
from protocols.mitel.handshake import LINKS, TURNS, Cause, Link, News, Turn, link, turn
from protocols.mitel.records import AreYouThere, CheckIn, Initialise, MaidStatus, Name, Naming
from protocols.mitel.session import MitelSession
from protocols.session import (
    DataReceived,
    Delivered,
    Direction,
    FrameRefused,
    GaveUp,
    Handshake,
    LinkDown,
    LinkRecord,
    LinkState,
    LinkUp,
    RecordRefused,
    ResyncOverdue,
)

ENQ, ACK, NAK = b"\x05", b"\x06", b"\x15"
CHECK_IN = write_text(b"CHK1   101")
MAID = MaidStatus(room="101", status="1")
OURS = write_text(b"STS1 101  ")


class Play:
    """A session, its clock, and what it has said."""

    def __init__(self, **how):
        self.session, self.now = MitelSession(**how), 0.0
        self.session.opened(self.now)
        self.events()

    def hear(self, data, after=0.0):
        self.now += after
        self.session.receive_data(data, self.now)
        return self.session.bytes_to_send()

    def wait(self, seconds):
        """What is said meanwhile; each deadline is kept."""
        until, said = self.now + seconds, b""
        while (due := self.session.deadline) is not None and due <= until:
            self.now = max(self.now, due)
            self.session.handle_timeout(self.now)
            said += self.session.bytes_to_send()
        self.now = until
        self.session.handle_timeout(self.now)
        return said + self.session.bytes_to_send()

    def accept(self):
        self.session.accept(self.now)
        return self.session.bytes_to_send()

    def refuse(self):
        self.session.refuse(self.now)
        return self.session.bytes_to_send()

    def send(self, record=MAID):
        self.session.send(record, self.now)
        return self.session.bytes_to_send()

    def events(self, *kinds):
        found = list(iter(self.session.next_event, None))
        return [each for each in found if isinstance(each, kinds)] if kinds else found


@pytest.fixture
def play():
    play = Play()
    play.hear(write_text(b"AREYUTHERE"))
    play.events()
    return play


# --- Theirs ---


def test_a_check_in_is_acknowledged_when_it_is_on_disk(play):
    assert play.hear(ENQ) == ACK
    assert play.hear(CHECK_IN) == b""
    (event,) = play.events(DataReceived)
    assert event == DataReceived(CheckIn(room="101"), b"CHK1   101")
    assert play.accept() == ACK


def test_one_that_cannot_be_stored_is_asked_for_again(play):
    play.hear(ENQ + CHECK_IN)
    assert play.refuse() == NAK
    assert play.hear(CHECK_IN) == b""  # without another ENQ
    assert play.accept() == ACK


def test_what_is_no_message_is_kept_and_refused(play):
    assert play.hear(ENQ + write_text(b"CHK3   101")) == ACK
    (event,) = play.events(RecordRefused)
    assert event.body == b"CHK3   101"
    assert play.accept() == NAK


def test_the_first_word_brings_the_link_up():
    play = Play()
    assert (play.session.is_up, play.session.state) == (False, "waiting")
    assert play.hear(ENQ) == ACK
    assert play.events() == [
        LinkState("up"), LinkUp(), Handshake(*_in(ENQ)), Handshake(*_out(ACK)),
    ]  # fmt: skip


def _signal(byte):
    from protocols.session import Signal

    return {ENQ: Signal.ENQ, ACK: Signal.ACK, NAK: Signal.NAK}[byte]


def _in(byte):
    return _signal(byte), Direction.IN


def _out(byte):
    return _signal(byte), Direction.OUT


def test_are_you_there_is_answered_and_means_nothing_else(play):
    assert play.hear(ENQ + write_text(b"AREYUTHERE")) == ACK + ACK
    assert play.events(DataReceived, LinkRecord) == [LinkRecord(AreYouThere(), Direction.IN)]


def test_a_pms_that_does_not_wait_is_answered_in_order(play):
    burst = (ENQ + CHECK_IN + ENQ + write_text(b"NAM1 Rossi                  101")
             + ENQ + write_text(b"AREYUTHERE"))  # fmt: skip
    assert play.hear(burst) == ACK
    assert play.accept() == ACK + ACK
    assert play.accept() == ACK + ACK + ACK
    assert [each.record.record_id for each in play.events(DataReceived)] == ["CHK1", "NAM"]


def test_an_overlong_text_is_refused_and_the_next_one_is_read(play):
    assert play.hear(ENQ + b"\x02" + b"x" * 200 + b"\x03") == ACK + NAK
    assert [each.reason for each in play.events(FrameRefused)] == ["overlong"]
    assert play.hear(ENQ + CHECK_IN) == ACK


def test_a_text_that_does_not_come_is_asked_for_by_nobody(play):
    assert play.hear(ENQ) == ACK
    assert play.wait(60) == b""
    assert play.hear(ENQ) == ACK


def test_between_grs_and_end_each_room_is_part_of_a_resync(play):
    play.hear(ENQ + write_text(b"GRS       "))
    play.accept()
    play.hear(ENQ + CHECK_IN)
    play.accept()
    play.hear(ENQ + write_text(b"NAM1 Rossi                  101"))
    play.accept()
    assert play.send() == b""  # queued: the PMS has the line
    play.hear(ENQ + write_text(b"END       "))
    assert play.accept() == ACK + ENQ
    play.hear(NAK + ENQ + CHECK_IN)
    records = [each.record for each in play.events(DataReceived)]
    assert records[1:3] == [
        CheckIn(room="101", swap=True),
        Name(room="101", naming=Naming.ADD, name="Rossi", swap=True),
    ]
    assert records[4] == CheckIn(room="101")


def test_a_resync_without_an_end_is_told(play):
    play.hear(ENQ + write_text(b"GRS       "))
    play.accept()
    play.wait(RESYNC_WITHIN_S - 1)
    assert play.events(ResyncOverdue) == []
    play.wait(2)
    assert play.events(ResyncOverdue) == [ResyncOverdue()]


# --- Ours ---


def test_ours_is_asked_for_said_and_acknowledged(play):
    assert play.send() == ENQ
    assert play.hear(ACK) == OURS
    assert play.hear(ACK) == b""
    assert play.events(Delivered, LinkRecord) == [
        LinkRecord(MAID, Direction.OUT),
        Delivered(MAID),
    ]


def test_at_a_collision_ours_goes_first_and_theirs_is_not_lost(play):
    assert play.send() == ENQ
    assert play.hear(ENQ) == b""
    assert play.hear(ACK) == OURS
    assert play.hear(ACK) == b""
    assert play.hear(ENQ + CHECK_IN, after=6.0) == ACK


def test_a_pms_that_does_not_yield_waits_three_seconds_at_the_most(play):
    play.send()
    play.hear(ENQ)
    assert play.wait(ANSWER_S - 0.1) == b""
    assert play.wait(0.2) == ACK
    play.hear(CHECK_IN)
    assert play.accept() == ACK + ENQ  # then ours again
    play.send(MaidStatus(room="102", status="2"))
    play.hear(ENQ)
    assert play.hear(ENQ) == ACK  # or as soon as it insists


def test_one_that_is_busy_is_asked_again_and_is_not_taken_for_dead(play):
    play.send()
    for _ in range(3 * ENQUIRIES):
        assert play.hear(NAK) == b""
        assert play.wait(ANSWER_S) == ENQ
    assert play.session.is_up


def test_a_text_that_is_refused_is_given_up_and_has_not_arrived(play):
    play.send()
    said = []
    for _ in range(TEXT_TRIES):
        said.append(play.hear(ACK))
        said.append(play.hear(NAK))
    assert said == [OURS, ENQ] * (TEXT_TRIES - 1) + [OURS, b""]
    assert play.events(GaveUp) == [GaveUp(MAID, may_have_arrived=False)]
    assert play.session.is_up


def test_a_pms_that_hears_nothing_any_more_is_down_after_a_minute(play):
    play.send()
    assert play.wait(ENQUIRIES * ANSWER_S - 1) == ENQ * (ENQUIRIES - 1)
    assert play.session.is_up
    play.wait(2)
    assert play.events(GaveUp, LinkDown) == [
        GaveUp(MAID, may_have_arrived=False), LinkDown("late"),
    ]  # fmt: skip
    assert play.session.state == "silent"
    with pytest.raises(LocalProtocolError):
        play.send()
    assert play.hear(ENQ) == ACK
    assert play.events(LinkUp) == [LinkUp()]


def test_a_text_without_an_answer_may_have_arrived(play):
    play.send()
    for _ in range(TEXT_TRIES):
        assert play.hear(ACK) == OURS
        play.wait(ANSWER_S)
    assert play.events(GaveUp) == [GaveUp(MAID, may_have_arrived=True)]


@pytest.mark.parametrize(("heard", "may"), [(b"", False), (ACK, True)])
def test_what_was_on_its_way_when_the_line_went_is_given_up(play, heard, may):
    play.send()
    play.hear(heard)
    play.session.lost(play.now)
    assert play.events(GaveUp, LinkDown) == [
        GaveUp(MAID, may_have_arrived=may), LinkDown("lost"),
    ]  # fmt: skip
    play.session.opened(play.now)
    assert play.session.bytes_to_send() == b""


def test_a_resync_is_asked_for_once(play):
    play.session.ask_for_resync(play.now)
    play.session.ask_for_resync(play.now)
    assert play.session.bytes_to_send() == ENQ
    assert play.hear(ACK) == write_text(b"RQINZ     ")
    assert play.hear(ACK) == b""
    assert play.events(Delivered) == [Delivered(Initialise())]


def test_who_leaves_hears_nothing_any_more(play):
    play.hear(ENQ + CHECK_IN)
    play.session.leave(play.now)
    assert play.session.state == "left"
    assert play.hear(ENQ + CHECK_IN) == b""
    play.session.lost(play.now)
    assert play.session.state == "closed"


# --- The tables ---


def test_every_pair_of_the_tables_is_said_or_impossible():
    for state, cause in itertools.product(Turn, Cause):
        if cause in TURNS[state]:
            assert turn(state, cause) == TURNS[state][cause]
        else:
            assert (state, cause) in {(Turn.FREE, Cause.LATE)} | {
                (each, Cause.WANT) for each in Turn if each is not Turn.FREE
            }
            with pytest.raises(LocalProtocolError):
                turn(state, cause)
    for state, news in itertools.product(Link, News):
        if news not in LINKS[state]:
            with pytest.raises(LocalProtocolError):
                link(state, news)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("hear"), st.sampled_from(
            [ENQ, ACK, NAK, CHECK_IN, b"\x02", b"\x03", b"x", write_text(b"GRS"), write_text(b"END"),
             write_text(b"?"), write_text(b"AREYUTHERE"), b"\x02" + b"y" * 90 + b"\x03"])),
        st.tuples(st.just("wait"), st.sampled_from([0.0, 1.0, 3.0, 7.0, 61.0])),
        st.just(("send", None)), st.just(("decide", True)), st.just(("decide", False)),
        st.just(("lost", None)), st.just(("resync", None)),
    ),
    max_size=60,
)  # fmt: skip


@given(STEPS)
def test_whatever_comes_each_text_is_answered_once_and_each_of_ours_has_one_end(steps):
    play, given_, owed, ended, said = Play(), 0, 0, 0, b""
    for what, value in steps:
        if what == "hear":
            said += play.hear(value)
        elif what == "wait":
            said += play.wait(value)
        elif what == "send" and play.session.is_up:
            given_ += 1
            said += play.send(MaidStatus(room="101", status="1"))
        elif what == "decide" and owed:
            owed -= 1
            said += play.accept() if value else play.refuse()
        elif what == "resync" and play.session.is_up:
            play.session.ask_for_resync(play.now)
        elif what == "lost":
            play.session.lost(play.now)
            ended += len([e for e in play.events(GaveUp) if isinstance(e.record, MaidStatus)])
            play.session.opened(play.now)
            owed = 0
            play.events()
        for event in play.events():
            owed += isinstance(event, DataReceived | RecordRefused)
            if isinstance(event, Delivered | GaveUp):
                ended += isinstance(event.record, MaidStatus)
    play.session.lost(play.now)
    ended += len([e for e in play.events(GaveUp) if isinstance(e.record, MaidStatus)])
    assert ended == given_
    assert play.session.deadline is None
