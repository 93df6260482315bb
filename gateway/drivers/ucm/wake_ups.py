"""The UCM's list of wake-ups (`listWakeUp`). Pure.

Source: the UCM's own web pages read it every three seconds: `pms_wakeup` with `room`, `address`,
`w_action` (0 cancelled, 1 set, 2 executed), `w_type` (1 once, 2 daily), `w_status` of an executed
one, `w_date`, `w_time`. The guide to the HTTPS API does not name it, so a firmware may refuse it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from gateway.drivers.legs import KeptWakeUp
from gateway.drivers.ucm.replies import Reply, text_of
from gateway.house.wake_ups import has_rung
from protocols.postings import Ending

ACTION: Final = "listWakeUp"
LIST: Final = "pms_wakeup"
PAGE: Final = 200

ENDINGS: Final[Mapping[str, Ending]] = {
    "1": Ending.ANSWERED,
    "2": Ending.NO_ANSWER,
    "3": Ending.BUSY,
    "4": Ending.FAILED,
}
"""What the UCM calls the ends of a wake-up, in this list and in its events."""
SET: Final = "1"
EXECUTED: Final = "2"
_DAILY: Final = "2"
_A_DAY: Final = timedelta(days=1)


def request(page: int) -> dict[str, str]:
    """The parameters for one page, which begin with 1."""
    return {"item_num": str(PAGE), "page": str(page), "sidx": "address", "sord": "asc"}


def page_of(reply: Reply, wall: datetime) -> tuple[list[KeptWakeUp], int]:
    """The wake-ups of a page, and how many pages there are. `wall`: hotel time now, without a
    zone; a daily wake-up has no date that says when it rings next.
    """
    rows = reply.response.get(LIST)
    found = [
        kept
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict) and (kept := _kept(row, wall)) is not None
    ]
    pages = text_of(reply.response.get("total_page"))
    return found, int(pages) if pages.isdecimal() and len(pages) <= 3 else 1


def _kept(row: Mapping[str, Any], wall: datetime) -> KeptWakeUp | None:
    room = text_of(row.get("address") or row.get("room") or "").encode(errors="replace").decode()
    action = text_of(row.get("w_action"))
    is_set, is_over = action == SET, action == EXECUTED
    ending = ENDINGS.get(text_of(row.get("w_status"))) if is_over else None
    if text_of(row.get("w_type")) == _DAILY:
        today = _moment(f"{wall:%Y%m%d}", text_of(row.get("w_time")))
        rings = rang = None
        if today is None or not (is_set or is_over):
            ending = None
        elif is_over:
            rang = today if today <= wall else today - _A_DAY
            rings = rang + _A_DAY
        else:
            rings = today + _A_DAY if has_rung(today, wall) else today
    else:
        at = _moment(text_of(row.get("w_date")), text_of(row.get("w_time")))
        rings, rang = (at if is_set else None), (at if is_over else None)
        if at is None and is_set:
            return None  # a wake-up at no moment that we can read: nothing is known of the room
    return KeptWakeUp(room=room, rings=rings, rang=rang, ending=ending) if room else None


def _moment(day: str, hhmm: str) -> datetime | None:
    digits = f"{day.replace('-', '')}{hhmm.replace(':', '')}"[:12]
    try:
        return datetime.strptime(digits, "%Y%m%d%H%M") if len(digits) == 12 else None  # noqa: DTZ007
    except ValueError:
        return None
