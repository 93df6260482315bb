"""Every speed and format that a FIAS line may have, told apart by listening only."""

import random

import pytest

from gateway.scope.detect import Confidence, Dialect, is_promising, judge
from gateway.scope.reread import FORMATS, Format, Sample
from protocols.fias.framing import write_frame
from tests.gateway.scope.uart import receive, transmit

BAUDS = (1200, 2400, 4800, 9600, 19200, 38400)
ENQ, ACK, NAK = b"\x05", b"\x06", b"\x15"


def frame(text, lrc=True, seven=False):
    body = text.encode("cp1252")
    return write_frame(bytes(byte & 0x7F for byte in body) if seven else body, lrc=lrc)


def talk(lrc, seed=1):
    """Some minutes of a PMS: calls for a link, answers, a resync's worth of guests."""
    rng = random.Random(seed)
    said = [frame("LS|DA260314|TI101459|", lrc), ENQ, ENQ, ACK, frame("LA|DA260314|TI101502|", lrc)]
    for _ in range(5):
        room, name = rng.randint(100, 999), rng.choice(["Rossi", "Meyer", "O'Hara, Liam"])
        said += [frame(f"GI|RN{room}|G#{rng.randint(1, 99999)}|GN{name}|GSN|", lrc)]
        said += rng.choice([[ENQ], [ACK], [NAK], []])
    return said


def heard(pieces, baud, form, **how):
    """What a port delivers at every speed."""
    wave = transmit(pieces, baud, form)
    return {each: receive(wave, each, **how) for each in BAUDS}


@pytest.mark.parametrize("lrc", [True, False], ids=["lrc", "plain"])
@pytest.mark.parametrize("form", FORMATS, ids=str)
@pytest.mark.parametrize("baud", BAUDS)
def test_every_line_is_told_from_every_other(baud, form, lrc):
    for is_16550 in (False, True):
        verdict = judge(heard(talk(lrc), baud, form, is_16550=is_16550))
        assert (verdict.baud, verdict.form) == (baud, form), (is_16550, verdict)
        assert (verdict.lrc, verdict.ack) == (lrc, True), (is_16550, verdict)
        assert verdict.dialect is Dialect.FIAS
        is_pieced = is_16550 and form.data_bits == 8 and form.parity != "N"
        assert verdict.confidence is (Confidence.LIKELY if is_pieced else Confidence.CERTAIN)


@pytest.mark.parametrize("skew", [-0.015, 0.015])
@pytest.mark.parametrize("form", FORMATS, ids=str)
def test_a_clock_that_is_wrong_by_as_much_as_a_uart_bears_changes_nothing(form, skew):
    verdict = judge(heard(talk(True), 9600, form, skew=skew))
    assert (verdict.baud, verdict.form, verdict.lrc) == (9600, form, True)


@pytest.mark.parametrize("form", FORMATS, ids=str)
def test_listening_may_begin_in_the_middle_of_a_record(form):
    verdict = judge(heard(talk(True), 9600, form, from_s=0.0123))
    assert (verdict.baud, verdict.form, verdict.confidence) == (9600, form, Confidence.CERTAIN)


@pytest.mark.parametrize("form", FORMATS, ids=str)
def test_a_pms_that_nobody_answers_is_told_after_one_start(form):
    """LS, then ENQ after 3, 6 and 9 s: that is all there is to hear in 12 s."""
    pieces = [frame("LS|DA260314|TI101459|"), ENQ, ENQ, ENQ]
    verdict = judge(heard(pieces, 9600, form))
    assert (verdict.baud, verdict.form, verdict.lrc, verdict.ack) == (9600, form, True, True)
    assert verdict.confidence is Confidence.LIKELY
    assert verdict.is_found


@pytest.mark.parametrize(
    ("form", "fits"),
    [
        ("8n1", "9600 7e1"),
        ("7e1", "9600 7e1"),
        ("7o1", "single control"),
        ("8e1", "single control"),
    ],
)
def test_enquiries_alone_give_a_speed_and_ask_for_more(form, fits):
    forms = {str(each): each for each in FORMATS}
    verdict = judge(heard([ENQ, ENQ, ENQ], 9600, forms[form]))
    assert (verdict.baud, verdict.confidence) == (9600, Confidence.UNSURE)
    assert any(fits in sentence for sentence in verdict.evidence)
    assert any("listen longer" in sentence for sentence in verdict.evidence)
    asks = any("some say no more until answered" in sentence for sentence in verdict.evidence)
    assert asks == (fits == "single control")  # where the form is open, that comes first
    assert not verdict.is_found
    assert verdict.config_lines("/dev/ttyS0") == []


def test_national_characters_are_eight_bits_without_parity():
    pieces = [frame(f"GI|RN10{room}|GNMüller-Lüdenscheidt, Jörg|GSN|") for room in range(4)]
    verdict = judge(heard(pieces, 9600, Format(8, "N")))
    assert (verdict.form, verdict.lrc, verdict.confidence) == (
        Format(8, "N"),
        True,
        Confidence.CERTAIN,
    )


def test_a_driver_that_keeps_its_errors_to_itself_leaves_a_doubt():
    """A pty, a pl2303: eight clean bits may have a parity behind them that nobody tells."""
    for form in (Format(8, "N"), Format(8, "E")):
        samples = {baud: Sample(each.data) for baud, each in heard(talk(True), 9600, form).items()}
        verdict = judge(samples)
        assert (verdict.baud, verdict.confidence) == (9600, Confidence.LIKELY)
        assert any("8e1 and 8o1 would look the same" in each for each in verdict.evidence)
    samples = {baud: each.data for baud, each in heard(talk(True), 9600, Format(7, "E")).items()}
    assert judge(samples).confidence is Confidence.CERTAIN


