"""A real Prometheus scrapes a gateway in trouble: every panel shows something, and alerts ring."""

import asyncio
import os
import re
import shutil

import pytest

from gateway import logs
from gateway.simulators.certificate import write_certificate
from grafana.pages import DASHBOARDS
from grafana.panel import whole
from tests.prometheus import (
    asked,
    hotel_day,
    make_trouble,
    noisy_line,
    on_stage,
    scraping,
    switch_pms_off,
    telephone,
    ucm_port,
    until,
)

logs.set_up(quiet=True)
ROOMS = ("101", "102", "103", "104", "105", "106")
NEEDS_MORE = {"Serial driver errors", "Who is at work", "Phones"}
"""Panels that are empty here: a pseudo-terminal has no driver that counts, a gateway no partner, and no room a phone."""
EMPTY_IS_WELL = {"No PMS", "No UCM"}
RING_HERE = {
    "LinkDown", "CheckBytesFail", "UcmUnreachable", "UcmLoginRefused", "UcmCertificateRefused", "RoomsWaiting",
    "RoomsParked", "RoomsDrifted", "PostingsParked",
}  # fmt: skip
"""The others take longer than a test may; grafana/tests/ sees each of them ring."""


def impatient(text):
    """Rules that ring after a second, for a test that cannot wait."""
    return re.sub(r"for: \w+", "for: 1s", text).replace("> 300", "> 2")


@pytest.fixture(autouse=True)
def _needs_prometheus():
    if shutil.which("prometheus") is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs prometheus: apt-get install prometheus")
        pytest.skip("prometheus is not installed; CI has it")


async def empty_panels(told):
    """Titles of panels that show nothing, with the query; a query that is wrong is an error."""
    found = []
    for panel in (panel for dashboard in DASHBOARDS for panel in dashboard.panels):
        for query in panel.queries.values():
            filled = asked(whole(query), "15s")
            if not await told.values(filled) and panel.title not in NEEDS_MORE:
                found.append((panel.title, filled))
    return found


@pytest.mark.asyncio
async def test_every_panel_shows_something_and_alerts_ring(tmp_path):
    async with (
        on_stage(tmp_path, rooms=ROOMS) as on,
        scraping(tmp_path, on, adapt=impatient) as told,
    ):
        port = ucm_port(on)
        own = next(tmp_path.glob("ucm6304-*.pem"))

        async def rings(*names):
            async def all_of_them():
                return set(names) <= await told.has_rung()

            await until(all_of_them, within_s=15)

        async with asyncio.timeout(20):
            await on.pms.link_up()
        async with hotel_day(on), noisy_line(on):
            await make_trouble(on)
            await rings("RoomsParked", "RoomsDrifted", "CheckBytesFail", "PostingsParked")
            await telephone(on)  # a rate needs something that happens between two scrapes
            for _ in range(20):
                empty = {title for title, _ in await empty_panels(told)}
                if empty <= EMPTY_IS_WELL:
                    break
                await asyncio.sleep(0.5)
            assert empty == EMPTY_IS_WELL

            await on.ucm.stop()
            await on.ucm.start(write_certificate(tmp_path, name="THIEF"), port=port)
            await rings("UcmCertificateRefused", "UcmUnreachable", "RoomsWaiting")
            assert "No UCM" not in {title for title, _ in await empty_panels(told)}
            await on.ucm.stop()
            on.ucm.settings.password = "changed by somebody"
            on.ucm.reboot()
            await on.ucm.start(own, port=port)
            await rings("UcmLoginRefused")
        switch_pms_off(on)
        await rings("LinkDown")
        assert "No PMS" not in {title for title, _ in await empty_panels(told)}

        assert await told.has_rung() == RING_HERE
        for group in (await told.get("/api/v1/rules"))["groups"]:
            for rule in group["rules"]:
                assert (rule["name"], rule["health"]) == (rule["name"], "ok"), rule.get("lastError")
                for alert in rule.get("alerts", ()):
                    assert "error expanding" not in str(alert["annotations"])
