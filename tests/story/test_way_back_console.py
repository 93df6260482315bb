"""The page Back: what needs a human, what he says of it, and every call of the day accounted for."""

import asyncio
import csv
import io
import re
import shutil
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.applications import Starlette

from gateway.config.password_hash import hash_password
from gateway.store import StorageFailed
from tests.story.test_way_back import bills, hotel, later, states, until

PASSWORD = "a long password"
HASH = hash_password(PASSWORD)


@asynccontextmanager
async def page_of(tmp_path, answer="NG"):
    """A priced call that was refused, one in the house, one that is free; and a browser."""
    shutil.copy("deploy/tariff.toml", tmp_path / "tariff.toml")
    async with hotel(tmp_path, charges="priced") as on:
        on.service._guard.change_lock(HASH)
        on.pms.cashier.answers = lambda _: answer
        on.ucm.phones.call("101", "00441632960001", talk_s=185)
        on.ucm.phones.call("101", "102", talk_s=30, trunk="")
        on.ucm.phones.call("101", "110", talk_s=30)
        later(on, 60)
        await until(lambda: on.pms.cashier.heard and "waiting" not in states(on))
        await until(lambda: "sent" not in states(on))
        pages = Starlette(routes=on.service._console().routes())
        transport = httpx.ASGITransport(pages, client=("127.0.0.1", 4711))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:9843") as http:
            yield on, http


def text_of(page):
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


async def log_in(http):
    await http.post("/login", data={"password": PASSWORD})


async def csrf_of(http, path):
    return re.search(r'name="csrf" value="([^"]+)"', (await http.get(path)).text)[1]


@pytest.mark.asyncio
async def test_every_call_of_the_day_is_in_one_line(tmp_path):
    async with page_of(tmp_path) as (_, http):
        text = text_of(await http.get("/back"))
        for words in (
            "to be charged: refused 1 2.20",
            "free by the tariff 1",
            "in the house 1",
            "all that the UCM told of 3",
        ):
            assert words in text
        assert "the PMS says NG: it knows no guest in this room" in text
        assert "0044163296xxxx, 2.20" in text  # what a guest dialled is about him
        assert "00441632960001" not in text


@pytest.mark.asyncio
async def test_an_operator_sends_it_again_from_the_page(tmp_path):
    async with page_of(tmp_path) as (on, http):
        answer = await http.get("/back/1/again")
        assert answer.headers["location"] == "/login?back=%2Fback%2F1%2Fagain"
        assert (await http.post("/back/1/again")).headers["location"] == "/login"
        await log_in(http)
        csrf = await csrf_of(http, "/back/1/again")
        assert (await http.post("/back/1/again", data={"csrf": "x"})).status_code == 403
        on.pms.cashier.answers = lambda _: "OK"
        assert (await http.post("/back/1/again", data={"csrf": csrf})).headers[
            "location"
        ] == "/back"
        await until(lambda: bills(on) == [("101", "00441632960001", 185)])
        await asyncio.sleep(0.1)
        text = text_of(await http.get("/back"))
        assert "Nothing waits for you." in text
        assert "to be charged: booked 1 2.20" in text
        assert "The PMS booked the last one at" in text
        again = await http.post("/back/1/again", data={"csrf": csrf})
        assert (again.status_code, "posting 1 is booked" in again.text) == (409, True)


@pytest.mark.asyncio
async def test_what_is_given_up_has_a_reason(tmp_path):
    async with page_of(tmp_path) as (on, http):
        await log_in(http)
        csrf = await csrf_of(http, "/back/1/drop")
        assert (await http.post("/back/1/drop", data={"csrf": csrf})).status_code == 400
        await http.post("/back/1/drop", data={"csrf": csrf, "why": "a test call"})
        told = await on.service.control.postings.show(1)
        assert (told["state"], told["history"][-1]["who"]) == ("dropped", "console")
        assert told["history"][-1]["why"] == "a test call"
        assert (await http.get("/back/99/drop")).status_code == 404
        assert (await http.get("/back/1/explode")).status_code == 404


@pytest.mark.asyncio
async def test_a_day_is_a_table_for_a_spreadsheet(tmp_path):
    async with page_of(tmp_path) as (on, http):
        day = f"{on.service.clock.wall():%Y-%m-%d}"
        page = await http.get(f"/back/calls.csv?day={day}")
        rows = list(csv.reader(io.StringIO(page.text)))
        assert rows[0] == ["began", "room", "use", "digits", "seconds", "amount"]
        assert sorted((row[1], row[2], row[3], row[5]) for row in rows[1:]) == [
            ("101", "free", "110", "0.00"),
            ("101", "internal", "102", ""),
            ("101", "posted", "0044163296xxxx", "2.20"),
        ]
        assert (await http.get("/back/calls.csv?day=today")).status_code == 400


@pytest.mark.asyncio
async def test_the_pms_own_words_are_for_who_may_see_guests(tmp_path):
    async with page_of(tmp_path, answer="NG|CTROSSI HAS LEFT") as (_, http):
        assert "ROSSI" not in (await http.get("/back")).text
        await log_in(http)
        csrf = await csrf_of(http, "/back")
        await http.post("/names", data={"csrf": csrf, "show": "yes", "back": "/back"})
        page = (await http.get("/back")).text
        assert "the PMS says NG ROSSI HAS LEFT" in page
        assert "00441632960001" in page


@pytest.mark.asyncio
async def test_a_disk_that_fails_is_said_on_the_page(tmp_path, monkeypatch):
    async with page_of(tmp_path) as (on, http):

        def fail(*_):
            raise StorageFailed("the disk is gone", "replace it")

        monkeypatch.setattr(type(on.service.store.store), "postings", fail)
        page = await http.get("/back")
        assert (page.status_code, "the disk is gone: replace it" in page.text) == (200, True)
