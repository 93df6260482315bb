"""The operator's commands about the phones in the rooms: through the service."""

from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from gateway.config import Config
from gateway.tools.kept_phones import kept
from gateway.tools.operate import through_service, told
from gateway.tools.postings import who_asks


def listed(config: Config) -> Any:
    """All phones; while no service runs, what was still to be done to each. Raises Declined."""
    return told(config, "/phones", partial(kept, config))


def operate(config: Config, room: str, deed: str) -> Any:
    """wipe, reboot, or retry. Raises Declined."""
    path = f"/phones/{quote(room, safe='')}/{deed}?{urlencode({'who': who_asks()})}"
    return through_service(config, deed, path)
