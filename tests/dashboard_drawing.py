"""Draws a dashboard's JSON with the answers to its queries, in the dark and as near to Grafana as need be."""

import colorsys
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

WIDTH, COLUMNS, ROW, GAP, HEAD = 1500, 24, 38, 8, 58
"""Pixels; Grafana's grid, whose rows are 30 high and 8 apart."""
DPI, SMALL = 100, 10.5
PAPER, PANEL, INK, DIM, GRID = "#111217", "#181b1f", "#ccccdc", "#8f9099", "#2b2e34"
NAMED = {"green": "#73bf69", "yellow": "#fade2a", "red": "#f2495c"}
PALETTE = (
    "#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#5794f2", "#b877d9", "#705da0",
    "#37872d", "#fade2a", "#447ebc", "#c15c17", "#890f02", "#0a437c", "#6d1f62", "#584477",
)  # fmt: skip
UNSAID = [{"value": None, "color": "green"}, {"value": 80, "color": "red"}]
"""Thresholds of a panel that names none: Grafana has these."""
UNITS = {
    "short": ((1, ""), (1e3, " K"), (1e6, " Mil"), (1e9, " Bil")),
    "percentunit": ((0.01, "%"),),
    "Bps": ((1, " B/s"), (1e3, " kB/s"), (1e6, " MB/s")),
    "bytes": tuple((1024**power, f" {word}") for power, word in enumerate(("B", "KiB", "MiB", "GiB", "TiB"))),
    "s": (
        (1e-6, " µs"), (1e-3, " ms"), (1, " s"), (60, " mins"), (3600, " hours"), (86_400, " days"),
        (7 * 86_400, " weeks"), (365 * 86_400, " years"),
    ),
}  # fmt: skip
"""Grafana's word for a unit: from where on a number is said in which, and the word for it."""


@dataclass(frozen=True)
class Series:
    """One answer to a query: moments in seconds since 1970, with NaN where nothing is known."""

    name: str
    times: Sequence[float]
    values: list[float]


@dataclass(frozen=True)
class Span:
    """What the pictures show, in seconds since 1970, told by the clock of a zone."""

    begin: int
    end: int
    zone: ZoneInfo

    def told(self, at):
        """As Grafana writes a moment on an axis."""
        return f"{datetime.fromtimestamp(at, self.zone):%H:%M}"

    def ticks(self, most):
        """Full minutes, `most` of them at most."""
        fit = (m * 60 for m in (1, 2, 5, 10, 15, 30, 60) if self.end - self.begin <= m * 60 * most)
        step = next(fit, 7200)
        first = math.ceil(self.begin / step) * step
        return list(range(first, self.end + 1, step))


@dataclass(frozen=True)
class Box:
    """Pixels from the top left of the picture."""

    x: float
    y: float
    w: float
    h: float


def scale(value, unit):
    """In which size of a unit this value is said, and its word."""
    sizes = UNITS[unit]
    fitting = [each for each in sizes if each[0] <= abs(value)]
    if not fitting:
        return sizes[0] if value else next(each for each in sizes if each[0] in (1, 0.01))
    return fitting[-1]


def human(value, unit):
    """As Grafana writes a value: 0.012 s is 12 ms."""
    size, word = scale(value, unit)
    return f"{value / size:.3g}{word}"


def look(value, defaults):
    """Colour and words of a value: by the mapping, else by the thresholds and the unit."""
    for mapping in defaults.get("mappings", ()):
        if mapped := mapping["options"].get(f"{value:g}"):
            return NAMED[mapped["color"]], mapped["text"]
    steps = defaults.get("thresholds", {}).get("steps", UNSAID)
    reached = [step for step in steps if step.get("value") is None or value >= step["value"]]
    return NAMED[reached[-1]["color"]], human(value, defaults["unit"])


class Paper:
    """A picture that is drawn on in pixels."""

    def __init__(self, height):
        self.height = height
        self._figure = Figure(figsize=(WIDTH / DPI, height / DPI), dpi=DPI, facecolor=PAPER)
        self._renderer = FigureCanvasAgg(self._figure).get_renderer()
        self._page = self.axes(Box(0, 0, WIDTH, height))
        self._page.set(xlim=(0, WIDTH), ylim=(height, 0))
        self._page.axis("off")

    def axes(self, box):
        """A place with scales of its own."""
        left, below = box.x / WIDTH, 1 - (box.y + box.h) / self.height
        return self._figure.add_axes((left, below, box.w / WIDTH, box.h / self.height))

    def rectangle(self, box, colour):
        self._page.add_patch(Rectangle((box.x, box.y), box.w, box.h, color=colour, lw=0))

    def text(self, x, y, words, px, colour=INK, **how):
        how = {"va": "top", "parse_math": False, "fontsize": px * 72 / DPI, **how}
        self._page.text(x, y, words, color=colour, **how)

    def width(self, words, px, weight="normal"):
        font = FontProperties(size=px * 72 / DPI, weight=weight)
        return self._renderer.get_text_width_height_descent(words, font, ismath=False)[0]

    def cut(self, words, px, most, weight="normal"):
        """What fits into so many pixels, with an ellipsis where something is missing."""
        if self.width(words, px, weight) <= most:
            return words
        while words and self.width(words + "…", px, weight) > most:
            words = words[:-1]
        return words.rstrip() + "…"

    def wrapped(self, words, px, most, lines):
        """In lines of so many pixels; the last of them is cut."""
        told = [""]
        for word in words.split():
            longer = f"{told[-1]} {word}".strip()
            if self.width(longer, px) <= most or len(told) == lines:
                told[-1] = longer
            else:
                told.append(word)
        return [*told[:-1], self.cut(told[-1], px, most)]

    def save(self, path):
        """Write it as a PNG."""
        self._figure.savefig(path, facecolor=PAPER, pil_kwargs={"optimize": True})


