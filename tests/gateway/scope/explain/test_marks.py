"""A tally forgets what is an hour old."""

from functools import partial

from gateway.scope.explain.marks import BUCKETS, Mark, Tally
from gateway.scope.explain.values import Evidence


def test_a_tally_forgets_in_steps_and_keeps_the_latest_lines():
    tally = Tally(120.0)
    for second in range(0, 240, 10):
        tally.add(Mark.ECHO, second, show=partial(Evidence, second, str(second)))
    assert tally[Mark.ECHO] == BUCKETS
    assert [each.at for each in tally.evidence([Mark.ECHO])] == [210, 220, 230]
    tally.move(400.0)
    assert tally[Mark.ECHO] == 0
    assert tally.evidence([Mark.ECHO]) == ()
    tally.add(Mark.ECHO, 400.0, -3)
    assert tally[Mark.ECHO] == 0
