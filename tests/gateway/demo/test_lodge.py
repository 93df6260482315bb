"""The demo over a Mitel line ends with every room as the PMS meant it."""

import pytest

from gateway import logs
from gateway.demo.lodge import play_lodge


@pytest.mark.asyncio
@pytest.mark.parametrize("serial", [False, True], ids=["tcp", "serial"])
async def test_a_day_is_told_and_ends_well(tmp_path, serial):
    logs.set_up(quiet=True)
    told = []
    assert await play_lodge(told.append, tmp_path, once=True, serial=serial)
    text = "\n".join(told)
    for words in (
        "somebody checks in to 101; the name follows",
        "wake-up for 101 at 23:59",
        "check out 101: done",
        "STS9 310",
        "resync begins: every room follows",
        "Every room on the UCM is as the PMS meant it.",
    ):
        assert words in text, words