def draw(page, answers, span, path):
    """One dashboard.

    page     its JSON, parsed
    answers  by id of the panel: its Series, in the order of its queries
    """
    places = {panel["id"]: _place(panel["gridPos"]) for panel in page["panels"]}
    paper = Paper(int(max(box.y + box.h for box in places.values())) + GAP)
    paper.text(GAP + 4, 9, page["title"], 20)
    paper.text(GAP + 4, 36, page["description"], 12, DIM)
    chosen = f"Gateway: All     {span.told(span.begin)} to {span.told(span.end)}"
    paper.text(WIDTH - GAP - 4, 14, chosen, 13, ha="right")
    kinds = {"stat": _stat, "timeseries": _timeseries, "state-timeline": _states}
    for panel in page["panels"]:
        kinds[panel["type"]](paper, places[panel["id"]], panel, answers[panel["id"]], span)
    paper.save(path)


def _place(grid):
    column = (WIDTH - GAP) / COLUMNS
    left, right = round(grid["x"] * column), round((grid["x"] + grid["w"]) * column)
    return Box(GAP + left, HEAD + grid["y"] * ROW, right - left - GAP, grid["h"] * ROW - GAP)


def _frame(paper, box, panel, ground=PANEL, ink=INK, dim=DIM, lines=2):
    """The panel with its title and, which Grafana shows to a mouse, its question. Returns what is left."""
    paper.rectangle(box, ground)
    title = paper.cut(panel["title"], 13, box.w - 20, "bold")
    paper.text(box.x + 10, box.y + 9, title, 13, ink, weight="bold")
    told = paper.wrapped(panel["description"], SMALL, box.w - 20, lines)
    for number, line in enumerate(told):
        paper.text(box.x + 10, box.y + 29 + 14 * number, line, SMALL, dim)
    top = 34 + 14 * len(told)
    return Box(box.x, box.y + top, box.w, box.h - top)


def _nothing(paper, box, panel):
    middle = box.x + box.w / 2
    paper.text(middle, box.y + box.h / 2 - 24, "No data", 18, DIM, ha="center")
    for number, line in enumerate(
        paper.wrapped(panel["fieldConfig"]["defaults"].get("noValue", ""), SMALL, box.w - 40, 3)
    ):
        paper.text(middle, box.y + box.h / 2 + 4 + 14 * number, line, SMALL, DIM, ha="center")


def _stat(paper, box, panel, series, _):
    """The last value of each series, large, before the colour of its threshold."""
    if not series:
        _nothing(paper, _frame(paper, box, panel), panel)
        return
    defaults, mode = panel["fieldConfig"]["defaults"], panel["options"]["textMode"]
    ground = _darker(look(series[-1].values[-1], defaults)[0])
    bright = np.dot(to_rgb(ground), (0.3, 0.59, 0.11)) > 0.55
    ink = "#1f2024" if bright else "#ffffff"
    left = _frame(paper, box, panel, ground, ink, ink, lines=3)
    part = left.w / len(series)
    for number, each in enumerate(series):
        words = each.name if mode == "name" else look(each.values[-1], defaults)[1]
        px = min(40, 40 * (part - 30) / paper.width(words, 40))
        middle = left.x + part * (number + 0.5)
        paper.text(middle, box.y + box.h * 0.66, words, px, ink, ha="center", va="center")
        if mode == "auto" and len(series) > 1:
            name = paper.cut(each.name, SMALL, part - 12)
            paper.text(middle, left.y + left.h - 22, name, SMALL, ink, ha="center")


def _darker(colour):
    hue, light, full = colorsys.rgb_to_hls(*to_rgb(colour))
    return to_hex(colorsys.hls_to_rgb(hue, max(0, light - 0.15), full * 0.8))


