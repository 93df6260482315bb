"""A sample of the torture of the pair."""

import asyncio

import pytest

from tests.postgres import needed
from tests.torture.failovers import HOWS, run


@pytest.mark.timeout(240)
def test_never_do_both_speak_and_nothing_is_lost_or_doubled():
    needed()
    outcome = asyncio.run(run(len(HOWS), seed=3))
    assert outcome.overlaps == []
    assert outcome.broken == []
    assert len(outcome.takeovers) == len(HOWS)
    assert outcome.postings.total() == outcome.calls == 2 * len(HOWS)
