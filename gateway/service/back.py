"""The way back, made from the configuration: the lane to the PMS and what fills it."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from gateway.back.charges import Charges, Late, Pricing
from gateway.back.lane import CALL, Lane, Ready
from gateway.back.lane import ROOM_STATUS as LEVEL_STATUS
from gateway.back.lane import VOICEMAIL as LEVEL_VOICEMAIL
from gateway.back.levels import Levels
from gateway.back.poll import Poll
from gateway.back.reader import CallReader
from gateway.back.tariff import price
from gateway.clock import Clock
from gateway.config import Config
from gateway.drivers.base import DriverFailed, Paused
from gateway.drivers.ucm.driver import UcmDriver
from gateway.house import House
from gateway.metrics import Metrics
from gateway.pipeline.outbox import Outbox
from gateway.pipeline.reach import Reach
from gateway.pipeline.room_map import RoomMap
from gateway.store import PostingRow, StoreWorker
from gateway.store.text import from_json
from protocols.fias import record_of
from protocols.postings import (
    CHARGE,
    ROOM_STATUS,
    VOICEMAIL,
    CallCharge,
    MessagesWaiting,
    Posting,
    RoomStatusKeyed,
)
from protocols.session import AnyRecord


def says(config: Config) -> frozenset[str]:
    """What of a dialect's words this site uses towards its PMS."""
    back = config.back
    used = {CHARGE: back.charges != "off", ROOM_STATUS: back.room_status, VOICEMAIL: back.voicemail}
    return frozenset(word for word, is_used in used.items() if is_used)


def pricing(config: Config) -> Pricing | None:
    """What a call costs by this site's tariff; None: the PMS prices it."""
    if config.back.charges != "priced" or config.rates is None:
        return None
    return partial(price, config.rates)


@dataclass(frozen=True, slots=True)
class WayBack:
    """The lane, and what asks the UCM."""

    lane: Lane
    reader: CallReader
    levels: Levels
    poll: Poll

    def adopt(self, config: Config) -> None:
        """Go on with another tariff, and other words for what a maid keys."""
        self.reader.charges.pricing = pricing(config)
        self.levels.statuses = config.maid if config.back.room_status else None

    async def run(self) -> None:
        """Both, until the lane has been stopped and owes nothing."""
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(self.poll.run())
            await self.lane.run()
            reading.cancel()


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What the way back has to do with."""

    store: StoreWorker
    clock: Clock
    metrics: Metrics
    house: House
    outbox: Outbox
    rooms: RoomMap
    driver: UcmDriver
    reach: Reach
    is_link_up: Callable[[], bool]
    say: Callable[[AnyRecord], bool]
    writing: asyncio.Lock


def way_back(config: Config, around: Around) -> WayBack:
    """The way back of this site."""
    back, house = config.back, around.house

    def ready() -> Ready:
        ledger = house.ledger
        return Ready(
            is_up=around.is_link_up(), in_resync=ledger.in_resync, night_audit=ledger.night_audit
        )

    def record(row: PostingRow, number: int) -> AnyRecord:
        return record_of(from_json(_SAYINGS[row.kind], row.body), number)

    def failed(error: DriverFailed) -> None:
        if isinstance(error, Paused):
            around.reach.shut(error)

    def may_ask() -> bool:
        return around.reach.is_up and around.clock.now() >= around.reach.shut_until

    charges = Charges(
        store=around.store,
        rooms=lambda: house.rooms,
        spelled=around.rooms.pms_room_of,
        zone=config.zone,
        outlet=back.outlet,
        late=Late(back.late_charges),
        pricing=pricing(config),
    )
    lane = Lane(
        store=around.store,
        clock=around.clock,
        metrics=around.metrics,
        ready=ready,
        place=charges.place,
        record_of=record,
        say=around.say,
        writing=around.writing,
        answer_s=back.answer_s,
        numbers_up_to=back.numbers_up_to,
    )
    reader = CallReader(
        source=around.driver,
        charges=charges,
        lane=lane,
        store=around.store,
        clock=around.clock,
        metrics=around.metrics,
        is_room=lambda extension: extension in house.rooms or extension in around.outbox.actual,
    )
    levels = Levels(
        source=around.driver,
        lane=lane,
        store=around.store,
        clock=around.clock,
        rooms=lambda: house.rooms,
        spelled=around.rooms.pms_room_of,
        statuses=config.maid if back.room_status else None,
        mailboxes=back.voicemail,
    )
    looks = [reader.look] if back.charges != "off" else []
    if back.room_status or back.voicemail:
        looks.append(levels.look)
    return WayBack(lane, reader, levels, Poll(looks, may_ask, failed, back.poll_s))


_SAYINGS: Final[Mapping[str, type[Posting]]] = {
    CALL: CallCharge,
    LEVEL_STATUS: RoomStatusKeyed,
    LEVEL_VOICEMAIL: MessagesWaiting,
}
"""What the body of a posting is, by its kind."""
