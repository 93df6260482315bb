"""A conversation as transactions."""

import pytest

from gateway.scope.profile import LineProfile, profile_of
from gateway.scope.rows import Watcher, rows_of
from protocols.fias.framing import write_frame
from protocols.transcript import Settings, Spoken, parse, show_bytes

SERIAL = LineProfile("serial:/dev/ttyUSB0,9600,8n1")
TCP = LineProfile("tcp:10.0.0.5:5010", lrc=False, ack=False)


def frame(body, *, lrc=True):
    return show_bytes(write_frame(body.encode(), lrc=lrc))


def told(text, profile=SERIAL, **options):
    return [
        (row.kind, row.decoded.name if row.decoded else row.words, row.answer, row.latency_s)
        for row in rows_of(parse(text), profile, **options)
    ]


def test_a_frame_and_its_answer_are_one_row():
    text = f"10:00:00.000 pms> {frame('GI|RN101|GNRossi|')}\n10:00:00.250 gw > <ACK>\n"
    (row,) = rows_of(parse(text), SERIAL)
    assert (row.kind, row.from_pms, row.answer, row.latency_s) == ("record", True, "ack", 0.25)
    assert row.decoded.fields[1][2] == "Xxxxx"
    (row,) = rows_of(parse(text), SERIAL, names=True)
    assert row.decoded.fields[1][2] == "Rossi"
    assert b"Rossi" in row.data


def test_both_sides_may_wait_at_once():
    text = (
        f"10:00:00 pms> {frame('GI|RN101|')}\n10:00:00.1 gw > {frame('LA|')}\n"
        "10:00:00.2 pms> <ACK>\n10:00:00.4 gw > <NAK>\n"
    )
    assert told(text) == [
        ("record", "LA", "ack", pytest.approx(0.1)),
        ("record", "GI", "nak", pytest.approx(0.4)),
    ]


def test_enquiries_count_and_silence_is_told():
    text = f"10:00:00 pms> {frame('LA|')}\n10:00:03 pms> <ENQ>\n10:00:06 pms> <ENQ>\n"
    watcher = Watcher(SERIAL)
    steps = parse(text)
    assert [row for step in steps for row in watcher.take(step)] == []
    assert watcher.late(36_012.0) == []
    (row,) = watcher.late(36_013.0)
    assert (row.answer, row.enquiries, row.latency_s) == ("silence", 2, None)
    assert watcher.late(36_099.0) == []


def test_a_frame_again_before_an_answer_means_the_first_had_none():
    text = f"pms> {frame('LA|')}\npms> {frame('LA|')}\ngw > <ACK>\n"
    assert [row[2] for row in told(text)] == ["silence", "ack"]


def test_on_a_line_without_answers_nothing_is_waited_for():
    text = f"pms> {frame('GI|RN101|', lrc=False)}{frame('GO|RN101|', lrc=False)}\npms> <ACK>\n"
    assert told(text, TCP) == [
        ("record", "GI", "", None), ("record", "GO", "", None), ("control", "ACK", "", None)
    ]  # fmt: skip


def test_damage_keeps_its_bytes_and_names_its_kind():
    wrong = write_frame(b"GI|RN101|", lrc=True)[:-1] + b"\x00"
    text = f"pms> {show_bytes(wrong)}\ngw > <NAK>\npms> <F8><F9>\npms> {frame('LA|')}\ngw > <ACK>\n"
    rows = list(rows_of(parse(text), SERIAL))
    assert [(row.kind, row.decoded.name, row.answer) for row in rows] == [
        ("refused", "lrc", "nak"), ("refused", "garbage", ""), ("record", "LA", "ack")
    ]  # fmt: skip
    assert rows[1].data == b"\xf8\xf9"


def test_a_frame_in_pieces_is_one_row_and_a_long_pause_ends_it():
    whole = show_bytes(write_frame(b"LA|DA260314|", lrc=False))
    text = f"10:00:00 pms> {whole[:8]}\n10:00:01 pms> {whole[8:]}\n"
    assert [row[1] for row in told(text, TCP)] == ["LA"]
    text = f"10:00:00 pms> {whole[:8]}\n10:05:00 pms> {whole}\n"
    assert [row[1] for row in told(text, TCP)] == ["unfinished", "LA"]
    assert [row[1] for row in told(f"pms> {whole[:8]}\nclose\n", TCP)] == [
        "unfinished", "the line was lost"
    ]  # fmt: skip


def test_what_is_no_byte_has_words():
    text = (
        "open tcp:h:1\nmodem CTS+ DSR-\nerrors framing+2\n10:00:00 # pulled the plug\nclose gone\n"
    )
    assert [row[:2] for row in told(text, TCP)] == [
        ("open", "tcp:h:1"), ("modem", "CTS on DSR off"), ("errors", "the driver counted 2 framing"),
        ("remark", "pulled the plug"), ("close", "gone"),
    ]  # fmt: skip


def test_a_capture_says_how_it_is_to_be_read():
    steps = [TCP.as_step(), Spoken(True, write_frame(b"LA|", lrc=False))]
    assert profile_of(steps) == TCP
    assert [row.kind for row in rows_of(steps, SERIAL)] == ["settings", "record"]
    assert LineProfile.of_step(Settings("file")) == LineProfile("file")


def test_a_row_as_json_is_complete():
    (row,) = rows_of(parse(f"10:00:00 pms> {frame('GO|RN101|')}\n10:00:01 gw > <ACK>"), SERIAL)
    told = row.as_json("cp1252")
    assert (told["from"], told["name"], told["answer"], told["latency_s"]) == (
        "pms",
        "GO",
        "ack",
        1,
    )
    assert told["fields"] == [{"id": "RN", "meaning": "room number, exact string", "value": "101"}]
    assert told["hex"].startswith("02 47 4F 7C")
