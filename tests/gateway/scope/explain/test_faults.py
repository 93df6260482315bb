"""Every known fault is found in its transcript, and not in the near miss beside it."""

import inspect
import re
from dataclasses import replace
from importlib import import_module

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.scope.explain import FAULTS
from gateway.scope.explain.examiner import Examiner, explain
from gateway.scope.explain.values import Confidence, Layer
from gateway.scope.profile import profile_of
from protocols.fias.framing import write_frame
from protocols.mitel.framing import write_text
from protocols.transcript import (
    Opened,
    Spoken,
    Waited,
    parse,
    show_bytes,
)
from tests.gateway.scope.explain.talk import DATA, SERIAL, SERIAL_LINE, TCP, codes, frame, steps_of

GUESTS = (
    *("Rossi", "Berger", "Müller", "Dvořák", "Ångström", "Åkesson", "Hara", "Zoë", "Jäger"),
    *("Köhler", "Angelo", "Núñez", "Åéüö", "Öäü"),
)
"""The invented names in the transcripts."""
HEALTHY = {
    "serial-dead-peer.line": ["pms-silent"],
    "serial-nak-four-times.line": ["every-frame-refused"],
    "tcp-alive-check.line": ["alive-check-unanswered"],
    "tcp-loop.line": ["wrong-role"],
    "tcp-silent-pms.line": ["pms-silent"],
}
"""The transcripts of the session that show a fault; all others show none."""
NEVER_YET = {
    "guest-without-number",  # a walk-in beside guests with numbers is no fault
    "start-unanswered",  # we have answered within the hour
}
"""What can only be said where it was never otherwise within the hour."""


@pytest.mark.parametrize("code", FAULTS)
def test_a_fault_is_found_and_told_first(code):
    found = explain(steps_of(f"{code}.line"))
    assert codes(found)[:1] == [code]
    assert found[0].layer is FAULTS[code].layer
    assert 1 <= len(found[0].evidence) <= 3
    assert found[0].count >= 1


@pytest.mark.parametrize("code", FAULTS)
def test_a_near_miss_is_not_taken_for_it(code):
    assert code not in codes(explain(steps_of(f"{code}.not.line")))


@pytest.mark.parametrize("code", FAULTS)
def test_a_fault_that_was_cured_an_hour_ago_is_gone(code):
    steps = steps_of(f"{code}.line")
    profile = profile_of(steps)
    examiner = Examiner(profile)
    for step in [*steps, *good_hour(profile)]:
        examiner.take(step)
    assert codes(examiner.findings()) == []


@pytest.mark.parametrize("code", sorted(set(FAULTS) - NEVER_YET))
def test_a_fault_that_begins_after_a_good_hour_is_found_at_once(code):
    steps = steps_of(f"{code}.line")
    profile = profile_of(steps)
    examiner = Examiner(profile)
    for step in [*good_hour(profile), *steps]:
        examiner.take(step)
    examiner.end()
    assert code in codes(examiner.findings())


def test_every_file_is_of_a_fault_and_says_that_it_is_invented():
    names = {f"{code}{end}" for code in FAULTS for end in (".line", ".not.line")}
    files = {path.name: path for path in (DATA / "faults").glob("*.line")}
    assert set(files) == names
    for path in files.values():
        first, second, *_ = path.read_text(encoding="utf-8").splitlines()
        assert first.startswith("# invented: ")
        assert second.startswith("line ")


@pytest.mark.parametrize("path", sorted((DATA / "lines").glob("*.line")), ids=lambda p: p.name)
def test_what_the_session_plays_shows_only_the_faults_it_is_about(path):
    profile = SERIAL if path.name.startswith("serial") else TCP
    found = explain(parse(path.read_text(encoding="utf-8")), profile)
    assert [each for each in codes(found) if each != "too-little-heard"] == HEALTHY.get(
        path.name, []
    )


@pytest.mark.parametrize("path", sorted(DATA.glob("*/*.line")), ids=lambda p: p.name)
def test_no_evidence_names_a_guest(path):
    text = path.read_text(encoding="utf-8")
    steps = [replace(each, at=None) for each in parse(text)]
    charset = (profile_of(steps) or TCP).charset
    for finding in explain(steps):
        for each in finding.evidence:
            assert not [name for name in spellings(charset) if name in each.text]
            assert len(parse(each.text, charset)) == 1  # it is in the notation


