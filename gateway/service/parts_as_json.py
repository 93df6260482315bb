"""The parts of the service in its status: a dict each, with `ok` and words."""

import asyncio
from typing import Any

from gateway.pipeline.outbox import Outbox
from gateway.pipeline.pump import Pump
from gateway.store import StorageFailed, StoreWorker
from gateway.web.gauges import ANSWER_WITHIN_S, try_disk


async def store_as_json(store: StoreWorker, outbox: Outbox) -> dict[str, Any]:
    """The disk or the database, tried now, and what waits."""
    found: dict[str, Any] = {"ok": True}
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            await try_disk(store)
    except StorageFailed as failed:
        found = {"ok": False, "why": str(failed), "do": failed.do}
    except TimeoutError:
        why = f"{store.store.engine.where} does not answer"
        found = {"ok": False, "why": why, "do": "look at the health of that disk or server"}
    return found | {"waiting": len(outbox.waiting), "parked": len(outbox.parked)}


def line_as_json(pump: Pump) -> dict[str, Any]:
    """One line to the PMS."""
    return {
        "ok": pump.session.is_up,
        "state": pump.session.state,
        "line": pump.line or f"{pump.opener.describe()} (not open)",
    }
