"""Who holds a data directory, as others see it."""

import os

import pytest

from gateway.service.hold import Held, hold, holder_of

NOBODY = 65534


def test_one_holds_it_and_another_is_told_who(tmp_path):
    assert holder_of(tmp_path) == ""
    lock = hold(tmp_path)
    assert holder_of(tmp_path) == f"process {os.getpid()}"
    with pytest.raises(Held, match="stop it first"):
        hold(tmp_path)
    lock.close()
    assert holder_of(tmp_path) == ""


def test_who_may_not_look_is_not_told_that_nobody_runs(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0)
    was = os.geteuid()
    try:
        if was == 0:  # who may look everywhere
            os.seteuid(NOBODY)
        assert holder_of(folder)
    finally:
        os.seteuid(was)
        folder.chmod(0o700)
