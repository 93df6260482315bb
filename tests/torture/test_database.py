"""A sample of the torture of the database."""

from tests.torture.database import FAULTS, run


def test_what_was_confirmed_is_in_it_and_what_failed_is_in_it_whole_or_not_at_all():
    outcome = run(8 * len(FAULTS), seed=3)
    assert outcome.broken == []
    assert set(outcome.failed) == set(FAULTS)
    assert outcome.confirmed > 0
