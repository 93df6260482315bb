"""What `doctor` tries of the way back: the UCM's clock, its lists, its WebSocket."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from gateway.back.pbx_clock import trouble
from gateway.clock import Clock
from gateway.config import Config
from gateway.drivers.base import DriverFailed
from gateway.drivers.legs import KeptWakeUp
from gateway.drivers.ucm import cdr, mailbox
from gateway.drivers.ucm.api import UcmApi
from gateway.drivers.ucm.driver import UcmDriver
from gateway.drivers.ucm.events import Event
from gateway.drivers.ucm.websocket import UcmEvents
from gateway.metrics import Metrics
from gateway.service.back_events import ucm_events
from gateway.service.parts import ucm_tls, words

DAYS: Final = 7


async def tried(
    config: Config, api: UcmApi, metrics: Metrics
) -> AsyncIterator[tuple[str, bool, str]]:
    """What this site uses: its name, whether it works, and how in words."""
    back, driver = config.back, UcmDriver(api, words(config), metrics)
    wakes = back.wake_up_results or back.wake_ups_from_phones
    if not config.kinds:
        return
    clock = Clock(config.zone)
    yield "ucm clock", *_clock(await driver.clock(), clock.wall())
    if back.charges != "off":
        yield "calls", *await calls(config, api)
    if back.voicemail:
        yield "mailboxes", *await mailboxes(api)
    is_heard = False
    listener = ucm_events(config, ucm_tls(config), clock, _Nobody())
    if listener is not None:
        is_heard, said = await _events(listener)
        yield "events", is_heard, said
    elif back.websocket:
        said = "not listened to: the UCM is polled; back.ws_password would change that"
        yield "events", True, said
    if wakes:
        yield "wake-ups", *_wake_ups(await driver.wake_ups(clock.stamp()), is_heard=is_heard)
    if back.minibar != "off":
        yield "minibar", *_minibar(await driver.goods())


class _Nobody:
    """Does not care what is heard."""

    def event(self, event: Event) -> None:
        pass

    def connected(self) -> None:
        pass

    def gone(self) -> None:
        pass


def _clock(shown: datetime | None, wall: datetime) -> tuple[bool, str]:
    if shown is None:
        return True, "the UCM does not say: compare its clock with the hotel's"
    why = trouble(shown, wall)
    return not why, why or f"the UCM's clock is right, and its zone is {shown:UTC%z}"


async def _events(listener: UcmEvents) -> tuple[bool, str]:
    why = await listener.tried()
    if why:
        do = "is it a user of its own? On some firmwares only one of the web pages may listen"
        return False, f"{listener.username} hears nothing: {why}: {do}"
    return True, f"{listener.username} may listen to the UCM's events"


def _wake_ups(rows: Sequence[KeptWakeUp] | None, *, is_heard: bool) -> tuple[bool, str]:
    if rows is not None:
        return True, f"wake-ups that the UCM keeps: {len(rows)}"
    if is_heard:
        return True, "the API user may not list them: results come by events, orders are not seen"
    return False, (
        "the API user may not list them (listWakeUp), and no event is heard: each wake-up would end"
        " as UR; tick wake-ups in its permissions, or set back.ws_password"
    )


def _minibar(goods: Mapping[str, str]) -> tuple[bool, str]:
    if not goods:
        return False, "the UCM has no articles: make them on its minibar page"
    odd = sorted(name for name, code in goods.items() if not code.isdecimal() or int(code) < 1)
    if odd:
        return False, f"no number from 1 to 9999: {', '.join(odd)}; the PMS could not be told"
    return True, f"{len(goods)} articles on the UCM's minibar page"


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
