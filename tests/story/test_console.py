"""The console in a real browser: what a person sees, and how soon."""

import os
import shutil
import socket
import time
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from gateway.config.password_hash import hash_password
from tests.program import get, running, site, wait_for

assert site  # the fixture is used by its name
PASSWORD = "a long password"
CHROMIUM = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER) and not os.environ.get("CI"),
    reason="no chromium and chromedriver here: apt install chromium chromium-driver",
)
PAGES = ("", "line", "rooms", "outbox", "back", "findings", "about")


@pytest.fixture(scope="module")
def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--window-size=1280,900"):  # fmt: skip
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with webdriver.Chrome(options, webdriver.ChromeService(DRIVER)) as driver:
        yield driver


class Pms:
    """A PMS over TCP without answers: it says what the test wants, when the test wants it."""

    def __init__(self, port):
        self._listener = socket.create_server(("127.0.0.1", port))
        self._listener.settimeout(20)
        self._peer = None

    def begin(self):
        self._peer, _ = self._listener.accept()
        stamp = f"DA{datetime.now(UTC):%y%m%d}|TI{datetime.now(UTC):%H%M%S}|"
        self.say(f"LS|{stamp}")
        time.sleep(0.3)
        self.say(f"LA|{stamp}")

    def say(self, body):
        self._peer.sendall(b"\x02" + body.encode("cp1252") + b"\x03")

    def end(self):
        if self._peer:
            self._peer.close()
        self._listener.close()


@contextmanager
def playing(site):
    """The gateway with a password, and a PMS whose link is up."""
    config, pms_port, http, _ = site
    text = config.read_text().replace(
        f'[http]\nlisten = "127.0.0.1:{http}"',
        f'[http]\nlisten = "127.0.0.1:{http}"\npassword_hash = "{hash_password(PASSWORD)}"',
    )
    assert "password_hash" in text
    config.write_text(text)
    pms = Pms(pms_port)
    try:
        with running("run", "--config", str(config)) as service:
            pms.begin()
            wait_for(lambda: "pmsgw_link_up 1.0" in get(http, "/metrics"))
            yield pms, f"http://127.0.0.1:{http}/", service
    finally:
        pms.end()


def text_of(browser, css="main"):
    try:
        return browser.find_element(By.CSS_SELECTOR, css).text
    except WebDriverException:  # it has several words for a node that has gone
        return ""  # between two pages


def follow(browser, text):
    """Go where a link leads; the page may renew itself under the finger."""

    def clicked():
        try:
            browser.find_element(By.LINK_TEXT, text).click()
        except WebDriverException:
            return False
        return True

    wait_for(clicked)


def complaints(browser, base):
    """What the browser itself does not like of this site: blocked scripts, broken requests."""
    return [
        entry["message"]
        for entry in browser.get_log("browser")
        if entry["message"].startswith(base) and "403" not in entry["message"]
    ]


def log_in(browser, base, password=PASSWORD):
    browser.get(base + "login")
    browser.find_element(By.NAME, "password").send_keys(password + Keys.ENTER)


