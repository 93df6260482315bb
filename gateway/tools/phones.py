"""The operator's commands about the phones in the rooms: through the service."""

import asyncio
from typing import Any
from urllib.parse import quote, urlencode

from gateway.config import Config
from gateway.tools.operate import through_service
from gateway.tools.postings import who_asks
from gateway.tools.running import ask


def listed(config: Config) -> Any:
    """All phones. Raises Declined."""
    return asyncio.run(ask(config, "GET", "/phones"))


def operate(config: Config, room: str, deed: str) -> Any:
    """wipe, reboot, or retry. Raises Declined."""
    path = f"/phones/{quote(room, safe='')}/{deed}?{urlencode({'who': who_asks()})}"
    return through_service(config, deed, path)
