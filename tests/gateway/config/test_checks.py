"""What a value must be: it comes back as it is meant, or a sentence says what was expected."""

import pytest

from gateway.config import checks
from gateway.line import SerialSpec
from protocols.dialects import DIALECTS


@pytest.mark.parametrize(
    ("check", "text", "value"),
    [
        (checks.line, "serial:/dev/ttyS0,9600,8n1", SerialSpec("/dev/ttyS0", 9600, 8, "N", 1)),
        (checks.zone, "Europe/Lisbon", "Europe/Lisbon"),
        (checks.charset, "CP850", "cp850"),
        (checks.clock_time, "23:59", "23:59"),
        (checks.address, "[::1]:9843", "[::1]:9843"),
        (checks.dialect, "mitel", "mitel"),
        (checks.charges_dialect, "hobic", "hobic"),
    ],
)
def test_a_right_value_comes_back(check, text, value):
    assert check(text) == value


@pytest.mark.parametrize(
    ("check", "text", "expected"),
    [
        (checks.printable, "a\nb", "printable"),
        (checks.zone, "Europe/Lisbn", "did you mean Europe/Lisbon"),
        (checks.zone, "/" * 5000, "no time zone"),
        (checks.charset, "utf-16", "code page"),
        (checks.clock_time, "24:00", "HH:MM"),
        (checks.address, "host:70000", "HOST:PORT"),
        (checks.url, "https://host:0/api", "https://HOST"),
        (checks.dialect, "hobic", "expected one of fias, mitel"),
        (checks.charges_dialect, "mitel", "expected one of fias, holidex, hobic, smdr"),
    ],
)
def test_a_wrong_one_says_what_was_expected(check, text, expected):
    with pytest.raises(ValueError, match=expected):
        check(text)


def test_every_dialect_is_for_guests_or_for_charges():
    for name in DIALECTS:
        found = []
        for check in (checks.dialect, checks.charges_dialect):
            try:
                found.append(check(name))
            except ValueError:
                pass
        assert found, name
