"""When what happened last on the PMS side."""

from gateway.pipeline.moments import Moments


def test_a_resync_begins_and_ends():
    at = Moments()
    at.look(3, is_running=False, at=1.0)
    assert (at.began_at, at.ended_at) == (None, None)
    at.look(4, is_running=True, at=2.0)
    at.look(4, is_running=True, at=3.0)
    assert (at.began_at, at.ended_at) == (2.0, None)
    at.look(4, is_running=False, at=5.0)
    assert (at.began_at, at.ended_at) == (2.0, 5.0)


def test_a_resync_that_came_whole_in_one_read():
    at = Moments()
    at.look(3, is_running=False, at=1.0)
    at.look(4, is_running=False, at=2.0)
    assert (at.began_at, at.ended_at) == (2.0, 2.0)


def test_a_resync_that_broke_off_has_not_ended():
    at = Moments()
    at.look(4, is_running=True, at=2.0)
    at.broke_off(3.0)
    at.look(4, is_running=False, at=4.0)
    assert (at.ended_at, at.broke_off_at) == (None, 3.0)
