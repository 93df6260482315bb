"""Lets what is due in the house come true: late departures, next wake-ups."""

import asyncio

from gateway.pipeline.intake import Intake
from gateway.store import StorageFailed

LONGEST_NAP_S = 30.0
"""Wall time may jump, so it is looked at so often."""


async def keep_deadlines(intake: Intake) -> None:
    """For ever."""
    while True:
        due, now = intake.house.deadline(intake.clock.wall()), intake.clock.wall()
        wait = LONGEST_NAP_S if due is None else (due - now).total_seconds()
        if wait <= 0:
            try:
                await intake.tick()
            except StorageFailed:
                await intake.clock.sleep(5)
            continue
        intake.stored.clear()
        try:
            # Not wait_for: in 3.11 it swallows a cancellation that meets the end of what it waits
            # for.
            async with asyncio.timeout(min(wait, LONGEST_NAP_S)):
                await intake.stored.wait()
        except TimeoutError:
            pass  # nothing was stored meanwhile: look at the clock
