"""Hotel days in virtual time with every fault mixed in: 200 short ones here, 10,000 by `make torture`."""

import pytest

from tests.torture.simulation import one

SHORT_HOURS = 6.0


@pytest.mark.timeout(300)
@pytest.mark.parametrize("first", range(1000, 1200, 10))
def test_no_promise_breaks_on_a_day_full_of_faults(first):
    for seed in range(first, first + 10):
        day = one(seed, SHORT_HOURS)
        assert day.wrong == [], (
            f"python -m tests.torture.simulation {seed} {SHORT_HOURS} tells the day"
        )


@pytest.mark.parametrize("seed", [3, 4])
def test_a_day_goes_the_same_way_each_time(seed):
    first, again = one(seed, 2.0), one(seed, 2.0)
    assert first.digest == again.digest
    assert first.records > 10
    assert one(seed + 2, 2.0).digest != first.digest
