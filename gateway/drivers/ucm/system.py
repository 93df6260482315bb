"""The UCM's own clock (`getSystemStatus`). Pure.

Source: UCM HTTPS API, getSystemStatus: `system-time` is `2019-11-22 17:50:26 UTC+02:00`.
"""

import re
from datetime import datetime, timedelta, timezone
from typing import Final

from gateway.drivers.ucm.replies import Reply, text_of

ACTION: Final = "getSystemStatus"
_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC(?:([+-])(\d\d):?(\d\d))?", re.ASCII
)


def time_of(reply: Reply) -> datetime | None:
    """What its clock shows, in its own zone; None: it does not say."""
    found = _TIME.fullmatch(text_of(reply.response.get("system-time")).strip())
    if found is None:
        return None
    text, sign, hours, minutes = found.groups()
    ahead = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    try:
        zone = timezone(-ahead if sign == "-" else ahead)
        return datetime.fromisoformat(text).replace(tzinfo=zone)
    except ValueError:
        return None
