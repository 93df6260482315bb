"""Short forms of the line's torture; the full figures come from `python -m tests.torture line`."""

import asyncio
import random
from contextlib import contextmanager

import pytest

from gateway.line import gate, tcp
from tests.torture import conversation, frames, link_machine, media, resync
from tests.torture.noise import Noise, framed, passing, xor_of


def all_kept(figures):
    broken = [str(figure) for figure in figures if not figure.ok]
    assert not broken, "\n".join(broken)


def test_the_judge_knows_a_frame_that_passes_from_one_that_does_not():
    """Vectors of the specification's own log, worked out by hand."""
    assert xor_of(b"12345") == 0x32
    assert xor_of(b"LS|DA260105|TI081500|") == 0x74
    good = b"\x02GO|RN101|G#4711|GSN|\x03\x1a"
    assert framed(b"GO|RN101|G#4711|GSN|") == good
    assert passing(good) == [b"GO|RN101|G#4711|GSN|"]
    assert passing(good.replace(b"101", b"102")) == []
    assert passing(good.replace(b"101", b"110")) == [b"GO|RN110|G#4711|GSN|"]  # as XOR has it


def test_the_noise_does_what_it_says():
    rng = random.Random(1)
    clean, bad = Noise(rng), Noise(rng, ber=1e-3, byte_rate=1e-3, lost_rate=0.01, twice_rate=0.01)
    frame = framed(b"GI|RN101|G#4711|GNRossi|GSN|")
    assert bytes(byte for byte, _ in clean.carry(frame)) == frame
    arrived = [bytes(byte for byte, _ in bad.carry(frame)) for _ in range(20_000)]
    whole = sum(each == frame for each in arrived) / 20_000
    survives = 0.98 * (1 - 8e-3 - 2e-3) ** len(frame)
    assert abs(whole - survives) < 0.02
    assert {len(each) for each in arrived} >= {0, len(frame) - 1, len(frame) + 1, 2 * len(frame)}


@pytest.mark.parametrize("seed", [1, 2])
def test_no_event_comes_from_a_frame_that_fails_its_check(seed):
    all_kept(frames.noisy_frames(0.01, seed))


def test_random_steps_break_nothing_and_every_state_is_cured():
    machine = link_machine.run_machine(8000, 1)
    assert machine.worst_back_s <= conversation.TWO_TIMEOUTS_S
    assert len(machine.walked) > 65


@pytest.mark.parametrize("seed", [1, 2])
def test_what_the_pms_got_acknowledged_is_in_the_outbox_once(seed):
    figures = conversation.conversations(0.016, seed)
    all_kept(figures)
    assert next(each for each in figures if "repeats" in each.what).value > 0


@contextmanager
def seconds_instead_of_minutes():
    """The kernel's patience with a dead peer, wound down; how it is set up stays the same."""
    kept = (tcp.KEEPALIVE_IDLE_S, tcp.KEEPALIVE_INTERVAL_S, tcp.KEEPALIVE_PROBES, gate.UNACKED_S)
    tcp.KEEPALIVE_IDLE_S, tcp.KEEPALIVE_INTERVAL_S, tcp.KEEPALIVE_PROBES = 1, 1, 1
    gate.UNACKED_S = 1.5
    try:
        yield
    finally:
        tcp.KEEPALIVE_IDLE_S, tcp.KEEPALIVE_INTERVAL_S, tcp.KEEPALIVE_PROBES, gate.UNACKED_S = kept


def test_a_peer_whose_power_is_cut_is_noticed(tmp_path):
    with seconds_instead_of_minutes():
        found = asyncio.run(media.half_open(tmp_path))
    all_kept(found)
    assert all(figure.value <= 8 for figure in found)


@pytest.mark.parametrize("kind", ["tcp", "listen", "pty"])
def test_many_losses_leak_nothing(tmp_path, kind):
    all_kept(asyncio.run(media.many_losses(tmp_path, kind, 15, random.Random(1))))


def test_only_the_newest_of_many_peers_keeps_a_line(tmp_path):
    all_kept(asyncio.run(media.replaced(tmp_path, 10)))


@pytest.mark.parametrize("kind", ["tcp", "pty"])
def test_a_line_is_back_soon_after_the_cure(tmp_path, kind):
    """Four seconds of an outage are enough to tell a pause that grows from one that does not."""
    assert asyncio.run(media.cure(tmp_path, kind, 4.0, times=3)) <= media.BACK_WITHIN_S


@pytest.mark.parametrize("kind", ["tcp", "pty"])
def test_a_peer_that_never_reads_is_given_up_and_costs_nothing(tmp_path, kind):
    all_kept(asyncio.run(media.deaf_peer(tmp_path, kind, 1.0)))


def test_the_right_speed_after_a_wrong_one_is_enough(tmp_path):
    all_kept(asyncio.run(media.wrong_baud(tmp_path, 0.5, random.Random(1))))


def test_a_resync_with_live_records_between_holds_nothing_up():
    all_kept(asyncio.run(resync._resyncs(1, 100, 2, serial=False)))
