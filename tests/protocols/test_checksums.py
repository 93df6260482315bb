"""Check values, against what they are by definition."""

import random

import pytest

from protocols.checksums import lrc


@pytest.mark.parametrize("seed", range(3))
def test_the_check_byte_is_the_exclusive_or_of_all_bytes(seed):
    rng = random.Random(seed)
    for length in (*range(300), 511, 512, 513, 1023, 1024, 1025, 4097):
        data = rng.randbytes(length)
        by_hand = 0
        for byte in data:
            by_hand ^= byte
        assert lrc(data) == lrc(bytearray(data)) == by_hand
