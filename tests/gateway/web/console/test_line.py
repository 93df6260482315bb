"""The rows of the line, and what became of each record at the UCM."""

from datetime import UTC

import pytest

from gateway.house import Desired
from gateway.pipeline.step import RoomView
from gateway.scope.decode import decode_body
from gateway.scope.rows import Row
from gateway.store import JournalLine
from gateway.web.console import line
from gateway.web.words import Told
from protocols.fias import mask_body

BODY = "GI|RN101|G#1|GNMüller|"


def row(body=BODY, at=100.0, *, names=False, from_pms=True):
    raw = body.encode("cp1252")
    raw = raw if names else mask_body(raw)
    return Row(kind="record", at=at, from_pms=from_pms, decoded=decode_body(raw, "cp1252"))


def call(at=100.1, result="0", record=BODY, name="check_in"):
    return JournalLine(at=at, room="101", call=name, result=result, record=record)


def view(state, why="", record=BODY):
    return RoomView("101", state, Desired(), None, None, 100.0, 0, None, why, record)


def fates(rows, journal=(), views=(), *, names=False):
    followed = [line.followed(id_, each) for id_, each in enumerate(rows)]
    return line.fates(followed, journal, views, UTC, "cp1252", names=names)


def test_a_transaction_tells_its_answer():
    decoded = decode_body(b"GO|RN101|", "cp1252")
    told = line.line_row(
        Row(kind="record", at=3.25, from_pms=True, decoded=decoded, data=b"\x02GO|RN101|\x03"),
        UTC,
        "cp1252",
    )
    assert (told["time"], told["who"], told["tone"]) == ("00:00:03.250", "PMS", "pms")
    assert told["meaning"] == "101 is checked out"
    late = Row(kind="record", at=None, from_pms=False, decoded=decoded, answer="nak", latency_s=0.25,
               enquiries=2)  # fmt: skip
    told = line.line_row(late, UTC, "cp1252")
    assert (told["answered"], told["tone"], told["time"]) == ("NAK 250 ms after 2 ENQ", "bad", "")


@pytest.mark.parametrize("names", [True, False])
def test_a_record_is_found_by_its_text_masked_or_not(names):
    became = fates([row(names=names)], [call()], names=names)
    assert became == {0: Told("good", "checked in on the UCM 00:01:40")}


def test_the_same_record_said_twice_has_two_fates():
    became = fates([row(at=100.0), row(at=200.0)], [call(100.1, "18"), call(200.1)])
    assert (became[0].tone, became[1].tone) == ("bad", "good")


def test_the_last_try_of_a_call_counts():
    became = fates([row()], [call(100.1, "timeout"), call(130.0)])
    assert became == {0: Told("good", "checked in on the UCM 00:02:10")}


def test_several_calls_of_one_record_are_all_told():
    became = fates([row()], [call(), call(100.2, name="wake_up")])
    assert became[0].words.count("on the UCM") == 2


def test_who_waits_or_is_parked_says_so():
    assert fates([row()], [], [view("waiting")])[0] == Told("wait", "waiting")
    refused = fates([row()], [call(result="-9")], [view("waiting", "-9: could not")])[0]
    assert refused.tone == "wait"
    assert refused.words.endswith("waiting, tried again by itself")
    assert fates([row()], [call(result="18")], [view("parked", "18: no")])[0].tone == "bad"


def test_nothing_is_said_of_a_record_that_led_to_no_call():
    assert fates([row()], [call(record="GI|RN102|G#2|GNSato|")]) == {}
    assert line.followed(0, row("LA|DA260314|TI120000|")) is None
    assert line.followed(0, row(from_pms=False)) is None
    assert line.followed(0, Row(kind="close", at=1.0, words="lost")) is None


def test_only_news_is_told_to_an_open_page():
    old, new = {1: Told("wait", "waiting")}, {1: Told("good", "done"), 2: Told("wait", "waiting")}
    assert line.changed(old, new) == new
    assert line.changed(new, new) == {}
