"""A sample of the torture of calls."""

import asyncio

import pytest

from tests.torture.sessions import run


@pytest.mark.timeout(240)
def test_every_channel_of_a_trunk_is_posted_once_whatever_goes_wrong():
    outcome = asyncio.run(run(160, seed=2))
    assert outcome.broken == []
    assert outcome.legs > 80
