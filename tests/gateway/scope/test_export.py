"""Steps for others: what is written reads back, and guests are not in it."""

import struct
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.scope import export, json_lines, pcapng
from gateway.scope.profile import LineProfile
from protocols.fias.framing import write_frame
from protocols.transcript import (
    Closed,
    Counted,
    Modem,
    Opened,
    Remarked,
    Settings,
    Spoken,
    Waited,
    parse,
)

SERIAL = LineProfile("serial:/dev/ttyUSB0,9600,8n1")
AT = 1_773_479_700.125
FRAME = write_frame(b"GI|RN101|G#4711|GNRossi|GSN|", lrc=True)

moments = st.none() | st.integers(1, 4_000_000_000_000_000).map(lambda at: at / 1e6)
words = st.text(max_size=20)
keys = st.text("abcdefgh", min_size=1, max_size=8)
names = st.sampled_from(["CTS", "DSR", "DCD", "RI", "RTS", "DTR"])
spoken = st.builds(Spoken, st.booleans(), st.binary(max_size=40), at=moments)
steps = st.one_of(
    spoken,
    st.builds(Opened, words, at=moments),
    st.builds(Closed, words, at=moments),
    st.builds(Remarked, words, at=moments),
    st.builds(Waited, st.floats(0, 1e9), at=moments),
    st.builds(Modem, st.dictionaries(names, st.booleans()), at=moments),
    st.builds(Counted, st.dictionaries(keys, st.integers(0)), at=moments),
    st.builds(Settings, words, st.dictionaries(keys, words), at=moments),
)


@given(st.lists(steps))
def test_json_lines_lose_nothing(given_steps):
    written = export.to_json_lines(given_steps, names=True)
    assert list(json_lines.read(written)) == given_steps
    assert written.count("\n") == len(given_steps)


@given(st.lists(spoken))
def test_pcapng_keeps_bytes_sides_order_and_microseconds(given_steps):
    read, profile = pcapng.read(export.to_pcapng(given_steps, SERIAL, names=True))
    assert profile == SERIAL

    def seen(steps):
        return [
            (each.from_pms, each.data, None if each.at is None else round(each.at * 1e6))
            for each in steps
        ]

    assert seen(read) == seen(given_steps)


@given(st.lists(steps))
def test_pcapng_keeps_every_kind_of_step(given_steps):
    read, _ = pcapng.read(export.to_pcapng(given_steps, SERIAL, names=True))
    assert [type(each) for each in read] == [type(each) for each in given_steps]


PLAIN_STEPS = [
    SERIAL.as_step(AT),
    Opened("serial:/dev/ttyUSB0", at=AT),
    Modem({"CTS": True, "DSR": False, "RI": True}, at=AT + 0.5),
    Spoken(True, FRAME, at=AT + 1),
    Spoken(False, b"\x06", at=AT + 1.25),
    Waited(3),
    Counted({"framing": 2, "break": 1}, at=AT + 2),
    Remarked("open the rack: pulled the plug", at=AT + 3),
    Closed("lost", at=AT + 4),
]


def test_pcapng_and_notation_keep_what_happened():
    assert pcapng.read(export.to_pcapng(PLAIN_STEPS, names=True)) == (PLAIN_STEPS, SERIAL)
    for zone in ("UTC", "Asia/Kathmandu"):
        assert parse(export.to_notation(PLAIN_STEPS, ZoneInfo(zone), names=True)) == PLAIN_STEPS
    assert export.to_pcapng([]) == export.to_pcapng(iter([]))


def test_a_capture_of_the_other_byte_order_with_blocks_of_others():
    def block(kind, body):
        return struct.pack(">II", kind, len(body) + 12) + body + struct.pack(">I", len(body) + 12)

    def option(code, value):
        return struct.pack(">HH", code, len(value)) + value + b"\0" * (-len(value) % 4)

    data = struct.pack(">IIBBH", 1, 0, 4, 0x21, 0) + b"LS|"
    milliseconds = option(9, b"\x03") + option(0, b"")
    status = struct.pack(">IIBBH", 1, 0, 0, 0x21, 0)
    breaks = struct.pack(">IIBBH", 1, 0, 9, 0x21, 0)
    packets = [
        block(6, struct.pack(">IIIII", 1, 0, 1_500, len(each), len(each)) + each + b"\0" * (-len(each) % 4) + extra)
        for each, extra in ((data, option(1, b"cable out")), (status, b""), (breaks, b""), (b"", b""))
    ]  # fmt: skip
    written = (
        block(0x0A0D0D0A, struct.pack(">IHHq", 0x1A2B3C4D, 1, 0, -1))
        + block(1, struct.pack(">HHI", 1, 0, 0))  # Ethernet, passed over
        + block(1, struct.pack(">HHI", 250, 0, 0) + milliseconds)
        + block(5, b"statistics..")
        + b"".join(packets)
        + b"\0\0\0\6\0"
    )
    steps, profile = pcapng.read(written)
    assert profile is None
    assert steps == [
        Spoken(True, b"LS|", at=1.5), Remarked("cable out", at=1.5), Counted({"break": 1}, at=1.5)
    ]  # fmt: skip


@pytest.mark.parametrize("to", [export.to_notation, export.to_json_lines, export.to_pcapng])
def test_guests_are_masked_however_their_record_is_cut(to):
    for cut in range(1, len(FRAME)):
        cut_steps = [Spoken(True, FRAME[:cut]), Spoken(False, b"\x06"), Spoken(True, FRAME[cut:])]
        written = to(cut_steps, profile=SERIAL)
        masked = to(export.without_guests(cut_steps, SERIAL), profile=SERIAL, names=True)
        assert written == masked
    whole = to([Spoken(True, FRAME)], profile=SERIAL)
    assert ("Rossi" if isinstance(whole, str) else b"Rossi") not in whole
    named = to([Spoken(True, FRAME)], profile=SERIAL, names=True)
    assert ("Rossi" if isinstance(named, str) else b"Rossi") in named


@given(st.lists(spoken))
def test_masking_keeps_the_shape(given_steps):
    masked = export.without_guests(given_steps, SERIAL)
    assert [len(each.data) for each in masked] == [len(each.data) for each in given_steps]


def test_masking_begins_anew_with_the_line_and_with_its_settings():
    plain = write_frame(b"GI|GNRossi|", lrc=False)
    masked = export.without_guests(
        [Spoken(True, FRAME[:20]), Closed(), Opened(), Spoken(True, FRAME),
         Settings("tcp:a:1", {"lrc": "off"}), Spoken(True, plain + plain)],
        SERIAL,
    )  # fmt: skip
    assert b"RN101|G#4711|GNXxxxx|GSN|\x03" in masked[3].data
    assert masked[5].data == b"\x02GI|GNXxxxx|\x03" * 2
