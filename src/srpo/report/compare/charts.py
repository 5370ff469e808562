"""A comparison's charts: curves with bands over seeds."""

from __future__ import annotations

import numpy as np

from srpo.metrics import meaning
from srpo.report.chart import Axis, Chart, Point, Series
from srpo.report.compare.alignment import Curve, Metric, cost_text, curve
from srpo.report.compare.compare import Comparison
from srpo.report.compare.conditions import Condition
from srpo.report.reader import domains
from srpo.report.statistics import mean_intervals

GRID = 120  # points of a curve
COLORS = ("ink", "blue", "red", "green", "pink", "orange", "sky")
COMPARED, TRAINING = "Compared", "Training, described only"
DESCRIBED = (
    "accuracy/pool",
    "accuracy/{domain}",
    "length/{domain}",
    "groups/informative",
    "entropy",
)


def compare_charts(c: Comparison) -> list[Chart]:
    """The metrics that the conclusions speak of, then training metrics, described only; each of
    these with the conditions whose runs all have it."""
    charts = []
    for m in c.metrics:
        curves = {r.condition.name: r.curves for r in m.results}
        caption = "Lines: means over seeds. Bands: 95% intervals over seeds."
        caption += " Dots: single evaluations." if m.metric.held_out else ""
        target = "" if m.target is None else f" Dotted: the target, {m.metric.text(m.target)}."
        caption += f" Dashed: the common budget.{target}"
        charts.append(_chart(COMPARED, m.metric, caption, c, curves, m.budget, m.target))
    tested = {m.metric.name for m in c.metrics}
    for metric in (Metric(name, held_out=False) for name in _described(c)):
        curves = {k.name: whole for k in c.conditions if (whole := _curves(k, metric, c))}
        if curves and metric.name not in tested:
            charts.append(_chart(TRAINING, metric, meaning(metric.name) or "", c, curves))
    return charts


def _described(c: Comparison) -> list[str]:
    members = [m for k in c.conditions for m in k.members]
    names = domains([row for m in members for row in m.rows], [])
    every = (name.format(domain=domain) for name in DESCRIBED for domain in names or [""])
    return list(dict.fromkeys(every))


def _curves(condition: Condition, metric: Metric, c: Comparison) -> list[Curve]:
    """The condition's curves; none where one of its runs has none."""
    found = [curve(m, metric, c.by) for m in condition.members]
    whole = [f for f in found if f is not None]
    return whole if len(whole) == len(found) else []


def _chart(
    subject: str,
    metric: Metric,
    caption: str,
    c: Comparison,
    curves: dict[str, list[Curve]],
    budget: float | None = None,
    target: float | None = None,
) -> Chart:
    x = np.linspace(0, max(k.x[-1] for ks in curves.values() for k in ks), GRID)
    shown = [(k, color) for k, color in _colors(c) if k.name in curves]
    return Chart(
        subject,
        metric.name,
        metric.title,
        caption,
        unit=metric.unit,
        smoothed=False,
        whole=False,
        axis=Axis(
            c.by.value,
            x.tolist(),
            [cost_text(at, c.by) for at in x.tolist()],
            [] if budget is None else [(budget, "")],
            float(x[-1]),
        ),
        series=[_band(k.label, color, metric, curves[k.name], x) for k, color in shown],
        points=[
            Point(at, value, color)
            for k, color in shown
            for one in (curves[k.name] if metric.held_out else ())
            for at, value in one.measured
        ],
        target=target,
    )


def _colors(c: Comparison) -> list[tuple[Condition, str]]:
    """A condition's colour is the same in every chart."""
    return [(k, COLORS[i % len(COLORS)]) for i, k in enumerate(c.conditions)]


def _band(label: str, color: str, metric: Metric, curves: list[Curve], x: np.ndarray) -> Series:
    """Means over seeds; not-a-number where not every seed has a value."""
    mean, low, high = mean_intervals(np.stack([k.at(x) for k in curves]))
    if metric.is_share:
        low, high = np.clip(low, 0, 1), np.clip(high, 0, 1)
    return Series(label, color, mean.tolist(), low.tolist(), high.tolist())
