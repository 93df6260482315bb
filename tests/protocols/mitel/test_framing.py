"""Texts in a stream that is cut anywhere and full of anything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.mitel.controls import MAX_TEXT_BYTES
from protocols.mitel.framing import frame_reader, write_text
from protocols.session import Signal
from protocols.stream import Blank, Control, Frame, Reason, Refusal

ENQ = Control(Signal.ENQ)


def read(*parts):
    reader = frame_reader()
    found = [item for part in parts for item in reader.receive(part)]
    return [item for item in found if not isinstance(item, Blank)]


def test_a_transaction_with_nuls_between_is_read():
    data = b"\x00\x05\x00\r\n\x02CHK1   101\x03\x00\x06"
    assert read(data) == [ENQ, Frame(b"CHK1   101"), Control(Signal.ACK)]


@pytest.mark.parametrize(
    ("data", "items"),
    [
        (b"\x02CHK1\x02GRS\x03", [Refusal(Reason.RESTARTED, b"CHK1"), Frame(b"GRS")]),
        (b"\x02CHK1\x05", [Refusal(Reason.UNFINISHED, b"CHK1"), ENQ]),
        (b"noise\x05", [Refusal(Reason.GARBAGE, b"noise"), ENQ]),
        (b"\x02" + b"x" * 100 + b"\x03\x05",
         [Refusal(Reason.OVERLONG, b"x" * MAX_TEXT_BYTES), ENQ]),
    ],
)  # fmt: skip
def test_what_is_no_text_is_told(data, items):
    assert read(data) == items


def test_a_pause_ends_what_was_begun():
    reader = frame_reader()
    assert reader.receive(b"\x02CHK") == []
    assert not reader.is_between_frames
    assert reader.gap() == [Refusal(Reason.UNFINISHED, b"CHK")]
    assert reader.is_between_frames


@given(st.binary(max_size=300), st.data())
def test_where_a_stream_is_cut_does_not_matter(data, pick):
    at = pick.draw(st.integers(0, len(data)))
    assert read(data[:at], data[at:]) == read(data)


@given(st.lists(st.binary(max_size=60).filter(lambda each: not set(each) & {2, 3, 5}), max_size=5))
def test_what_is_written_is_read(bodies):
    assert read(b"".join(map(write_text, bodies))) == [Frame(body) for body in bodies]
