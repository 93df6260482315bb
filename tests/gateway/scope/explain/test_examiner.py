"""The examiner: a well hotel shows nothing, whatever comes raises nothing, and nothing grows."""

import gc
import sys
from dataclasses import replace
from types import BuiltinFunctionType, FunctionType, ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.scope.explain.examiner import Examiner, explain
from gateway.scope.explain.values import Evidence, Finding
from protocols.fias import FiasProfile
from protocols.fias.framing import frame_reader, write_frame
from protocols.session import DataReceived, LinkUp, RecordRefused
from protocols.stream import Frame
from protocols.transcript import (
    Closed,
    Counted,
    Modem,
    Opened,
    Remarked,
    Settings,
    Spoken,
    Waited,
    parse,
)
from tests.gateway.scope.explain.talk import SERIAL, TCP, codes, steps_of
from tests.transcript_play import session_of


def test_evidence_has_the_moments_of_the_capture():
    bare = steps_of("no-check-byte.line")[2:]
    at, steps = 1_773_480_000.0, [SERIAL.as_step()]
    for step in bare:
        at += step.seconds if isinstance(step, Waited) else 0.0
        if not isinstance(step, Waited):
            steps.append(replace(step, at=at))
    (found,) = explain(steps)
    assert found.fault == "no-check-byte"
    assert [each.at for each in found.evidence] == sorted(each.at for each in found.evidence)
    assert 1_773_480_000.0 <= found.evidence[0].at <= at


def test_a_clock_that_jumps_back_does_not_keep_a_fault_for_ever():
    examiner = Examiner(SERIAL)
    for step in steps_of("overruns.line"):
        examiner.take(step)
    assert codes(examiner.findings(50_000.0)) == ["overruns"]
    assert codes(examiner.findings(1_000.0)) == ["overruns"]
    assert codes(examiner.findings(5_000.0)) == []


def test_another_profile_in_the_stream_begins_anew():
    examiner = Examiner(SERIAL)
    for step in [*steps_of("no-check-byte.line"), replace(SERIAL, lrc=False).as_step()]:
        examiner.take(step)
    assert examiner.findings() == []
    for step in [*steps_of("no-check-byte.line"), SERIAL.as_step()]:  # it said so before
        examiner.take(step)
    assert codes(examiner.findings()) == ["no-check-byte"]


def test_a_capture_of_an_unknown_code_page_is_read_all_the_same():
    text = (
        "line x lrc=off ack=off charset=klingon\npms> <STX>MW|x|<ETX><STX>MW|x|<ETX><STX>MW|<ETX>"
    )
    assert "unknown-records" in codes(explain(parse(text)))


def test_of_an_empty_conversation_nobody_says_that_all_is_well():
    assert codes(explain([])) == ["too-little-heard"]
    assert Examiner(TCP).findings(1.0) == []  # a service has only just begun


class Hotel:
    """A PMS that does everything right, our session, and all they say, in virtual time."""

    def __init__(self, profile, fias):
        self.profile, self.now, self.session = profile, 1_773_480_000.0, session_of(fias)
        self.reader = frame_reader(lrc=profile.lrc, handshake=profile.ack)
        self.owed = []  # frames that wait for our ACK
        self.is_free, self.ups = True, 0
        self.steps = [profile.as_step(self.now), Opened(at=self.now)]
        self.session.opened(self.now)
        self.say("LS|DA260314|TI101500|")

    def say(self, body):
        self.owed.append(write_frame(body.encode("cp1252"), lrc=self.profile.lrc))

    def speak(self, data):
        self.now += 0.05
        self.steps.append(Spoken(True, data, at=self.now))
        self.session.receive_data(data, self.now)

    def settle(self):
        """Until both have said everything."""
        for _ in range(400):
            while (event := self.session.next_event()) is not None:
                self.ups += isinstance(event, LinkUp)
                if isinstance(event, DataReceived | RecordRefused):
                    self.session.accept(self.now)
            data = self.session.bytes_to_send()
            if data:
                self.now += 0.05
                self.steps.append(Spoken(False, data, at=self.now))
                for item in self.reader.receive(data):
                    self.hear(item)
            elif self.owed and self.is_free:
                self.is_free = not self.profile.ack
                self.speak(self.owed.pop(0))
            else:
                return

    def hear(self, item):
        if not isinstance(item, Frame):
            self.is_free = True
            return
        if self.profile.ack:
            self.speak(b"\x06")
        if item.body[:2] in (b"LS", b"LA"):
            self.say("LA|DA260314|TI101501|")

    def wait(self, seconds):
        until = self.now + seconds
        while (due := self.session.deadline) is not None and due <= until:
            self.now = max(self.now, due)
            self.session.handle_timeout(self.now)
            self.settle()
        self.now = max(self.now, until)


