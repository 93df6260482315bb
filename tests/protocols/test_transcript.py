"""The notation of line conversations: what is shown reads back to the same bytes."""

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.transcript import (
    Closed,
    Opened,
    Spoken,
    TranscriptError,
    Waited,
    parse,
    parse_bytes,
    show_bytes,
)


def test_control_bytes_have_names_and_letters_stay_readable():
    assert show_bytes(b"\x02GI|GNM\xfcller|\x03\x7f<") == "<STX>GI|GNMüller|<ETX><7F><3C>"


@given(st.binary(max_size=80), st.sampled_from(["cp1252", "utf-8", "shift_jis", "cp1251"]))
def test_what_is_shown_reads_back(data, charset):
    assert parse_bytes(show_bytes(data, charset), charset) == data


def test_a_check_byte_that_is_a_blank_is_not_lost_at_the_end_of_a_line():
    assert show_bytes(b"\x02LA|L|\x03  ") == "<STX>LA|L|<ETX> <20>"
    assert parse(f"pms> {show_bytes(b'x ')}\n") == [Spoken(1, True, b"x ")]


def test_a_long_word_costs_no_more_than_reading_it():
    started = process_time()
    with pytest.raises(TranscriptError):
        parse("1" * 20_000)
    assert process_time() - started < 0.5


def test_steps_are_read_with_comments_moments_and_pauses():
    steps = parse("# c\nopen\n10:15:00.123 pms> <ENQ>\n  gw > <NAK>\nnow+ 2.5\n\nclose\n")
    assert steps == [
        Opened(2), Spoken(3, True, b"\x05"), Spoken(4, False, b"\x15"), Waited(5, 2.5), Closed(7)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [("open\nhello", "line 2: expected"), ("pms> <XYZ>", "line 1: <XYZ>"),
     ("now+ soon", "line 1: now"), ("pms> a<b", "line 1: a lone"), ("now+ -3", "line 1: now"),
     ("now+ nan", "line 1: now"), ("now+ inf", "line 1: now")],
)  # fmt: skip
def test_a_bad_line_is_named(text, words):
    with pytest.raises(TranscriptError, match=words):
        parse(text)


def test_every_named_byte_is_shown_and_read_by_its_name():
    named = bytes.fromhex("00 01 02 03 04 05 06 0A 0D 10 15 16 17 1B")
    names = "<NUL><SOH><STX><ETX><EOT><ENQ><ACK><LF><CR><DLE><NAK><SYN><ETB><ESC>"
    assert show_bytes(named) == names
    assert parse_bytes(names.lower()) == named


def test_bytes_stand_in_cp1252_unless_said_otherwise():
    assert (parse_bytes("ü€"), show_bytes(b"\xfc\x80")) == (b"\xfc\x80", "ü€")
    assert parse("pms> ü")[0].data == b"\xfc"
    assert parse("pms> ü", "utf-8")[0].data == b"\xc3\xbc"


def test_a_bad_line_knows_its_number():
    with pytest.raises(TranscriptError) as bad:
        parse("open\n\n# c\nnow+ soon")
    assert bad.value.line_number == 4


def test_what_cannot_be_seen_is_shown_as_a_number():
    assert show_bytes(b"a\xadb") == "<61><AD><62>"  # a soft hyphen
    assert show_bytes(b"\x81") == "<81>"  # no character of cp1252
