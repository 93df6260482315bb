"""A hotel of which all rooms are out."""

import pytest

from tests.gateway.pipeline.stories import all_out


@pytest.fixture
def site(tmp_path):
    site = all_out(tmp_path)
    yield site
    site.store.store.close()