@pytest.mark.parametrize(
    ("profile", "fias"), [(SERIAL, FiasProfile()), (TCP, FiasProfile.for_tcp())]
)
def test_a_day_in_a_well_hotel_shows_nothing_at_any_time(profile, fias):
    hotel = Hotel(profile, fias)
    examiner = Examiner(profile)
    for number in range(200):
        hotel.wait(7 * 60)
        hotel.say(f"GI|RN{101 + number}|G#{4711 + number}|GNMüller|GSN|GA260314|")
        if number % 3 == 0:
            hotel.say(f"GO|RN{101 + number}|G#{4711 + number}|GSN|")
            hotel.say(f"WR|RN{101 + number}|DA260315|TI063000|")
        if number % 50 == 49:
            hotel.say("LE|DA260314|TI235959|")
            hotel.settle()
            hotel.wait(20)
            hotel.say("LS|DA260314|TI101500|")
        hotel.settle()
        said, hotel.steps = hotel.steps, []
        for step in said:
            examiner.take(step)
        assert codes(examiner.findings(hotel.now)) == []
    assert hotel.ups == 4  # at the start and after each LE but the last


# --- Whatever comes ---


_MOMENTS = st.none() | st.floats(allow_nan=True, allow_infinity=True)
_PIECES = st.binary(max_size=40) | st.sampled_from(
    [b"\x02", b"\x03", b"\x05", b"\x06", b"\x15", b"\x11\x13"]
    + [
        write_frame(body, lrc=lrc)
        for lrc in (True, False)
        for body in (
            b"LS|DA260314|TI101500|", b"LA|", b"LE|", b"LD|DA260314|TI101500|", b"LR|RIGI|FLRN|",
            b"GI|RN1|G#1|GN\xfc\x81\xc3\xbc|", b"DS|", b"DE|", b"DR|", b"", b"?", b"WR|DA1|TI2|",
        )
    ]
)  # fmt: skip
_STEPS = st.one_of(
    st.builds(Spoken, st.booleans(), _PIECES, at=_MOMENTS),
    st.builds(Opened, st.text(max_size=5), at=_MOMENTS),
    st.builds(Closed, st.text(max_size=5), at=_MOMENTS),
    st.builds(Waited, st.floats(min_value=0, allow_infinity=True)),
    st.builds(Modem, st.dictionaries(st.text(max_size=3), st.booleans()), at=_MOMENTS),
    st.builds(Modem, st.just({"CTS": False, "DSR": False}), at=_MOMENTS),
    st.builds(
        Counted,
        st.dictionaries(st.sampled_from(["framing", "parity", "x"]), st.integers()),
        at=_MOMENTS,
    ),
    st.builds(Remarked, st.text(max_size=5), at=_MOMENTS),
    st.builds(
        Settings,
        st.text(max_size=5),
        st.dictionaries(st.sampled_from(["lrc", "ack", "charset"]), st.sampled_from(["off", "on"])),
        at=_MOMENTS,
    ),
)


@given(st.lists(_STEPS, max_size=40), st.sampled_from([SERIAL, TCP]), _MOMENTS)
@settings(deadline=None)
def test_nothing_that_comes_raises(steps, profile, now):
    examiner = Examiner(profile)
    for step in steps:
        examiner.take(step)
    for found in (examiner.findings(now), explain(steps, profile)):
        assert all(isinstance(each, Finding) for each in found)
        assert all(isinstance(line, Evidence) for each in found for line in each.evidence)


@given(st.binary(max_size=12), st.integers(0, 40), st.sampled_from([SERIAL, TCP]))
@settings(deadline=None)
def test_a_name_in_a_damaged_frame_is_never_shown(damage, position, profile):
    whole = write_frame(b"GI|RN101|G#4711|GNMontgomery|GFOttoline|GSN|", lrc=profile.lrc)
    data = whole[:position] + damage + whole[position + len(damage) :]
    for findings in (explain([Spoken(True, data)] * 5, profile), seen_all(data, profile)):
        shown = " ".join(line.text for each in findings for line in each.evidence)
        assert "ontgom" not in shown
        assert "ttoli" not in shown


def seen_all(data, profile):
    """With the counters that make every byte rule look."""
    noisy = Counted({"framing": 9, "parity": 9, "overrun": 9, "break": 9})
    return explain([noisy, *[Spoken(True, data), Waited(2), Spoken(False, b"\x15")] * 5], profile)


def bytes_held(root):
    """The size of all that can be reached from an object: the same in every run, whatever else the process does."""
    found, open_ends = {}, [root]
    while open_ends:
        each = open_ends.pop()
        if id(each) not in found and not isinstance(
            each, (type, ModuleType, FunctionType, BuiltinFunctionType)
        ):
            found[id(each)] = each
            open_ends += gc.get_referents(each)
    return sum(map(sys.getsizeof, found.values()))


@pytest.mark.parametrize("profile", [SERIAL, TCP])
@pytest.mark.parametrize("piece", [b"A" * 997, bytes(range(256)), b"\x02GI|RN1|\x03", b"\x06"])
def test_months_of_anything_take_no_more_memory_than_an_hour(profile, piece):
    examiner = Examiner(profile)
    examiner.take(Spoken(True, b"\x02"))

    def run(count):
        for number in range(count):
            examiner.take(Spoken(number % 7 != 0, piece))
            examiner.take(Waited(20))

    run(400)  # more than the hour that counts
    after_hours = bytes_held(examiner)
    run(800)
    assert bytes_held(examiner) - after_hours < 3_000  # a number kept for each step would be 12,800
