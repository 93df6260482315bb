"""The way back, made from the configuration: the lanes to the PMS and what fills them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from gateway.back.charges import Charges, Late, Pricing
from gateway.back.kinds import CALL, KINDS, MINIBAR
from gateway.back.lane import Lane
from gateway.back.lanes import Lanes
from gateway.back.levels import Levels
from gateway.back.minibar import Minibar
from gateway.back.pbx_clock import PbxClock
from gateway.back.poll import Look, Poll
from gateway.back.reader import CallReader
from gateway.back.rows import PmsRooms
from gateway.back.sending import Ready
from gateway.back.tariff import price
from gateway.back.wake_up_orders import WakeUpOrders
from gateway.back.wake_up_results import WakeUpResults
from gateway.back.wake_ups import WakeUps
from gateway.clock import Clock
from gateway.config import Config
from gateway.config.site_line import SiteLine
from gateway.drivers.base import DriverFailed, Paused
from gateway.drivers.ucm.driver import UcmDriver
from gateway.drivers.ucm.https import TlsSettings
from gateway.drivers.ucm.websocket import UcmEvents
from gateway.house import Actual, House
from gateway.house.states import NOT_KNOWN
from gateway.house.wake_ups import has_rung
from gateway.metrics import Metrics
from gateway.pipeline.intake import Intake
from gateway.pipeline.outbox import Outbox
from gateway.pipeline.plan import with_wake_up
from gateway.pipeline.pump import Pump
from gateway.pipeline.reach import Reach
from gateway.service.back_events import Heard, ucm_events
from gateway.store import PostingRow, Store, StoreWorker
from gateway.store.text import from_json
from protocols.session import AnyRecord


def pricing(config: Config) -> Pricing | None:
    """What a call costs by this site's tariff; None: the PMS prices it."""
    if config.back.charges != "priced" or config.rates is None:
        return None
    return partial(price, config.rates)


