"""What `doctor` tries of the way back: the UCM's list of calls, its clock, its mailboxes."""

from datetime import datetime, timedelta
from typing import Final

from gateway.clock import Clock
from gateway.config import Config
from gateway.drivers.base import DriverFailed
from gateway.drivers.ucm import cdr, mailbox
from gateway.drivers.ucm.api import UcmApi

DAYS: Final = 7


async def calls(config: Config, api: UcmApi) -> tuple[bool, str]:
    """Whether the UCM lists its calls, and whether its clock has the hotel's zone. In words."""
    clock = Clock(config.zone)
    now = clock.epoch()
    since = now - timedelta(days=DAYS).total_seconds()
    try:
        reply = await api.read("cdrapi", cdr.request(since, now, 0))
    except DriverFailed as error:
        return False, f"{error}: tick CDR in the permissions of the API user"
    page = cdr.page_of(reply, config.zone)
    if not page.legs:
        words = f"the UCM lists no call of the last {DAYS} days"
        return True, f"{words}: make one, and try again, if somebody has telephoned"
    ahead = cdr.clock_offset_s(reply)
    newest = max(leg.began for leg in page.legs)
    zone = datetime.fromtimestamp(newest, config.zone).utcoffset()
    if ahead is not None and zone is not None and ahead != int(zone.total_seconds()):
        return False, (
            f"the UCM's time zone is UTC{_hours(ahead)}, the hotel's was"
            f" UTC{_hours(int(zone.total_seconds()))} then: set it on the UCM, or site.timezone"
        )
    more = " and more" if page.records == cdr.PAGE else ""
    return True, f"calls of the last {DAYS} days that the UCM lists: {page.records}{more}"


async def mailboxes(api: UcmApi) -> tuple[bool, str]:
    """Whether the UCM tells of voice messages. In words."""
    try:
        boxes, pages = mailbox.page_of(await api.read("listAccount", mailbox.request(1)))
    except DriverFailed as error:
        return False, f"{error}: tick the list of extensions in the permissions of the API user"
    more = " and more" if pages > 1 else ""
    return bool(boxes), f"{len(boxes)} mailboxes{more} are listed"


def _hours(seconds: int) -> str:
    sign, minutes = "-" if seconds < 0 else "+", abs(seconds) // 60
    return f"{sign}{minutes // 60:02}:{minutes % 60:02}"
