"""Data directories of the version before, and what is in them once they were opened: see tests/data/store/old.txt."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

from gateway.store import Store
from tests.site import Site, word

DATA = Path(__file__).parents[2] / "data" / "store"
ROOMS = tuple(str(room) for room in range(101, 131))
NEWEST_OLD = 3


def copied(folder, version):
    return Path(shutil.copy(DATA / f"old-{version}.db", folder / "outbox.db"))


def taken_over(path):
    """All that is in the file once it has been opened."""
    store = Store(path)
    try:
        return store.load()
    finally:
        store.close()


def site_on(path, **how):
    """The hotel of the old file, and its UCM as the old program left it."""
    left = json.loads((DATA / "old-ucm.json").read_text())
    site = Site(path, ROOMS, infer_moves_s=600.0, **how)
    ended = datetime.fromisoformat(left["ended"]).replace(tzinfo=UTC)
    site.clock.wind(ended.timestamp() - site.clock.epoch())
    for number, room in left["rooms"].items():
        for name, value in room.items():
            setattr(site.ucm.rooms[number], name, tuple(value) if name == "wake_up" else value)
        site.leave_message(number)
    return site


async def told_since(site, calls):
    """What the UCM is asked until nothing waits any more."""
    await site.rest()
    return [word(*call) for call in site.api.calls[calls:]]