def spellings(charset):
    for name in GUESTS:
        for page in ("cp1252", "cp850", "utf-8"):
            yield show_bytes(name.encode(page, "replace"), charset)


@pytest.mark.parametrize(
    ("module", "layer"),
    [
        ("gateway.scope.explain.faults.cable", Layer.CABLE),
        ("gateway.scope.explain.faults.wiring", Layer.CABLE),
        ("gateway.scope.explain.faults.settings", Layer.SETTINGS),
        ("gateway.scope.explain.faults.frames", Layer.FRAMES),
        ("gateway.scope.explain.faults.answers", Layer.ANSWERS),
        ("gateway.scope.explain.faults.turns", Layer.ANSWERS),
        ("gateway.scope.explain.faults.link", Layer.LINK),
        ("gateway.scope.explain.faults.records", Layer.RECORDS),
        ("gateway.scope.explain.faults.ours", Layer.GATEWAY),
    ],
)
def test_each_file_of_rules_is_of_one_layer(module, layer):
    told = re.findall(r"Layer\.([A-Z]+)", inspect.getsource(import_module(module)))
    assert set(told) == {layer.name}


def test_the_speed_to_try_is_written_as_in_the_configuration():
    (found,) = explain(steps_of("speed-quarter.line"))
    assert 'pms.line = "serial:/dev/ttyUSB0,2400,8n1"' in found.do
    slow = [replace(SERIAL, line="serial:/dev/ttyS0,300,8n1").as_step()]
    (found,) = explain([*slow, *steps_of("speed-quarter.line")[1:]])
    assert "the baud in pms.line to that of the PMS" in found.do
    (found,) = explain(steps_of("seven-even.line"))
    assert 'pms.line = "serial:/dev/ttyUSB0,9600,7e1"' in found.do
    (found,) = explain(steps_of("no-check-byte.line"))
    assert "lrc = false" in found.do
    assert found.confidence is Confidence.CERTAIN


def good_hour(profile):
    """The link comes up and an hour and ten minutes of quiet work pass."""
    yield Opened()
    if profile.protocol == "mitel":
        for number in range(14):
            text = write_text(b"CHK1 %5d" % (101 + number))
            for from_pms, said in (
                (True, b"\x05"),
                (False, b"\x06"),
                (True, text),
                (False, b"\x06"),
            ):
                yield Spoken(from_pms, said)
            yield Waited(300)
        return
    talk = [
        (True, "LS|DA260314|TI101500|"), (False, "LD|DA260314|TI101500|V#1.0|IFPB|"),
        (False, "LR|RIGI|FLRNG#|"), (False, "LA|DA260314|TI101500|"),
        (True, "LA|DA260314|TI101501|"),
    ]  # fmt: skip
    for number in range(14):
        talk += [(True, f"GI|RN{101 + number}|G#{8000 + number}|GNRossi|GSN|"), None]
    for said in talk:
        if said is None:
            yield Waited(300)
            continue
        from_pms, body = said
        yield Spoken(from_pms, write_frame(body.encode(), lrc=profile.lrc))
        if profile.ack:
            yield Spoken(not from_pms, b"\x06")


# --- A wrong speed, bit by bit ---