@dataclass(frozen=True, slots=True, kw_only=True)
class WayBack:
    """The lanes, and what asks the UCM. `events`: None: the UCM is asked only, and not heard."""

    lanes: Lanes
    reader: CallReader
    levels: Levels
    results: WakeUpResults
    minibar: Minibar
    poll: Poll
    events: UcmEvents | None = None

    def adopt(self, config: Config) -> None:
        """Go on with another tariff, and other words for what a maid keys."""
        self.reader.charges.pricing = pricing(config)
        self.levels.statuses = config.maid_codes if config.back.room_status else None

    async def run(self) -> None:
        """All of it, until the lanes have been stopped and owe nothing."""
        async with asyncio.TaskGroup() as group:
            reading = [group.create_task(self.poll.run())]
            if self.events is not None:
                reading.append(group.create_task(self.events.run()))
            await asyncio.wait([group.create_task(lane.run()) for lane in self.lanes.each])
            for task in reading:
                task.cancel()


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What the way back has to do with.

    pumps   of the lines to the PMS, by their names
    passed  waited for before something is begun outside; None: nothing is in the way
    """

    store: StoreWorker
    clock: Clock
    metrics: Metrics
    house: House
    outbox: Outbox
    intake: Intake
    driver: UcmDriver
    tls: TlsSettings
    reach: Reach
    pumps: Mapping[str, Pump]
    passed: Callable[[], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True)
class _Rooms:
    """The rooms as each part of the way back wants to see them."""

    around: Around

    def actual_at_rest(self, room: str) -> Actual | None:
        """What it was last known to show; None: not known, or a call for it is under way."""
        outbox = self.around.outbox
        return None if room in outbox.pending else outbox.actual.get(room)

    async def saw_wake_up(self, room: str, at: datetime | None) -> None:
        """The UCM keeps this wake-up of the room, and not by our word."""
        outbox, clock = self.around.outbox, self.around.clock
        after = with_wake_up(outbox.hotel, room, at)
        outbox.settle({room: after}, since=clock.epoch())
        await self.around.store(Store.told, outbox.told([room]))
        self.around.intake.changed.set()

    def wake_ups_told(self) -> dict[str, datetime]:
        """Rooms and the wake-ups to come that the UCM was told of; none with a call under way."""
        outbox, wall = self.around.outbox, self.around.clock.stamp()
        return {
            room: have.wake_up
            for room, have in outbox.actual.items()
            if have.wake_up is not None
            and not has_rung(have.wake_up, wall)
            and room not in outbox.pending
        }

    async def wake_up_forgotten(self, room: str) -> None:
        """The UCM does not know of the wake-up that it was told."""
        outbox = self.around.outbox
        if room not in self.wake_ups_told():
            return  # a call for it has begun meanwhile
        have = replace(outbox.actual[room], wake_up=None, wake_up_said=NOT_KNOWN)
        outbox.settle({room: have}, since=self.around.clock.epoch())
        await self.around.store(Store.told, outbox.told([room]))
        self.around.intake.changed.set()

    def is_room(self, extension: str) -> bool:
        """Whether it is the phone of a room."""
        return extension in self.around.house.rooms or extension in self.around.outbox.actual


def way_back(config: Config, around: Around) -> WayBack:
    """The way back of this site."""
    back, house, rooms = config.back, around.house, _Rooms(around)
    pms_rooms = PmsRooms(around.store, around.intake.rooms.pms_room_of)
    charges = Charges(
        store=around.store,
        rooms=lambda: house.rooms,
        pms_rooms=pms_rooms,
        zone=config.zone,
        outlet=back.outlet,
        late=Late(back.late_charges),
        pricing=pricing(config),
    )
    lanes = Lanes(tuple(_lane(config, line, around, charges) for line in config.lines))
    lane = lanes.each[0]
    reader = CallReader(
        source=around.driver,
        charges=charges,
        lane=lanes.of(CALL),
        store=around.store,
        clock=around.clock,
        metrics=around.metrics,
        is_room=rooms.is_room,
    )
    levels = Levels(
        source=around.driver,
        lane=lane,
        store=around.store,
        clock=around.clock,
        rooms=lambda: house.rooms,
        pms_rooms=pms_rooms,
        statuses=config.maid_codes if back.room_status else None,
        mailboxes=back.voicemail,
    )
    results = WakeUpResults(
        lane=lane,
        store=around.store,
        clock=around.clock,
        metrics=around.metrics,
        rooms=lambda: house.rooms,
        pms_rooms=pms_rooms,
        tries=timedelta(seconds=back.wake_up_tries_s),
        says=back.wake_up_results,
    )
    orders = WakeUpOrders(
        lane=lane,
        store=around.store,
        clock=around.clock,
        rooms=lambda: house.rooms,
        actual=rooms.actual_at_rest,
        hear=around.intake.hear,
        saw=rooms.saw_wake_up,
        pms_rooms=pms_rooms,
    )
    wake_ups = WakeUps(
        source=around.driver,
        store=around.store,
        clock=around.clock,
        results=results,
        told=rooms.wake_ups_told,
        tell_again=rooms.wake_up_forgotten,
        orders=orders if back.wake_ups_from_phones else None,
    )
    minibar = Minibar(
        source=around.driver,
        lane=lanes.of(MINIBAR),
        store=around.store,
        clock=around.clock,
        rooms=lambda: house.rooms,
        actual=lambda: around.outbox.actual,
        stays=lambda: house.ledger.stays,
        pms_rooms=pms_rooms,
        totals=back.minibar == "total",
        decimals=config.rates.decimals if config.rates else 2,
        outlet=back.outlet,
    )
    looks = {
        PbxClock(around.driver, around.clock, around.metrics).look: True,
        reader.look: back.charges != "off",
        levels.look: back.room_status or back.voicemail,
        wake_ups.look: back.wake_up_results or back.wake_ups_from_phones,
        minibar.look: back.minibar != "off",
    }
    poll = _poll(config, around, [look for look, is_used in looks.items() if is_used])
    around.intake.lanes = lanes
    around.intake.writing.settle.append(lanes.settle)
    if back.wake_up_results or back.wake_ups_from_phones:
        poll.always.append(results.settle)
        around.intake.rang = results.rang
    if back.minibar != "off":
        around.driver.before_check_out = minibar.before_check_out
    heard = Heard(
        around.store, around.clock, around.metrics, poll, results, minibar, reader.settled_after_s
    )
    poll.always.append(heard.keep)
    return WayBack(
        lanes=lanes,
        reader=reader,
        levels=levels,
        results=results,
        minibar=minibar,
        poll=poll,
        events=ucm_events(config, around.tls, around.clock, heard, around.passed),
    )


def _lane(config: Config, line: SiteLine, around: Around, charges: Charges) -> Lane:
    pump = around.pumps[line.name]

    def ready() -> Ready:
        ledger = around.house.ledger
        return Ready(
            is_up=pump.session.is_up, in_resync=ledger.in_resync, night_audit=ledger.night_audit
        )

    def record(row: PostingRow, number: int) -> AnyRecord:
        return line.dialect.record_of(from_json(KINDS[row.kind].said, row.body), number)

    return Lane(
        store=around.store,
        clock=around.clock,
        metrics=around.metrics,
        ready=ready,
        place=charges.place,
        record_of=record,
        say=pump.say,
        writing=around.intake.writing,
        answer_s=config.back.answer_s,
        numbers_up_to=config.back.numbers_up_to,
        is_acknowledged=line.ack,
        kinds=line.kinds,
        books=line.dialect.books(is_answered=line.ack),
    )


def _poll(config: Config, around: Around, looks: list[Look]) -> Poll:
    def failed(error: DriverFailed) -> None:
        if isinstance(error, Paused):
            around.reach.shut(error)

    def may_ask() -> bool:
        return around.reach.is_up and around.clock.now() >= around.reach.shut_until

    return Poll(looks, may_ask, failed, config.back.poll_s)
