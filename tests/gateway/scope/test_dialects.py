"""Captures of a dialect that explains itself: recognised, told in its words, and masked."""

import pytest

from gateway.scope.explain.examiner import explain
from gateway.scope.export import to_notation
from gateway.scope.profile import LineProfile, profile_of
from gateway.scope.rows import rows_of
from gateway.scope.sources import read
from gateway.tools.decode import decode_input
from protocols.transcript import Spoken

TALK = (
    (True, b"\x05"), (False, b"\x06"),
    (True, b"\x02CHK1   101\x03"), (False, b"\x06"),
    (True, b"\x05"), (False, b"\x06"),
    (True, b"\x02NAM1 Rossi,Anna            101\x03"), (False, b"\x06"),
    (False, b"\x05"), (True, b"\x06"),
    (False, b"\x02STS1 101  \x03"), (True, b"\x06"),
)  # fmt: skip
PROFILE = LineProfile("serial:/dev/ttyS0,9600,8n1", lrc=False, protocol="mitel")


def steps():
    return [
        PROFILE.as_step(0.0),
        *(Spoken(from_pms, data, at=0.1 * n) for n, (from_pms, data) in enumerate(TALK)),
    ]


def test_each_message_is_a_row_with_its_answer():
    rows = [row for row in rows_of(steps()) if row.kind == "record"]
    assert [(row.decoded.name, row.answer) for row in rows] == [
        ("CHK1", "ack"), ("NAM", "ack"), ("STS", "ack"),
    ]  # fmt: skip
    assert all(b"Rossi" not in row.data for row in rows)


def test_a_question_has_another_meaning_here():
    rows = [row for row in rows_of(steps(), controls=True) if row.kind == "control"]
    assert rows[0].decoded.meaning == "may I say something?"


def test_bytes_without_a_word_about_them_are_recognised():
    data = b"".join(data for _, data in TALK)
    assert read(data, "cp1252").profile.protocol == "mitel"
    told = [each for each in decode_input(data, "cp1252") if each.kind == "record"]
    assert next(each.meaning for each in told) == "somebody checks in to 101; the name follows"
    assert read(b"\x02GI|RN101|G#1|\x03" + data, "cp1252").profile.protocol == "fias"


def test_a_capture_says_what_is_spoken():
    assert profile_of(steps()) == PROFILE
    assert profile_of([LineProfile().as_step()]).protocol == "fias"


def test_nothing_of_the_other_dialect_is_wrong_with_it():
    assert [each.fault for each in explain(steps())] == []


@pytest.mark.parametrize("masked", [True, False])
def test_an_export_shows_no_guest_unless_asked(masked):
    text = to_notation(steps(), names=not masked)
    assert ("Rossi" in text) is not masked
    assert ("NAM1 Xxxxx,Xxxx" in text) is masked
    assert "CHK1   101" in text
