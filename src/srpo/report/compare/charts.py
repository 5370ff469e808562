"""Curves with bands over seeds, as inline SVG without script. Colours are classes of page.css."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

import numpy as np

from srpo.metrics import METRICS
from srpo.report.compare.alignment import By, Curve, Metric, cost_text, curve
from srpo.report.compare.compare import Comparison
from srpo.report.compare.conditions import Condition
from srpo.report.numbers import tick_text
from srpo.report.plain import printable
from srpo.report.run.sheets import Sheet
from srpo.report.statistics import mean_intervals
from srpo.report.web.svg import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Frame, ticks

GRID = 120  # points of a curve
TABLE = 11  # of them in its table
COLORS = ("ink", "math", "code", "green", "pink", "orange", "sky")
TRAINING = (
    "accuracy/pool",
    "accuracy/math",
    "accuracy/code",
    "length/math",
    "length/code",
    "groups/informative",
    "entropy",
)


@dataclass(frozen=True)
class Band:
    """A condition's mean over its seeds; not-a-number where not every seed has a value."""

    label: str
    color: str
    mean: np.ndarray  # (GRID,)
    low: np.ndarray
    high: np.ndarray
    points: list[tuple[float, float]]  # the single runs' evaluations


@dataclass(frozen=True)
class BandChart:
    metric: Metric
    caption: str
    by: By
    x: np.ndarray  # (GRID,)
    bands: list[Band]
    budget: float | None = None
    target: float | None = None


def compared_charts(c: Comparison) -> list[BandChart]:
    """The metrics that the verdict speaks of, with target and common budget."""
    charts = []
    for m in c.metrics:
        curves = {r.condition.name: r.curves for r in m.results}
        caption = "Lines: means over seeds. Bands: 95% intervals over seeds."
        caption += " Dots: single evaluations." if m.metric.held_out else ""
        target = "" if m.target is None else f" Dotted: the target, {m.metric.text(m.target)}."
        caption += f" Dashed: the common budget.{target}"
        charts.append(_chart(m.metric, caption, c, curves, m.budget, m.target))
    return charts


def training_charts(c: Comparison) -> list[BandChart]:
    """Training metrics, described only; each with the conditions whose runs all have it."""
    tested = {m.metric.name for m in c.metrics}
    charts = []
    for name in TRAINING:
        metric, curves = Metric(name, held_out=False), {}
        for k in c.conditions:
            found = [curve(m, metric, c.by) for m in k.members]
            whole = [f for f in found if f is not None]
            if len(whole) == len(found):
                curves[k.name] = whole
        if curves and name not in tested:
            charts.append(_chart(metric, METRICS[name], c, curves))
    return charts


def _chart(
    metric: Metric,
    caption: str,
    c: Comparison,
    curves: dict[str, list[Curve]],
    budget: float | None = None,
    target: float | None = None,
) -> BandChart:
    x = np.linspace(0, max(k.x[-1] for ks in curves.values() for k in ks), GRID)
    bands = [_band(k, color(c, k), metric, curves[k.name], x)
             for k in c.conditions if k.name in curves]  # fmt: skip
    return BandChart(metric, caption, c.by, x, bands, budget, target)


def color(c: Comparison, condition: Condition) -> str:
    """The condition's colour, the same in every chart."""
    place = [k.name for k in c.conditions].index(condition.name)
    return COLORS[place % len(COLORS)]


def _band(k: Condition, color: str, metric: Metric, curves: list[Curve], x: np.ndarray) -> Band:
    mean, low, high = mean_intervals(np.stack([c.at(x) for c in curves]))
    if metric.is_share:
        low, high = np.clip(low, 0, 1), np.clip(high, 0, 1)
    points = [point for c in curves for point in c.measured] if metric.held_out else []
    return Band(k.label, color, mean, low, high, points)


