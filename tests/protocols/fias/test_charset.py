"""Code pages: what may be chosen, and that no byte of a name ever moves a field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.fias.charset import CHARSETS, known_charset
from protocols.fias.codec import decode, encode, fields_of
from protocols.fias.records import GuestIn

NAMES = {
    "cp1252": "Müller-Œuvré", "cp850": "Müller", "cp437": "Müller", "cp1250": "Żółć",
    "cp1251": "Иванов", "cp1253": "Παπάς", "cp1254": "Şahin", "cp1255": "כהן", "cp1256": "علي",
    "cp852": "Żółć", "cp866": "Иванов", "cp737": "Παπάς", "cp857": "Şahin", "cp862": "כהן",
    "cp874": "สมชาย", "koi8-r": "Иванов", "cp1257": "Šķēle", "cp775": "Šķēle", "cp949": "똠김",
    "iso-8859-1": "Müller", "iso-8859-2": "Łukasz", "iso-8859-5": "Иванов", "iso-8859-7": "Παπάς",
    "iso-8859-9": "Şahin", "iso-8859-15": "Œuvre", "ascii": "Miller", "utf-8": "Łukasz 北京",
    "gb18030": "北京䶮", "cp950": "許功蓋", "cp932": "表示ソ㈱", "euc-jp": "山田",
}  # fmt: skip


@pytest.mark.parametrize("charset", NAMES)
def test_names_survive_their_code_page(charset):
    guest = GuestIn(room="101", reservation="1", name=NAMES[charset], shared=False)
    assert decode(encode(guest, charset), charset) == guest


@pytest.mark.parametrize(
    ("spelling", "name"),
    [("CP1252", "cp1252"), ("latin-1", "iso-8859-1"), ("UTF8", "utf-8"), ("sjis", "cp932"),
     ("shift_jis", "cp932"), ("gbk", "gb18030"), ("GB2312", "gb18030"), ("big5", "cp950"),
     ("euc-kr", "cp949"), ("tis-620", "cp874"), ("koi8_r", "koi8-r"), ("mac-roman", "mac-roman"),
     # ASCII is not always ASCII in these, or they are no code pages at all
     ("utf-16", None), ("utf-7", None), ("iso2022_jp", None), ("iso2022_kr", None), ("hz", None),
     ("cp037", None), ("rot13", None), ("base64", None), ("no such", None), ("\0", None)],
)  # fmt: skip
def test_code_pages_are_known_by_every_spelling(spelling, name):
    assert known_charset(spelling) == name


@given(st.binary(max_size=12), st.sampled_from(CHARSETS))
def test_no_name_moves_the_field_behind_it(name, charset):
    """Whatever bytes: a known field id behind a bar is a field."""
    name = name.replace(b"|", b"")
    fields = fields_of(b"GI|RN101|GN" + name + b"|GSN|G#7|", charset)
    assert [field_id for field_id, _ in fields] == ["RN", "GN", "GS", "G#"]
    assert dict(fields)["RN"] == "101"
    assert dict(fields)["G#"] == "7"


@given(st.binary(max_size=60), st.sampled_from(CHARSETS))
def test_no_field_holds_a_control_byte(body, charset):
    for field_id, text in fields_of(b"GI|" + body + b"|", charset):
        assert not [char for char in field_id + text if char < " " or char == "\x7f"]


def test_a_name_of_two_byte_characters_leaves_the_bars_alone():
    """Typed from a site's capture: cp932, where the last byte of the name is no lead byte."""
    body = bytes.fromhex("47497c4723327c474e8e529363878a7c524e3130327c47534e7c")
    record = decode(body, "cp932")
    assert (record.room, record.reservation, record.name, record.shared) == (
        "102", "2", "山田㈱", False,
    )  # fmt: skip


def test_half_a_character_is_told_as_such_and_the_next_field_is_whole():
    record = decode(b"GI|RN1|GN\xc5\xb7\xd1\xf4\xc4\xc8\xc4|GSN|", "gb18030")
    assert (record.name, record.shared) == ("欧阳娜\ufffd", False)


@pytest.mark.parametrize(
    ("charset", "letter"), [("cp950", b"\xb3|"), ("gb18030", b"\x81|"), ("cp932", b"\x83|")]
)
def test_a_bar_that_is_half_a_character_stays_in_its_name(charset, letter):
    body = encode(GuestIn(room="1", name=f"{letter.decode(charset)}|A"), charset)
    assert body == b"GI|RN1|GN" + letter + b" A|"
    assert decode(body, charset).name == f"{letter.decode(charset)} A"


@pytest.mark.parametrize(
    ("body", "room", "reservation", "name"),
    [
        (b"GI|RN101\0|G#1|GNBerger|", "101", "1", "Berger"),
        (b"GI|RN1\x13\x1107|G#2\0\0|GNBerger\0old name|", "107", "2", "Berger"),
        (b"GI|RN101  |G#7 |GN Berger |", "101", "7", " Berger "),
    ],
)
def test_control_bytes_and_blanks_behind_a_number_mean_nothing(body, room, reservation, name):
    record = decode(body)
    assert (record.room, record.reservation, record.name) == (room, reservation, name)
