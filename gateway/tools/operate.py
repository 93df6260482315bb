"""The operator's commands: through the running service; while none runs, reading only."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import quote, urlencode

from gateway.config import Config
from gateway.pipeline.kept import house_of
from gateway.pipeline.step import WAITING
from gateway.service.stores import is_file, open_store, path_of
from gateway.store import StorageFailed, Store
from gateway.tools.kept_phones import kept
from gateway.tools.running import NotRunning, ask
from gateway.web.control import JOURNAL_SHOWN, Declined
from gateway.web.phones import in_outbox
from gateway.web.views import (
    drifts_as_json,
    line_as_json,
    rooms_as_json,
    states_as_json,
    view_as_json,
)

if TYPE_CHECKING:
    from gateway.drivers.ucm.driver import UcmDriver
    from gateway.pipeline.outbox import Outbox

T = TypeVar("T")

SETTLED_WITHIN_S: Final = 4.0
"""A UCM answers within a second; who asks waits for that, and not for one that is away."""
RESYNC_WITHIN_S: Final = 900.0
LOOK_EVERY_S: Final = 0.3


def outbox(config: Config, states: Sequence[str], room: str | None, limit: int) -> Any:
    """Rooms of the outbox in these states, who has waited longest first. Raises Declined."""
    wanted = {"state": ",".join(states), "limit": limit} | ({"room": room} if room else {})

    def read(store: Store) -> list[Any]:
        views = outbox_of(config, store).views(states)
        found = [view for view in views if room in (None, view.room)]
        phones = in_outbox(kept(config, store), states, room)
        return [*(view_as_json(view, config.zone) for view in found[:limit]), *phones]

    return told(config, f"/outbox?{urlencode(wanted)}", read)


def show(config: Config, room: str) -> Any:
    """What a room should show, what it shows, and its last calls. Raises Declined."""

    def read(store: Store) -> Any:
        view = outbox_of(config, store).view(room)
        if view is None:
            raise Declined(f"nothing was ever heard of room {room}")
        journal = [line_as_json(line, config.zone) for line in store.journal(room, JOURNAL_SHOWN)]
        return {**states_as_json(view, config.zone), "journal": journal}

    return told(config, f"/outbox/{quote(room)}", read)


def change(config: Config, room: str, deed: str) -> None:
    """Retry or drop a room. Raises Declined, above all while no service runs."""
    through_service(config, deed, f"/outbox/{quote(room)}/{deed}")


def retry(config: Config, room: str) -> Any:
    """Tell a room again, and wait a moment for what comes of it: the room as `show` tells it.
    Raises Declined."""
    change(config, room, "retry")
    until = time.monotonic() + SETTLED_WITHIN_S
    while True:
        told = show(config, room)
        if told["state"] != WAITING or told["tries"] or time.monotonic() > until:
            return told
        time.sleep(LOOK_EVERY_S)


def heal(config: Config) -> str:
    """Make the UCM show what the PMS said last, however much differs. Returns what holds it up;
    empty: nothing. Raises Declined."""
    return str(through_service(config, "heal", "/heal")["held_up"])


def resync(config: Config) -> int:
    """Ask the PMS for every room. Returns the number of the last resync before. Raises Declined."""
    try:
        before = int(asyncio.run(ask(config, "GET", "/line"))["resyncs"])
    except NotRunning:
        before = 0
    through_service(config, "resync", "/resync")
    return before


def wait_for_resync(config: Config, before: int) -> bool:
    """Until the resync after that one is over. False: it takes too long. Raises Declined."""
    until = time.monotonic() + RESYNC_WITHIN_S
    while time.monotonic() < until:
        line = asyncio.run(ask(config, "GET", "/line"))
        if line["resyncs"] > before and not line["in_resync"]:
            return True
        time.sleep(LOOK_EVERY_S)
    return False


def rooms(config: Config) -> Any:
    """Who is in which room by the PMS's word. Raises Declined."""
    return told(config, "/rooms", lambda store: rooms_as_json(house_of(store.load())[0]))


def changed_rooms(before: Any, after: Any) -> int:
    """In how many rooms other guests are now than before, by their reservations."""

    def guests(rooms: Any) -> dict[str, list[Any]]:
        return {
            room["room"]: [each["reservation"] or each["name"] for each in room["guests"]]
            for room in rooms
        }

    old, new = guests(before), guests(after)
    return sum(old.get(room, []) != new.get(room, []) for room in {*old, *new})


def drifts(config: Config) -> list[Any]:
    """Rooms in which the UCM differs now. Raises Declined."""
    try:
        return list(asyncio.run(ask(config, "GET", "/drifts")))
    except NotRunning:
        known = _reading(config, lambda store: outbox_of(config, store))

    from gateway.drivers.base import DriverFailed
    from gateway.pipeline.look import drifts, settle

    async def compare() -> list[Any]:
        driver = _driver(config)
        try:
            listed = await driver.rooms()
        except DriverFailed as error:
            raise Declined(f"the UCM gives no list to compare with: {error}") from error
        finally:
            await driver.close()
        if listed is None:
            raise Declined("this API of the UCM has no list of rooms to compare with")
        settled = settle(known.desired, known.actual, listed, driver)
        return drifts_as_json(drifts(known.desired, settled, driver, waiting=known.waiting))

    return asyncio.run(compare())


def _driver(config: Config) -> "UcmDriver":
    from gateway import __version__
    from gateway.metrics import Metrics
    from gateway.service.parts import ucm_driver

    return ucm_driver(config, Metrics(version=__version__, site=config.site.name))


def outbox_of(config: Config, store: Store) -> "Outbox":
    """The outbox as the store knows it."""
    from gateway.clock import Clock
    from gateway.drivers.ucm.requests import guest_tags
    from gateway.pipeline.outbox import Outbox
    from gateway.service.parts import words

    site = words(config)
    outbox = Outbox(
        tags_of=lambda guest, stay: guest_tags(guest, stay, site), wall=Clock(config.zone).stamp
    )
    kept = store.load()
    outbox.restore(house_of(kept)[0], kept.rooms.values())
    return outbox


# --- The two ways ---


def told(config: Config, path: str, read: Callable[[Store], Any]) -> Any:
    """What the service tells; while none runs, what `read` finds in the store. Raises Declined."""
    try:
        return asyncio.run(ask(config, "GET", path))
    except NotRunning:
        return _reading(config, read)


def through_service(config: Config, deed: str, path: str) -> Any:
    """What only a running service can do. Raises Declined."""
    try:
        return asyncio.run(ask(config, "POST", path))
    except NotRunning:
        raise Declined(f"{deed} goes through the service, and none runs: start it first") from None


def _reading(config: Config, read: Callable[[Store], T]) -> T:
    """Read the file while no service writes it. Raises Declined."""
    path = path_of(config)
    if is_file(config) and not path.exists():
        raise Declined(f"{path} is not there: has the service ever run with this configuration?")
    try:
        with closing(open_store(config, read_only=True)) as store:
            return read(store)
    except StorageFailed as error:
        raise Declined(str(error)) from error
