"""A sample of the torture of the lane to the PMS."""

import asyncio

import pytest

from tests.torture.postings import run


@pytest.mark.timeout(240)
def test_kill_9_while_it_posts_loses_and_doubles_nothing():
    outcome = asyncio.run(run(12, seed=3))
    assert outcome.broken == []
    assert outcome.calls == 24