@pytest.mark.parametrize("form", FORMATS, ids=str)
def test_a_driver_that_counts_and_does_not_mark_is_enough(form):
    for marks in (None, frozenset()):
        samples = {
            baud: Sample(each.data, marks, each.counted)
            for baud, each in heard(talk(True), 9600, form).items()
        }
        verdict = judge(samples)
        told = [f"9600 {verdict.form}", *verdict.evidence]  # even and odd may be as many
        assert any(f"9600 {form}" in each for each in told), verdict
        assert verdict.form == form or verdict.confidence is Confidence.UNSURE


def test_broken_bytes_make_it_less_sure_and_no_other():
    rng = random.Random(3)
    samples = heard(talk(True), 9600, Format(7, "E"))
    data = bytearray(samples[9600].data)
    for place in rng.sample(range(len(data)), len(data) // 40):
        data[place] ^= 1 << rng.randrange(8)
    samples[9600] = Sample(bytes(data), frozenset(), 0)
    verdict = judge(samples)
    assert (verdict.baud, verdict.form) == (9600, Format(7, "E"))
    samples[9600] += Sample(b"\x81\x90\x8f" * 12, frozenset(), 0)
    assert judge(samples).confidence is Confidence.LIKELY


@pytest.mark.parametrize("seed", range(3))
def test_noise_alone_is_no_line(seed):
    rng = random.Random(seed)
    samples = {baud: Sample(rng.randbytes(400), frozenset(), 0) for baud in BAUDS}
    verdict = judge(samples)
    assert (verdict.baud, verdict.confidence) == (None, Confidence.NONE)
    assert "at none of 6 speeds" in verdict.evidence[0]


def test_silence_is_not_a_verdict():
    verdict = judge({baud: Sample(b"", frozenset(), 0, 4.0) for baud in BAUDS})
    assert verdict.confidence is Confidence.NONE
    assert "not enough heard: no byte at any of 6 speeds in 24 s" in verdict.evidence[0]
    verdict = judge({9600: b"\xe0\xf8"})
    assert "not enough heard: 2 bytes" in verdict.evidence[0]


def test_a_dialect_that_we_speak_can_be_pasted_and_others_are_named():
    lines = [f"14/03 10:{minute} 0{minute} 101 00:01:20 004930123456\r\n".encode() for minute in range(10, 20)]  # fmt: skip
    verdict = judge(heard(lines, 1200, Format(7, "E")))
    assert (verdict.baud, verdict.form, verdict.dialect) == (1200, Format(7, "E"), Dialect.LINES)
    assert not verdict.is_found
    assert any("without STX" in each for each in verdict.evidence)
    frames = [b"\x05", b"\x02CHK1 101\x03", b"\x05", b"\x02STS1 101\x03", b"\x05", b"\x02CHK0 101\x03"] * 2  # fmt: skip
    verdict = judge(heard(frames, 2400, Format(8, "N")))
    assert (verdict.baud, verdict.form, verdict.dialect) == (2400, Format(8, "N"), Dialect.FRAMES)
    assert verdict.config_lines("/dev/ttyS0") == [
        "[pms]", 'line = "serial:/dev/ttyS0,2400,8n1"', 'protocol = "mitel"',
    ]  # fmt: skip
    frames = [b"\x05", b"\x02HELLO 101\x03"] * 6
    verdict = judge(heard(frames, 2400, Format(8, "N")))
    assert (verdict.dialect, verdict.config_lines("/dev/ttyS0")) == (Dialect.FRAMES, [])


@pytest.mark.parametrize(("right", "other", "lrc"), [(0, 0, None), (3, 0, True), (2, 5, True), (1, 3, None), (1, 20, False), (0, 1, False)])  # fmt: skip
def test_check_bytes_are_told_from_what_comes_behind_records_by_chance(right, other, lrc):
    data = frame("LS|DA260314|") * right + (frame("LS|DA260314|", lrc=False) + ENQ) * other
    assert judge({9600: Sample(data, frozenset(), 0)}).lrc is lrc


def test_the_verdict_can_be_pasted():
    verdict = judge(heard(talk(False), 4800, Format(7, "O")))
    assert verdict.config_lines("/dev/ttyUSB0") == [
        "[pms]",
        'line = "serial:/dev/ttyUSB0,4800,7o1"',
        "[fias]",
        "lrc = false",
        "ack = true",
    ]
    # One record at the very end: whether a check byte would have come was not heard.
    verdict = judge({9600: Sample(b"\x02LS|DA260314|TI101459|\x03", frozenset(), 0)})
    assert verdict.config_lines("/dev/ttyS1")[-2:] == [
        "# lrc: not heard; serial default: on",
        "# ack: not heard; serial default: on",
    ]


def test_records_without_a_single_question_are_a_line_without_answers():
    data = b"".join(frame(f"GI|RN10{room}|GNRossi|GSN|", lrc=False) for room in range(5))
    assert judge({9600: Sample(data, frozenset(), 0, 30.0)}).ack is False
    assert judge({9600: Sample(data, frozenset(), 0, 3.0)}).ack is None


def test_samples_of_several_visits_are_one():
    both = Sample(b"ab", frozenset({1}), 1, 2.0) + Sample(b"cd", frozenset({0}), 2, 3.0)
    assert both == Sample(b"abcd", frozenset({1, 2}), 3, 5.0)
    assert (Sample(b"a") + both).damaged is None


def test_a_known_byte_is_worth_staying_for():
    assert is_promising(Sample(b"\x05"))
    assert is_promising(Sample(b"\x85"))  # ENQ with odd parity
    assert not is_promising(Sample(b"\xfe"))  # ENQ at twice its speed
    assert not is_promising(Sample(b""))
