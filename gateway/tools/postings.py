"""The operator's commands about postings: through the service; while none runs, reading only."""

import getpass
import os
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from gateway.config import Config
from gateway.store import Store
from gateway.tools.operate import through_service, told
from gateway.web.control import Declined
from gateway.web.postings import as_json, shown


def listed(config: Config, states: Sequence[str], limit: int) -> Any:
    """Postings in these states, the newest last. Raises Declined."""
    wanted = urlencode({"state": ",".join(states), "limit": limit})

    def read(store: Store) -> list[Any]:
        return [as_json(row, config.zone) for row in store.postings(states, limit)]

    return told(config, f"/postings?{wanted}", read)


def show(config: Config, id_: int) -> Any:
    """A posting and all that happened to it. Raises Declined."""

    def read(store: Store) -> Any:
        found = store.posting(id_)
        if found is None:
            raise Declined(f"there is no posting {id_}")
        return shown(*found, config.zone)

    return told(config, f"/postings/{id_}", read)


def operate(config: Config, id_: int, deed: str, why: str = "") -> Any:
    """Say that it is booked, send it again, or give it up. Raises Declined, above all while no
    service runs.
    """
    said = {"who": who_asks(), "why": why}
    return through_service(config, deed, f"/postings/{id_}/{deed}?{urlencode(said)}")


def trust_list(config: Config) -> None:
    """Take the UCM's list of calls as it is. Raises Declined."""
    through_service(config, "trust-list", f"/postings/list/trust?{urlencode({'who': who_asks()})}")


def who_asks() -> str:
    """The login of whoever types."""
    return os.environ.get("SUDO_USER") or getpass.getuser()