def misread(sent, slower_by):
    """What a UART makes of bytes that come `slower_by` times slower than it reads: 8N1, sampled
    in the middle of each bit, a start bit is one that is still there in its middle."""
    bits = [bit for byte in sent for bit in (0, *(byte >> place & 1 for place in range(8)), 1)]
    length = 2 * slower_by  # of a sent bit, in half bits of the reader

    def level(at):
        return bits[int(at // length)] if at < len(bits) * length else 1

    read, at = bytearray(), 0
    while at < len(bits) * length:
        if level(at) or level(at + 1):
            at += 1
            continue
        read.append(sum(level(at + 3 + 2 * place) << place for place in range(8)))
        at += 19
        while not level(at):
            at += 1  # a framing error: the line must rest before the next start
    return bytes(read)


_SAYINGS = st.lists(
    st.integers(0, 235959).map(lambda at: f"LS|DA260314|TI{at:06}|".encode()),
    min_size=2,
    max_size=4,
)


@pytest.mark.parametrize(
    ("slower_by", "code"), [(2, "speed-half"), (4, "speed-quarter"), (0.5, "speed-double")]
)
@given(sayings=_SAYINGS)
@settings(deadline=None, max_examples=50)
def test_a_wrong_speed_is_known_by_what_a_uart_makes_of_it(slower_by, code, sayings):
    steps = [SERIAL.as_step(), Opened()]
    for body in sayings:
        for sent in (write_frame(body, lrc=True), b"\x05", b"\x05", b"\x05"):
            steps += [Spoken(True, misread(sent, slower_by)), Waited(3)]
    assert codes(explain(steps)) == [code]


def test_a_capture_that_begins_in_the_middle_of_a_well_link_shows_nothing():
    """What a service keeps of the last hour of a link that came up yesterday."""
    said = frame("GI|RN101|G#1|GNRossi|GSN|", SERIAL)
    lines = [SERIAL_LINE]
    for minute in range(40):
        lines += [f"10:{minute:02}:00 pms> {said}", f"10:{minute:02}:00.1 gw > <ACK>"]
        said = frame(f"GI|RN101|G#{minute}|GNRossi|GSN|", SERIAL)
    assert explain(parse("\n".join(lines))) == []


def test_both_sides_that_call_in_the_same_second_are_no_plug():
    start = b"LS|DA260314|TI1015%02d|"
    lines = [SERIAL_LINE, "open"]
    for second in (0, 20):
        call = show_bytes(write_frame(start % second, lrc=True))
        lines += [
            f"10:15:{second:02} gw > {call}", f"10:15:{second:02}.1 pms> {call}",
            f"10:15:{second:02}.2 gw > <ACK>", f"10:15:{second:02}.2 pms> <ACK>",
            f"10:15:{second + 1:02} gw > {show_bytes(write_frame(b'LD|IFPB|', lrc=True))}",
            f"10:15:{second + 1:02}.1 pms> <ACK>",
        ]  # fmt: skip
        for record in (b"LR|RIGI|FLRN|", b"LR|RIGO|FLRN|"):
            lines += [f"10:15:{second + 2:02} gw > {show_bytes(write_frame(record, lrc=True))}",
                      f"10:15:{second + 2:02}.1 pms> <ACK>"]  # fmt: skip
    assert "loopback" not in [finding.fault for finding in explain(parse("\n".join(lines)))]


def test_a_pms_without_check_bytes_that_calls_when_we_do_is_no_plug():
    lines = [SERIAL_LINE, "open"]
    for second in range(0, 50, 10):
        body = b"LS|DA260314|TI1015%02d|" % second
        lines.append(f"10:15:{second:02} gw > {show_bytes(write_frame(body, lrc=True))}")
        lines.append(f"10:15:{second:02}.1 pms> {show_bytes(write_frame(body, lrc=False))}")
        lines.append(f"10:15:{second + 2:02} gw > <NAK>")
    first = explain(parse("\n".join(lines)))[0]
    assert first.fault == "no-check-byte"


def test_a_clock_that_is_an_hour_off_is_so_after_the_line_has_closed():
    lines = [
        SERIAL_LINE, "open",
        f"10:15:00 gw > {show_bytes(write_frame(b'LS|DA260314|TI101500|', lrc=True))}",
        "10:15:00.1 pms> <ACK>",
        f"10:15:01 pms> {show_bytes(write_frame(b'LS|DA260314|TI091501|', lrc=True))}",
        "10:15:01.1 gw > <ACK>", "10:15:02 close",
    ]  # fmt: skip
    (clock,) = [each for each in explain(parse("\n".join(lines))) if each.fault == "pms-clock-off"]
    assert "1 h behind" in clock.words


def test_records_of_fields_on_a_line_of_messages_are_another_dialect_too():
    mitel = replace(TCP, protocol="mitel", ack=True)
    steps = [mitel.as_step(), Opened()]
    for body in (b"LS|DA260314|TI101500|", b"GI|RN101|G#1|GNRossi|"):
        steps += [Spoken(True, write_frame(body, lrc=False)), Spoken(False, b"\x15")]
    (found,) = explain(steps)
    assert found.fault == "other-dialect"
    assert found.words.startswith("This is fias, not mitel")


def test_a_pms_of_messages_that_says_nothing_is_silent():
    mitel = replace(SERIAL, protocol="mitel", lrc=False)
    steps = [mitel.as_step(), Opened(), *[Spoken(False, b"\x05"), Waited(3)] * 10]
    assert codes(explain(steps)) == ["pms-silent"]
