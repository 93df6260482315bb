"""The console's door and pages over HTTP, on a real service."""

import asyncio
import html
import json
import re
from contextlib import asynccontextmanager
from urllib.parse import quote

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request

from gateway import demo
from gateway.config.password_hash import hash_password
from gateway.web.console import press

pytestmark = pytest.mark.asyncio
PASSWORD = "a long password"
HASH = hash_password(PASSWORD)
PAGES = ("/", "/line", "/rooms", "/outbox", "/back", "/findings", "/about")


@asynccontextmanager
async def console(folder, *, password=True, listen="127.0.0.1:0", client="127.0.0.1"):
    """A service in the middle of its day, its console, and a browser without scripts."""

    def adapt(config):
        http_ = config.http.model_copy(
            update={"password_hash": HASH if password else None, "listen": listen}
        )
        return config.model_copy(update={"http": http_})

    async with demo.stage(folder, rooms=("101", "102"), adapt=adapt) as on:
        await on.pms.link_up()
        on.pms.say("GI|RN101|G#4711|GNRossi|GFAnna|GSN|", "GI|RN909|G#4712|GNSato|GSN|")
        await on.pms.all_said()
        while (await on.service.status())["outbox"]["parked"] != 1:
            await asyncio.sleep(0.02)
        pages = Starlette(routes=on.service._console().routes())
        transport = httpx.ASGITransport(pages, client=(client, 4711))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:9843") as http:
            yield http, on


async def log_in(http, password=PASSWORD):
    return await http.post("/login", data={"password": password})


def to_login(path):
    return f"/login?back={quote(path, safe='')}"


def csrf_of(page):
    return re.search(r'name="csrf" value="([^"]+)"', page.text)[1]


async def test_on_this_machine_everybody_may_look_and_sees_no_guest(tmp_path):
    async with console(tmp_path) as (http, _):
        for path in PAGES:
            page = await http.get(path)
            assert page.status_code == 200, path
            assert "Rossi" not in page.text
            assert "Sato" not in page.text
            assert page.headers["content-security-policy"].startswith("default-src 'none'")
            assert "unsafe" not in page.headers["content-security-policy"]
            assert page.headers["cache-control"] == "no-store"
        assert "4711" in (await http.get("/line")).text
        assert "Xxxxx, Xxxx" in (await http.get("/rooms")).text


async def test_a_page_of_somebody_else_that_borrows_our_address_sees_nothing(tmp_path):
    async with console(tmp_path) as (http, _):
        for path in (*PAGES, "/line/capture"):
            page = await http.get(path, headers={"Host": "evil.example"})
            assert (page.status_code, page.headers["location"]) == (303, to_login(path))


@pytest.mark.parametrize(
    ("listen", "client"), [("0.0.0.0:0", "127.0.0.1"), ("127.0.0.1:0", "10.0.0.9")]
)
async def test_from_elsewhere_nobody_sees_anything_without_the_password(tmp_path, listen, client):
    async with console(tmp_path, listen=listen, client=client) as (http, _):
        for path in (*PAGES, "/events/now", "/events/line", "/line/capture"):
            assert (await http.get(path)).headers["location"] == to_login(path)
        assert (await http.get("/static/console.css")).status_code == 200
        assert (await log_in(http)).status_code == 303
        assert (await http.get("/")).status_code == 200


