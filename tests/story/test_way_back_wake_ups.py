"""Wake-ups over real sockets: how they ended, and what guests key on their phones."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway import logs
from gateway.demo import stage
from tests.story.test_way_back import GUEST, Shifted, later, until

logs.set_up(quiet=True)
BACK = "[back]\nwake_up_results = true\nwake_ups_from_phones = true\npoll_s = 1\n"


class Told:
    """The records of wake-ups that the PMS heard from us."""

    def __init__(self, pms):
        self.records, also = [], pms.on_record

        def heard(text, from_gateway):
            if from_gateway and text[:2] in ("WA", "WR", "WC"):
                self.records.append(text)
            if also is not None:
                also(text, from_gateway)

        pms.on_record = heard


@asynccontextmanager
async def hotel(tmp_path, *, serial=False, extra=""):
    """A hotel with a guest in 101, and what the PMS hears of wake-ups."""
    clock = Shifted(ZoneInfo("Europe/Lisbon"))
    async with stage(tmp_path, serial=serial, rooms=("101", "102"), clock=clock,
                     extra=f"{BACK}{extra}") as on:  # fmt: skip
        told = Told(on.pms)
        on.pms.say(GUEST)
        await until(lambda: on.ucm.rooms.rooms["101"].is_in)
        yield on, told


async def looked(on, times=2):
    """The list of wake-ups is read again, so often."""
    for _ in range(times):
        before = len(on.ucm.calls("listWakeUp"))
        on.service.back.poll.nudged.set()
        await until(lambda before=before: len(on.ucm.calls("listWakeUp")) > before)
    await asyncio.sleep(0.1)


def in_minutes(on, minutes, second=0):
    at = on.service.clock.stamp() + timedelta(minutes=minutes)
    return at.replace(second=second, microsecond=0)


def order(at):
    return f"WR|RN101|DA{at:%y%m%d}|TI{at:%H%M%S}|"


async def rings(on, at):
    """The minute comes, and the house has seen it."""
    await until(lambda: not on.service.outbox.waiting)  # the UCM has it, and we know that
    before = len(on.service.back.results._owed or ())
    later(on, (at - on.service.clock.stamp()).total_seconds() + 21)
    on.service.intake.stored.set()  # its nap is up to half a minute long
    await until(lambda: len(on.service.back.results._owed or ()) > before)


@pytest.mark.asyncio
@pytest.mark.parametrize("serial", [False, True], ids=["tcp", "serial"])
async def test_the_desk_hears_once_how_a_wake_up_ended(tmp_path, serial):
    async with hotel(tmp_path, serial=serial) as (on, told):
        at = in_minutes(on, 10, second=17)
        on.pms.say(order(at))
        await until(lambda: on.ucm.rooms.rooms["101"].wake_up == (f"{at:%Y%m%d}", f"{at:%H%M}"))
        await rings(on, at)
        assert told.records == []
        on.ucm.ring("101", "1")
        await until(lambda: told.records)
        assert told.records == [f"WA|RN101|DA{at:%y%m%d}|TI{at:%H%M%S}|ASOK|"]
        await looked(on)
        assert len(told.records) == 1
        assert on.pms.complaints == []


@pytest.mark.asyncio
async def test_a_guest_who_does_not_answer_is_told_after_the_last_try(tmp_path):
    async with hotel(tmp_path, extra="wake_up_tries_s = 120\n") as (on, told):
        at = in_minutes(on, 10)
        on.pms.say(order(at))
        await until(lambda: on.ucm.rooms.rooms["101"].wake_up)
        await rings(on, at)
        on.ucm.ring("101", "2")
        await looked(on)
        assert told.records == []
        later(on, 120)
        await until(lambda: told.records)
        assert told.records == [f"WA|RN101|DA{at:%y%m%d}|TI{at:%H%M%S}|ASNR|"]


@pytest.mark.asyncio
async def test_a_ucm_that_goes_away_while_it_rings_is_told_to_the_desk(tmp_path):
    async with hotel(tmp_path) as (on, told):
        at = in_minutes(on, 10)
        on.pms.say(order(at))
        await until(lambda: on.ucm.rooms.rooms["101"].wake_up)
        await rings(on, at)
        await on.ucm.stop()
        later(on, 7 * 60)
        await until(lambda: told.records)
        assert told.records == [f"WA|RN101|DA{at:%y%m%d}|TI{at:%H%M%S}|ASUR|"]
        lost = 'pmsgw_wake_ups_total{ending="no_result"} 1.0'
        assert lost in on.service.metrics.expose().decode()


@pytest.mark.asyncio
async def test_what_a_guest_keys_is_told_and_rings_beside_what_the_desk_ordered(tmp_path):
    async with hotel(tmp_path) as (on, told):
        await looked(on)
        early, late = in_minutes(on, 60), in_minutes(on, 120)
        on.pms.say(order(early))
        await until(lambda: on.ucm.rooms.rooms["101"].wake_up)
        await looked(on)
        assert told.records == []  # what we told it ourselves is not keyed
        on.ucm.key_wake_up("101", f"{late:%Y%m%d%H%M}")  # which overwrites the desk's
        await until(lambda: told.records)
        assert told.records == [order(late)]
        desk = (f"{early:%Y%m%d}", f"{early:%H%M}")
        await until(lambda: on.ucm.rooms.rooms["101"].wake_up == desk)  # told again: it is earlier
        await looked(on)
        on.ucm.key_wake_up("101")
        await until(lambda: len(told.records) == 2)
        assert told.records[1] == order(early).replace("WR", "WC")
        guest = (f"{late:%Y%m%d}", f"{late:%H%M}")
        await until(lambda: on.ucm.rooms.rooms["101"].wake_up == guest)
        await looked(on)
        assert len(told.records) == 2
        assert on.pms.complaints == []


@pytest.mark.asyncio
async def test_a_wake_up_that_the_ucm_has_forgotten_is_told_again_once(tmp_path):
    async with hotel(tmp_path) as (on, told):
        on.pms.say(order(in_minutes(on, 60)))
        room = on.ucm.rooms.rooms["101"]
        await until(lambda: room.wake_up)
        await looked(on)
        for times in (2, 2):  # once more it is our misunderstanding of the list
            room.wake_up, room.wake_up_state = None, ""
            await looked(on, 3)
            await until(lambda times=times: len(on.ucm.calls("wakeup")) == times)
        assert told.records == []


@pytest.mark.asyncio
async def test_a_daily_wake_up_is_not_overwritten_by_its_own_echo(tmp_path):
    async with hotel(tmp_path) as (on, told):
        await looked(on)
        at = in_minutes(on, 60)
        on.ucm.rooms.key_wake_up("101", f"{at:%Y%m%d%H%M}", daily=True)  # without an event
        await until(lambda: told.records)
        assert told.records == [order(at)]
        await looked(on)
        assert on.ucm.rooms.rooms["101"].is_daily
        assert on.ucm.calls("wakeup") == []
        await rings(on, at)
        on.ucm.rooms.ring("101", "1")
        await until(lambda: len(told.records) == 3)
        answers = [each for each in told.records if each.startswith("WA")]
        assert answers == [f"WA|RN101|DA{at:%y%m%d}|TI{at:%H%M%S}|ASOK|"]
        tomorrow = at + timedelta(days=1)
        assert order(tomorrow) in told.records
        assert on.ucm.rooms.rooms["101"].is_daily


@pytest.mark.asyncio
async def test_a_wake_up_in_a_room_without_a_guest_is_nobodys(tmp_path):
    async with hotel(tmp_path) as (on, told):
        at = in_minutes(on, 60)
        on.ucm.key_wake_up("102", f"{at:%Y%m%d%H%M}")
        await looked(on)
        assert told.records == []
