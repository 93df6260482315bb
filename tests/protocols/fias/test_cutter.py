"""A stream cut for the eye: nothing is lost, nothing judged, and the cut of the reads is unseen."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.fias.framing import cutter, write_frame

FRAME = write_frame(b"GI|RN101|", lrc=True)
STREAMS = st.lists(
    st.sampled_from([b"\x02", b"\x03", b"\x05", b"\x06", b"\x15", b"ab", FRAME, b"\xff" * 80])
    | st.binary(max_size=90),
    max_size=20,
).map(b"".join)


@given(STREAMS, st.booleans())
def test_the_pieces_are_the_stream(stream, has_lrc):
    one = cutter(lrc=has_lrc)
    assert b"".join(one.feed(stream) + one.rest()) == stream
    assert one.is_empty


@given(STREAMS, st.booleans(), st.lists(st.integers(0, 400), max_size=12))
def test_how_it_was_read_does_not_matter(stream, has_lrc, cuts):
    whole = cutter(lrc=has_lrc)
    pieces = cutter(lrc=has_lrc)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    found = [piece for a, b in pairwise(edges) for piece in pieces.feed(stream[a:b])]
    assert found + pieces.rest() == whole.feed(stream) + whole.rest()


@pytest.mark.parametrize(
    ("stream", "has_lrc", "pieces"),
    [
        (FRAME + b"\x06" + FRAME, True, [FRAME, b"\x06", FRAME]),
        (b"\x02LS|\x03\x02LA|\x03", False, [b"\x02LS|\x03", b"\x02LA|\x03"]),
        (b"\x02LS|\x03\x02LA|\x03", True, [b"\x02LS|\x03", b"\x02LA|\x03"]),
        (b"\xf8\xf9\x02LS|\x03", False, [b"\xf8\xf9", b"\x02LS|\x03"]),
        (b"\x02GI|RN1\x05\x02LS|\x03", False, [b"\x02GI|RN1", b"\x05", b"\x02LS|\x03"]),
        (b"\x02GI|RN1\x02LS|\x03", False, [b"\x02GI|RN1", b"\x02LS|\x03"]),
        (b"x" * 100, False, [b"x" * 64, b"x" * 36]),
        (write_frame(b"RE|RN1|\x4f", lrc=True), True, [write_frame(b"RE|RN1|\x4f", lrc=True)]),
    ],
)
def test_pieces_are_what_a_reader_would_call_one_thing(stream, has_lrc, pieces):
    one = cutter(lrc=has_lrc)
    assert one.feed(stream) + one.rest() == pieces


def test_a_check_byte_that_looks_like_a_beginning_belongs_to_its_frame():
    body = next(b"LA|%d|" % n for n in range(999) if write_frame(b"LA|%d|" % n, lrc=True)[-1] == 2)
    frame = write_frame(body, lrc=True)
    assert cutter(lrc=True).feed(frame + FRAME) == [frame, FRAME]


def test_a_pause_tells_what_is_half_there_and_the_frame_goes_on():
    one = cutter(lrc=False)
    assert one.feed(b"\x02GI|RN1") + one.rest() == [b"\x02GI|RN1"]
    assert one.feed(b"01|\x03\x06") == [b"01|\x03", b"\x06"]


def test_a_frame_without_an_end_does_not_grow_for_ever():
    one = cutter(lrc=False)
    pieces = one.feed(b"\x02" + b"y" * 100_000)
    assert max(map(len, pieces)) <= 8192
