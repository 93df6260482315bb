"""The operator's commands: through the running service; while none runs, reading only."""

import asyncio
import http.client
import json
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from gateway import __version__
from gateway.config import Config
from gateway.control import (
    Declined,
    drifts_as_json,
    reach,
    rooms_as_json,
    row_as_json,
)
from gateway.hold import holder_of
from gateway.outbox import Outbox, StorageFailed
from gateway.reconcile import compare

ANSWER_WITHIN_S = 330.0
"""A comparison waits for the call in flight, and that for a UCM that takes its time."""


def rows(config: Config, states: Sequence[str], room: str | None, limit: int) -> Any:
    """Rows of the outbox in these states, the newest last. Raises Declined."""
    wanted = {"state": ",".join(states), "limit": limit} | ({"room": room} if room else {})

    def read(box: Outbox) -> list[Any]:
        return [row_as_json(row) for row in box.rows(states, room=room, limit=limit)]

    return _ask(config, f"/outbox?{urlencode(wanted)}", read)


def row(config: Config, id_: int) -> Any:
    """One row. Raises Declined."""

    def read(box: Outbox) -> Any:
        found = box.row(id_)
        if found is None:
            raise Declined(f"there is no row {id_}: purged, or never made")
        return row_as_json(found)

    return _ask(config, f"/outbox/{id_}", read)


def change(config: Config, id_: int, deed: str) -> Any:
    """Retry or drop a row. Raises Declined, above all while no service runs."""
    return _through(config, "POST", f"/outbox/{id_}/{deed}") or _needs_service(deed)


def resync(config: Config) -> None:
    """Ask the PMS for every room. Raises Declined."""
    _through(config, "POST", "/resync") or _needs_service("resync")


def rooms(config: Config) -> Any:
    """Who is in which room by the PMS's word. Raises Declined."""
    return _ask(config, "/rooms", lambda box: rooms_as_json(box.house()[0]))


def drifts(config: Config) -> list[Any]:
    """Rooms in which the UCM differs now. Raises Declined."""
    if holder_of(Path(config.site.data_dir)):
        return _through(config, "GET", "/drifts") or []
    known, waiting = _reading(config, lambda box: (box.house()[0], box.rooms_waiting()))

    from gateway.app import ucm_api, words
    from gateway.drivers.base import DriverFailed
    from gateway.drivers.ucm import UcmDriver
    from gateway.metrics import Metrics

    async def ask() -> list[Any]:
        metrics = Metrics(version=__version__, site=config.site.name)
        driver = UcmDriver(ucm_api(config, metrics)[0], words(config), metrics)
        try:
            listed = await driver.rooms()
        except DriverFailed as error:
            raise Declined(f"the UCM gives no list to compare with: {error}") from error
        finally:
            await driver.close()
        if listed is None:
            raise Declined("this API of the UCM has no list of rooms to compare with")
        return drifts_as_json(compare(known, listed, driver, waiting=waiting))

    return asyncio.run(ask())


# --- The two ways ---


def _ask(config: Config, path: str, read: Callable[[Outbox], Any]) -> Any:
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


def _reading(config: Config, read: Callable[[Outbox], Any]) -> Any:
    """Read the file while nobody writes it. Raises Declined."""
    try:
        with _opened(Path(config.site.data_dir) / "outbox.db") as box:
            return read(box)
    except StorageFailed as error:
        raise Declined(str(error)) from error


@contextmanager
def _opened(path: Path) -> Iterator[Outbox]:
    if not path.exists():
        raise Declined(f"{path} is not there: has the service ever run with this configuration?")
    box = Outbox(path, read_only=True)
    try:
        yield box
    finally:
        box.close()


def _needs_service(deed: str) -> Any:
    raise Declined(f"{deed} goes through the service, and none runs: start it first")
