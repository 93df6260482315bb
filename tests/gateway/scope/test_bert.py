"""Own bytes that come back, whole, damaged, shifted or not at all."""

import random

import pytest

from gateway.scope.bert import BitErrors, Echo, Pattern, judge_echo, judge_wire
from gateway.scope.bert import _most as most

ALL = bytes(range(256))


def count(sent, got, data_bits=8, cut=37):
    counted = BitErrors(data_bits)
    counted.sent(sent)
    for place in range(0, len(got), cut):
        counted.got(got[place : place + cut])
    counted.end()
    return counted


def test_the_pattern_has_its_length_and_its_balance():
    bits = "".join(f"{byte:08b}"[::-1] for byte in Pattern().take(2 * 32767 // 8 + 1))
    period = 2**15 - 1
    assert bits[: 2 * period - period] == bits[period : 2 * period]
    assert bits[:period].count("1") == 2**14
    assert max(Pattern(7).take(500)) < 128


def test_what_comes_back_whole_has_no_errors_and_an_upper_bound():
    data = Pattern().take(5000)
    counted = count(data, data)
    assert (counted.bits, counted.errors, counted.lost, counted.extra) == (40000, 0, 0, 0)
    assert counted.rate == 0
    assert counted.rate_below == pytest.approx(3.0 / 40000, rel=0.02)


@pytest.mark.parametrize(("errors", "exact"), [(0, 2.9957), (1, 4.7439), (5, 10.513), (50, 63.287)])
def test_the_bound_is_that_of_a_poisson_count(errors, exact):
    assert most(errors) == pytest.approx(exact, rel=0.02)


@pytest.mark.parametrize("data_bits", [7, 8])
def test_each_wrong_bit_is_counted(data_bits):
    rng = random.Random(1)
    data = Pattern(data_bits).take(3000)
    damaged = bytearray(data)
    for place in rng.sample(range(3000), 30):
        damaged[place] ^= 1 << rng.randrange(data_bits)
    counted = count(data, bytes(damaged), data_bits)
    assert (counted.errors, counted.lost, counted.extra) == (30, 0, 0)
    assert counted.bits == 3000 * data_bits


@pytest.mark.parametrize("length", [1, 3, 20, 64])
def test_lost_and_extra_bytes_are_counted_and_the_step_is_found_again(length):
    data = Pattern().take(3000)
    counted = count(data, data[:1000] + data[1000 + length :])
    assert (counted.errors, counted.lost, counted.extra, counted.slips) == (0, length, 0, 1)
    counted = count(data, data[:1000] + random.Random(2).randbytes(length) + data[1000:])
    assert (counted.lost, counted.extra) == (0, length)
    assert counted.errors == 0


def test_nothing_that_comes_back_is_lost_and_has_no_rate():
    counted = count(b"abc" * 100, b"")
    assert (counted.bits, counted.lost, counted.rate, counted.rate_below) == (0, 300, None, None)


@pytest.mark.parametrize(
    ("got", "echo"),
    [
        (ALL, Echo.WHOLE),
        (b"", Echo.NOTHING),
        (bytes(byte & 0x7F for byte in ALL), Echo.SEVEN_BITS),
        (ALL[:100] + b"\xff" + ALL[101:], Echo.DAMAGED),
        (ALL[:100] + ALL[102:], Echo.DAMAGED),
        (b"\x05\x02LS|DA260314|TI101459|\x03\x75\x05", Echo.FOREIGN),
        (random.Random(4).randbytes(256), Echo.FOREIGN),
    ],
)
def test_the_echo_says_what_the_cable_is(got, echo):
    assert judge_echo(ALL, got) is echo


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        ([(True, True), (False, False)], "joined"),
        ([(True, False), (False, False)], "open, CTS stays off"),
        ([(True, True), (False, True)], "stays on"),
        ([(True, False), (False, True)], "not with RTS"),
    ],
)
def test_a_handshake_wire_is_told_by_what_it_does(seen, words):
    assert words in judge_wire("RTS", "CTS", seen)
