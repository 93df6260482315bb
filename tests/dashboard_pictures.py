"""python -m tests.dashboard_pictures: the dashboards of the README, drawn without a Grafana.

A real Prometheus scrapes the demo's gateway on a day with faults; then each committed dashboard
is drawn from its JSON and the answers of this Prometheus to its queries. Needs the dependency
group `pictures`, and prometheus.
"""

import argparse
import asyncio
import json
import random
import tempfile
import time
from pathlib import Path

from gateway import demo, logs
from tests.prometheus import (
    hotel_day,
    make_trouble,
    noisy_line,
    on_stage,
    scraping,
    switch_pms_off,
    ucm_port,
)

SCRAPE_S = 2
ROOMS = tuple(room for room in demo.ROOMS if room != "201")  # which is where the trouble is
DAY = "day.json"
"""In a folder that has a day: its begin and its end in seconds since 1970, and SCRAPE_S."""


def odd_records(hotel):
    """No room, a guest nobody knows, an impossible day, a field that this record does not have."""
    room = hotel.taken[0]
    known = f"RN{room}|G#{hotel.inside[room][0]}|"
    return "GO|G#77|GSN|", f"GO|RN{room}|G#77|GSY|", f"GC|{known}GD269999|", f"GC|{known}XX1|"


async def play(folder, minutes):
    """A morning as it should be, noise on the line, trouble, no UCM, no PMS, and both again."""
    rng = random.Random(7)
    async with (
        on_stage(folder, rooms=ROOMS, reconcile_s=10) as on,
        scraping(folder, on, every_s=SCRAPE_S) as told,
    ):

        async def spend(share):
            await asyncio.sleep(share * minutes * 60)

        on.ucm.settings.latency_s = 0.03
        on.ucm.fail("slow", value=0.4, times=-1, chance=0.05)
        began = time.time()  # Prometheus keeps wall time
        await on.pms.link_up()
        for _ in range(12):
            on.hotel.check_in(on.hotel.free[0], silent=True)
        on.pms.say(*on.hotel.resync())
        async with hotel_day(on, lambda: rng.expovariate(0.8)):
            await spend(0.25)
            async with noisy_line(on, one_in=3):
                await spend(0.15)
            await spend(0.05)
            await make_trouble(on)
            for _ in range(4):
                on.pms.say(*odd_records(on.hotel))
                await spend(0.0175)
            await on.ucm.stop()
            await spend(0.12)
            await on.ucm.start(next(folder.glob("ucm6304-*.pem")), port=ucm_port(on))
            await spend(0.10)
            switch_pms_off(on)
            await spend(0.08)
            on.pms.start_again()
            on.pms.say("GO|RN201|G#8|GSN|")  # the desk was right
            await spend(0.18)
        ended = time.time()
        assert (await told.values("pmsgw_ucm_up"), await told.values("pmsgw_link_up")) == ([1], [1])
    (folder / DAY).write_text(json.dumps([began, ended, SCRAPE_S]))


async def main(folder, minutes):
    """Play a day where the folder has none, and draw it."""
    if not (folder / DAY).exists():
        await play(folder, minutes)
    from tests.dashboard_answers import draw_all  # not before: its memory is not the gateway's

    await draw_all(folder, *json.loads((folder / DAY).read_text()))


if __name__ == "__main__":
    logs.set_up(quiet=True)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=8, help="how long the day lasts")
    parser.add_argument(
        "--folder", type=Path, help="keeps the day; one that has a day is only drawn again"
    )
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        asyncio.run(main(chosen.folder or Path(place), chosen.minutes))
