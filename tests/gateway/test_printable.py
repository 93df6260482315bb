"""A name from the line on somebody's terminal."""

import pytest

from gateway.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [("Müller-Lüdenscheidt", "Müller-Lüdenscheidt"), ("", ""),
     ("Smith\r\n999 in", "Smith\\x0D\\x0A999 in"), ("\x1b]0;mine\x07", "\\x1B]0;mine\\x07"),
     ("\x9b2J", "\\x9B2J"), ("a\u202eb", "a\\x202Eb")],
)  # fmt: skip
def test_what_rules_a_terminal_is_written_as_its_number(text, shown):
    assert printable(text) == shown