def band_sheet(chart: BandChart) -> Sheet:
    """The chart's means and intervals at a few places."""
    rows = []
    for i in map(int, np.linspace(0, GRID - 1, TABLE).round()):
        cells = []
        for b in chart.bands:
            mean, low, high = (float(v[i]) for v in (b.mean, b.low, b.high))
            text = chart.metric.text
            limits = "" if math.isnan(low) else f" ({text(low)} to {text(high)})"
            cells.append(text(mean) + limits)
        rows.append([cost_text(float(chart.x[i]), chart.by), *cells])
    labels = [b.label for b in chart.bands]
    return Sheet(f"{chart.metric.title}, by {chart.by.value}", [chart.by.value, *labels], rows)


def draw_bands(chart: BandChart) -> str:
    """The chart as one `<svg>` element; every text in it is escaped."""
    frame = _frame(chart)
    parts = [*_grid(chart, frame), *_guides(chart, frame)]
    for b in chart.bands:
        parts += _polygons(frame, chart.x, b)
    for b in chart.bands:
        parts += _lines(frame, chart.x, b)
    label = escape(printable(f"{chart.metric.title} by {chart.by.value}"))
    head = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">'
    return f"{head}{''.join(parts)}</svg>"


def _frame(chart: BandChart) -> Frame:
    seen = [v for b in chart.bands for v in (*b.low, *b.high, *b.mean) if not math.isnan(v)]
    seen += [y for b in chart.bands for _, y in b.points]
    low, high = min(0.0, *seen), max(seen)
    if chart.metric.is_share:
        low, high = 0.0, min(1.0, high * 1.15) or 0.01
    return Frame(0.0, float(chart.x[-1]) or 1.0, low, high * 1.05 or 1.0)


def _grid(chart: BandChart, frame: Frame) -> Iterable[str]:
    unit = "share" if chart.metric.is_share else "number"
    for value in ticks(frame.y_low, frame.y_high, 6):
        y = frame.y(value)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield _text(LEFT - 6, y + 4, tick_text(value, unit), "end")
    for value in ticks(frame.x_low, frame.x_high, 5):
        yield _text(frame.x(value), HEIGHT - BOTTOM + 16, tick_text(value, "count"), "middle")
    yield _text(WIDTH - RIGHT, TOP - 8, chart.by.value, "end")


def _guides(chart: BandChart, frame: Frame) -> Iterable[str]:
    if chart.budget is not None:
        yield f'<path class="stage" d="M{frame.x(chart.budget):.1f} {TOP}V{HEIGHT - BOTTOM}"/>'
    if chart.target is not None and frame.y_low <= chart.target <= frame.y_high:
        yield f'<path class="target" d="M{LEFT} {frame.y(chart.target):.1f}H{WIDTH - RIGHT}"/>'


def _polygons(frame: Frame, x: np.ndarray, b: Band) -> Iterable[str]:
    upper, lower = _points(frame, x, b.high), _points(frame, x, b.low)
    if len(upper) > 1 and len(lower) > 1:
        edge = " ".join([*upper, *reversed(lower)])
        yield f'<polygon class="band {b.color}" points="{edge}"/>'


def _lines(frame: Frame, x: np.ndarray, b: Band) -> Iterable[str]:
    path = " ".join(_points(frame, x, b.mean))
    yield f'<polyline class="line {b.color}" points="{path}"/>'
    for px, py in b.points:
        yield f'<circle class="dot {b.color}" cx="{frame.x(px):.1f}" cy="{frame.y(py):.1f}" r="3"/>'


def _points(frame: Frame, x: np.ndarray, y: np.ndarray) -> list[str]:
    """Those that are known: they have no gaps, since curves have none."""
    pairs = zip(x.tolist(), y.tolist(), strict=True)
    return [f"{frame.x(a):.1f},{frame.y(b):.1f}" for a, b in pairs if not math.isnan(b)]


def _text(x: float, y: float, text: str, anchor: str) -> str:
    words = escape(printable(text))
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{words}</text>'
