"""Text in fixed columns, in both directions."""

import pytest
from construct import StreamError, StringError

from protocols.columns import column


@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("text", [b"", b"101", b"van Dam", b"12345678"])
def test_what_was_written_is_read(text, right):
    row = column(8, right=right)
    assert len(row.build(text)) == 8
    assert row.parse(row.build(text)) == text


def test_blanks_stand_on_the_side_that_was_asked_for():
    assert (column(4).build(b"7"), column(4, right=True).build(b"7")) == (b"7   ", b"   7")


def test_what_does_not_fit_is_refused():
    with pytest.raises((StringError, StreamError)):
        column(3).build(b"1234")
    with pytest.raises(StreamError):
        column(3).parse(b"12")
