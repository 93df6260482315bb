"""Writes the dashboards' JSON and the table of panels: `make grafana`."""

import json
from collections.abc import Iterator
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, Final

from grafana_foundation_sdk.builders import dashboard as page
from grafana_foundation_sdk.builders import prometheus, stat, statetimeline, timeseries
from grafana_foundation_sdk.builders.common import (
    ReduceDataOptions,
    StackingConfig,
    VizLegendOptions,
)
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as model

from grafana.pages import DASHBOARDS
from grafana.panel import Dashboard, Kind, Limits, Panel, Words, whole

HERE: Final = Path(__file__).parent
TAG: Final = "pms-gateway"
SOURCE: Final = model.DataSourceRef(type_val="prometheus", uid="${source}")
WIDTH: Final = 24
HEIGHT: Final = {Kind.STAT: 5, Kind.NAME: 5, Kind.STATE: 5, Kind.LINES: 8, Kind.BARS: 8}
SHARE: Final = {Kind.STAT: 1, Kind.NAME: 1, Kind.STATE: 2, Kind.LINES: 2, Kind.BARS: 2}
"""Of a row's width: what happens over time needs more of it than a number."""
BARS: Final = 60
"""In a panel. Over six hours $__rate_interval is hardly longer than one of so few, and what
happened is in one bar, not in two."""
BEGIN: Final = "<!-- the panels, made by `make grafana` -->"


def files() -> dict[Path, str]:
    """What is made, by where it belongs."""
    readme = HERE / "README.md"
    by_hand = readme.read_text(encoding="utf-8").partition(BEGIN)[0]
    made = {HERE / "dashboards" / f"{each.name}.json": as_json(each) for each in DASHBOARDS}
    return {**made, readme: by_hand + BEGIN + "\n" + "\n".join(_tables()) + "\n"}


def as_json(dashboard: Dashboard) -> str:
    """One dashboard as Grafana 11 imports it."""
    built = (
        page.Dashboard(dashboard.title)
        .uid(f"pmsgw-{dashboard.name}")
        .description(dashboard.purpose)
        .tags([TAG])
        .time("now-6h", "now")
        .refresh("30s")
        .timezone("browser")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .link(_others())
        .with_variable(page.DatasourceVariable("source").label("Prometheus").type("prometheus"))
        .with_variable(_sites())
        .with_variable(_gateways())
    )
    number = y = 0
    for row in dashboard.rows:
        height = max(HEIGHT[panel.kind] for panel in row)
        for panel, (x, width) in zip(row, _places(row), strict=True):
            number += 1
            place = model.GridPos(h=height, w=width, x=x, y=y)
            built.with_panel(_drawn(panel).id(number).grid_pos(place))
        y += height
    return json.dumps(built.build(), cls=JSONEncoder, indent=1, sort_keys=True) + "\n"


def _places(row: tuple[Panel, ...]) -> Iterator[tuple[int, int]]:
    """x and width of panels that share a row."""
    reached = list(accumulate((SHARE[panel.kind] for panel in row), initial=0))
    edges = [WIDTH * each // reached[-1] for each in reached]
    for left, right in pairwise(edges):
        yield left, right - left


def _others() -> page.DashboardLink:
    return (
        page.DashboardLink("PMS gateway")
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .include_vars(True)
        .keep_time(True)
    )


def _sites() -> page.QueryVariable:
    return (
        page.QueryVariable("site")
        .label("Site")
        .datasource(SOURCE)
        .query('label_values(up{job="pms-gateway"}, site)')
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(model.VariableOption(selected=True, text="All", value="$__all"))
    )


def _gateways() -> page.QueryVariable:
    return (
        page.QueryVariable("instance")
        .label("Gateway")
        .datasource(SOURCE)
        .query("label_values(pmsgw_build_info, instance)")
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .multi(True)
        .include_all(True)
        .current(model.VariableOption(selected=True, text="All", value="$__all"))
    )


def _drawn(panel: Panel) -> Any:
    """The panel as a builder; each kind has its own class in the library."""
    builder: Any = {
        Kind.STAT: _number,
        Kind.NAME: _name,
        Kind.STATE: _states,
        Kind.LINES: _lines,
        Kind.BARS: _bars,
    }[panel.kind]()
    is_number = panel.kind in (Kind.STAT, Kind.NAME)
    builder.title(panel.title).description(panel.question).datasource(SOURCE).unit(panel.unit)
    for number, (legend, query) in enumerate(panel.queries.items()):
        target = prometheus.Dataquery().expr(whole(query)).legend_format(legend)
        target = target.instant() if is_number else target.range()
        builder.with_target(target.ref_id(chr(ord("A") + number)).datasource(SOURCE))
    if is_number:
        builder.thresholds(_thresholds(panel.limits))
    if panel.words:
        builder.mappings([_mapping(panel.words)])
    if panel.needs:
        builder.no_value(f"needs {panel.needs}")
    return builder


def _number() -> stat.Panel:
    return (
        stat.Panel()
        .color_mode(common.BigValueColorMode.BACKGROUND)
        .graph_mode(common.BigValueGraphMode.NONE)
        .text_mode(common.BigValueTextMode.AUTO)
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]).values(False))
        .color_scheme(page.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
    )


def _name() -> stat.Panel:
    return _number().text_mode(common.BigValueTextMode.NAME)


def _states() -> statetimeline.Panel:
    return statetimeline.Panel().show_value(common.VisibilityMode.NEVER).row_height(0.8)


def _lines() -> timeseries.Panel:
    return timeseries.Panel().fill_opacity(10).line_width(1).axis_soft_min(0).legend(_legend())


def _bars() -> timeseries.Panel:
    return (
        timeseries.Panel()
        .draw_style(common.GraphDrawStyle.BARS)
        .max_data_points(BARS)
        .fill_opacity(80)
        .line_width(0)
        .min(0)
        .stacking(StackingConfig().mode(common.StackingMode.NORMAL).group("A"))
        .legend(_legend())
    )


def _legend() -> VizLegendOptions:
    return (
        VizLegendOptions()
        .display_mode(common.LegendDisplayMode.LIST)
        .placement(common.LegendPlacement.BOTTOM)
        .show_legend(True)
        .calcs([])
    )


def _thresholds(limits: Limits | None) -> page.ThresholdsConfig:
    """Without limits always green: a panel that says nothing of them is red from 80 on."""
    steps: list[tuple[float | None, str]] = [(None, "green")]
    if limits and limits.bad > limits.warn:
        steps += [(limits.warn, "yellow"), (limits.bad, "red")]
    elif limits:
        steps = [(None, "red"), (limits.bad, "yellow"), (limits.warn, "green")]
    return (
        page.ThresholdsConfig()
        .mode(model.ThresholdsMode.ABSOLUTE)
        .steps([model.Threshold(value=value, color=color) for value, color in steps])
    )


def _mapping(words: Words) -> model.ValueMap:
    return model.ValueMap(
        {
            number: model.ValueMappingResult(text=text, color=color, index=index)
            for index, (number, (text, color)) in enumerate(words.items())
        }
    )


def _tables() -> Iterator[str]:
    """Every panel with its question and its queries, for the README."""
    for dashboard in DASHBOARDS:
        yield f"\n## {dashboard.title}\n\n{dashboard.purpose}\n"
        yield "| panel | question | asks for |"
        yield "| --- | --- | --- |"
        for panel in dashboard.panels:
            asked = "<br>".join(f"`{query}`" for query in panel.queries.values())
            needs = f" Needs {panel.needs}." if panel.needs else ""
            yield f"| {panel.title} | {panel.question}{needs} | {asked} |"


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
