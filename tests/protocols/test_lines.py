"""Lines of text in a stream that is cut anywhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.lines import LineCutter, LineReader
from protocols.session import Signal
from protocols.stream import Blank, Control, Frame, Reason, Refusal

ACK, NAK = Control(Signal.ACK), Control(Signal.NAK)


def read(*parts):
    reader = LineReader(longest=20)
    found = [item for part in parts for item in reader.receive(part)]
    return [each for each in [*found, *reader.gap()] if not isinstance(each, Blank)]


@pytest.mark.parametrize(
    ("data", "items"),
    [
        (b"\n0001 HTL\r\n\x06\n0002 HTL\r\n\x15",
         [Frame(b"0001 HTL"), ACK, Frame(b"0002 HTL"), NAK]),
        (b"\r\ny\r\nn", [ACK, NAK]),
        (b"any\r\n", [Frame(b"any")]),
        (b"00\x0601\r\n", [Refusal(Reason.UNFINISHED, b"00"), ACK, Frame(b"01")]),
        (b"x" * 30 + b"\r\nok\r\n", [Refusal(Reason.OVERLONG, b"x" * 21), Frame(b"ok")]),
        (b"00", [Refusal(Reason.UNFINISHED, b"00")]),
    ],
)  # fmt: skip
def test_a_stream_is_lines_answers_and_what_is_neither(data, items):
    assert read(data) == items


@pytest.mark.parametrize(
    ("data", "pieces"),
    [
        (b"\n01\r\n\n02\r\n", [b"\n01\r\n", b"\n02\r\n"]),
        (b"01\r\n02\r\n", [b"01\r\n", b"02\r\n"]),
        (b"01\r02\r", [b"01\r", b"02\r"]),
        (b"\n01\r\n\x06y", [b"\n01\r\n", b"\x06", b"y"]),
    ],
)
def test_a_line_is_a_piece(data, pieces):
    cutter = LineCutter(longest=50)
    assert cutter.feed(data) + cutter.rest() == pieces


STREAMS = st.lists(
    st.sampled_from([b"01 HTL", b"\r", b"\n", b"\x0c", b"\x00", b"y", b"n", b"\x06", b"\x05", b" "])
).map(b"".join) | st.binary(max_size=80)


@given(STREAMS, st.data())
def test_where_it_is_cut_does_not_matter(stream, pick):
    at = pick.draw(st.integers(0, len(stream)))
    assert read(stream[:at], stream[at:]) == read(stream)
    cutters = [LineCutter(longest=30) for _ in range(2)]
    whole = cutters[0].feed(stream) + cutters[0].rest()
    assert cutters[1].feed(stream[:at]) + cutters[1].feed(stream[at:]) + cutters[1].rest() == whole
    assert b"".join(whole) == stream
    assert cutters[0].is_empty