@pytest.mark.parametrize(
    ("back", "to"),
    [
        ("/outbox/101/retry", "/outbox/101/retry"),
        ("//evil.example/", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("", "/"),
    ],
)
async def test_a_login_comes_back_to_its_page_and_never_leaves_the_console(tmp_path, back, to):
    async with console(tmp_path) as (http, _):
        page = (await http.get(f"/login?back={quote(back, safe='')}")).text
        given = html.unescape(re.search(r'name="back" value="([^"]*)"', page)[1])
        answer = await http.post("/login", data={"password": PASSWORD, "back": given})
        assert answer.headers["location"] == to


async def test_without_a_password_nothing_can_be_changed(tmp_path):
    async with console(tmp_path, password=False) as (http, on):
        assert "console-password" in (await http.get("/login")).text
        assert (await log_in(http)).status_code == 403
        assert (await http.post("/outbox/2/drop")).headers["location"] == "/login"
        assert (await on.service.status())["outbox"]["parked"] == 1


async def test_a_change_needs_a_form_of_ours(tmp_path):
    async with console(tmp_path) as (http, on):
        assert (await log_in(http, "wrong")).status_code == 403
        answer = await log_in(http)
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        page = await http.get("/outbox")
        id_ = re.search(r"/outbox/(\d+)/retry", page.text)[1]
        for body in ({}, {"csrf": "guess"}, {"csrf": "x" * 10_000}):
            assert (await http.post(f"/outbox/{id_}/drop", data=body)).status_code == 403
        assert (await on.service.status())["outbox"]["parked"] == 1
        csrf = csrf_of(await http.get(f"/outbox/{id_}/drop"))
        assert (await http.post(f"/outbox/{id_}/explode", data={"csrf": csrf})).status_code == 404
        assert (await http.post("/outbox/999/drop", data={"csrf": csrf})).status_code == 404
        assert (await http.post(f"/outbox/{id_}/drop", data={"csrf": csrf})).status_code == 303
        assert (await on.service.status())["outbox"]["parked"] == 0
        again = await http.post(f"/outbox/{id_}/drop", data={"csrf": csrf})
        assert (again.status_code, "dropped" in again.text) == (409, True)


async def test_guests_are_shown_to_who_asked_and_to_nobody_else(tmp_path):
    async with console(tmp_path) as (http, _):
        await log_in(http)
        csrf = csrf_of(await http.get("/rooms"))
        shown = await http.post("/names", data={"csrf": csrf, "show": "yes", "back": "/rooms"})
        assert shown.headers["location"] == "/rooms"
        for path in ("/rooms", "/line"):
            assert "Rossi" in (await http.get(path)).text
        assert "Sato" in (await http.get("/outbox")).text
        back = await http.post("/names", data={"csrf": csrf, "show": "no", "back": "//evil"})
        assert back.headers["location"] == "/"
        assert "Rossi" not in (await http.get("/rooms")).text
        await http.post("/logout", data={"csrf": csrf})
        assert (await http.post("/names", data={"csrf": csrf})).headers["location"] == "/login"


async def test_guessing_a_password_is_slow(tmp_path):
    async with console(tmp_path) as (http, _):
        codes = [(await log_in(http, "wrong")).status_code for _ in range(6)]
        assert codes == [403] * 5 + [429]
        assert (await log_in(http)).status_code == 429


async def test_a_capture_can_be_taken_away_and_has_no_guests(tmp_path):
    async with console(tmp_path) as (http, _):
        text = (await http.get("/line/capture")).text
        assert "GI|RN101|G#4711|GNXxxxx|GFXxxx|" in text
        told = (await http.get("/line/capture?format=jsonl")).text
        assert all(json.loads(line) for line in told.splitlines())
        pcap = await http.get("/line/capture?format=pcapng")
        assert pcap.content[:4] == b"\x0a\x0d\x0d\x0a"
        assert b"Rossi" not in pcap.content
        assert 'filename="line.pcapng"' in pcap.headers["content-disposition"]
        assert (await http.get("/line/capture?format=exe")).status_code == 400


async def test_about_tells_the_configuration_without_its_secrets(tmp_path):
    async with console(tmp_path) as (http, on):
        page = (await http.get("/about")).text
        assert on.service._config.ucm.password.get_secret_value() not in page
        assert on.service._config.ucm.pms_password.get_secret_value() not in page
        assert HASH not in page
        assert "site.timezone" in page
        assert "sha256:" in page


async def test_open_pages_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(press, "MOST_STREAMS", 0)
    async with console(tmp_path) as (http, _):
        assert (await http.get("/events/now")).status_code == 503


async def test_guesses_that_come_at_once_are_counted_one_by_one(tmp_path):
    async with console(tmp_path) as (http, _):
        answers = await asyncio.gather(*(log_in(http, "wrong") for _ in range(12)))
        assert sorted(answer.status_code for answer in answers) == [403] * 5 + [429] * 7


@pytest.mark.parametrize("leaves", ["masks", "logs out"])
async def test_an_open_page_that_showed_guests_ends_when_they_are_masked(tmp_path, leaves):
    async with console(tmp_path) as (_, on):
        pages = on.service._console()
        session = pages.guard.judge("c", right=True)
        session.names = True
        request = Request(
            {"type": "http", "method": "GET", "path": "/events/line", "query_string": b"", "client": ("127.0.0.1", 1),
             "headers": [(b"host", b"localhost"), (b"cookie", f"pmsgw_session={session.token}".encode())]}
        )  # fmt: skip
        told = (await pages.line.line_stream(request, session)).body_iterator
        assert "Rossi" in await anext(told)
        if leaves == "masks":
            session.names = False
        else:
            pages.guard.end(session)
        on.pms.say("GI|RN102|G#4713|GNRossi|GSN|")
        assert [text async for text in told] == []
        assert not pages.press.streams


async def test_a_picture_in_somebody_elses_page_is_not_served(tmp_path):
    async with console(tmp_path) as (http, _):
        embedded = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
        assert (await http.get("/line/capture", headers=embedded)).status_code == 303
        followed = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
        assert (await http.get("/", headers=followed)).status_code == 200


async def test_a_row_that_no_file_can_have_is_not_there(tmp_path):
    async with console(tmp_path) as (http, _):
        await log_in(http)
        assert (await http.get(f"/outbox/{10**24}/drop")).status_code == 404


async def test_a_page_that_is_not_there_is_a_page_of_the_console(tmp_path):
    async with console(tmp_path) as (http, _):
        page = await http.get("/roms")
        assert page.status_code == 404
        assert "There is no such page" in page.text
        assert "/rooms" in page.text


async def test_pages_speak_no_programmers_words(tmp_path):
    async with console(tmp_path) as (http, _):
        for path in PAGES:
            text = re.sub(r"<[^>]*>", " ", (await http.get(path)).text)
            for word in (
                "None",
                "False",
                "True",
                "{}",
                "check_in",
                "unlisted",
                "to_ucm",
                "state up",
            ):
                assert word not in text.replace("phones.at_check_", ""), (path, word)


async def test_rooms_say_whether_the_guest_is_on_the_phone(tmp_path):
    async with console(tmp_path) as (http, on):
        await on.delivered()
        page = (await http.get("/rooms")).text
        assert 'data-state="in occupied" data-find="101 4711"' in page
        assert "on the phone" in page
        assert 'data-state="in occupied parked" data-find="909 4712"' in page
        assert "the UCM refused: the UCM has no such room" in page


async def test_the_line_says_what_became_of_each_record(tmp_path):
    async with console(tmp_path) as (http, on):
        await on.delivered()
        page = (await http.get("/line")).text
        assert re.search(r'class="became good"[^>]*>checked in on the UCM \d\d:\d\d:\d\d<', page)
        assert re.search(r'class="became bad"[^>]*>check-in refused: [^<]*parked<', page)
        assert "guest 4711 checks in to 101" in page
        assert "Answer" not in page  # this line has none


async def test_the_outbox_shows_the_last_calls(tmp_path):
    async with console(tmp_path) as (http, on):
        await on.delivered()
        page = (await http.get("/outbox")).text
        assert "check-in of 909" in page
        assert "checked in on the UCM" in page
        assert "GNXxxxx" in page


async def test_without_a_password_the_pages_say_how_to_get_one(tmp_path):
    async with console(tmp_path, password=False) as (http, _):
        assert "pms-gateway console-password" in (await http.get("/")).text
        for path in ("/rooms", "/line", "/outbox"):
            assert "names are masked" in (await http.get(path)).text
    async with console(tmp_path) as (http, _):
        assert '<a href="/login">log in</a>' in (await http.get("/rooms")).text


async def test_a_resync_is_asked_for_and_told_until_it_has_ended(tmp_path):
    async with console(tmp_path) as (http, on):
        assert (await http.post("/resync")).headers["location"] == "/login"
        await log_in(http)
        csrf = csrf_of(await http.get("/"))
        assert (await http.post("/resync", data={"csrf": "guess"})).status_code == 403
        assert (await http.post("/resync", data={"csrf": csrf})).headers["location"] == "/"
        assert "was asked to tell every room" in (await http.get("/")).text
        while "ended at" not in (page := (await http.get("/")).text):
            await asyncio.sleep(0.05)
        assert "was asked" not in page  # said once
        assert on.service.house.ledger.resync == 1


async def test_a_remark_is_found_in_the_capture(tmp_path):
    async with console(tmp_path) as (http, _):
        assert (await http.post("/line/remarks", data={"words": "x"})).headers[
            "location"
        ] == "/login"
        await log_in(http)
        csrf = csrf_of(await http.get("/line"))
        for words in ("cable <b>changed</b>", " "):
            await http.post("/line/remarks", data={"csrf": csrf, "words": words})
        page = (await http.get("/line")).text
        assert "cable &lt;b&gt;changed" in page
        assert "was empty" in page
        assert "changed" in (await http.get("/line/capture")).text


async def test_a_capture_can_be_of_the_last_minutes(tmp_path):
    async with console(tmp_path) as (http, on):
        assert "G#4711" in (await http.get("/line/capture?minutes=5&format=line")).text
        later = on.service.clock.epoch() + 3600
        on.service.clock.epoch = lambda: later
        assert "G#4711" not in (await http.get("/line/capture?minutes=15")).text
        assert "G#4711" in (await http.get("/line/capture?minutes=all")).text
        assert (await http.get("/line/capture?minutes=x")).status_code == 400


async def test_a_retry_says_what_came_of_it(tmp_path):
    async with console(tmp_path) as (http, on):
        await log_in(http)
        csrf = csrf_of(await http.get("/outbox/909/retry"))
        await http.post("/outbox/909/retry", data={"csrf": csrf})
        assert "909 was refused again: the UCM has no such room" in (await http.get("/outbox")).text
        on.ucm.rooms.add("909")
        await http.post("/outbox/909/retry", data={"csrf": csrf})
        page = (await http.get("/outbox")).text
        assert "Room 909: the UCM shows now what the PMS says." in page
        assert "tried again by an operator" in page


@pytest.mark.parametrize("page", ["now", "rooms", "outbox", "findings", "about"])
async def test_every_page_renews_itself_and_says_when(tmp_path, page):
    async with console(tmp_path) as (http, on):
        shown = await http.get("/" if page == "now" else f"/{page}")
        assert f'data-events="/events/{page}" data-event="{page}"' in shown.text
        assert re.search(r'as of <time id="asof">\d\d:\d\d:\d\d<', shown.text)
        pages = on.service._console()
        (route,) = [each for each in pages.routes() if each.path == f"/events/{page}"]
        request = Request(
            {"type": "http", "method": "GET", "path": f"/events/{page}",
             "client": ("127.0.0.1", 1), "headers": [(b"host", b"localhost")]}
        )  # fmt: skip
        told = (await route.endpoint(request)).body_iterator
        first = await anext(told)
        assert f"event: {page}\n" in first
        assert re.search(r'event: beat\ndata: "\d\d:\d\d:\d\d"', first)
        await told.aclose()
