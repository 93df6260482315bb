"""A store that must be whole at the end of each test, and files of the version before."""

import pytest

from gateway.store import Store
from tests.gateway.store.old_files import NEWEST_OLD, copied


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "outbox.db")
    yield store
    if store._db is not None:
        assert store.audit() == []
    store.close()


@pytest.fixture(params=[1, 2, 3])
def old(request, tmp_path):
    """A file of the version before."""
    return copied(tmp_path, request.param)


@pytest.fixture
def newest_old(tmp_path):
    return copied(tmp_path, NEWEST_OLD)
