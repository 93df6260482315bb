"""The simulated PMS's cashier is as strict as a real one, or it would not find our faults."""

from datetime import date, time

import pytest

from gateway.simulators.cashier import NO_ANSWER, Cashier
from protocols.fias.records import Posting

STAMP = "DA260314|TI101500|"
CALL = {
    "room": "101", "posting_type": "T", "dialled": "110", "duration": 9, "posting_number": 1,
    "day": date(2026, 3, 14), "at": time(10),
}  # fmt: skip


def posting(**how):
    return Posting(**(CALL | how))


def test_it_books_and_answers_with_the_number():
    cashier = Cashier()
    assert cashier.take(posting(), STAMP, in_resync=False) == f"PA|RN101|ASOK|P#1|{STAMP}"
    assert (cashier.booked, cashier.complaints) == ([posting()], [])


@pytest.mark.parametrize(
    ("how", "complaint"),
    [
        ({"room": None}, "PS without RN"),
        ({"posting_number": None}, "PS without P#"),
        ({"posting_type": "C"}, "PS without TA"),
        ({"duration": None}, "PS without DD or DU"),
    ],
)
def test_it_complains_of_what_is_missing(how, complaint):
    cashier = Cashier()
    cashier.take(posting(**how), STAMP, in_resync=False)
    assert cashier.complaints == [complaint]


def test_it_complains_of_a_number_twice_of_a_resync_and_of_two_at_once():
    cashier = Cashier(answers=lambda _: NO_ANSWER)
    assert cashier.take(posting(), STAMP, in_resync=True) is None
    cashier.take(posting(), STAMP, in_resync=False)
    assert cashier.complaints == [
        "PS between DS and DE",
        "P# 1 twice",
        "PS 1 while the answer to 1 is owed",
    ]
    assert cashier.booked == []


def test_what_it_refuses_is_on_no_bill():
    cashier = Cashier(answers=lambda _: "NG")
    assert cashier.take(posting(), STAMP, in_resync=False) == f"PA|RN101|ASNG|P#1|{STAMP}"
    assert (cashier.booked, len(cashier.heard)) == ([], 1)