def _timeseries(paper, box, panel, series, span):
    left = _frame(paper, box, panel)
    if not series:
        _nothing(paper, left, panel)
        return
    defaults = panel["fieldConfig"]["defaults"]
    custom, unit = defaults["custom"], defaults["unit"]
    below = _legend(paper, left, series)
    axes = paper.axes(Box(left.x + 62, left.y + 6, left.w - 76, left.h - below - 30))
    if custom.get("drawStyle") == "bars":
        top, bottom = _bars(axes, series, custom["fillOpacity"] / 100), 0
    else:
        top, bottom = _lines(axes, series, custom["lineWidth"], custom["fillOpacity"] / 100)
    _scales(axes, bottom, top, unit, span, left.w)


def _lines(axes, series, width, fill):
    """Returns the highest and the lowest value, with the soft minimum of 0."""
    for number, each in enumerate(series):
        colour = PALETTE[number % len(PALETTE)]
        axes.plot(each.times, each.values, color=colour, lw=width * 1.1, zorder=3)
        axes.fill_between(each.times, each.values, color=colour, alpha=fill, lw=0, zorder=2)
        known = np.isfinite(each.values)
        alone = known & ~np.r_[False, known[:-1]] & ~np.r_[known[1:], False]  # no line goes there
        points = np.where(alone, each.values, np.nan)
        axes.plot(each.times, points, "o", ms=2.2, color=colour, zorder=3)
    known = [value for each in series for value in each.values if not math.isnan(value)]
    return max(known, default=0), min([0, *known])


def _bars(axes, series, fill):
    """One upon the other. Returns the height of the highest."""
    step = series[0].times[1] - series[0].times[0]
    heights = np.zeros(len(series[0].times))
    for number, each in enumerate(series):
        values = np.nan_to_num(each.values)
        colour = PALETTE[number % len(PALETTE)]
        axes.bar(each.times, values, step * 0.8, heights, color=colour, alpha=fill, lw=0, zorder=3)
        heights += values
    return max(heights)


def _scales(axes, bottom, top, unit, span, width):
    """Both scales, as wide as the panel lets them be."""
    top = top or (1 if bottom == 0 else 0)
    size, word = scale(max(top, -bottom), unit)
    ticks = MaxNLocator(
        4, steps=(1, 2, 2.5, 5, 10), integer=unit == "short" and top >= 4
    ).tick_values(bottom / size, top / size)
    told = [f"{round(tick, 6):g}{word}" if tick else human(0, unit) for tick in ticks]
    axes.set_yticks([tick * size for tick in ticks], told)
    axes.set_ylim(bottom * 1.08, top * 1.08)
    _time(axes, span, width)
    axes.grid(color=GRID, lw=0.6)


def _time(axes, span, width):
    ticks = span.ticks(max(2, width // 52))
    axes.set_facecolor("none")
    axes.set_axisbelow(True)
    axes.set_xlim(span.begin, span.end)
    axes.set_xticks(ticks, [span.told(tick) for tick in ticks])
    axes.tick_params(length=0, labelcolor=DIM, labelsize=SMALL * 72 / DPI, pad=5)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _legend(paper, box, series, lines=3):
    """From below; names that find no room are counted. Returns its height."""
    names = [(number, paper.cut(each.name, SMALL, 190)) for number, each in enumerate(series)]
    rows, used, left = [[]], 0, len(names)
    for number, name in names:
        width = paper.width(name, SMALL) + 32
        if used + width > box.w - 20 - (70 if len(rows) == lines else 0):
            if len(rows) == lines:
                break
            rows.append([])
            used = 0
        rows[-1].append((box.x + 10 + used, number, name))
        used += width
        left -= 1
    height = 16 * len(rows)
    for line, row in enumerate(rows):
        y = box.y + box.h - height - 5 + 16 * line
        for x, number, name in row:
            paper.rectangle(Box(x, y + 5, 12, 3), PALETTE[number % len(PALETTE)])
            paper.text(x + 17, y, name, SMALL)
    if left:
        paper.text(box.x + 10 + used, y, f"and {left} more", SMALL, DIM)
    return height


def _states(paper, box, panel, series, span):
    """Each series as a band whose colour is the state."""
    defaults, height = panel["fieldConfig"]["defaults"], panel["options"]["rowHeight"]
    left = _frame(paper, box, panel)
    if not series:
        _nothing(paper, left, panel)
        return
    names = [paper.cut(each.name, SMALL, left.w / 3) for each in series]
    wide = max(paper.width(name, SMALL) for name in names) + 22
    axes = paper.axes(Box(left.x + wide, left.y + 6, left.w - wide - 14, left.h - 34))
    for row, each in enumerate(series):
        step = each.times[1] - each.times[0]
        for value, run in groupby(
            zip(each.times, each.values, strict=True), key=lambda pair: pair[1]
        ):
            moments = [at for at, _ in run]
            if not math.isnan(value):
                begin = max(moments[0], span.begin)
                long = min(moments[-1] + step, span.end) - begin
                axes.barh(
                    row, long, height, begin, color=look(value, defaults)[0], alpha=0.85, lw=0
                )
    axes.set_ylim(len(series) - 0.5, -0.5)
    _time(axes, span, left.w - wide)
    axes.set_yticks(range(len(series)), names)
