"""What `doctor` makes of a disk; the rest of it is told by the stories."""

import asyncio

import pytest

from gateway.tools import doctor
from gateway.tools.doctor import _disk, _heard, _sync_words


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


class Spoken:
    """A line on which this comes, and then nothing."""

    def __init__(self, *pieces):
        self.pieces = list(pieces)

    async def read(self):
        if not self.pieces:
            await asyncio.Event().wait()
        return self.pieces.pop(0)


@pytest.mark.parametrize(
    ("pieces", "words"),
    [((b"\x02LS|DA1|\x03",), "the PMS says LS"),
     ((b"\x05", b"\x05"), "asks whether it may speak (ENQ)"),
     ((b"\x05", b"?"), "what comes (2 bytes) is no record"),
     ((b"",), "takes the connection and drops it"),
     ((), "said nothing")],
)  # fmt: skip
def test_what_the_pms_says_in_a_moment_is_told_in_words(monkeypatch, pieces, words):
    monkeypatch.setattr(doctor, "LISTEN_S", 0.05)
    assert words in asyncio.run(_heard(Spoken(*pieces)))
