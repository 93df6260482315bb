"""Phones in the rooms of a hotel that plays: the service, its commands and its pages."""

import asyncio
import json
import re

import httpx
import pytest
from typer.testing import CliRunner

from gateway import logs
from gateway.cli import app, phones
from gateway.demo.phones import SECTION, demo_phones
from gateway.demo.stage import stage

logs.set_up(quiet=True)
ROOMS = ("101", "102", "103", "104")


def run(folder, *words):
    return CliRunner().invoke(app, [*words, "--config", str(folder / "gateway.toml")])


async def until(condition, within_s=20):
    async with asyncio.timeout(within_s):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.1)


@pytest.mark.asyncio
async def test_contacts_go_with_the_guest_and_the_operator_sees_who_is_behind(tmp_path):
    told = []
    async with demo_phones(tmp_path, ROOMS[:3], told.append) as sets:
        await a_day_of_phones(tmp_path, sets)
        # No service runs: what is owed to a phone is seen all the same.
        shown = await asyncio.to_thread(run, tmp_path, "phones", "list")
        assert re.search("103 +behind .*delete contacts", shown.stdout)
        assert re.search("101 +unknown", shown.stdout)
        outbox = await asyncio.to_thread(run, tmp_path, "outbox", "list")
        assert "phone 103" in outbox.stdout
        await sets.phones["103"].start()
    assert phones.phones_app is not None


async def a_day_of_phones(tmp_path, sets):
    async with stage(tmp_path, rooms=ROOMS, extra=SECTION) as on:
        await on.pms.link_up()
        for room in ROOMS:
            on.pms.say(*on.hotel.check_in(room))
        assert await on.settle() == []
        assert await sets.differences(on.hotel) == []
        sets.type_in(on.hotel)

        off = sets.phones["102"]
        await off.stop()
        for room in ("101", "102"):
            on.pms.say(*on.hotel.check_out(room))
        assert await on.settle() == []  # the UCM waits for no phone
        sets.type_in(on.hotel)
        await until(lambda: not sets.phones["101"].contacts)

        def listed():
            return {
                each["room"]: each
                for each in json.loads(run(tmp_path, "phones", "list", "--json").stdout)
            }

        await until(lambda: listed()["102"]["trouble"])
        shown = await asyncio.to_thread(run, tmp_path, "phones", "list")
        assert "102      behind" in shown.stdout
        assert "delete contacts" in shown.stdout
        outbox = await asyncio.to_thread(run, tmp_path, "outbox", "list")
        assert "phone 102" in outbox.stdout
        port = on.service.pages[0].port
        async with httpx.AsyncClient(trust_env=False, base_url=f"http://127.0.0.1:{port}") as http:
            assert "its phone is behind" in (await http.get("/rooms")).text
            async with asyncio.timeout(10):
                while 'pmsgw_phones{state="behind"} 1.0' not in (await http.get("/metrics")).text:
                    await asyncio.sleep(0.1)

        await off.start()
        retried = await asyncio.to_thread(run, tmp_path, "phones", "retry", "102")
        assert retried.exit_code == 0, retried.output
        await until(lambda: not off.contacts)
        await until(lambda: not listed()["102"]["step"])
        assert (await asyncio.to_thread(listed))["102"]["model"] == "GXV3370"

        guest = sets.phones["103"]
        assert guest.names("default")  # who is still in keeps what he has typed
        wiped = await asyncio.to_thread(run, tmp_path, "phones", "wipe", "103", "--yes")
        assert "3 contacts deleted" in wiped.stdout
        await until(lambda: len(guest.names("Hotel")) == 2)
        assert guest.names("default") == []
        await asyncio.to_thread(run, tmp_path, "phones", "reboot", "103", "--yes")
        assert "reboot" in guest.asked
        nobody = await asyncio.to_thread(run, tmp_path, "phones", "retry", "104")
        assert (nobody.exit_code, "has no phone" in nobody.output) == (1, True)

        await guest.stop()
        on.pms.say(*on.hotel.check_out("103"))
        assert await on.settle() == []
        await until(lambda: listed()["103"]["trouble"])


@pytest.mark.asyncio
async def test_doctor_tries_each_phone_and_a_site_without_any_says_so(tmp_path):
    async with demo_phones(tmp_path, ROOMS[:2], print) as sets:
        async with stage(tmp_path, rooms=ROOMS, extra=SECTION) as on:
            await on.pms.link_up()
        sets.phones["102"].is_registered = False
        done = await asyncio.to_thread(run, tmp_path, "doctor")
        lines = {
            line.split(" ", 1)[1].strip()[:9]: line
            for line in done.stdout.splitlines()
            if "phone" in line
        }
        text = "\n".join(lines.values())
        assert "GXV3370 1.0.7.41, registered" in text
        assert "GXV3370 1.0.7.41, not registered" in text
    config = tmp_path / "gateway.toml"
    config.write_text(config.read_text().replace(SECTION, ""))
    nothing = await asyncio.to_thread(run, tmp_path, "phones", "list")
    assert (nothing.exit_code, "[phones] file" in nothing.output) == (1, True)
