"""A week of a small hotel: every night all rooms agree, and nothing grows."""

import asyncio

import pytest

from tests.torture.virtual import VirtualLoop
from tests.torture.year import live

ROOMS = tuple(str(room) for room in range(101, 131))


@pytest.mark.timeout(240)
def test_every_night_of_a_week_all_rooms_agree():
    year = live(7, 1, rooms=ROOMS)
    assert [night.wrong for night in year.nights] == [[]] * 7
    assert year.records > 1000
    assert year.nights[-1].descriptors <= year.nights[0].descriptors


def test_virtual_time_goes_on_after_half_a_year():
    """Seconds as a float have steps of 4e-9 by then: a deadline finer than that would never come."""
    loop = VirtualLoop()
    loop._jumping.passed = 2.0**25

    async def naps():
        for number in range(1000):
            await asyncio.sleep(number / 7)

    try:
        loop.run_until_complete(naps())
    finally:
        loop.close()
    assert loop._jumping.passed - 2.0**25 == pytest.approx(999 * 500 / 7, rel=1e-3)
