"""Asks a Prometheus what the dashboards ask, as Grafana does, and has them drawn."""

import json
import math
import re
from zoneinfo import ZoneInfo

from gateway import demo
from tests.dashboard_drawing import COLUMNS, WIDTH, Series, Span, draw
from tests.prometheus import GRAFANA, asked, prometheus

PICTURES = GRAFANA.parent / "docs" / "pictures"


def interval_s(seconds, points, scrape_s):
    """How far apart Grafana asks for the points of a panel: a round number, at least a scrape."""
    wanted = max(seconds / points, scrape_s)
    return min((1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 1200), key=lambda s: abs(s - wanted))


def legend(form, labels):
    """A legend with the labels of a series filled in."""
    return re.sub(r"{{(\w+)}}", lambda found: labels.get(found[1], ""), form)


async def answer(told, panel, span, scrape_s):
    """What the Prometheus of that day answers to a panel's queries."""
    points = panel.get("maxDataPoints", panel["gridPos"]["w"] * WIDTH // COLUMNS)
    step = interval_s(span.end - span.begin, points, scrape_s)
    window = f"{max(step + scrape_s, 4 * scrape_s)}s"  # as Grafana reckons $__rate_interval
    found = []
    for target in panel["targets"]:
        query = asked(target["expr"], window)
        if target["instant"]:
            data = await told.get("/api/v1/query", query=query, time=span.end)
        else:
            data = await told.get(
                "/api/v1/query_range", query=query, start=span.begin, end=span.end, step=step
            )
        for each in data["result"]:
            known = {at: float(text) for at, text in each.get("values") or [each["value"]]}
            times = list(known) if target["instant"] else range(span.begin, span.end + 1, step)
            values = [known.get(at, math.nan) for at in times]
            found.append(Series(legend(target["legendFormat"], each["metric"]), times, values))
    return found


async def draw_all(folder, began, ended, scrape_s):
    """Every dashboard, from what a Prometheus learned in this folder from `began` to `ended`."""
    span = Span(math.ceil(began), int(ended), ZoneInfo(demo.TIMEZONE))
    (folder / "prometheus.yml").write_text("")  # that day is over: nothing to scrape, no rules
    async with prometheus(folder) as told:
        for path in sorted((GRAFANA / "dashboards").glob("*.json")):
            page = json.loads(path.read_text())
            answers = {
                panel["id"]: await answer(told, panel, span, scrape_s) for panel in page["panels"]
            }
            draw(page, answers, span, PICTURES / f"dashboard-{path.stem}.png")
