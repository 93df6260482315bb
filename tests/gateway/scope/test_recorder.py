"""What the recorder tells of a line: whole things, at the moment of their last byte."""

import pytest

from gateway.line import LineFailed
from gateway.line.tap import TappedOpener
from gateway.scope.profile import LineProfile
from gateway.scope.recorder import Recorder
from protocols.fias.framing import write_frame
from protocols.transcript import Closed, Counted, Modem, Opened, Remarked, Settings, Spoken
from tests.fakes import HandClock

FRAME = write_frame(b"GI|RN101|GNRossi|", lrc=True)
PROFILE = LineProfile("serial:/dev/ttyUSB0,9600,8n1")


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def told():
    return []


@pytest.fixture
def recorder(clock, told):
    recorder = Recorder(PROFILE, clock)
    with recorder.told_to(told.append):
        yield recorder


def test_pieces_of_reads_become_frames_at_their_last_byte(recorder, clock, told):
    recorder.heard(FRAME[:5])
    clock.wind(0.1)
    recorder.heard(FRAME[5:] + b"\x05")
    recorder.said(b"\x06")
    at = recorder.now()
    assert told == [
        Spoken(True, FRAME, at=at), Spoken(True, b"\x05", at=at), Spoken(False, b"\x06", at=at)
    ]  # fmt: skip


def test_half_a_frame_is_told_after_a_pause_and_when_the_line_goes(recorder, clock, told):
    recorder.opened("a line")
    recorder.heard(FRAME[:5])
    at = recorder.now()
    recorder.tick()
    assert [type(step) for step in told] == [Settings, Opened]
    clock.wind(1)
    recorder.tick()
    assert told[-1] == Spoken(True, FRAME[:5], at=at)
    recorder.heard(b"RN")
    recorder.closed("")
    assert told[-2:] == [Spoken(True, b"RN", at=recorder.now()), Closed("", at=recorder.now())]
    recorder.opened("again")  # a new line begins with nothing half there
    recorder.heard(FRAME)
    assert told[-1].data == FRAME


def test_one_failure_after_the_other_is_told_once(recorder, told):
    for _ in range(3):
        recorder.closed("no such device")
    recorder.closed("no permission")
    recorder.opened("x")
    recorder.closed("")
    words = [step.words for step in told if isinstance(step, Closed)]
    assert words == ["no such device", "no permission", ""]


def test_counters_are_told_as_what_is_new_and_handshake_lines_as_they_change(recorder, told):
    recorder.looked({"framing": 7, "parity": 0}, None)  # since the driver was loaded
    recorder.looked({"framing": 9, "parity": 0}, {"CTS": True})
    recorder.looked({"framing": 9, "parity": 0}, {"CTS": True})
    recorder.looked(None, {"CTS": False})
    at = recorder.now()
    assert told == [
        Counted({"framing": 2}, at=at), Modem({"CTS": True}, at=at), Modem({"CTS": False}, at=at)
    ]  # fmt: skip


def test_a_comment_is_one_line_of_bounded_length(recorder, told):
    recorder.remark("  pulled\nthe plug ")
    recorder.remark(" \n")
    recorder.remark("x" * 1000)
    assert [len(step.words) for step in told if isinstance(step, Remarked)] == [15, 200]


def test_a_clock_that_is_set_does_not_stretch_an_answer(recorder, clock, told):
    before = recorder.now()
    clock.jump(0.4)  # drift
    assert recorder.now() == before
    clock.jump(3600.0)  # set
    assert recorder.now() == pytest.approx(before + 3600.4)


class _Line:
    async def read(self):
        return FRAME

    async def write(self, data):
        if data == b"bad":
            raise LineFailed("gone")

    async def close(self):
        pass

    def describe(self):
        return "fake"

    def error_counts(self):
        return {"framing": 0}

    def modem_lines(self):
        return {"CTS": True}


class _Opener:
    fails = True

    async def open(self):
        if self.fails:
            raise LineFailed("busy")
        return _Line()

    async def close(self):
        pass

    def describe(self):
        return "opener"


@pytest.mark.asyncio
async def test_a_tapped_line_is_the_same_line(recorder, told):
    opener = _Opener()
    tapped = TappedOpener(opener, recorder)
    with pytest.raises(LineFailed, match="busy"):
        await tapped.open()
    opener.fails = False
    line = await tapped.open()
    assert await line.read() == FRAME
    await line.write(b"\x06")
    with pytest.raises(LineFailed):
        await line.write(b"bad")
    assert (line.describe(), tapped.describe()) == ("fake", "opener")
    assert (line.error_counts(), line.modem_lines()) == ({"framing": 0}, {"CTS": True})
    await line.close()
    kinds = [type(step).__name__ for step in told]
    assert kinds == ["Closed", "Settings", "Opened", "Spoken", "Spoken", "Modem", "Closed"]
