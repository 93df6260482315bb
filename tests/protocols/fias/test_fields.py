"""Field values: dates and times that are none raise ValueError, the century is settled."""

from datetime import date, datetime, time

import pytest

from protocols.fias.fields import CLOCK, DAY, DURATION, FLAG, IDS, LIST, NUMBER, century_of, moment


@pytest.mark.parametrize(
    ("codec", "text", "value"),
    [
        (DAY, "260105", date(2026, 1, 5)), (DAY, "280229", date(2028, 2, 29)),
        (DAY, "261231", date(2026, 12, 31)),
        (CLOCK, "235959", time(23, 59, 59)), (CLOCK, "0630", time(6, 30)),
        (FLAG, "Y", True), (FLAG, "n", False),
        (NUMBER, "-12", -12), (NUMBER, "007", 7),
        (NUMBER, "9" * 18, 10**18 - 1), (NUMBER, "-" + "9" * 18, 1 - 10**18),
        (DURATION, "000312", 192), (DURATION, "250000", 90000), (DURATION, "10203", 3723),
        (DURATION, "005959", 3599), (DURATION, "999990000", 99999 * 3600),
        (IDS, "RNG#", ("RN", "G#")), (IDS, "", ()),
        (LIST, "7034;7035", ("7034", "7035")), (LIST, "", ()),
    ],
)  # fmt: skip
def test_text_becomes_a_value(codec, text, value):
    assert codec.decode(text) == value


@pytest.mark.parametrize(
    ("codec", "text"),
    [
        (DAY, ""), (DAY, "260230"), (DAY, "2601"), (DAY, "26010a"), (DAY, "２６０１０５"), (DAY, "270229"),
        (CLOCK, "1252001"), (CLOCK, "240000"), (CLOCK, ""), (CLOCK, "12:00"),
        (FLAG, ""), (FLAG, "X"), (NUMBER, ""), (NUMBER, "1.5"), (NUMBER, "--1"), (NUMBER, "9" * 19),
        (NUMBER, "１"), (NUMBER, "-" + "9" * 19),
        (DURATION, "9960"), (DURATION, "006199"), (DURATION, "000060"), (DURATION, "006000"),
        (DURATION, "1000"), (DURATION, "1234500000"), (DURATION, "０００３１２"), (DURATION, "00031a"),
        (CLOCK, "２３５９"), (CLOCK, "23595a"), (CLOCK, "236000"), (CLOCK, "12000"), (IDS, "RNG"),
    ],
)  # fmt: skip
def test_text_that_is_no_value_raises(codec, text):
    with pytest.raises(ValueError, match=r".*"):
        codec.decode(text)


@pytest.mark.parametrize(
    ("year", "full"), [(26, 2026), (75, 2075), (76, 1976), (99, 1999), (0, 2000)]
)
def test_two_digit_years_mean_the_nearest_century(year, full):
    assert century_of(year) == full


def test_values_are_written_with_leading_zeros():
    assert DAY.encode(date(2026, 1, 5)) == "260105"
    assert CLOCK.encode(time(6, 3)) == "060300"
    assert DURATION.encode(90000) == "250000"
    assert DURATION.encode(3723) == "010203"
    assert FLAG.encode(True) + FLAG.encode(False) == "YN"
    assert LIST.encode(("7034", "7035")) == "7034;7035"


def test_a_moment_needs_both_its_date_and_its_time():
    day, at = date(2026, 1, 5), time(6, 30)
    assert moment(day, at) == datetime(2026, 1, 5, 6, 30)
    assert moment(day, None) is moment(None, at) is moment(None, None) is None
