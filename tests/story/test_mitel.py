"""A whole hotel over a Mitel line: the real service between a simulated PMS and UCM."""

import asyncio
import random

import pytest

from gateway import logs
from gateway.demo.stage import lodge_stage
from gateway.simulators.lodge import Lodge

logs.set_up(quiet=True)
ROOMS = ("101", "102", "103", "104")


def name(room, text, kind=1):
    return f"NAM{kind} {text:<21}{room:>5}"


def arrives(room, text):
    return [f"CHK1 {room:>5}", name(room, text), f"RST2 {room:>5}"]


def hotel(folder, **how):
    return lodge_stage(folder, rooms=ROOMS, **how)


async def until(condition, within_s=20.0):
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.02)


def shows(room):
    return (room.lastname, room.firstname) if room.is_in else None


@pytest.mark.asyncio
@pytest.mark.parametrize("serial", [False, True], ids=["tcp", "serial"])
async def test_a_guest_comes_is_woken_and_leaves(tmp_path, serial):
    async with hotel(tmp_path, serial=serial) as on:
        on.pms.say("AREYUTHERE", *arrives("101", "Rossi,Anna"), "WKP2359  101", "MW 1  101")
        await until(lambda: shows(on.ucm.rooms.rooms["101"]) == ("Rossi", "Anna"))
        await until(
            lambda: (
                on.ucm.rooms.rooms["101"].wake_up and on.ucm.rooms.rooms["101"].wake_up[1] == "2359"
            )
        )
        await until(lambda: on.ucm.rooms.rooms["101"].cos == "3")
        assert on.service.pump.session.is_up
        on.ucm.rooms.leave_message("101")
        on.pms.say(*arrives("101", "Rossi,Anna"))  # told again
        await on.pms.all_said()
        on.pms.say("WKP      101")
        await until(lambda: on.ucm.rooms.rooms["101"].wake_up is None)
        assert on.ucm.rooms.rooms["101"].messages == 1
        metrics = on.service.metrics.expose().decode()
        for record, count in (("CHK1", 2), ("NAM", 2), ("RST", 2), ("MW", 1), ("WKP", 2)):
            assert f'pmsgw_records_total{{direction="in",record="{record}"}} {count}.0' in metrics
        assert 'pmsgw_remarks_total{remark="no_use"} 1.0' in metrics
        on.pms.say("CHK0   101")
        await until(lambda: not on.ucm.rooms.rooms["101"].is_in)
        assert on.pms.refused == on.pms.complaints == []


@pytest.mark.asyncio
async def test_the_next_guest_hears_no_message_of_the_last(tmp_path):
    async with hotel(tmp_path) as on:
        on.pms.say(*arrives("101", "Rossi,Anna"))
        await until(lambda: shows(on.ucm.rooms.rooms["101"]) == ("Rossi", "Anna"))
        on.ucm.rooms.leave_message("101")
        on.pms.say(*arrives("101", "Verdi"))  # without CHK0
        await until(lambda: shows(on.ucm.rooms.rooms["101"]) == ("Verdi", ""))
        assert on.ucm.rooms.rooms["101"].messages == 0


@pytest.mark.asyncio
async def test_what_is_no_message_is_refused_kept_and_the_next_one_goes(tmp_path):
    async with hotel(tmp_path) as on:
        on.pms.say("CHK3   101", *arrives("102", "Rossi"))
        await until(lambda: shows(on.ucm.rooms.rooms["102"]))
        assert on.pms.refused == ["CHK3   101"]
        metrics = on.service.metrics.expose().decode()
        assert 'pmsgw_records_refused_total{reason="grammar"} 4.0' in metrics


@pytest.mark.asyncio
async def test_a_resync_tells_every_room(tmp_path):
    async with hotel(tmp_path) as on:
        on.pms.say(*arrives("101", "Rossi"), *arrives("102", "Verdi"))
        await until(lambda: shows(on.ucm.rooms.rooms["102"]))
        calls = len(on.ucm.calls("checkin"))
        on.pms.say(
            "GRS       ", "CHK1   101", name("101", "Rossi"), "CHK0   102",
            "CHK1   103", name("103", "Neri"), "CHK0   104", "END       ",
        )  # fmt: skip
        await until(
            lambda: shows(on.ucm.rooms.rooms["103"]) and not on.ucm.rooms.rooms["102"].is_in
        )
        assert shows(on.ucm.rooms.rooms["101"]) == ("Rossi", "")
        assert len(on.ucm.calls("checkin")) == calls + 1


@pytest.mark.asyncio
@pytest.mark.parametrize("yields", [True, False])
async def test_maids_and_lamps_go_back_also_when_both_ask_at_once(tmp_path, yields):
    back = "[back]\nroom_status = true\nvoicemail = true\npoll_s = 1\n"
    async with hotel(tmp_path, extra=back) as on:
        on.pms.yields = yields
        on.pms.say(*arrives("101", "Rossi"))
        await until(lambda: shows(on.ucm.rooms.rooms["101"]))
        await until(lambda: on.service.back.levels._seen is not None)
        await asyncio.sleep(2.5)
        for turn, status in enumerate((5, 1, 5)):
            on.ucm.rooms.key_status("102", status, maid="0017", at=f"20260314103{turn}")
            on.pms.say(*(f"RST{level}   101" for level in (0, 1, 2)))
            await until(lambda turn=turn: len(on.pms.heard) > turn)
        on.ucm.rooms.leave_message("101")
        await until(lambda: "MW 1 101" in on.pms.heard)
        assert [each for each in on.pms.heard if each.startswith("STS")] == [
            "STS9 102", "STS8 102", "STS9 102",
        ]  # fmt: skip
        await on.pms.all_said()
        assert on.pms.refused == on.pms.complaints == []


@pytest.mark.asyncio
@pytest.mark.parametrize("serial", [False, True], ids=["tcp", "serial"])
async def test_random_days_over_a_bad_line_end_with_every_room_as_the_pms_meant_it(
    tmp_path, serial
):
    rng = random.Random(7)

    def damaged(data):
        if rng.random() < 0.05:
            return data[: rng.randrange(len(data) + 1)]  # the end is lost
        return data + (b"\x00" if rng.random() < 0.2 else b"")

    async with hotel(tmp_path, serial=serial) as on:
        on.pms.damage, lodge = damaged, Lodge(ROOMS, seed=7)
        for turn in range(40):
            on.pms.say(*lodge.random_deed())
            if turn % 15 == 14:
                await asyncio.sleep(0.3)
                on.pms.cut()
                on.ucm.reboot()
        async with asyncio.timeout(90):
            await on.pms.all_said()
        await until(lambda: lodge.differences(on.ucm.rooms.rooms) == [], 60)
        for _ in range(6):
            lodge.silent_deed()
        on.pms.damage = None
        on.pms.say(*lodge.resync())
        await until(lambda: lodge.differences(on.ucm.rooms.rooms) == [], 60)
        assert on.pms.refused == on.pms.complaints == []
