"""What `doctor` makes of a disk; the rest of it is told by the stories."""

import pytest

from gateway.tools.doctor import _disk, _sync_words


@pytest.mark.parametrize(
    ("ms", "warning"), [(0.001, "too short to be true"), (0.3, ""), (40, ""), (501, "so slow")]
)
def test_the_time_of_a_sync_says_what_the_disk_is_worth(ms, warning):
    words = _sync_words(ms)
    assert f"{ms:.2f} ms" in words
    assert ("WARNING" in words) == bool(warning)
    assert warning in words


def test_a_disk_is_tried_and_left_as_it_was(tmp_path):
    folder = tmp_path / "new"
    finding = _disk(folder)
    assert finding.ok
    assert "is not there yet and can be made, a sync takes" in finding.words
    assert not folder.exists()
