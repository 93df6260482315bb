"""A message in hotel words, and without its guest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import RecordError
from protocols.mitel.words import describe, mask_text


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        (b"CHK1   101", "CHK1", "somebody checks in to 101; the name follows"),
        (b"CHK0   101", "CHK0", "101 is checked out"),
        (b"NAM1 Rossi                  101", "NAM", "101: its guest is named"),
        (b"NAM2 Rossi                  101", "NAM", "101: its guest has another name"),
        (b"NAM3                        101", "NAM", "101: no name any more"),
        (b"RST2   101", "RST", "101: class of service 2"),
        (b"MW 1   101", "MW", "101: message lamp on"),
        (b"WKP0630  101", "WKP", "wake-up for 101 at 06:30, the next time it is so late"),
        (b"WKP      101", "WKP", "no wake-up for 101 any more"),
        (b"GRS       ", "GRS", "resync begins: every room follows"),
        (b"END       ", "END", "resync ends: every room was told"),
        (b"AREYUTHERE", "AREYUTHERE", "are you there?"),
        (b"STS3 101  ", "STS", "101: maid status 3 (dirty)"),
        (b"RQINZ     ", "RQINZ", "the gateway asks for every room"),
        (b"DND1   101", "DND", "DND: acknowledged, and of no use to the phone system"),
    ],
)
def test_a_message_in_hotel_words(text, name, words):
    assert describe(text) == (name, words)


def test_a_name_is_masked_and_keeps_its_places():
    text = b"NAM1 Rossi, Anna M\xfcller      101"
    assert mask_text(text) == b"NAM1 Xxxxx, Xxxx Xxxxxx      101".replace(b"Xxxxxx", b"Xxxxxx")
    assert mask_text(b"CHK1   101") == b"CHK1   101"


@given(st.binary(max_size=60))
def test_no_letter_of_a_name_is_left(text):
    masked = mask_text(b"NAM1 " + text)
    assert len(masked) == len(text) + 5
    assert not set(masked[5:].replace(b"X", b"").replace(b"x", b"")) & set(
        b"abcdefghijklmnopqrstuvwyzABCDEFGHIJKLMNOPQRSTUVWYZ"
    )
    try:
        _, words = describe(b"NAM1 " + text)
    except RecordError:
        return
    assert "Rossi" not in words
