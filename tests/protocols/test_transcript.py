"""The notation of line conversations: what is shown reads back to the same bytes."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.transcript import (
    Closed,
    Counted,
    Modem,
    Opened,
    Remarked,
    Settings,
    Spoken,
    TranscriptError,
    Waited,
    parse,
    parse_bytes,
    parse_line,
    show_bytes,
    show_step,
)


def test_control_bytes_have_names_and_letters_stay_readable():
    assert show_bytes(b"\x02GI|GNM\xfcller|\x03\x7f<") == "<STX>GI|GNMüller|<ETX><7F><3C>"


@given(st.binary(max_size=80), st.sampled_from(["cp1252", "utf-8", "shift_jis", "cp1251"]))
def test_what_is_shown_reads_back(data, charset):
    assert parse_bytes(show_bytes(data, charset), charset) == data


def test_a_check_byte_that_is_a_blank_is_not_lost_at_the_end_of_a_line():
    assert show_bytes(b"\x02LA|L|\x03  ") == "<STX>LA|L|<ETX> <20>"
    assert parse(f"pms> {show_bytes(b'x ')}\n") == [Spoken(True, b"x ")]


def test_a_long_word_costs_no_more_than_reading_it():
    """Were it its square, the suite's patience with a test would not be enough."""
    with pytest.raises(TranscriptError):
        parse("1" * 1_000_000)


def test_steps_are_read_with_comments_moments_and_pauses():
    steps = parse("# c\nopen\n10:15:00.123 pms> <ENQ>\n  gw > <NAK>\nnow+ 2.5\n\nclose\n")
    assert steps == [
        Opened(), Spoken(True, b"\x05", at=36900.123), Spoken(False, b"\x15"), Waited(2.5), Closed()
    ]  # fmt: skip
    assert [step.line_number for step in steps] == [2, 3, 4, 5, 7]


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


AT = 1_773_479_700.125  # 2026-03-14 10:15:00.125 in Lisbon

STEPS = [
    Opened("tcp:10.0.0.5:5010", at=AT),
    Closed("closed by the peer", at=AT),
    Closed(at=AT),
    Waited(2.5),
    Spoken(True, b"\x02GI|GNM\xfcller|\x03<", at=AT),
    Spoken(False, b"\x06"),
    Modem({"CTS": True, "DSR": False, "RI": False}, at=AT),
    Counted({"framing": 2, "break": 1}, at=AT),
    Settings("serial:/dev/ttyUSB0,9600,8n1", {"lrc": "on", "ack": "on"}, at=AT),
    Remarked("pulled the plug: nothing # more", at=AT),
]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Lisbon", "Asia/Kathmandu"])
@pytest.mark.parametrize("step", STEPS, ids=lambda step: type(step).__name__)
def test_every_step_reads_back_in_any_zone(step, zone):
    assert parse_line(show_step(step, ZoneInfo(zone))) == step


def test_moments_are_shown_in_the_hotels_time():
    step = Spoken(True, b"\x06", at=AT)
    assert show_step(step, ZoneInfo("Europe/Lisbon")) == "2026-03-14T09:15:00.125+00:00 pms> <ACK>"
    assert show_step(step, ZoneInfo("Asia/Tokyo"), short=True) == "18:15:00.125 pms> <ACK>"


def test_a_time_of_day_that_goes_back_is_the_next_days():
    steps = parse("23:59:59 pms> <ENQ>\n00:00:01 gw > <ACK>\n00:00:00.9 pms> <ENQ>\n")
    assert [step.at for step in steps] == [86_399, 86_401, 86_400.9]


def test_words_of_strangers_stay_on_their_line():
    shown = show_step(Closed("gone\npms> <ACK>", at=AT))
    assert shown.count("\n") == 0
    assert isinstance(parse_line(shown), Closed)
    assert "\n" not in show_step(Settings("a b\n", {"x": "y z\n"}))


def test_a_comment_without_a_moment_says_nothing():
    assert parse("# only for the reader\n") == []
    assert parse("10:00:00 # for the capture") == [Remarked("for the capture", at=36_000.0)]
