"""The operator's commands: through the running service; while none runs, reading only."""

import asyncio
import http.client
import json
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlencode

from gateway.config import Config
from gateway.control import (
    JOURNAL_SHOWN,
    Declined,
    drifts_as_json,
    line_as_json,
    reach,
    rooms_as_json,
    states_as_json,
    view_as_json,
)
from gateway.hold import holder_of
from gateway.pipeline.kept import house_of
from gateway.store import StorageFailed, Store

if TYPE_CHECKING:
    from gateway.drivers.ucm import UcmDriver
    from gateway.pipeline.outbox import Outbox

ANSWER_WITHIN_S = 330.0
"""A comparison waits for the call in flight, and that for a UCM that takes its time."""


def outbox(config: Config, states: Sequence[str], room: str | None, limit: int) -> Any:
    """Rooms of the outbox in these states, who has waited longest first. Raises Declined."""
    wanted = {"state": ",".join(states), "limit": limit} | ({"room": room} if room else {})

    def read(store: Store) -> list[Any]:
        views = _outbox(config, store).views(states)
        found = [view for view in views if room in (None, view.room)]
        return [view_as_json(view, config.zone) for view in found[:limit]]

    return _ask(config, f"/outbox?{urlencode(wanted)}", read)


def show(config: Config, room: str) -> Any:
    """What a room should show, what it shows, and its last calls. Raises Declined."""

    def read(store: Store) -> Any:
        view = _outbox(config, store).view(room)
        if view is None:
            raise Declined(f"nothing was ever heard of room {room}")
        journal = [line_as_json(line, config.zone) for line in store.journal(room, JOURNAL_SHOWN)]
        return {**states_as_json(view, config.zone), "journal": journal}

    return _ask(config, f"/outbox/{quote(room)}", read)


def change(config: Config, room: str, deed: str) -> Any:
    """Retry or drop a room. Raises Declined, above all while no service runs."""
    path = f"/outbox/{quote(room)}/{deed}"
    return _through(config, "POST", path) or _needs_service(deed)


def heal(config: Config) -> None:
    """Make the UCM show what the PMS said last, however much differs. Raises Declined."""
    _through(config, "POST", "/heal") or _needs_service("heal")


def resync(config: Config) -> None:
    """Ask the PMS for every room. Raises Declined."""
    _through(config, "POST", "/resync") or _needs_service("resync")


def rooms(config: Config) -> Any:
    """Who is in which room by the PMS's word. Raises Declined."""
    return _ask(config, "/rooms", lambda store: rooms_as_json(house_of(store.load())[0]))


def drifts(config: Config) -> list[Any]:
    """Rooms in which the UCM differs now. Raises Declined."""
    if holder_of(Path(config.site.data_dir)):
        return _through(config, "GET", "/drifts") or []
    known = _reading(config, lambda store: _outbox(config, store))

    from gateway.drivers.base import DriverFailed
    from gateway.pipeline.look import drifts, settle

    async def ask() -> list[Any]:
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

    return asyncio.run(ask())


def _driver(config: Config) -> "UcmDriver":
    from gateway import __version__
    from gateway.app import ucm_api, words
    from gateway.drivers.ucm import UcmDriver
    from gateway.metrics import Metrics

    metrics = Metrics(version=__version__, site=config.site.name)
    return UcmDriver(ucm_api(config, metrics)[0], words(config), metrics)


def _outbox(config: Config, store: Store) -> "Outbox":
    """The outbox as the store knows it."""
    from gateway.app import words
    from gateway.clock import Clock
    from gateway.drivers.ucm_wire import guest_tags
    from gateway.pipeline.outbox import Outbox

    site = words(config)
    outbox = Outbox(
        tags_of=lambda guest, stay: guest_tags(guest, stay, site), wall=Clock(config.zone).stamp
    )
    kept = store.load()
    outbox.restore(house_of(kept)[0], kept.rooms.values())
    return outbox


# --- The two ways ---


def _ask(config: Config, path: str, read: Callable[[Store], Any]) -> Any:
    told = _through(config, "GET", path)
    return _reading(config, read) if told is None else told


def _through(config: Config, method: str, path: str) -> Any:
    """Ask the running service; None: none runs. Raises Declined with its word."""
    folder = Path(config.site.data_dir)
    holder = holder_of(folder)
    if not holder:
        return None
    try:
        with reach(folder) as name:
            connection = _UnixConnection(name)
            connection.request(method, path)
            answer = connection.getresponse()
            told = json.loads(answer.read())
            connection.close()
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise Declined(
            f"the service ({holder}) does not answer: {error}; run this as its user, or as root"
        ) from error
    if answer.status >= 400:
        raise Declined(told["error"])
    return told


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over the service's own socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=ANSWER_WITHIN_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


T = TypeVar("T")


def _reading(config: Config, read: Callable[[Store], T]) -> T:
    """Read the file while nobody writes it. Raises Declined."""
    try:
        with _opened(Path(config.site.data_dir) / "outbox.db") as store:
            return read(store)
    except StorageFailed as error:
        raise Declined(str(error)) from error


@contextmanager
def _opened(path: Path) -> Iterator[Store]:
    if not path.exists():
        raise Declined(f"{path} is not there: has the service ever run with this configuration?")
    store = Store(path, read_only=True)
    try:
        yield store
    finally:
        store.close()


def _needs_service(deed: str) -> Any:
    raise Declined(f"{deed} goes through the service, and none runs: start it first")
