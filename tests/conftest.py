"""Fixtures by noun, and the Hypothesis profiles. No logic."""

import itertools
import os

import pytest
from hypothesis import HealthCheck, Phase, settings

settings.register_profile("dev", max_examples=60, deadline=None)
settings.register_profile(
    "ci",
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("nightly", max_examples=2000, deadline=None)
settings.register_profile("more", max_examples=400, deadline=None, phases=[Phase.generate])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


@pytest.fixture(scope="session")
def cluster():
    """A PostgreSQL server for all tests of a process; each has schemas of its own in it."""
    from tests.postgres import Cluster  # not every test run has it

    cluster = Cluster()
    yield cluster
    cluster.remove()


_SCHEMAS = itertools.count(1)


@pytest.fixture
def schema():
    """A name that no other test of this process has."""
    return f"test_{next(_SCHEMAS)}"
