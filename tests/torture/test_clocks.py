"""A sample of the clocks' torture."""

import pytest

from tests.torture.clocks import NIGHTS, play


def test_a_clock_that_jumps_loses_and_delays_nothing():
    assert play(2, jumps=80) == []


@pytest.mark.parametrize("night", NIGHTS)
def test_wake_ups_ring_at_the_right_wall_time(night):
    assert play(1, night=night) == []
