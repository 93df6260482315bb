"""python -m tests.pictures [FOLDER]: pictures of the console and of the demo in a terminal, from the
demo's hotel, in a real Chromium. Without FOLDER those of the README; with it every page of the
console, wide and narrow, light and dark.
"""

import asyncio
import html
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from selenium import webdriver
from selenium.webdriver.common.by import By

from gateway import demo, logs
from gateway.back import tariff_file
from gateway.config.password_hash import hash_password
from tests.prometheus import EXAMPLE, Ahead

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pictures"
PAGES = {"now": "", "line": "line", "rooms": "rooms", "outbox": "outbox", "back": "back",
         "findings": "findings", "about": "about"}  # fmt: skip
PASSWORD = "a long password"
WIDE, NARROW = (1280, 900), (390, 844)
ODD = (
    "GI|RN205|G#9001|GNMÃ¼ller|GFJÃ¶rg|GSN|",  # UTF-8 on a line that is said to be cp1252
    "GI|RN206|G#9002|GNGarcÃ\xada|GSN|",
    "GI|RN207|G#9003|GNNoÃ«l|GSN|",
    "GI|RN909|G#9004|GNSato|GSN|",  # a room that the UCM does not have
)

TERMINAL = {
    "1": "<b>", "31": "<i style='color:#ff7b72'>", "32": "<i style='color:#7ee787'>",
    "33": "<i style='color:#e3b341'>", "35": "<i style='color:#d2a8ff'>",
    "36": "<i style='color:#79c0ff'>",
}  # fmt: skip
"""What a terminal's codes are in HTML; any other ends them."""

Shot = tuple[str, str, tuple[int, int], str]
"""A picture's name, its page, its size, and the scheme of its colours."""


def _of_the_readme() -> Iterator[Shot]:
    for name, path in PAGES.items():
        yield f"console-{name}", path, WIDE, "light"
    yield "console-now-dark", "", WIDE, "dark"
    for name in ("now", "line", "outbox"):
        yield f"console-{name}-phone", PAGES[name], NARROW, "light"


def _all() -> Iterator[Shot]:
    for size, width in (((1280, 1700), "wide"), ((390, 2300), "phone")):
        for scheme in ("light", "dark"):
            for name, path in PAGES.items():
                yield f"{name}-{width}-{scheme}", path, size, scheme


@contextmanager
def _browser() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(argument)
    with webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver"))) as driver:
        yield driver


def _shoot_terminal(lines: list[str], place: Path) -> None:
    """The middle of the demo as a terminal shows it."""
    start = next(at for at, line in enumerate(lines) if "has a voice message" in line)
    text = html.escape("\n".join(lines[start : start + 36]).strip())
    text = re.sub(r"\x1b\[(\d+)m", lambda sgr: TERMINAL.get(sgr[1], "</b></i>"), text)
    page = place / "terminal.html"
    page.write_text(
        '<meta charset="utf-8"><style>body{background:#1b1d22;color:#d8dbe2;margin:14px}'
        "pre{font:14px/1.35 monospace}i{font-style:normal}</style><pre>" + text,
        encoding="utf-8",
    )
    with _browser() as driver:
        driver.set_window_size(1280, 860)
        driver.get(page.as_uri())
        driver.save_screenshot(str(FOLDER / "demo-terminal.png"))


def _shoot(base: str, folder: Path | None) -> None:
    with _browser() as driver:
        driver.get(base + "login")
        driver.find_element(By.NAME, "password").send_keys(PASSWORD)
        driver.find_element(By.CSS_SELECTOR, "form.login button").click()
        for name, path, (width, height), scheme in _all() if folder else _of_the_readme():
            metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
            media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
            driver.get(base + path)
            driver.execute_script("return new Promise(done => setTimeout(done, 800))")
            driver.save_screenshot(str((folder or FOLDER) / f"{name}.png"))


async def _telephone(on, clock) -> None:
    """An hour of calls: booked, refused, unknown, of a guest who has left, and in the house."""
    gone = on.hotel.taken[6]
    answers = {"0044163296000": "NG", "0033142685300": ""}
    on.pms.cashier.answers = lambda posting: answers.get(posting.dialled, "OK")
    on.service.back.lanes.each[0].answer_s = 1
    clock.ahead = 3600.0
    for room, digits in zip(on.hotel.taken, (*answers, "030901820", "015112345678"), strict=False):
        on.ucm.phones.call(room, digits, talk_s=185, ended=clock.epoch() - 300)
    on.ucm.phones.call(gone, "030227170", talk_s=95, ended=clock.epoch() - 200)
    on.ucm.phones.call(on.hotel.taken[0], on.hotel.taken[1], talk_s=40, trunk="",
                       ended=clock.epoch() - 100)  # fmt: skip
    on.pms.say(*on.hotel.check_out(gone))
    await on.pms.all_said()
    on.service.back.poll.nudged.set()


async def _play(place: Path, folder: Path | None) -> None:
    today = datetime.now(ZoneInfo(demo.TIMEZONE)).date()

    def adapt(config):
        http = config.http.model_copy(update={"password_hash": hash_password(PASSWORD)})
        site = config.site.model_copy(update={"name": "harbour-hotel"})
        ucm = config.ucm.model_copy(update={"retry_interval_s": 600.0, "reconcile": "report"})
        back = config.back.model_copy(update={"charges": "priced", "poll_s": 1})
        rates = tariff_file.load(EXAMPLE)
        return config.model_copy(
            update={"http": http, "site": site, "ucm": ucm, "back": back, "rates": rates}
        )

    clock = Ahead(ZoneInfo(demo.TIMEZONE))
    async with demo.stage(
        place, serial=True, rooms=demo.ROOMS[:20], today=today, adapt=adapt, clock=clock
    ) as on:
        await on.pms.link_up()
        for _ in range(14):
            on.pms.say(*on.hotel.check_in(on.hotel.free[0]))
        on.pms.say(*on.hotel.check_in(on.hotel.taken[0]), *on.hotel.check_in(on.hotel.taken[3]))
        on.pms.say(*on.hotel.check_out(on.hotel.taken[1]), *ODD)
        on.pms.say(*on.hotel.move(on.hotel.taken[4], on.hotel.free[-1]))
        on.pms.say(f"WR|RN{on.hotel.taken[2]}|DA{today:%y%m%d}|TI235500|")
        await on.pms.all_said()
        await on.delivered()
        on.ucm.fail("code", action="checkout", value=-9, times=1)  # this room waits ten minutes
        on.pms.say(*on.hotel.check_out(on.hotel.taken[5]))
        on.ucm.rooms.rooms[on.hotel.taken[0]].forget_guest()  # somebody at the UCM's own page
        on.service.comparison.due_at = float("-inf")
        await on.pms.all_said()
        await _telephone(on, clock)
        await asyncio.sleep(4)
        await asyncio.to_thread(_shoot, f"http://127.0.0.1:{on.service.pages[0].port}/", folder)


if __name__ == "__main__":
    logs.set_up(quiet=True)
    to = Path(sys.argv[1]) if sys.argv[1:] else None
    (to or FOLDER).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        asyncio.run(_play(Path(place), to))
    if to is None:
        story: list[str] = []
        with tempfile.TemporaryDirectory() as place:
            asyncio.run(demo.play(story.append, Path(place), once=True, serial=False))
            _shoot_terminal(story, Path(place))
