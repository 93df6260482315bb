"""Frames are found in any stream, cut anywhere; what is no frame is told and forgotten."""

import itertools

import pytest
from construct import ChecksumError, ConstructError
from hypothesis import given
from hypothesis import strategies as st

from protocols.fias.controls import MAX_BODY_BYTES
from protocols.fias.framing import STARTS, frame_reader, write_frame
from protocols.fias.wire import ENVELOPE, ENVELOPE_WITH_LRC
from protocols.framing import FrameReader
from protocols.session import Signal
from protocols.stream import EVIDENCE_BYTES, Blank, Control, Frame, Reason, Refusal

VECTORS = [
    ("12345", 0x32), ("LS|DA260105|TI081500|", 0x74), ("LD|DA260105|TI081501|V#1.0|IFPB|", 0x25),
    ("LA|DA260105|TI081503|", 0x65), ("LE|DA260105|TI235959|", 0x6F),
    ("GI|RN101|G#4711|GNBerger|GSN|", 0x4C), ("GO|RN101|G#4711|GSN|", 0x1A),
    ("GC|RN205|GSN|G#4711|RO101|GSN|", 0x66), ("WR|RN101|DA260106|TI063000|", 0x34),
    ("WA|RN101|DA260106|TI063000|ASOK|", 0x4D),
    ("PS|RN101|PTC|TA1250|P#17|DA260105|TI142233|", 0x6C),
    ("PA|RN101|ASOK|P#17|DA260105|TI142234|", 0x47), ("RE|RN101|RS3|", 0x76),
    ("DR|DA260105|TI081600|", 0x7E), ("RE|RN128|MLN|", 0x00), ("RE|RN108|MLN|", 0x02),
    ("RE|RN109|MLN|", 0x03), ("RE|RN169|MLN|", 0x05), ("RE|RN148|MLN|", 0x06),
    ("RE|RN100|MLN|", 0x0A), ("RE|RN107|MLN|", 0x0D), ("RE|RN108|MLY|", 0x15),
    ("RE|RN109|RS1|", 0x7C),
]  # fmt: skip


def serial_reader():
    return frame_reader(lrc=True, handshake=True)


def tcp_reader():
    return frame_reader(lrc=False, handshake=False)


@pytest.mark.parametrize(("body", "check"), VECTORS)
def test_check_byte_follows_etx_whatever_its_value(body, check):
    frame = b"\x02" + body.encode() + b"\x03" + bytes([check])
    assert write_frame(body.encode(), lrc=True) == frame
    # Twice in a row: a check byte that looks like STX or ENQ must not eat the next frame.
    assert serial_reader().receive(frame * 2) == [Frame(body.encode())] * 2


@pytest.mark.parametrize(("charset", "check"), [("cp1252", 0xDB), ("cp850", 0xA6), ("utf-8", 0x58)])
def test_check_byte_is_over_the_bytes_of_the_code_page(charset, check):
    body = "GI|RN101|G#4712|GNMüller|GSY|".encode(charset)
    assert write_frame(body, lrc=True)[-1] == check


def test_tcp_frame_has_no_check_byte():
    assert write_frame(b"LS|", lrc=False) == b"\x02LS|\x03"
    assert tcp_reader().receive(b"\x02LS|\x03\x02GO|RN1|\x03") == [Frame(b"LS|"), Frame(b"GO|RN1|")]


def test_a_stray_check_byte_on_tcp_is_noise_and_no_frame_is_lost():
    found = tcp_reader().receive(b"\x02LS|\x03t\x02LA|\x03")
    assert found == [Frame(b"LS|"), Refusal(Reason.GARBAGE, b"t"), Frame(b"LA|")]


def test_line_ends_between_frames_are_silent():
    blank = Blank()
    found = tcp_reader().receive(b"\r\n\x02LS|\x03\r\n")
    assert found == [blank, blank, Frame(b"LS|"), blank, blank]


def test_lone_controls_between_frames_are_told():
    assert serial_reader().receive(b"\x06\x15\x05") == [
        Control(Signal.ACK), Control(Signal.NAK), Control(Signal.ENQ)
    ]  # fmt: skip


def test_wrong_check_byte_refuses_the_frame_only():
    found = serial_reader().receive(
        b"\x02GO|RN101|G#4711|GSN|\x03\x1b\x02GO|RN101|G#4711|GSN|\x03\x1a"
    )
    assert found == [Refusal(Reason.LRC, b"GO|RN101|G#4711|GSN|"), Frame(b"GO|RN101|G#4711|GSN|")]


