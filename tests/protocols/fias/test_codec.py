"""Bytes to records under every code page; no byte sequence raises anything but RecordError."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import RecordError
from protocols.fias.codec import (
    CHARSETS,
    decode,
    decode_by_grammar,
    encode,
    encode_by_grammar,
    fields_of,
    known_charset,
)
from protocols.fias.fields import FIELDS
from protocols.fias.records import RECORDS, GuestIn, RoomEquipment

NAMES = {
    "cp1252": "Müller-Œuvré", "cp850": "Müller", "cp437": "Müller", "cp1250": "Żółć",
    "cp1251": "Иванов", "cp1253": "Παπάς", "cp1254": "Şahin", "cp1255": "כהן", "cp1256": "علي",
    "iso-8859-1": "Müller", "iso-8859-2": "Łukasz", "iso-8859-5": "Иванов", "iso-8859-7": "Παπάς",
    "iso-8859-9": "Şahin", "iso-8859-15": "Œuvre", "ascii": "Miller", "utf-8": "Łukasz 北京",
    "gbk": "北京", "big5": "許功蓋", "shift_jis": "表示ソ",
}  # fmt: skip


@pytest.mark.parametrize("charset", CHARSETS)
def test_names_survive_their_code_page(charset):
    guest = GuestIn(room="101", reservation="1", name=NAMES[charset], shared=False)
    assert decode(encode(guest, charset), charset) == guest


def test_a_bar_that_is_half_a_character_does_not_split():
    """In Big5 and Shift-JIS 0x7C may be a trail byte: 0xB37C and 0x837C are letters."""
    body = b"GI|RN101|GN" + b"\xb3\x7c" + b"|G#1|"
    record = decode(body, "big5")
    assert record.name == b"\xb3\x7c".decode("big5")
    assert record.reservation == "1"


@pytest.mark.parametrize(
    ("charset", "check"), [("cp1252", 0xFC), ("cp850", 0x81), ("iso-8859-1", 0xFC)]
)
def test_the_same_name_has_other_bytes_in_other_code_pages(charset, check):
    body = encode(GuestIn(room="12", name="Müller"), charset)
    assert body == b"GI|RN12|GNM" + bytes([check]) + b"ller|"


def test_bytes_outside_the_code_page_become_a_mark_and_nothing_is_lost():
    record = decode(b"GI|RN1|GN\x81\x8dX|G#5|", "cp1252")
    assert record.name == "\ufffd\ufffdX"
    assert record.reservation == "5"


def test_a_bar_or_control_character_in_a_value_becomes_a_blank():
    assert encode(GuestIn(room="1", name="A|B\x03C\r")) == b"GI|RN1|GNA B C |"


def test_a_character_outside_the_code_page_becomes_a_question_mark():
    assert encode(GuestIn(room="1", name="Łu")) == b"GI|RN1|GN?u|"


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"", "empty"), (b"\r\n", "empty"), (b"X", "grammar"), (b"GIRN1", "grammar")],
)
def test_a_body_that_is_no_record_is_refused_with_its_reason(body, reason):
    with pytest.raises(RecordError) as refused:
        decode(body)
    assert (refused.value.reason, refused.value.body) == (reason, body)


def test_a_two_kilobyte_name_is_a_name():
    assert len(decode(b"GI|RN1|GN" + b"x" * 2048 + b"|").name) == 2048


@given(st.binary(max_size=300), st.sampled_from(CHARSETS))
def test_any_bytes_give_a_record_or_a_record_error(body, charset):
    try:
        record = decode(body, charset)
    except RecordError as error:
        assert error.reason in ("empty", "grammar")
    else:
        assert encode(record, charset) == encode_by_grammar(record, charset)


PIECES = st.lists(
    st.one_of(
        st.sampled_from([record_id.encode() for record_id in (*RECORDS, "ZZ", "G", "")]),
        st.sampled_from([b"|" + field_id.encode() for field_id in (*FIELDS, "ZZ", "G", "")]),
        st.sampled_from([b"|RN101", b"|RO102", b"|GSY", b"|GSN", b"|MA7", b"|M#2", b"|GNA", b"|DA261120",
                         b"|DA269999", b"|TI0630", b"|CGx", b"|\xc3\xa4x", b"|\xe4\xf6x", b"|R\xc3", b"|\x83|",
                         b"\r\n", b"\xff", b"|"]),
        st.binary(max_size=4),
    ), max_size=14,
).map(b"".join)  # fmt: skip


@settings(max_examples=1000)
@given(PIECES | st.builds(lambda start, rest: start + rest, st.sampled_from(
    [b"GC", b"PL", b"PS", b"GI"]), PIECES), st.sampled_from(CHARSETS))  # fmt: skip
def test_the_short_way_says_what_the_grammar_says(body, charset):
    try:
        expected = decode_by_grammar(body, charset)
    except RecordError as error:
        with pytest.raises(RecordError) as refused:
            decode(body, charset)
        assert str(refused.value) == str(error)
    else:
        assert decode(body, charset) == expected


SAFE = st.text(
    st.characters(codec="cp1252", exclude_characters="|\x7f", min_codepoint=32), max_size=20
)


@given(room=SAFE, name=SAFE, shared=st.none() | st.booleans(), code=SAFE.map(lambda t: t[:1]))
def test_encode_then_decode_is_identity(room, name, shared, code):
    guest = GuestIn(room=room, name=name, shared=shared, class_of_service=code)
    assert decode(encode(guest)) == guest


def test_decoding_changes_nothing_for_the_next_record():
    assert decode(b"RE|RN1|CS3|DNY|") == RoomEquipment(
        room="1", class_of_service="3", do_not_disturb=True
    )
    assert decode(b"RE|RN1|") == RoomEquipment(room="1")


@pytest.mark.parametrize(
    ("spelling", "name"),
    [("CP1252", "cp1252"), ("latin-1", "iso-8859-1"), ("UTF8", "utf-8"), ("sjis", "shift_jis"),
     ("rot13", None), ("no such", None)],
)  # fmt: skip
def test_code_pages_are_known_by_every_spelling(spelling, name):
    assert known_charset(spelling) == name


def test_a_missing_last_bar_and_empty_fields_are_forgiven():
    assert decode(b"GI|RN1||G#5") == GuestIn(room="1", reservation="5")
    assert decode(b"LS").record_id == "LS"
    assert decode(b"GI|RN1|G#5|\r\n") == GuestIn(room="1", reservation="5")


def test_a_field_shorter_than_its_id_is_kept():
    assert decode(b"GI|RN1|X|").extra == (("X", ""),)


def test_a_second_field_inside_a_block_belongs_to_nobody_else():
    """PL repeats RN, G#, GN; its own payment method stands behind them."""
    record = decode(b"PL|P#7|RN1|G#5|GNA|GNB|RN2|G#6|GNC|PMROOM|")
    assert [(guest.room, guest.reservation, guest.name) for guest in record.guests] == [
        ("1", "5", "A"), ("2", "6", "C")
    ]  # fmt: skip
    assert record.extra == (("GN", "B"),)
    assert record.payment_method == "ROOM"


@pytest.mark.parametrize(
    ("charset", "letter"), [("big5", b"\xb3|"), ("gbk", b"\x81|"), ("shift_jis", b"\x83|")]
)
def test_a_bar_is_written_as_a_blank_and_half_a_character_as_it_is(charset, letter):
    body = encode(GuestIn(room="1", name=f"{letter.decode(charset)}|A"), charset)
    assert body == b"GI|RN1|GN" + letter + b" A|"
    assert decode(body, charset).name == f"{letter.decode(charset)} A"


def test_the_fields_of_a_body_stand_in_the_order_of_the_wire():
    assert fields_of(b"GI|RN1|GNM\xfcller|XY|") == [("RN", "1"), ("GN", "Müller"), ("XY", "")]
    with pytest.raises(RecordError, match=r"^grammar: no two-letter record id"):
        fields_of(b"X")
