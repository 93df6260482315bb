"""What `line decode` reads: anything of a line, however long its lines are."""

from gateway.scope import export
from gateway.tools.decode import as_text, decode_input
from protocols.fias.framing import write_frame
from protocols.transcript import Opened, Spoken

AT = 1_773_479_700.125
FRAME = write_frame(b"GI|RN101|GNRossi|", lrc=True)


def test_a_line_of_a_capture_is_decoded_whatever_stands_before_it():
    (control, record) = decode_input(b"10:15:00 pms> <ENQ><STX>LS|<ETX>", "cp1252", lrc=False)
    assert (control.kind, record.name) == ("control", "LS")


def test_a_long_word_costs_no_more_than_reading_it():
    """Were it its square, the suite's patience with a test would not be enough."""
    (refused,) = decode_input(b"1" * 1_000_000 + b" " * 1_000_000, "cp1252")
    assert (refused.kind, refused.name) == ("refused", "unreadable")
    assert decode_input(b" \n", "cp1252") == []


def test_answers_directions_and_moments_are_told_where_they_are_known():
    steps = [
        Opened(at=AT),
        Spoken(True, FRAME, at=AT),
        Spoken(True, b"\x05", at=AT + 3),
        Spoken(False, b"\x06", at=AT + 3.25),
    ]
    found = decode_input(export.to_pcapng(steps, names=True), "cp1252")
    assert [each.name for each in found] == ["GI", "ENQ", "ACK"]
    told = found[0].as_json()
    assert told | {"meaning": "", "fields": []} == {
        "kind": "record", "name": "GI", "meaning": "", "fields": [], "raw": "GI|RN101|GNRossi|",
        "at": AT, "from": "pms", "answer": "ack", "latency_s": 3.25, "enquiries": 1,
    }  # fmt: skip
    assert told["fields"][1]["value"] == "Rossi"
    lines = list(as_text(found))
    assert lines[0].endswith("(pms, 09:15:00.125 UTC, asked 1 times, ack after 3.250 s)")
    assert lines[3] == "ENQ      what was your last answer?  (pms, 09:15:03.125 UTC)"


def test_the_order_is_that_of_the_line_and_not_of_the_answers():
    text = f"pms> {_shown('GI|RN1|')}\ngw > {_shown('LA|')}\npms> <ACK>\ngw > <NAK>\n"
    found = decode_input(text.encode(), "cp1252")
    assert [(each.name, each.answer) for each in found] == [
        ("GI", "nak"), ("LA", "ack"), ("ACK", ""), ("NAK", "")
    ]  # fmt: skip


def _shown(body):
    return f"<STX>{body}<ETX><{write_frame(body.encode(), lrc=True)[-1]:02X}>"


def test_where_nobody_knows_who_spoke_no_answer_is_told():
    (record, control) = decode_input(FRAME + b"\x06", "cp1252")
    assert (record.name, record.answer, record.speaker) == ("GI", "", "")
    assert control.as_json()["from"] is None


def test_what_cannot_be_read_of_a_paste_is_refused_by_its_line():
    found = decode_input(b"<STX>LS|<ETX>\n<XYZ>|\nhello\n", "cp1252")
    assert [(each.name, each.meaning.split(":")[0]) for each in found] == [
        ("LS", "the link starts"), ("notation", "line 2"), ("notation", "line 3")
    ]  # fmt: skip


def test_what_a_name_holds_rules_no_terminal():
    found = decode_input(write_frame(b"GI|RN101|GNRos\x1b]0;si|", lrc=False), "cp1252", lrc=False)
    lines = "".join(as_text(found))
    assert "Ros]0;si" in lines
    assert "\x1b" not in lines
