"""python -m tests.pictures: the pictures of the README, from the demo's hotel, in a real Chromium."""

import asyncio
import shutil
import tempfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from selenium import webdriver

from gateway import demo, logs
from gateway.console.guard import hash_password

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pictures"
PAGES = {"now": "", "line": "line", "rooms": "rooms", "outbox": "outbox", "findings": "findings",
         "about": "about"}  # fmt: skip
ODD = (
    "GI|RN205|G#9001|GNMÃ¼ller|GFJÃ¶rg|GSN|",  # UTF-8 on a line that is said to be cp1252
    "GI|RN206|G#9002|GNGarcÃ\xada|GSN|",
    "GI|RN207|G#9003|GNNoÃ«l|GSN|",
    "GI|RN909|G#9004|GNSato|GSN|",  # a room that the UCM does not have
)


def _shoot(base: str) -> None:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1100,780"):
        options.add_argument(argument)
    with webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver"))) as driver:
        for name, path in PAGES.items():
            driver.get(base + path)
            driver.implicitly_wait(2)
            driver.execute_script("return new Promise(done => setTimeout(done, 800))")
            driver.save_screenshot(str(FOLDER / f"console-{name}.png"))


async def _play(folder: Path) -> None:
    today = datetime.now(ZoneInfo(demo.TIMEZONE)).date()

    def adapt(config):
        http = replace(config.http, password_hash=hash_password("a long password"))
        site = replace(config.site, name="harbour-hotel")
        return replace(config, http=http, site=site)

    async with demo.stage(
        folder, serial=True, rooms=demo.ROOMS[:20], today=today, adapt=adapt
    ) as on:
        await on.pms.link_up()
        for _ in range(14):
            on.pms.say(*on.hotel.check_in(on.hotel.free[0]))
        on.pms.say(*on.hotel.check_in(on.hotel.taken[0]), *on.hotel.check_in(on.hotel.taken[3]))
        on.pms.say(*on.hotel.check_out(on.hotel.taken[1]), *ODD)
        on.pms.say(f"WR|RN{on.hotel.taken[2]}|DA{today:%y%m%d}|TI235500|")
        await on.pms.all_said()
        await on.delivered()
        await asyncio.sleep(2)
        await asyncio.to_thread(_shoot, f"http://127.0.0.1:{on.service.pages[0].port}/")


if __name__ == "__main__":
    logs.set_up(quiet=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        asyncio.run(_play(Path(place)))
