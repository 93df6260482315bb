"""The messages byte for byte, as hotels and handbooks have them, and what is none."""

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import RecordError
from protocols.mitel import wire
from protocols.mitel.codec import decode, encode
from protocols.mitel.records import (
    AreYouThere,
    CheckIn,
    CheckOut,
    Initialise,
    Lamp,
    MaidStatus,
    Name,
    Naming,
    Restriction,
    ResyncBegins,
    ResyncEnds,
    Unused,
    WakeUp,
)

TESTER = bytes.fromhex("4e414d3120544553542c4755455354") + b" " * 13 + b"101"
"""A capture of a tester: 31 bytes."""


@pytest.mark.parametrize(
    ("text", "record"),
    [
        (b"CHK1   101", CheckIn(room="101")),
        (b"CHK1 101  ", CheckIn(room="101")),
        (bytes.fromhex("43484b312020313031"), CheckIn(room="101")),  # nine bytes: a capture
        (b"CHK1101", CheckIn(room="101")),
        (b"\x00CHK0   101\x00", CheckOut(room="101")),
        (TESTER, Name(room="101", naming=Naming.ADD, name="TEST,GUEST")),
        (b"NAM2 Rossi, Anna           2129", Name(room="2129", naming=Naming.REPLACE, name="Rossi, Anna")),
        (b"NAM2 " + b"0" * 21 + b"  101", Name(room="101", naming=Naming.REPLACE, name="")),
        (b"NAM3 " + b" " * 21 + b"  101", Name(room="101", naming=Naming.DELETE, name="")),
        (b"NAM1 Rossi 101", Name(room="101", naming=Naming.ADD, name="Rossi")),
        (b"NAM1 Rossi-Bianchi Marco 101", Name(room="101", naming=Naming.ADD, name="Rossi-Bianchi Marco")),
        (b"NAM1 Schneider,Katharina 1204", Name(room="1204", naming=Naming.ADD, name="Schneider,Katharina")),
        (b"NAM1 de la Cruz 101", Name(room="101", naming=Naming.ADD, name="de la Cruz")),
        (b"MW 1 2129", Lamp(room="2129", is_on=True)),  # the vendor's own example
        (b"MW 0   101", Lamp(room="101", is_on=False)),
        (b"RST3   101", Restriction(room="101", level="3")),
        (b"WKP0630  101", WakeUp(room="101", at=time(6, 30))),
        (b"WKP      101", WakeUp(room="101", at=None)),
        (b"WKP9999  101", WakeUp(room="101", at=None)),
        (b"GRS       ", ResyncBegins()),
        (b"END       ", ResyncEnds()),
        (bytes.fromhex("41524559555448455245"), AreYouThere()),
        (b"LNGen101", Unused(function="LNG")),
        (b"DND1   101", Unused(function="DND")),
    ],
)  # fmt: skip
def test_a_message_is_read_with_its_blanks_on_either_side(text, record):
    assert decode(text) == record


def test_a_name_may_stand_behind_its_room():
    text = b"NAM1 101   Rossi, Anna"
    assert decode(text, room_first=True) == Name(room="101", naming=Naming.ADD, name="Rossi, Anna")


@pytest.mark.parametrize(
    "text",
    [b"", b"CHK3   101", b"CHK1", b"CHK1 1 01", b"RSTx   101", b"WKP2560  101", b"WKP06:0  101",
     b"NAM7 Rossi                  101", b"NAM1", b"MW 2   101", b"GI|RN101|", b"hello", b"\xff" * 10,
     b"CHK1 101|||", b"NAM1 101   ROSSI", b"CHK1 ROSSI"],
)  # fmt: skip
def test_what_is_no_message_is_an_error_that_says_what_to_do(text):
    with pytest.raises(RecordError, match="Lodgistix") as wrong:
        decode(text)
    assert (wrong.value.reason, wrong.value.body) == ("grammar", text)


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (MaidStatus(room="101", status="1"), b"STS1 101  "),  # blanks on the right: two hotels
        (MaidStatus(room="12345", status="8"), b"STS8 12345"),
        (Lamp(room="101", is_on=True), b"MW 1 101  "),
        (Initialise(), b"RQINZ     "),
    ],
)
def test_ours_as_they_stand_on_the_line(record, text):
    assert encode(record) == text


@given(room=st.from_regex(r"[0-9]{1,5}", fullmatch=True), is_on=st.booleans())
def test_a_lamp_is_read_back_as_it_was_said(room, is_on):
    lamp = Lamp(room=room, is_on=is_on)
    assert decode(encode(lamp)) == lamp


@given(st.binary(max_size=90), st.booleans())
def test_any_text_is_a_record_or_an_error(text, room_first):
    try:
        record = decode(text, room_first=room_first)
    except RecordError as error:
        assert error.body == text.replace(b"\x00", b"")
    else:
        assert record.record_id


@given(
    room=st.from_regex(rb"[0-9]{1,5}", fullmatch=True),
    name=st.from_regex(rb"[A-Z][A-Z,.' -]{0,18}[A-Z]", fullmatch=True),
    digit=st.sampled_from([b"1", b"2"]),
)
def test_each_layout_is_read_as_it_was_written(room, name, digit):
    named = {"naming": digit, "name": name, "room": room}
    for layout, row in (
        (wire.NAME, named),
        (wire.ROOM_FIRST, named),
        (wire.STATUS, {"function": b"CHK", "status": digit, "room": room}),
        (wire.LAMP, {"status": digit, "room": room}),
        (wire.WAKE_UP, {"at": b"0630", "room": room}),
    ):
        found = layout.parse(layout.build(row))
        assert {key: found[key] for key in row} == row
