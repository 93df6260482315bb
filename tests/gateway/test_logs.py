"""The log: one line an event, and never the reason for an end."""

import io
from pathlib import Path

import pytest

from gateway import logs
from gateway.logs import printable


def test_a_line_has_the_event_its_words_and_the_site():
    out = io.StringIO()
    logs.set_up(site="harbour", stream=out)
    logs.logger().info("link_up", line="tcp 10.0.0.5:5010", count=2)
    logs.logger().debug("not told at the default level")
    logs.set_up(quiet=True)
    (line,) = out.getvalue().splitlines()
    assert line.endswith('info    link_up line="tcp 10.0.0.5:5010" count=2 site=harbour')


def test_journald_gets_priorities_and_no_second_clock(monkeypatch):
    monkeypatch.setenv("JOURNAL_STREAM", "1:2")
    out = io.StringIO()
    logs.set_up(stream=out)
    logs.logger().error("parked", why="two\nlines")
    logs.set_up(quiet=True)
    assert out.getvalue() == '<3>parked why="two lines"\n'


def test_what_a_peer_says_rules_no_terminal():
    out = io.StringIO()
    logs.set_up(stream=out)
    logs.logger().info("guest_event", room="1\x1b[31m03")
    logs.set_up(quiet=True)
    assert "room=1\\x1B[31m03" in out.getvalue()


def test_a_full_disk_behind_the_log_ends_nothing():
    full = Path("/dev/full").open("w", encoding="utf-8")  # noqa: SIM115  # closing it fails too
    logs.set_up(stream=full)
    logs.logger().error("told_to_nobody")
    logs.set_up(quiet=True)
    with pytest.raises(OSError, match="No space left"):
        full.close()


@pytest.mark.parametrize(
    ("text", "shown"),
    [("Müller-Lüdenscheidt", "Müller-Lüdenscheidt"), ("", ""),
     ("Smith\r\n999 in", "Smith\\x0D\\x0A999 in"), ("\x1b]0;mine\x07", "\\x1B]0;mine\\x07"),
     ("\x9b2J", "\\x9B2J"), ("a\u202eb", "a\\x202Eb")],
)  # fmt: skip
def test_what_rules_a_terminal_is_written_as_its_number(text, shown):
    assert printable(text) == shown
