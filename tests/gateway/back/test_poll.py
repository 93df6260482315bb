"""The UCM is asked again and again, whatever a look comes to."""

import asyncio

import pytest
from structlog.testing import capture_logs

from gateway.back.poll import Poll
from gateway.drivers.base import Unreachable
from gateway.logs import set_up
from gateway.store import StorageFailed


async def polled(*errors, times=3):
    """So many turns of a poll whose first look fails so each time; how often both looked."""
    looked, failures = [0, 0], []

    async def fails():
        looked[0] += 1
        if errors:
            raise errors[0]

    async def works():
        looked[1] += 1

    poll = Poll([fails, works], lambda: True, failures.append, every_s=3600, shortest_s=0)
    task = asyncio.create_task(poll.run())
    for _ in range(times):
        await asyncio.sleep(0.01)
        poll.nudged.set()
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return looked, failures


def test_a_look_that_fails_holds_up_no_other():
    error = Unreachable("timeout", "no answer", sent=False)
    looked, failures = asyncio.run(polled(error))
    assert looked == [4, 4]
    assert failures == [error] * 4
    assert asyncio.run(polled(StorageFailed("full"))) == ([4, 4], [])


def test_a_bug_of_ours_is_told_and_the_service_goes_on():
    set_up()  # another test may have asked for quiet
    with capture_logs() as logs:
        looked, failures = asyncio.run(polled(KeyError("x")))
    assert (looked, failures) == ([4, 4], [])
    assert [(each["event"], each["error"]) for each in logs] == [("our_fault", "KeyError")] * 4


def test_a_ucm_that_answers_again_is_asked_soon():
    async def run():
        asked, may = [], [False]

        async def look():
            asked.append(1)

        poll = Poll([look], lambda: may[0], asked.append, every_s=3600, shortest_s=0.001)
        task = asyncio.create_task(poll.run())
        await asyncio.sleep(0.01)
        assert asked == []
        may[0] = True
        async with asyncio.timeout(5):
            while not asked:
                await asyncio.sleep(0.001)
        task.cancel()

    asyncio.run(run())


def test_a_ucm_that_wants_to_be_left_alone_is_not_asked():
    async def run():
        asked = []

        async def look():
            asked.append(1)

        poll = Poll([look], lambda: False, asked.append, every_s=0.001)
        task = asyncio.create_task(poll.run())
        await asyncio.sleep(0.02)
        task.cancel()
        return asked

    assert asyncio.run(run()) == []
