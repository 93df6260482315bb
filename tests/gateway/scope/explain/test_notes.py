"""What is noted of bytes, frames, the link and records."""

from dataclasses import replace

import pytest

from gateway.scope.explain.examiner import WITHIN_S
from gateway.scope.explain.marks import Mark, Tally
from gateway.scope.explain.notes.frames import note_frames
from gateway.scope.explain.notes.line import note_line
from gateway.scope.explain.notes.link import CLOCK_OFF_S, note_late, note_link
from gateway.scope.explain.notes.records import note_record
from gateway.scope.explain.notes.turns import note_turn
from gateway.scope.explain.sight import Sight
from gateway.scope.explain.table import look_all
from gateway.scope.rows import rows_of
from protocols.fias import decode
from protocols.fias.framing import write_frame
from protocols.transcript import (
    parse,
    show_bytes,
)
from tests.gateway.scope.explain.talk import SERIAL, TCP, frame


def sight_of(text, profile=SERIAL, note=None):
    """The sight after these lines, with one floor of notes only."""
    sight = Sight(profile, Tally(WITHIN_S))
    for step in parse(text):
        note_line(sight, step)
    for row in rows_of(parse(text), profile, names=True):
        if row.from_pms is not None and note is not None:
            note(sight, row)
    return sight


def with_record(note):
    def call(sight, row):
        note(sight, row, decode(row.data[1 : -1 - sight.profile.lrc], sight.profile.charset))

    return call


def test_notes_on_the_line_count_bytes_by_their_shape():
    sight = sight_of("pms> <FE>A<82><NUL>f")
    assert [sight[mark] for mark in (Mark.BYTES, Mark.HIGH_BYTES, Mark.TEXT_BYTES)] == [5, 2, 2]
    assert [sight[mark] for mark in (Mark.SKIPPED_BYTES, Mark.NUL_BYTES)] == [1, 1]
    assert sight[Mark.PAIRED_BYTES] == 3  # FE, 00 and 66


@pytest.mark.parametrize(
    ("turned", "mark"),
    [
        (0x03, Mark.CHECK_WITHOUT_ETX), (0x02, Mark.CHECK_WITH_STX), (0x01, Mark.CHECK_SHIFTED),
        (0xFF, Mark.CHECK_INVERTED), (0x40, Mark.CHECK_WRONG),
    ],
)  # fmt: skip
def test_notes_on_frames_say_how_a_check_byte_is_wrong(turned, mark):
    data = bytearray(write_frame(b"GI|RN101|", lrc=True))
    data[-1] ^= turned
    sight = sight_of(f"pms> {show_bytes(bytes(data))}\nclose", note=note_frames)
    assert (sight[mark], sight[Mark.BAD_CHECK], sight[Mark.GOOD]) == (1, 1, 0)


def test_a_good_frame_clears_what_spoke_against_the_settings():
    sight = sight_of(f"pms> <FE><FE>{frame('LA|', SERIAL)}\nclose", note=note_frames)
    assert (sight[Mark.BYTES], sight[Mark.SKIPPED_BYTES], sight[Mark.GOOD]) == (0, 0, 1)


def test_notes_on_the_link_compare_clocks_and_lose_patience():
    ours, theirs = frame("LS|DA260314|TI101500|", TCP), frame("LS|DA260314|TI131500|", TCP)
    sight = sight_of(f"gw > {ours}\npms> {theirs}", TCP, with_record(note_link))
    assert sight.link.clock_off_s == 3 * 3600 > CLOCK_OFF_S
    (found,) = [each for each in look_all(sight) if each.fault == "pms-clock-off"]
    assert "3 h ahead of ours" in found.words
    sight.link.resync_at = sight.now
    sight.clock.wait(10_000)
    note_late(sight)
    assert sight[Mark.RESYNC_UNENDED] == 1


def test_notes_on_records_guess_the_code_page_of_names():
    body = b"GI|RN1|G#1|GN%b|"
    for name, mark in ((b"M\xc3\xbcller", Mark.NAME_UTF8), (b"M\x81ller", Mark.NAME_DOS)):
        text = f"pms> {show_bytes(write_frame(body % name, lrc=False))}"
        assert sight_of(text, TCP, with_record(note_record))[mark] == 1
    text = f"pms> {show_bytes(write_frame(body % 'Müller'.encode('cp1252'), lrc=False))}"
    for charset, marks in (("cp1252", 0), ("utf-8", 1), ("cp850", 1), ("shift_jis", 0)):
        sight = sight_of(text, replace(TCP, charset=charset), with_record(note_record))
        assert sight[Mark.NAME_WINDOWS] == marks


@pytest.mark.parametrize(
    ("before", "marks"),
    [("pms> <ENQ>\ngw > <ACK>\nnow+ 1\n", (1, 0)), ("", (0, 1))],
)
def test_who_speaks_without_asking_for_a_turn_is_noted(before, marks):
    mitel = replace(SERIAL, protocol="mitel", lrc=False)
    sight = sight_of(f"{before}pms> <STX>CHK1   101<ETX>\nclose", mitel, note_turn)
    assert (sight[Mark.PMS_ENQ], sight[Mark.UNASKED]) == marks
