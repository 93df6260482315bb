"""The desk of a small hotel."""

import pytest

from tests.gateway.house.desk import Desk


@pytest.fixture
def desk():
    return Desk()
