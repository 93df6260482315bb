"""Events of the UCM: told at once what polling would find an hour later. And the minibar."""

from contextlib import asynccontextmanager

import pytest

from gateway import logs
from gateway.demo import stage
from gateway.store import Store
from tests.story.test_way_back import GUEST, until
from tests.story.test_way_back_wake_ups import hotel, in_minutes, order, rings

logs.set_up(quiet=True)
SOCKET = 'ws_password = "ws-secret"\n'
LISTENING = f"[back]\nroom_status = true\nvoicemail = true\npoll_s = 3600\n{SOCKET}"


def metric(on, line):
    return line in on.service.metrics.expose().decode()


@asynccontextmanager
async def listening(tmp_path, extra=LISTENING):
    """A hotel whose UCM is polled once an hour, and tells the rest by itself."""
    async with stage(tmp_path, rooms=("101", "102"), extra=extra) as on:
        said, also = [], on.pms.on_record

        def heard(text, from_gateway):
            if from_gateway and text[:2] in ("RE", "PS"):
                said.append(text)
            if also is not None:
                also(text, from_gateway)

        on.pms.on_record = heard
        on.pms.say(GUEST)
        await until(lambda: on.ucm.rooms.rooms["101"].is_in)
        await until(lambda: on.ucm.sockets.listeners)
        yield on, said


@pytest.mark.asyncio
async def test_an_event_is_a_reason_to_look_at_once(tmp_path):
    async with listening(tmp_path) as (on, said):
        asked = len(on.ucm.calls("listAccount"))
        await until(lambda: len(on.ucm.calls("listAccount")) >= max(asked, 1))
        on.ucm.key_status("102", 5, maid="0017", at="202603141030")
        await until(lambda: said)
        assert said == ["RE|RN102|RS1|ID0017|"]
        on.ucm.leave_message("101")
        await until(lambda: len(said) == 2)
        assert said[1] == "RE|RN101|VM0100|"
        assert metric(on, 'pmsgw_ucm_events_total{event="room_status"} 1.0')
        assert metric(on, "pmsgw_ucm_events_up 1.0")


@pytest.mark.asyncio
async def test_a_reconnect_reads_everything_once(tmp_path):
    async with listening(tmp_path) as (on, said):
        await until(lambda: on.ucm.calls("listAccount"))
        on.ucm.cut()
        await until(lambda: not on.ucm.sockets.listeners)
        on.ucm.rooms.key_status("102", 5, at="202603141030")  # while nobody listens
        await until(lambda: said)
        assert said == ["RE|RN102|RS1|"]


@pytest.mark.asyncio
async def test_an_event_that_nobody_understands_is_kept_for_the_operator(tmp_path):
    async with listening(tmp_path) as (on, _):
        for number in range(3):
            on.ucm.sockets.emit("PMSRoomStatus", {"Zimmer": f"10{number}"})
        await until(lambda: metric(on, 'pmsgw_ucm_events_total{event="other"} 3.0'))

        kept = []

        async def refused():
            kept[:] = await on.service.store(Store.refused)

        for _ in range(200):
            await refused()
            if kept:
                break
            await on.service.clock.sleep(0.05)
        assert [each.reason for each in kept] == ["ucm_event"]
        assert b"Zimmer" in kept[0].body


@pytest.mark.asyncio
async def test_a_ucm_without_a_list_of_wake_ups_tells_the_end_by_its_event(tmp_path):
    async with hotel(tmp_path, extra=SOCKET) as (on, told):
        on.ucm.settings.lists_wake_ups = False
        await until(lambda: on.ucm.sockets.listeners)
        at = in_minutes(on, 10)
        on.pms.say(order(at))
        await until(lambda: on.ucm.rooms.rooms["101"].wake_up)
        await rings(on, at)
        on.ucm.ring("101", "1", forgets=True)
        await until(lambda: told.records)
        assert told.records == [f"WA|RN101|DA{at:%y%m%d}|TI{at:%H%M%S}|ASOK|"]
        assert on.service.reach.is_up  # a list that is not permitted is no reason to stop


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("mode", "posting"),
    [("articles", "PS|RN101|PTM|MA1|M#2|MA2|M#1|"), ("total", "PS|RN101|PTC|TA700|")],
)
async def test_what_is_taken_from_the_minibar_is_on_the_bill(tmp_path, mode, posting):
    extra = f'[back]\nminibar = "{mode}"\npoll_s = 1\nanswer_s = 5\n'
    async with stage(tmp_path, rooms=("101", "102"), extra=extra) as on:
        said, also = [], on.pms.on_record

        def heard(text, from_gateway):
            if from_gateway and text.startswith("PS"):
                said.append(text)
            if also is not None:
                also(text, from_gateway)

        on.pms.on_record = heard
        await until(lambda: on.service.back.minibar._seen is not None)
        on.pms.say(GUEST)
        await until(lambda: on.ucm.rooms.rooms["101"].is_in)
        on.ucm.take("101", "apple", 2)
        on.ucm.take("101", "beer")
        await until(lambda: on.pms.cashier.booked)
        assert [each.split("P#")[0] for each in said] == [posting]
        booked = 'pmsgw_postings_total{kind="minibar",result="booked"} 1.0'
        await until(lambda: metric(on, booked))  # counted when the answer is on disk
        on.pms.say("GO|RN101|G#4711|GSN|")
        on.ucm.take("101", "beer")  # while the check-out is on its way
        await until(lambda: not on.ucm.rooms.rooms["101"].is_in)
        await until(lambda: len(on.service.back.lanes.each[0].open) <= 1)
        assert len(said) == 1  # what nobody can pay any more is a human's
