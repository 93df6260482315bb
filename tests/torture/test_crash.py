"""A sample of the crash torture: once at each named point, and at a few random instants."""

import pytest

from tests.torture.crash import run
from tests.torture.crash_child import POINTS


@pytest.mark.timeout(240)
@pytest.mark.parametrize("is_serial", [False, True], ids=["tcp", "serial"])
def test_kill_9_at_each_point_loses_and_doubles_nothing(is_serial):
    site = run(3, is_serial=is_serial, random_kills=4, at_points=1)
    assert site.wrong == []
    assert site.kills == len(POINTS) + 4
    assert site.to_first_request_s
