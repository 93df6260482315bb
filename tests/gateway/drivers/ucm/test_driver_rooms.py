"""The UCM's list of rooms: shown, paged, failing, or not there at all."""

from dataclasses import replace

import pytest

from gateway.drivers.base import (
    Paused,
    Unreachable,
)
from gateway.simulators.ucm.module import PmsModule
from tests.gateway.drivers.ucm.bench import ANNA, OTTO, bench


@pytest.mark.asyncio
async def test_the_list_shows_a_guest_as_he_was_told(tmp_path):
    async with bench(tmp_path) as on:
        guest = replace(ANNA, language="EN", vip="1")
        await on.check_in(guest)
        listed = {room.address: room for room in await on.driver.rooms()}
        assert {address: room.is_in for address, room in listed.items()} == {
            "101": True, "102": False, "205": False,
        }  # fmt: skip
        ours, others = on.driver.tags_of(guest, 7), on.driver.tags_of(OTTO, 8)
        assert on.driver.is_ours(listed["101"], ours)
        assert not on.driver.is_ours(listed["101"], others)
        assert on.driver.shown_tags(listed["101"], ours) == ours


@pytest.mark.asyncio
async def test_a_list_of_more_than_one_page_is_read_to_its_end(tmp_path, monkeypatch):
    async with bench(tmp_path) as on:

        def paged(_, request):
            number = request["data"]["listPMSRoom"].get("page", 1)
            rows = on.ucm.rooms.listed()[number - 1 : number]
            return {"page": number, "pms_room": rows, "total_item": 1, "total_page": 3}

        monkeypatch.setattr(PmsModule, "do", paged)
        assert [room.address for room in await on.driver.rooms()] == ["101", "102", "205"]


@pytest.mark.asyncio
async def test_a_list_that_has_every_room_on_each_page_is_not_asked_for_ever(tmp_path, monkeypatch):
    async with bench(tmp_path) as on:

        def whole(*_):
            return {"page": 1, "pms_room": on.ucm.rooms.listed(), "total_page": 999}

        monkeypatch.setattr(PmsModule, "do", whole)
        assert [room.address for room in await on.driver.rooms()] == ["101", "102", "205"]
        assert len(on.said()) == 2


@pytest.mark.asyncio
@pytest.mark.parametrize("code", [13, -19, -1])
async def test_a_firmware_without_a_list_is_known_when_it_refuses_it(tmp_path, code):
    async with bench(tmp_path) as on:
        assert on.driver.has_list
        on.ucm.fail("code", action="listPMSRoom", value=code)
        assert await on.driver.rooms() is None
        assert not on.driver.has_list
        assert len(await on.driver.rooms()) == 3  # it was updated
        assert on.driver.has_list


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("code", "error"), [(-9, Unreachable), (-51, Unreachable), (-45, Paused), (-47, Paused)]
)
async def test_a_list_that_fails_for_a_passing_reason_is_still_a_list(tmp_path, code, error):
    async with bench(tmp_path) as on:
        on.ucm.fail("code", action="listPMSRoom", value=code)
        with pytest.raises(error):
            await on.driver.rooms()
        assert on.driver.has_list


@pytest.mark.asyncio
@pytest.mark.parametrize("code", [-6, -7])
async def test_a_session_that_breaks_under_the_list_is_renewed(tmp_path, code):
    async with bench(tmp_path) as on:
        await on.driver.probe()
        on.ucm.fail("code", action="listPMSRoom", value=code)
        assert len(await on.driver.rooms()) == 3
        assert on.ucm.logins == 2


@pytest.mark.asyncio
async def test_the_old_api_has_no_list_and_is_not_asked_for_one(tmp_path):
    async with bench(tmp_path, old=True) as on:
        assert not on.driver.has_list
        assert await on.driver.rooms() is None
        assert (on.driver.has_list, on.said()) == (False, [])
