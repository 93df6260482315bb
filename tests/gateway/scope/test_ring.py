"""The last days of a line on disk."""

import os
import resource
import signal
from datetime import UTC

import pytest

from gateway.scope.profile import LineProfile
from gateway.scope.ring import MOST_UNWRITTEN, Ring
from protocols.transcript import Settings, Spoken, parse, parse_line

PROFILE = LineProfile("tcp:h:1", lrc=False, ack=False)
NOW = 1_773_479_700.0


def ring_in(folder, *, keep_bytes=1 << 20, keep_s=86_400.0):
    return Ring(folder / "captures", PROFILE, UTC, keep_bytes=keep_bytes, keep_s=keep_s)


def step(number):
    return Spoken(True, b"\x02WR|RN%d|\x03" % number, at=NOW + number)


def kept(ring, since=0.0):
    return list(ring.history(since).lines())


def test_what_was_said_is_there_written_or_not(tmp_path):
    ring = ring_in(tmp_path)
    ring.take(step(1))
    assert kept(ring) == ["2026-03-14T09:15:01.000+00:00 pms> <STX>WR|RN1|<ETX>"]
    assert ring.cut()
    assert len(kept(ring)) == 1  # on its way to the disk
    ring.write(NOW)
    ring.take(step(2))
    steps = [parse_line(line) for line in kept(ring)]
    assert steps == [PROFILE.as_step(), step(1), step(2)]
    assert not ring_in(tmp_path).cut()
    assert len(kept(ring_in(tmp_path))) == 2  # the next service finds it


def test_a_history_does_not_grow_while_it_is_read(tmp_path):
    ring = ring_in(tmp_path)
    ring.take(step(1))
    ring.cut()
    ring.write(NOW)
    past = ring.history(0)
    ring.take(step(2))
    ring.cut()
    ring.write(NOW)
    assert len(list(past.lines())) == 2
    assert len(kept(ring)) == 3


def test_it_is_for_the_owner_only(tmp_path):
    ring = ring_in(tmp_path)
    ring.take(step(1))
    ring.cut()
    ring.write(NOW)
    (path,) = (tmp_path / "captures").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_it_stays_within_its_size_and_each_file_can_be_read_alone(tmp_path):
    ring = ring_in(tmp_path, keep_bytes=20_000)
    for number in range(2000):
        ring.take(step(number))
        if number % 10 == 9:
            ring.cut()
            ring.write(NOW)
    files = sorted((tmp_path / "captures").iterdir())
    assert 2 <= len(files) <= 4
    assert sum(path.stat().st_size for path in files) <= 20_000
    for path in files:
        steps = parse(path.read_text())
        assert isinstance(steps[0], Settings)
        assert len(steps) > 10
    assert "RN1999|" in kept(ring)[-1]


def test_what_is_too_old_goes_and_so_does_the_file_in_use(tmp_path):
    ring = ring_in(tmp_path, keep_s=100)
    ring.take(step(1))
    ring.cut()
    ring.write(NOW)
    (path,) = (tmp_path / "captures").iterdir()
    os.utime(path, (NOW, NOW))
    ring.prune(NOW + 99)
    assert path.exists()
    ring.prune(NOW + 101)
    assert kept(ring) == []
    ring.take(step(2))
    ring.cut()
    ring.write(NOW + 102)
    assert len(kept(ring)) == 2


def test_files_that_were_not_written_since_are_left_out(tmp_path):
    ring = ring_in(tmp_path)
    ring.take(step(1))
    ring.cut()
    ring.write(NOW)
    (path,) = (tmp_path / "captures").iterdir()
    os.utime(path, (NOW, NOW))
    assert kept(ring, since=NOW + 1) == []
    assert len(kept(ring, since=NOW)) == 2


def test_half_a_write_is_none(tmp_path):
    ring = ring_in(tmp_path)
    ring.take(step(1))
    ring.cut()
    ring.write(NOW)
    (path,) = (tmp_path / "captures").iterdir()
    was = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20, was[1]))
    try:
        ring.take(step(2))
        ring.cut()
        with pytest.raises(OSError, match="too large"):
            ring.write(NOW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, was)
        signal.signal(signal.SIGXFSZ, ignored)
    ring.take(step(3))
    ring.cut()
    ring.write(NOW)
    assert "".join(kept(ring)) == path.read_text().replace("\n", "")
    assert len(kept(ring)) == 3  # the settings, the first and the third


def test_a_disk_that_takes_nothing_costs_the_capture_and_nothing_else(tmp_path):
    (tmp_path / "captures").write_text("a file where a folder should be")
    ring = ring_in(tmp_path)
    ring.take(step(1))
    ring.cut()
    with pytest.raises(OSError, match="captures"):
        ring.write(NOW)
    assert kept(ring) == []
    assert not ring.cut()
    long = Spoken(True, b"x" * 1000, at=NOW)
    taken = sum(ring.take(long) for _ in range(3000))
    assert taken * 1000 <= MOST_UNWRITTEN < 3_000_000
