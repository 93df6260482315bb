"""Postings as FIAS records, byte by byte, and what the PMS is asked to take and to answer."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import RecordError
from protocols.facts import Verdict
from protocols.fias import CAN_SAY, LARGEST_NUMBER, decode, encode, normalize, record_of, wanted_for
from protocols.fias.profile import WANTED
from protocols.postings import (
    ARTICLES,
    CHARGE,
    ROOM_STATUS,
    VOICEMAIL,
    WAKE_UP_ORDER,
    WAKE_UP_RESULT,
    ArticlesTaken,
    CallCharge,
    Ending,
    MessagesWaiting,
    RoomStatusKeyed,
    WakeUpEnded,
    WakeUpKeyed,
)

CALL = CallCharge(
    room="101", at=datetime(2026, 1, 5, 14, 22, 33), digits="0049301234567", duration_s=3725
)


@pytest.mark.parametrize(
    ("posting", "body"),
    [
        (
            CALL,
            b"PS|RN101|PTT|DD0049301234567|DU010205|P#17|DA260105|TI142233|",
        ),
        (
            CallCharge(
                room="0204", at=CALL.at, digits="110", duration_s=59, amount=1250, outlet="10"
            ),
            b"PS|RN0204|PTC|TA1250|DD110|DU000059|SO10|P#17|DA260105|TI142233|",
        ),
    ],
)
def test_a_charge_as_it_stands_on_the_line(posting, body):
    assert encode(record_of(posting, 17)) == body


def test_the_digits_are_digits_and_no_longer_than_their_field():
    digits = "+49 (30) 12345678901234567890"
    posting = CallCharge(room="101", at=CALL.at, digits=digits, duration_s=1)
    assert record_of(posting, 1).dialled == "49301234567890123456"


@given(
    digits=st.text(max_size=40),
    duration_s=st.integers(0, 200_000),
    amount=st.none() | st.integers(0, 10**9),
    number=st.integers(1, LARGEST_NUMBER),
    at=st.datetimes(datetime(2000, 1, 1), datetime(2050, 1, 1)),
)
def test_whatever_is_charged_is_read_back_as_it_was_sent(digits, duration_s, amount, number, at):
    posting = CallCharge(
        room="101",
        at=at.replace(microsecond=0),
        digits=digits,
        duration_s=duration_s,
        amount=amount,
    )
    record = record_of(posting, number)
    assert decode(encode(record)) == record


@pytest.mark.parametrize(
    ("posting", "body"),
    [
        (RoomStatusKeyed(room="101", status="3"), b"RE|RN101|RS3|"),
        (RoomStatusKeyed(room="0204", status="2", maid="0017"), b"RE|RN0204|RS2|ID0017|"),
        (RoomStatusKeyed(room="1", status="1", maid="1" * 20), b"RE|RN1|RS1|ID1111111111111111|"),
        (MessagesWaiting(room="101", unread=2, read=0), b"RE|RN101|VM0200|"),
        (MessagesWaiting(room="101", unread=0, read=0), b"RE|RN101|VM0000|"),
        (MessagesWaiting(room="101", unread=123, read=7), b"RE|RN101|VM9907|"),
    ],
)
def test_what_has_no_answer_as_it_stands_on_the_line(posting, body):
    assert encode(record_of(posting, 0)) == body


@pytest.mark.parametrize(
    ("posting", "body"),
    [
        (
            ArticlesTaken(room="101", at=CALL.at, articles=((7, 2), (12, 1)), outlet="20"),
            b"PS|RN101|PTM|MA7|M#2|MA12|M#1|SO20|P#17|DA260105|TI142233|",
        ),
        (
            ArticlesTaken(room="101", at=CALL.at, articles=((7, 2),), amount=350),
            b"PS|RN101|PTC|TA350|P#17|DA260105|TI142233|",
        ),
    ],
)
def test_what_is_taken_from_a_minibar_as_it_stands_on_the_line(posting, body):
    assert encode(record_of(posting, 17)) == body


@pytest.mark.parametrize(
    ("ending", "answer"),
    [
        (Ending.ANSWERED, "OK"),
        (Ending.NO_ANSWER, "NR"),
        (Ending.BUSY, "BY"),
        (Ending.FAILED, "UR"),
    ],
)
def test_the_end_of_a_wake_up_has_the_moment_of_its_order_to_the_second(ending, answer):
    said = WakeUpEnded(room="101", at=datetime(2026, 1, 6, 6, 30, 17), ending=ending)
    assert encode(record_of(said, 0)) == f"WA|RN101|DA260106|TI063017|AS{answer}|".encode()


@pytest.mark.parametrize(("is_wanted", "word"), [(True, "WR"), (False, "WC")])
def test_a_wake_up_keyed_on_the_phone_is_ordered_or_cleared(is_wanted, word):
    said = WakeUpKeyed(room="101", at=datetime(2026, 1, 6, 6, 30), is_wanted=is_wanted)
    assert encode(record_of(said, 0)) == f"{word}|RN101|DA260106|TI063000|".encode()


def test_the_pms_is_asked_for_what_is_said_and_for_the_answer():
    everything = {CHARGE, ARTICLES, ROOM_STATUS, VOICEMAIL, WAKE_UP_RESULT, WAKE_UP_ORDER}
    assert frozenset(everything) == CAN_SAY
    assert wanted_for(frozenset()) == WANTED
    charges = wanted_for(frozenset({CHARGE}))
    assert [encode(each) for each in charges[len(WANTED) :]] == [
        b"LR|RIPS|FLRNPTTADDDUP#DATI|",
        b"LR|RIPA|FLRNP#ASCTDATI|",
    ]
    with_outlet = wanted_for(frozenset({CHARGE}), outlet=True)
    assert encode(with_outlet[-2]) == b"LR|RIPS|FLRNPTTADDDUSOP#DATI|"
    minibar = wanted_for(frozenset({ARTICLES, CHARGE}))
    assert encode(minibar[-2]) == b"LR|RIPS|FLRNPTTAMAM#DDDUP#DATI|"
    wake_ups = wanted_for(frozenset({WAKE_UP_RESULT, WAKE_UP_ORDER}))
    assert [encode(each) for each in wake_ups[len(WANTED) :]] == [b"LR|RIWA|FLRNDATIAS|"]
    both = wanted_for(frozenset({ROOM_STATUS, VOICEMAIL}))
    assert [encode(each) for each in both if each.wanted == "RE"] == [b"LR|RIRE|FLRNCSDNRSVMID|"]


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("OK", Verdict.BOOKED),
        ("RY", Verdict.AGAIN),
        ("NA", Verdict.NIGHT_AUDIT),
        *((each, Verdict.REFUSED) for each in ("NG", "NP", "DN", "IA", "FX", "CO", "UR", "ZZ")),
    ],
)
def test_an_answer_is_matched_by_its_number_and_means_one_of_four_things(answer, verdict):
    record = decode(f"PA|RN101|AS{answer}|P#17|CTno such guest|".encode())
    (fact,) = normalize(record)
    assert (fact.number, fact.answer, fact.verdict) == (17, answer, verdict)
    assert fact.text == "no such guest"
    assert ("no specification" in fact.meaning) == (answer == "ZZ")


def test_an_answer_without_a_verdict_is_no_booking():
    assert normalize(decode(b"PA|P#17|"))[0].verdict is Verdict.REFUSED


@pytest.mark.parametrize("body", [b"PA|RN101|ASOK|", b"PA|RN101|ASOK|P#|", b"PA|ASOK|P#1x|"])
def test_an_answer_without_a_number_answers_nothing(body):
    with pytest.raises(RecordError, match="P# must be in the LR of PS and of PA"):
        normalize(decode(body))
