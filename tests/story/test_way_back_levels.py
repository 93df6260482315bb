"""What a maid keys and the messages that wait, over real sockets: the latest only, and no echo."""

import asyncio

import pytest

from gateway import logs
from gateway.demo import stage
from protocols.fias.codec import decode
from tests.story.test_way_back import until

logs.set_up(quiet=True)
BACK = "[back]\nroom_status = true\nvoicemail = true\npoll_s = 1\n"
GUEST = "GI|RN101|G#4711|GNRossi|GSN|"


class Told:
    """The RE records that the PMS heard from us."""

    def __init__(self, pms):
        self.records, also = [], pms.on_record

        def heard(text, from_gateway):
            if from_gateway and text.startswith("RE|"):
                self.records.append(text)
            if also is not None:
                also(text, from_gateway)

        pms.on_record = heard


async def looked(on, times=2):
    """The UCM is asked again, so often."""
    for _ in range(times):
        before = len(on.ucm.calls("listAccount"))
        on.service.back.poll.nudged.set()
        await until(lambda before=before: len(on.ucm.calls("listAccount")) > before)
    await asyncio.sleep(0.1)


@pytest.mark.asyncio
@pytest.mark.parametrize("serial", [False, True], ids=["tcp", "serial"])
async def test_a_maid_is_heard_and_our_own_calls_are_not(tmp_path, serial):
    async with stage(tmp_path, serial=serial, rooms=("101", "102"), extra=BACK) as on:
        told = Told(on.pms)
        await asyncio.wait_for(on.pms.link_up(), 15)
        await looked(on)
        on.pms.say(GUEST)
        await until(lambda: on.ucm.rooms.rooms["101"].is_in)  # which changes the room's status
        await looked(on)
        assert told.records == []
        on.ucm.rooms.key_status("101", 5, maid="0017", at="202603141030")
        on.ucm.rooms.key_status("102", 1, at="202603141031")
        await until(lambda: len(told.records) == 2)
        assert sorted(told.records) == ["RE|RN101|RS2|ID0017|", "RE|RN102|RS3|"]
        on.ucm.rooms.key_status("102", 3, at="202603141032")  # repairing: nothing to say
        await looked(on)
        assert len(told.records) == 2
        assert on.pms.complaints == []
        written = 'pmsgw_postings_total{kind="room_status",result="written"} 2.0'
        await until(lambda: written in on.service.metrics.expose().decode())


@pytest.mark.asyncio
async def test_while_the_link_is_down_only_the_latest_waits(tmp_path):
    async with stage(tmp_path, rooms=("101", "102"), extra=BACK) as on:
        told = Told(on.pms)
        await asyncio.wait_for(on.pms.link_up(), 15)
        await looked(on)
        on.pms.start_again_s = 3600
        on.pms._link_down()
        on.pms._say_link("LE")
        await until(lambda: not on.service.pump.session.is_up)
        for minute, status in enumerate((5, 1, 5)):
            on.ucm.rooms.key_status("102", status, at=f"20260314103{minute}")
            await looked(on)
        assert len(on.service.back.lanes.each[0].open) == 1
        on.pms._say_start()
        await until(lambda: told.records)
        assert told.records == ["RE|RN102|RS1|"]


@pytest.mark.asyncio
async def test_messages_of_an_occupied_room_are_told(tmp_path):
    async with stage(tmp_path, rooms=("101", "102"), extra=BACK) as on:
        told = Told(on.pms)
        await asyncio.wait_for(on.pms.link_up(), 15)
        on.ucm.rooms.leave_message("102")  # nobody lives there
        on.pms.say(GUEST)
        await until(lambda: on.ucm.rooms.rooms["101"].is_in)
        await looked(on)
        assert told.records == []
        on.ucm.rooms.leave_message("101")
        await until(lambda: told.records == ["RE|RN101|VM0100|"])
        on.ucm.rooms.rooms["101"].messages, on.ucm.rooms.rooms["101"].heard = 0, 1
        await until(lambda: told.records[1:] == ["RE|RN101|VM0001|"])
        assert decode(told.records[0].encode()).voice_mail == "0100"
        await looked(on)
        assert len(told.records) == 2