def test_a_person_sees_the_site_and_mends_it(site, browser):
    with playing(site) as (pms, base, service):
        # Now: everything well, and a page that is live.
        browser.get(base)
        wait_for(lambda: "All is well" in text_of(browser))
        assert "up" in text_of(browser, ".cards")

        # Line: a record is there without a reload; guests are masked.
        browser.get(base + "line")
        wait_for(lambda: "LA" in text_of(browser, "tbody"))
        pms.say("GI|RN101|G#4711|GNRossi|GSN|")
        wait_for(lambda: "G#4711" in text_of(browser, "tbody"))
        assert "GNXxxxx" in text_of(browser, "tbody")
        assert "Rossi" not in browser.page_source
        # The newest is on top; a filter hides, hex shows the bytes, a pause holds.
        assert "G#4711" in text_of(browser, "tbody tr:first-child")
        browser.find_element(By.ID, "hex").click()
        assert "02 47 49 7C" in text_of(browser, "tbody tr:first-child")
        browser.find_element(By.ID, "hex").click()
        browser.find_element(By.ID, "filter").send_keys("4711")
        assert len(shown_rows(browser)) == 1
        browser.find_element(By.ID, "filter").send_keys(Keys.BACKSPACE * 4)
        browser.find_element(By.ID, "pause").click()
        pms.say("GI|RN999|G#4712|GNSato|GSN|")
        wait_for(lambda: 'state="parked"} 1.0' in get(site[2], "/metrics"))
        assert "G#4712" not in text_of(browser, "tbody")
        browser.find_element(By.ID, "pause").click()
        wait_for(lambda: "G#4712" in text_of(browser, "tbody"))

        # What became of each at the UCM comes by itself.
        wait_for(lambda: "At the UCM" in text_of(browser, "thead"))
        wait_for(lambda: "refused" in text_of(browser, "tbody tr:first-child .became"))

        # Now tells what is wrong and where to go; without a password nothing can be changed.
        browser.get(base)
        wait_for(lambda: "refusal: 1 room" in text_of(browser))
        browser.get(base + "outbox")
        wait_for(lambda: "999" in text_of(browser, "tbody"))
        assert "Sato" not in browser.page_source
        follow(browser, "Retry")
        wait_for(lambda: browser.current_url.endswith("/login?back=%2Foutbox%2F999%2Fretry"))

        # A wrong password, then the right one.
        log_in(browser, base, "a wrong password")
        wait_for(lambda: "That is not the password" in text_of(browser))
        log_in(browser, base)
        wait_for(lambda: "Log out" in text_of(browser, "header"))

        # Mend the cause, retry the room: it goes through.
        from tests.program import simulated

        simulated(site[3], "/_sim/rooms", {"add": ["999"]})
        browser.get(base + "outbox")
        follow(browser, "Retry")
        browser.find_element(By.CSS_SELECTOR, "button.retry").click()
        wait_for(lambda: simulated(site[3], "/_sim/rooms")["999"]["is_in"])

        # Guests are shown to who asks and knows the password, and never in an address.
        browser.get(base + "rooms")
        assert "Xxxxx" in text_of(browser)
        browser.find_element(By.XPATH, "//button[text()='Show guests']").click()
        wait_for(lambda: "Rossi" in text_of(browser))
        assert "Rossi" not in browser.current_url

        # Log out, and the names are gone.
        browser.find_element(By.XPATH, "//button[text()='Log out']").click()
        wait_for(lambda: "Log in" in text_of(browser, "header"))
        browser.get(base + "rooms")
        assert "Rossi" not in browser.page_source
        assert complaints(browser, base) == []

        # The gateway goes: the page says so, and recovers when it is back.
        browser.get(base)
        service.terminate()
        wait_for(lambda: browser.find_element(By.ID, "stream").is_displayed())
        assert browser.find_element(By.ID, "stream").rect["y"] == 0
        assert "has not answered since" in text_of(browser, "#stream")
        assert browser.find_elements(By.CSS_SELECTOR, "body.gone")
        assert service.wait(15) == 0


def cards_shown(browser):
    """The rooms that a search leaves."""
    return browser.execute_script(
        "return [...document.querySelectorAll('.board li')].filter(e => e.checkVisibility())"
        ".map(e => e.querySelector('h2').firstChild.textContent.trim())"
    )


def test_one_search_says_whether_a_guest_is_on_the_phone(site, browser):
    with playing(site) as (pms, base, _):
        pms.say("GI|RN101|G#4711|GNMüller|GFAnna|GSN|")
        pms.say("GI|RN102|G#4712|GNInnes|GSN|")
        pms.say("GO|RN102|G#4712|GSN|")
        wait_for(lambda: 'record="GO"} 1.0' in get(site[2], "/metrics"))
        log_in(browser, base)
        wait_for(lambda: "Log out" in text_of(browser, "header"))
        browser.get(base + "rooms")
        browser.find_element(By.XPATH, "//button[text()='Show guests']").click()
        wait_for(lambda: "Müller" in text_of(browser))

        def search(words):
            box = browser.find_element(By.ID, "filter")
            box.clear()
            box.send_keys(words)
            return cards_shown(browser)

        assert search("muller 101") == ["101"]
        wait_for(lambda: "on the phone" in text_of(browser, ".board li"))
        assert search("in") == ["101"]  # a state, not the beginning of a name
        assert search("out") == ["102"]
        assert search("10") == []
        assert "Nothing found" in text_of(browser)
        assert search("parked") == []
        # The page renews itself, and the search stays.
        pms.say("GI|RN999|G#4713|GNSato|GSN|")
        wait_for(lambda: cards_shown(browser) == ["999"])
        assert "the UCM refused" in text_of(browser)
        assert complaints(browser, base) == []


def test_what_a_resync_came_to_is_told_on_the_page(site, browser):
    with playing(site) as (pms, base, _):
        log_in(browser, base)
        wait_for(lambda: "Log out" in text_of(browser, "header"))
        browser.find_element(By.XPATH, "//button[text()='Ask for a resync']").click()
        wait_for(lambda: "asked at" in text_of(browser, ".cards"))
        stamp = f"DA{datetime.now(UTC):%y%m%d}|TI{datetime.now(UTC):%H%M%S}|"
        pms.say(f"DS|{stamp}")
        wait_for(lambda: "running since" in text_of(browser, ".cards"))
        pms.say(f"DE|{stamp}")
        wait_for(lambda: "ended at" in text_of(browser, ".cards"))
        assert complaints(browser, base) == []


