"""Bytes to records under every code page; no byte sequence raises anything but RecordError."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import RecordError
from protocols.fias.charset import CHARSETS
from protocols.fias.codec import decode, encode, fields_of
from protocols.fias.fields import FIELDS
from protocols.fias.records import RECORDS, GuestIn, RoomEquipment


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
        assert encode(record, charset)[2:3] == b"|"


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
@given(PIECES, st.sampled_from(CHARSETS))
def test_every_field_of_a_body_is_in_its_record(body, charset):
    """As a value, as an odd one, or among what the record has no place for."""
    try:
        fields = fields_of(body, charset)
    except RecordError:
        with pytest.raises(RecordError):
            decode(body, charset)
        return
    record = decode(body, charset)
    kept = {*record.extra, *getattr(record, "odd", ())}
    said = Counter(field_id for field_id, text in fields if text)
    told = Counter(field_id for field_id, text in fields_of(encode(record, "utf-8"), "utf-8"))
    for field_id in said - told:
        assert any(field_id == each for each, _ in kept), field_id


SAFE = st.text(
    st.characters(codec="cp1252", exclude_characters="|\x7f", min_codepoint=32), max_size=20
)


KEYS = SAFE.map(lambda text: text.rstrip(" "))  # blanks behind a room's number mean nothing


@given(room=KEYS, name=SAFE, shared=st.none() | st.booleans(), code=SAFE.map(lambda t: t[:1]))
def test_encode_then_decode_is_identity(room, name, shared, code):
    guest = GuestIn(room=room, name=name, shared=shared, class_of_service=code)
    assert decode(encode(guest)) == guest


def test_decoding_changes_nothing_for_the_next_record():
    assert decode(b"RE|RN1|CS3|DNY|") == RoomEquipment(
        room="1", class_of_service="3", do_not_disturb=True
    )
    assert decode(b"RE|RN1|") == RoomEquipment(room="1")


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


def test_the_fields_of_a_body_stand_in_the_order_of_the_wire():
    assert fields_of(b"GI|RN1|GNM\xfcller|XY|") == [("RN", "1"), ("GN", "Müller"), ("XY", "")]
    with pytest.raises(RecordError, match=r"^grammar: no two-letter record id"):
        fields_of(b"X")
