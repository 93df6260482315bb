"""Guests leave a capture; everything that a technician needs stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.fias.framing import frame_reader, write_frame
from protocols.fias.mask import mask, mask_body
from protocols.stream import Frame

NAMES = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=4, max_size=30)


@pytest.mark.parametrize(
    ("body", "masked"),
    [
        ("GI|RN101|G#4711|GNRossi-Bianchi|GFAnna|GSN|GD260320|", "GI|RN101|G#4711|GNXxxxx-Xxxxxxx|GFXxxx|GSN|GD260320|"),
        ("LR|RIGI|FLRNG#GNGSGAGD|", "LR|RIGI|FLRNG#GNGSGAGD|"),
        ("LS|DA260314|TI101500|", "LS|DA260314|TI101500|"),
        ("XT|RN101|MI7|MTCall your brother, 0171 5551234|", "XT|RN101|MI9|MTXxxx xxxx xxxxxxx, 9999 9999999|"),
        ("PS|RN101|DD0171555|DU000130|TA250|", "PS|RN101|DD9999999|DU999999|TA999|"),
        ("GI|RN101|GNMüller|", "GI|RN101|GNXéxxxx|"),
        ("GI|RN101|ZZRossi|A3Rossi|", "GI|RN101|ZZXxxxx|A3Xxxxx|"),
        ("GI|RNRossi Anna Maria GNX|", "GI|RNXxxxx Xxxx Xxxxx XXX|"),
        ("WR|RN101|DA260315|TI063000|", "WR|RN101|DA260315|TI063000|"),
        ("", ""),
        ("Rossi", "xxxxx"),
    ],
)  # fmt: skip
def test_fields_of_guests_are_masked_and_others_stay(body, masked):
    assert mask_body(body.encode("cp1252")) == masked.encode("cp1252")


@pytest.mark.parametrize(
    ("name", "masked"),
    [("Ødegård", "éxxxéxx"), ("山田", "アア"), ("Анна", "éééé"), ("a😀b", "x😀x")],
)
def test_names_in_utf_8_stay_utf_8_of_the_same_length(name, masked):
    assert mask_body(f"GI|GN{name}|".encode()) == f"GI|GN{masked}|".encode()


@given(st.text(min_size=1, max_size=20).filter(lambda t: not set(t) & set("|\x02\x03")), st.sampled_from(["cp1252", "utf-8", "shift_jis", "cp1251"]))  # fmt: skip
def test_a_masked_frame_is_as_long_and_as_right(name, charset):
    body = b"GI|RN101|GN" + name.encode(charset, "replace") + b"|GSN|"
    if set(body) & {2, 3, 5}:
        return
    frame = write_frame(body, lrc=True)
    masked = mask(frame, has_lrc=True)
    assert len(masked) == len(frame)
    reader = frame_reader(lrc=True, handshake=True)
    assert [type(item) for item in reader.receive(masked)] == [Frame]


@given(NAMES, st.integers(0, 255), st.integers(1, 400))
def test_damage_does_not_uncover_a_name(name, bad, place):
    """One byte anywhere becomes another, and the frame is cut anywhere: no four letters stay."""
    right = write_frame(b"GI|RN101|G#4711|GN" + name.encode() + b"|GSN|", lrc=True)
    frame = bytearray(right)
    frame[place % (len(frame) - 2) + 1] = bad
    cut = place % len(frame)
    pieces = [bytes(frame[:cut]), bytes(frame[cut:])]
    for piece in pieces + ([bytes(frame)] if frame != right else []):
        shown = mask(piece, has_lrc=True)
        assert len(shown) == len(piece)
        for start in range(len(name) - 3):
            part = name[start : start + 4]
            if set(part.lower()) != {"x"}:
                assert part.encode() not in shown


def test_a_wrong_check_byte_stays_wrong_by_the_same_bits():
    frame = write_frame(b"GI|RN101|GNRossi|", lrc=True)
    wrong = frame[:-1] + bytes([frame[-1] ^ 0x21])
    masked = mask(wrong, has_lrc=True)
    assert b"ossi" not in masked
    right = write_frame(masked[1:-2], lrc=True)
    assert masked[-1] ^ right[-1] == 0x21


@pytest.mark.parametrize("charset", ["cp1252", "cp1251", "utf-8"])
def test_a_damaged_frame_shows_no_letter_of_any_alphabet(charset):
    name = {"cp1251": "Анна", "cp1252": "Ødegård", "utf-8": "Ωmega"}[charset].encode(charset)
    frame = write_frame(b"GI|RN101|GN" + name + b"|", lrc=True)
    shown = mask(frame[:-1] + bytes([frame[-1] ^ 1]), has_lrc=True)
    assert set(shown[12 : 12 + len(name)]) <= set(b"x\xe9")


def test_answers_and_noise_stay():
    assert mask(b"\x06", has_lrc=True) == b"\x06"
    for noise in (b"\xf8\xff\x80\x00", b"\xfe\xf9\xf8\xfc\xff", b"\xf8\xf9\xf8\xf9"):
        assert mask(noise, has_lrc=True) == noise


def test_letters_with_a_parity_bit_keep_their_parity():
    """7E1 read as 8N1: the fingerprint of the line must survive, the name must not."""
    even = bytes(byte | (0x80 if byte.bit_count() % 2 else 0) for byte in b"\x02GI|GNRossi|\x03")
    masked = mask(even, has_lrc=False)
    assert all(byte.bit_count() % 2 == 0 for byte in masked)
    assert b"ossi" not in bytes(byte & 0x7F for byte in masked)
