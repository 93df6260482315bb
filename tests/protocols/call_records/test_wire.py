"""The columns of call records, byte for byte; what does not fit is said to be so."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.call_records.postings import costed_record_of, raw_record_of
from protocols.call_records.records import CostedCall, RawCall
from protocols.call_records.wire import read_costed, read_raw, write_costed, write_raw
from protocols.call_records.words import describe_costed, describe_raw, mask_costed, mask_raw
from protocols.errors import CannotBeSaid, RecordError
from protocols.postings import ArticlesTaken, CallCharge

AT = datetime(2026, 3, 14, 10, 15, 40)
SAMPLE = b"0001 HTL 03/01  7110 10:54 0002 $003.47 805-688-1000 L"
"""From a call accounting vendor's page."""
HOTEL = b" 08/02 14:12  00:00:24 402   9   14155550187                 T074               "
"""From a hotel with an SX-200, the number replaced."""


def call(**changes):
    plain = {"room": "101", "at": AT, "digits": "00331700000", "duration_s": 61, "amount": 250}
    return CallCharge(**(plain | changes))


def test_a_costed_record_has_its_columns():
    record = CostedCall(
        counter=17, room="7110", at=datetime(2026, 3, 1, 10, 54), minutes=2, amount=347,
        dialled="8056881000",
    )  # fmt: skip
    assert write_costed(record, "HTL") == SAMPLE.replace(b"0001", b"0017").replace(
        b"805-688-1000 L", b"8056881000    "
    )


def test_a_raw_record_has_its_columns():
    record = RawCall(room="402", at=datetime(2026, 8, 2, 14, 12), seconds=24, dialled="14155550187")
    expected = HOTEL.replace(b"9   14", b"    14").replace(b"T074", b"T001")
    assert (write_raw(record), len(expected)) == (expected, 80)


def test_the_records_of_others_are_read():
    assert read_costed(SAMPLE) == {
        "counter": "0001", "property": "HTL", "day": "03/01", "station": "7110", "at": "10:54",
        "minutes": "0002", "amount": "003.47", "dialled": "805-688-1000", "type": "L",
    }  # fmt: skip
    row = read_raw(HOTEL)
    assert (row["caller"], row["access"], row["dialled"], row["trunk"], row["duration"]) == (
        "402", "9", "14155550187", "T074", "00:00:24",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"amount": None}, "no_price"),
        ({"amount": 1_000_00}, "too_dear"),
        ({"room": "123456"}, "room_too_long"),
        ({"room": "10ä"}, "room_too_long"),
    ],
)
def test_what_the_columns_do_not_hold_is_said_to_be_so(changes, reason):
    with pytest.raises(CannotBeSaid, match=reason):
        costed_record_of(call(**changes), 1)


def test_the_largest_amount_and_the_longest_room_fit():
    record = costed_record_of(call(amount=999_99, room="12345"), 1)
    assert b" 12345 10:15 0002 $999.99 " in write_costed(record, "HTL")
    with pytest.raises(CannotBeSaid, match="room_too_long"):
        raw_record_of(call(room="12345"), 1)
    with pytest.raises(CannotBeSaid, match="no_word"):
        raw_record_of(ArticlesTaken(room="101", at=AT, articles=((1, 1),)), 1)


@pytest.mark.parametrize(("number", "counter"), [(1, 1), (9999, 9999), (10_000, 1), (20_001, 3)])
def test_the_counter_begins_anew_behind_four_digits(number, counter):
    assert costed_record_of(call(), number).counter == counter


@pytest.mark.parametrize(("seconds", "minutes"), [(1, 1), (60, 1), (61, 2), (3600, 60)])
def test_a_minute_that_was_begun_counts(seconds, minutes):
    assert costed_record_of(call(duration_s=seconds), 1).minutes == minutes


ROOMS = st.text("0123456789", min_size=1, max_size=4)
DIGITS = st.text("0123456789*#", max_size=30)


@given(ROOMS, DIGITS, st.integers(1, 90_000), st.integers(0, 999_99), st.integers(1, 10**8))
def test_whatever_is_written_is_read(room, digits, seconds, amount, number):
    said = call(room=room, digits=digits, duration_s=seconds, amount=amount)
    costed = write_costed(costed_record_of(said, number), "HTL")
    row = read_costed(costed)
    assert (len(costed), row["station"], row["dialled"]) == (54, room, digits[:12])
    assert row["amount"].replace(".", "") == f"{amount:05}"
    raw = write_raw(raw_record_of(said, number))
    assert (len(raw), read_raw(raw)["caller"], read_raw(raw)["dialled"]) == (80, room, digits[:26])


@given(st.binary(max_size=90))
def test_any_bytes_are_a_record_or_none(body):
    for read in (read_costed, read_raw):
        try:
            read(body)
        except RecordError as error:
            assert error.body == body


def test_what_a_guest_dialled_is_hidden_but_for_its_beginning():
    assert mask_costed(SAMPLE) == SAMPLE.replace(b"805-688-1000", b"805-xxx-xxxx")
    assert mask_raw(HOTEL) == HOTEL.replace(b"14155550187", b"1415xxxxxxx")
    assert describe_costed(SAMPLE)[1] == (
        "charge 0001: 7110 called 805-xxx-xxxx on 03/01 at 10:54, 2 min, $003.47"
    )
    assert "402 called 1415xxxxxxx on 08/02" in describe_raw(HOTEL)[1]