def test_a_peer_without_check_bytes_is_refused_and_its_next_frame_is_seen():
    reader = serial_reader()
    found = reader.receive(b"\x02LS|\x03\x02LA|\x03")
    assert found == [Refusal(Reason.LRC, b"LS|")]
    assert reader.gap() == [Refusal(Reason.NO_LRC, b"LA|")]


def test_stx_inside_a_frame_restarts_it():
    found = tcp_reader().receive(b"\x02GI|RN1\x02GI|RN2|\x03")
    assert found == [Refusal(Reason.RESTARTED, b"GI|RN1"), Frame(b"GI|RN2|")]


def test_enq_inside_a_frame_ends_it_on_a_line_that_answers():
    found = serial_reader().receive(b"\x02GI|RN1\x05")
    assert found == [Refusal(Reason.UNFINISHED, b"GI|RN1"), Control(Signal.ENQ)]


def test_the_longest_body_is_taken_and_one_byte_more_is_refused():
    longest = b"x" * MAX_BODY_BYTES
    reader = tcp_reader()
    assert reader.receive(b"\x02" + longest + b"\x03") == [Frame(longest)]
    assert reader.receive(b"\x02" + longest + b"y\x03\x02LS|\x03") == [
        Refusal(Reason.OVERLONG, longest[:EVIDENCE_BYTES]),
        Frame(b"LS|"),
    ]


def test_an_overlong_frame_swallows_its_own_check_byte():
    found = serial_reader().receive(b"\x02" + b"x" * 9000 + b"\x03\x05\x02LS|\x03\x60")
    assert found == [Refusal(Reason.OVERLONG, b"x" * EVIDENCE_BYTES), Frame(b"LS|")]


def test_a_megabyte_without_an_end_keeps_memory_small():
    reader = tcp_reader()
    reader.receive(b"\x02" + b"x" * 1_000_000)
    assert len(reader._body) == MAX_BODY_BYTES
    assert reader.gap()[0].reason is Reason.OVERLONG
    assert reader.receive(b"\x02LS|\x03") == [Frame(b"LS|")]


def test_a_pause_inside_a_frame_gives_it_up():
    reader = serial_reader()
    reader.receive(b"\x02GI|RN1")
    assert not reader.is_between_frames
    assert reader.gap() == [Refusal(Reason.UNFINISHED, b"GI|RN1")]
    assert reader.is_between_frames


ANY_LINE = st.lists(
    st.one_of(
        st.binary(max_size=12),
        st.sampled_from([bytes([b]) for b in (2, 3, 5, 6, 0x15, 13, 10, 0)]),
        st.sampled_from([write_frame(body.encode(), lrc=True) for body, _ in VECTORS]),
        st.just(b"\x02" + b"z" * 70 + b"\x03"),
    ),
    max_size=12,
).map(b"".join)


@given(ANY_LINE, st.lists(st.integers(0, 400), max_size=8), st.booleans())
def test_any_chunking_finds_the_same(line, cuts, lrc):
    whole = FrameReader(lrc=lrc, handshake=lrc, longest=64, starts=STARTS)
    expected = [*whole.receive(line), *whole.gap()]
    pieces = FrameReader(lrc=lrc, handshake=lrc, longest=64, starts=STARTS)
    edges = [0, *sorted(min(cut, len(line)) for cut in cuts), len(line)]
    found = [
        item for a, b in itertools.pairwise(edges) for item in pieces.receive(line[a:b])
    ] + pieces.gap()
    assert found == expected


@given(ANY_LINE)
def test_after_any_noise_the_next_good_frame_but_one_is_read(noise):
    """One frame may be eaten by a check byte that never came; never two."""
    reader = serial_reader()
    reader.receive(noise)
    good = write_frame(b"GO|RN101|G#4711|GSN|", lrc=True)
    assert reader.receive(good * 2)[-1] == Frame(b"GO|RN101|G#4711|GSN|")


@given(st.binary(max_size=40).map(lambda b: b.replace(b"\x02", b"").replace(b"\x03", b"")
                                  .replace(b"\x05", b"")), st.integers(0, 255))  # fmt: skip
