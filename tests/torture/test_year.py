"""A week of a small hotel: every night all rooms agree, and nothing grows."""

import pytest

from tests.torture.year import live

ROOMS = tuple(str(room) for room in range(101, 131))


@pytest.mark.timeout(240)
def test_every_night_of_a_week_all_rooms_agree():
    year = live(7, 1, rooms=ROOMS)
    assert [night.wrong for night in year.nights] == [[]] * 7
    assert year.records > 1000
    assert year.nights[-1].descriptors <= year.nights[0].descriptors
