"""The clock of a capture."""

from gateway.scope.explain.sight import Clock


def test_a_clock_goes_by_moments_and_by_pauses_and_never_back():
    clock = Clock()
    assert clock.moment(0.0) is None
    clock.wait(3)
    assert clock.to(1000.0) == 3
    assert clock.to(1001.5) == 4.5
    assert clock.to(1001.0) == 4.5  # told in another order
    assert clock.to(1002.0) == 5
    assert clock.to(10.0) == 5  # set back
    assert clock.to(11.0) == 6
    assert clock.to(float("nan")) == 6
    assert clock.moment(5.0) == 10.0