def test_reader_and_grammar_agree_on_whole_frames(body, check):
    frame = b"\x02" + body + b"\x03" + bytes([check])
    found = serial_reader().receive(frame)
    try:
        parsed = ENVELOPE_WITH_LRC.parse(frame)
    except ChecksumError:
        assert found[0] == Refusal(Reason.LRC, body)
    else:
        assert found == [Frame(parsed.checked.value.body)]


@given(st.binary(max_size=40).map(lambda b: b.replace(b"\x02", b"").replace(b"\x03", b"")))
def test_a_frame_is_written_as_the_grammar_says_it(body):
    said = {"checked": {"value": {"body": body}}}
    assert write_frame(body, lrc=True) == ENVELOPE_WITH_LRC.build(said)
    assert write_frame(body, lrc=False) == ENVELOPE.build(said)


@given(st.binary(max_size=30))
def test_grammar_takes_only_whole_frames(data):
    try:
        parsed = ENVELOPE.parse(data)
    except ConstructError:
        return
    assert ENVELOPE.build({"checked": {"value": {"body": parsed.checked.value.body}}}) == data


def test_of_refused_bytes_the_first_256_are_kept_and_noise_is_told_every_64():
    reader = tcp_reader()
    (refusal,) = reader.receive(b"\x02" + b"x" * 300 + b"\x02LS|")
    assert refusal == Refusal(Reason.RESTARTED, b"x" * 256)
    assert tcp_reader().receive(b"y" * 64) == [Refusal(Reason.GARBAGE, b"y" * 64)]
    assert tcp_reader().receive(b"y" * 63) == []


def test_what_breaks_into_an_overlong_frame_is_not_to_blame():
    long = b"\x02" + b"x" * (MAX_BODY_BYTES + 1)
    for ended in (b"\x02LS|", b"\x05"):
        assert serial_reader().receive(long + ended)[0].reason is Reason.OVERLONG
    reader = serial_reader()
    assert reader.receive(long + b"\x02LS|\x03\x60")[1:] == [Frame(b"LS|")]


def test_a_check_byte_that_never_came_is_told_after_the_pause():
    reader = serial_reader()
    reader.receive(b"\x02LS|\x03")
    assert not reader.is_between_frames
    assert reader.gap() == [Refusal(Reason.NO_LRC, b"LS|")]


def test_a_new_line_forgets_the_half_frame_and_the_noise():
    for half in (b"\x02GI|RN1", b"noise", b"\x02" + b"x" * 9000, b"\x02" + b"x" * 9000 + b"\x03"):
        reader = serial_reader()
        reader.receive(half)
        reader.reset()
        assert reader.is_between_frames
        assert reader.receive(b"\x02LS|\x03\x60") == [Frame(b"LS|")]


def test_a_reason_is_counted_under_its_own_name():
    assert all(reason.value == reason.name.lower() for reason in Reason)


def test_enq_inside_a_frame_is_data_on_a_line_that_does_not_answer():
    assert tcp_reader().receive(b"\x02GI|GN\x05|\x03") == [Frame(b"GI|GN\x05|")]


@pytest.mark.parametrize(
    "body",
    [
        b"GI|RN101|G#3891|GNf8,h)&h(\x02f\x08b?|GSN|GL|CS0|",
        b"GI|RN1|GN\x02|",
        b"GI|RN1|GN\x02\x02A|",
        b"GI|RN1|GNA\x02LS",  # neither a bar nor the end behind two letters
    ],
)
def test_an_stx_that_begins_no_record_is_a_byte_of_its_frame(body):
    assert tcp_reader().receive(b"\x02" + body + b"X|\x03") == [Frame(body + b"X|")]
    assert serial_reader().receive(write_frame(body + b"X|", lrc=True)) == [Frame(body + b"X|")]


@pytest.mark.parametrize("next_one", [b"GI|RN2|", b"$A|", b"LS"])
def test_a_record_that_begins_inside_a_frame_ends_it(next_one):
    assert tcp_reader().receive(b"\x02GI|RN1\x02" + next_one + b"\x03") == [
        Refusal(Reason.RESTARTED, b"GI|RN1"),
        Frame(next_one),
    ]


def test_a_pause_behind_an_stx_inside_a_frame_gives_up_all_of_it():
    reader = tcp_reader()
    reader.receive(b"\x02GI|RN1\x02G")
    assert reader.gap() == [Refusal(Reason.UNFINISHED, b"GI|RN1\x02G")]
