"""The house against the list of the UCM: what is a difference, what cures it, what is left alone."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from gateway.drivers.ucm import UcmDriver
from gateway.drivers.ucm_wire import Words
from gateway.events import CheckIn, CheckOut, Guest, Update, WakeUp
from gateway.house import House, Room
from gateway.intake import Intake
from gateway.metrics import Metrics
from gateway.outbox import Batch, NewEntry, Outbox, OutboxWorker, StorageFailed
from gateway.reconcile import Drift, Reconciler, compare
from gateway.relay import Relay
from gateway.rooms import RoomMap
from gateway.simulators.pbx import Rooms
from protocols.fias import normalize
from tests.fakes import HandClock, RoomsApi

CAME = datetime(2026, 3, 14, 10, 0)
ANNA = Guest(key="4711", name="Rossi", first_name="Anna", language="GE", class_of_service="1",
             departure=CAME.date() + timedelta(days=2), came=CAME)  # fmt: skip
OTTO = Guest(key="4712", name="Sato", came=CAME)
WORDS = Words(class_of_service={"0": 1, "1": 2})
OUT = Room(told_out=True)


class Site:
    """A relay with its reconciler between a house and the rooms of a UCM."""

    def __init__(self, folder, rooms, *, heals=True):
        self.ucm = Rooms()
        self.ucm.add("101", "102", "103")
        self.clock = HandClock()
        self.metrics = Metrics(version="1", site="x")
        self.driver = UcmDriver(RoomsApi(self.ucm), WORDS, self.metrics)
        self.worker = OutboxWorker(Outbox(folder / "outbox.db"))
        self.house = House(rooms=rooms)
        intake = Intake(house=self.house, rooms=RoomMap(), outbox=self.worker, normalize=normalize,
                        clock=self.clock, metrics=self.metrics, answers=False)  # fmt: skip
        self.reconciler = Reconciler(intake=intake, judge=self.driver, clock=self.clock,
                                     metrics=self.metrics, interval_s=900, heals=heals)  # fmt: skip
        self.relay = Relay(outbox=self.worker, driver=self.driver, clock=self.clock,
                           metrics=self.metrics, retries=3, retry_interval_s=60,
                           reconciler=self.reconciler)  # fmt: skip

    async def show(self, *events):
        """The UCM as these events leave it."""
        for event in events:
            await self.driver.apply(event, unsure=False, repairs=False)

    async def compare(self):
        """One comparison, then everything it put is delivered. Returns the events it put."""
        await self.reconciler.reconcile(await self.driver.rooms())
        put = []
        while (entry := (await self.relay._next())[0]) is not None:
            put.append(entry.event)
            await self.relay._deliver(entry)
        await self.relay._fetch_anew()
        return put

    @property
    def drifted(self):
        return self.metrics.registry.get_sample_value("pmsgw_rooms_drifted")


@pytest.fixture
def site(tmp_path):
    made = []

    def make(rooms, **how):
        made.append(Site(tmp_path, rooms, **how))
        made[0].relay._answered()
        return made[0]

    yield make
    made[0].worker.close()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("room", "shown", "drift", "cure"),
    [
        (Room(guests=(ANNA,)), [CheckIn(room="101", guest=ANNA)], None, []),
        (OUT, [], None, []),
        (Room(guests=(ANNA,)), [], Drift("101", "out"), [CheckIn(room="101", guest=ANNA)]),
        (OUT, [CheckIn(room="101", guest=OTTO)], Drift("101", "in"), [CheckOut(room="101")]),
        (Room(guests=(ANNA,)), [CheckIn(room="101", guest=OTTO)], Drift("101", "stranger"),
         [CheckOut(room="101"), CheckIn(room="101", guest=ANNA)]),
        (Room(guests=(ANNA,)), [CheckIn(room="101", guest=replace(ANNA, name="Rosso", vip="2"))],
         Drift("101", "details", ("lastname", "vipcode")), [Update(room="101", guest=ANNA)]),
        (Room(guests=(ANNA,)), [CheckIn(room="101", guest=replace(ANNA, class_of_service="0"))],
         Drift("101", "details", ("cos",)), [Update(room="101", guest=ANNA)]),
        (Room(guests=(ANNA,)), [CheckIn(room="101", guest=replace(ANNA, departure=CAME.date()))],
         Drift("101", "details", ("dateout",)), [Update(room="101", guest=ANNA)]),
        # The UCM shows a sharer: nobody's mailbox must go.
        (Room(guests=(ANNA, OTTO)), [CheckIn(room="101", guest=OTTO)],
         Drift("101", "details", ("account",)), [Update(room="101", guest=ANNA)]),
        # A room we only never heard of says nothing about who is in it.
        (Room(), [CheckIn(room="101", guest=OTTO)], None, []),
        # A resync said that it is empty.
        (Room(empty=True), [CheckIn(room="101", guest=OTTO)], Drift("101", "in"), [CheckOut(room="101")]),
    ],
)  # fmt: skip
async def test_a_difference_is_seen_and_cured_by_the_fewest_calls(site, room, shown, drift, cure):
    at = site({"101": room})
    await at.show(*shown)
    assert await at.compare() == cure
    assert at.reconciler.drifts == ((drift,) if drift else ())
    assert at.drifted == (1 if drift else 0)
    assert await at.compare() == []
    assert at.reconciler.drifts == ()  # it took
    assert at.drifted == 0


@pytest.mark.asyncio
async def test_a_guest_whom_the_ucm_forgot_gets_his_wake_up_back(site):
    wake_up = datetime(2026, 3, 15, 6, 30)
    at = site({"101": Room(guests=(ANNA,), wake_ups=(wake_up,), told=wake_up)})
    assert await at.compare() == [CheckIn(room="101", guest=ANNA), WakeUp(room="101", at=wake_up)]
    assert at.ucm.rooms["101"].wake_up == ("20260315", "0630")


@pytest.mark.asyncio
async def test_what_still_waits_is_left_alone(site):
    at = site({"101": Room(guests=(ANNA,)), "102": OUT})
    await at.show(CheckIn(room="102", guest=OTTO))
    waiting = NewEntry(event=CheckIn(room="101", guest=ANNA), record="GI|", received_at=1.0)
    at.worker.outbox.put(Batch(entries=[waiting]))
    await at.reconciler.reconcile(await at.driver.rooms())
    assert at.reconciler.drifts == (Drift("102", "in"),)
    assert at.worker.outbox.totals().accepted["to_ucm"] == 2


@pytest.mark.asyncio
async def test_a_room_that_the_list_lacks_is_shown_and_never_touched(site):
    at = site({"101": Room(guests=(ANNA,)), "102": OUT, "909": Room(guests=(OTTO,))})
    await at.show(CheckIn(room="101", guest=ANNA))
    assert await at.compare() == []
    assert at.reconciler.drifts == (Drift("909", "unlisted"),)
    await at.reconciler.reconcile([])  # an empty list
    assert at.worker.outbox.totals().accepted["to_ucm"] == 0
    assert at.ucm.rooms["101"].is_in


@pytest.mark.asyncio
async def test_a_cure_that_does_not_take_is_not_tried_for_ever(site):
    at = site({"101": Room(guests=(ANNA,))})
    await at.show(CheckIn(room="101", guest=ANNA))
    at.ucm.rooms["101"].vipcode = "7"
    listed = await at.driver.rooms()
    for calls in (1, 1, 1):
        await at.reconciler.reconcile(listed)
        assert at.worker.outbox.totals().accepted["to_ucm"] == calls
        while (entry := (await at.relay._next())[0]) is not None:
            await at.relay._deliver(entry)
        await at.relay._fetch_anew()
    assert at.drifted == 1  # and it is still shown
    at.reconciler.want(anew=True)  # the UCM came back: perhaps it is another one
    await at.reconciler.reconcile(listed)
    assert at.worker.outbox.totals().accepted["to_ucm"] == 2


@pytest.mark.asyncio
async def test_a_cure_that_could_not_be_stored_is_tried_again(site):
    long = replace(ANNA, name="R" * 3000)  # more than a page has left
    at = site({"101": Room(guests=(long,))})
    db = at.worker.outbox._db
    db.pragma("max_page_count", db.pragma("page_count"))
    listed = await at.driver.rooms()
    with pytest.raises(StorageFailed):
        await at.reconciler.reconcile(listed)
    db.pragma("max_page_count", 100_000)
    await at.reconciler.reconcile(listed)
    assert [row.event for row in at.worker.outbox.rows(["waiting"])] == ["check_in"]


@pytest.mark.asyncio
async def test_a_drift_that_comes_back_after_it_was_cured_is_cured_again(site):
    at = site({"101": OUT})
    for _ in range(2):
        await at.show(CheckIn(room="101", guest=OTTO))
        assert await at.compare() == [CheckOut(room="101")]
        assert await at.compare() == []


@pytest.mark.asyncio
async def test_report_only_shows(site):
    at = site({"101": OUT}, heals=False)
    await at.show(CheckIn(room="101", guest=OTTO))
    assert await at.compare() == []
    assert (at.drifted, at.ucm.rooms["101"].is_in) == (1, True)


@pytest.mark.asyncio
async def test_when_it_compares(site):
    """When the UCM came back, after a resync, and at each interval; never while a resync runs."""
    at = site({})
    due = at.reconciler
    assert due.is_due(idle=True)
    due.later()
    assert not due.is_due(idle=True)
    at.relay._down("away")
    at.relay._answered()
    assert due.is_due(idle=True)
    assert not due.is_due(idle=False)  # what waits goes first
    due.later()
    at.house._book.write(replace(at.house.ledger, in_resync=True, resync=1))
    at.clock.wind(2000)
    assert not due.is_due(idle=True)
    at.house._book.write(replace(at.house.ledger, in_resync=False))
    assert due.is_due(idle=True)
    due.later()
    at.clock.wind(899)
    assert not due.is_due(idle=True)
    at.clock.wind(1)
    assert due.is_due(idle=True)
    at.clock.wind(900)
    assert due.is_due(idle=False)  # but not for ever


def test_comparing_is_pure_and_in_order():
    class Judge:
        def differences(self, room, guest):
            raise AssertionError("nobody is in")

    rooms = {"9": Room(guests=(ANNA,)), "101": Room(guests=(ANNA,))}
    assert [each.room for each in compare(rooms, [], Judge())] == ["101", "9"]