def shown_rows(browser):
    return [row for row in browser.find_elements(By.CSS_SELECTOR, "tbody tr") if row.is_displayed()]


def test_a_page_that_was_left_open_does_not_show_the_past_for_ever(site, browser):
    """The service was restarted, and with it every login has ended."""
    config, _, port, _ = site
    hashed = hash_password(PASSWORD)
    config.write_text(config.read_text().replace(
        f'listen = "127.0.0.1:{port}"', f'listen = "0.0.0.0:{port}"\npassword_hash = "{hashed}"'
    ))  # fmt: skip
    base = f"http://127.0.0.1:{port}/"
    with running("run", "--config", str(config)):
        wait_for(lambda: "pmsgw_link_up" in get(port, "/metrics"))
        log_in(browser, base)
        browser.get(base)
        wait_for(lambda: text_of(browser, ".cards") != "")
    with running("run", "--config", str(config)):
        wait_for(lambda: browser.current_url.startswith(base + "login"), 30)
        assert text_of(browser, ".cards") == ""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_can_be_read_and_reached_by_keyboard(site, browser, scheme):
    with playing(site) as (pms, base, _):
        pms.say("GI|RN101|G#4711|GNRossi|GSN|")
        pms.say("GI|RN999|G#4712|GNSato|GSN|")
        wait_for(lambda: 'state="parked"} 1.0' in get(site[2], "/metrics"))
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        for page in PAGES:
            browser.get(base + page)
            wait_for(lambda: text_of(browser, "h1"))
            assert faint(browser) == [], f"{page}: not readable in {scheme}"
            assert len(browser.find_elements(By.TAG_NAME, "h1")) == 1
            browser.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
            assert browser.switch_to.active_element.text == "To the content"
        assert complaints(browser, base) == []


def test_a_phone_scrolls_only_downwards(site, browser):
    with playing(site) as (pms, base, _):
        pms.say("GI|RN101|G#4711|GNRossi-Bianchi-Gambacorta-Lunghissimi|GSN|")
        pms.say("GI|RN999|G#4712|GNSato|GSN|")
        wait_for(lambda: 'state="parked"} 1.0' in get(site[2], "/metrics"))
        browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True},
        )
        try:
            for page in PAGES:
                browser.get(base + page)
                wait_for(lambda: text_of(browser, "h1"))
                wide = browser.execute_script("return document.documentElement.scrollWidth")
                assert wide <= 360, page
                assert outside(browser, 360) == [], page
                assert browser.find_element(By.TAG_NAME, "header").rect["height"] <= 110
            browser.get(base + "outbox")
            retry = browser.execute_script(
                "return document.querySelector('.deeds a').getBoundingClientRect().toJSON()"
            )
            assert retry["x"] + retry["width"] <= 360
            assert retry["height"] >= 40  # a thumb
        finally:
            browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def outside(browser, width):
    """Words that nobody can see who scrolls only downwards; the menu may scroll by itself."""
    return browser.execute_script(
        """
        return [...document.querySelectorAll("main *")].filter(e => e.checkVisibility()
            && !e.closest("svg") && e.textContent.trim() && e.getBoundingClientRect().right > arguments[0])
          .map(e => e.tagName + " " + e.textContent.trim().slice(0, 40));
        """,
        width,
    )


def faint(browser):
    """Texts whose contrast is below 4.5, computed as WCAG 2.1 does, from what is on the screen."""
    return browser.execute_script(
        """
        function rgb(text) { return text.match(/[\\d.]+/g).map(Number); }
        function light(c) {
          const [r, g, b] = c.map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
          return .2126 * r + .7152 * g + .0722 * b;
        }
        function behind(e) {
          for (; e; e = e.parentElement) {
            const c = rgb(getComputedStyle(e).backgroundColor);
            if (c.length < 4 || c[3] > 0) return c.slice(0, 3);
          }
          return [255, 255, 255];
        }
        const bad = [];
        for (const e of document.querySelectorAll("body *")) {
          if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
          if (!e.checkVisibility()) continue;
          const a = light(rgb(getComputedStyle(e).color).slice(0, 3)), b = light(behind(e));
          const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
          if (ratio < 4.5) bad.push(`${e.tagName} ${e.textContent.trim().slice(0, 30)} ${ratio.toFixed(2)}`);
        }
        return bad;
        """
    )
