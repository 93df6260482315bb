"""A store that must be whole at the end of each test, and files of the version before."""

import pytest

from gateway.store import Store
from gateway.store.postgres import PostgresStore
from tests.gateway.store.old_files import NEWEST_OLD, copied


@pytest.fixture(params=["sqlite", "postgresql"])
def reopen(request, tmp_path):
    """Opens the store of this test, once more: on each engine."""
    if request.param == "sqlite":
        return lambda: Store(tmp_path / "outbox.db")
    cluster, schema = request.getfixturevalue("cluster"), request.getfixturevalue("schema")
    return lambda: Store(PostgresStore(cluster.url, schema))


@pytest.fixture
def store(reopen):
    """On each engine; it must be whole at the end."""
    store = reopen()
    yield store
    if store.engine._db is not None:
        assert store.audit() == []
    store.close()


@pytest.fixture
def file(tmp_path):
    """In a file."""
    store = Store(tmp_path / "outbox.db")
    yield store
    if store.engine._db is not None:
        assert store.audit() == []
    store.close()


@pytest.fixture(params=[1, 2, 3])
def old(request, tmp_path):
    """A file of the version before."""
    return copied(tmp_path, request.param)


@pytest.fixture
def newest_old(tmp_path):
    return copied(tmp_path, NEWEST_OLD)
