"""Charts as inline SVG, small and without script. Colours are classes of page.css."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from srpo.report.numbers import tick_text
from srpo.report.plain import printable
from srpo.report.run.charts import Chart, Mark, Series
from srpo.report.smoothing import smooth, window

WIDTH, HEIGHT = 440, 240
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 24, 26  # margins: tick labels, stage names


@dataclass(frozen=True)
class Frame:
    """Where values stand in the picture."""

    x_low: float
    x_high: float
    y_low: float  # of a logarithmic axis: the exponent
    y_high: float
    log: bool = False

    def x(self, value: float) -> float:
        span = (self.x_high - self.x_low) or 1.0
        return LEFT + (value - self.x_low) / span * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        level = math.log10(value) if self.log else value
        share = (level - self.y_low) / ((self.y_high - self.y_low) or 1.0)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def draw(chart: Chart) -> str:
    """The chart as one `<svg>` element; every text in it is escaped."""
    bands = _bands(chart)
    frame = _frame(chart, bands)
    parts = [*_grid(chart, frame)]
    if chart.kind in ("area", "bars"):
        shape = _area if chart.kind == "area" else _bars
        parts += (
            shape(chart, frame, below, s, above)
            for s, below, above in zip(chart.series, bands, bands[1:], strict=False)
        )
    else:
        parts += (line for s in chart.series for line in _line(chart, frame, s))
    parts += _stages(chart, frame)
    parts += (_mark(frame, mark) for mark in chart.marks)
    parts.append(f'<line class="cursor" y1="{TOP}" y2="{HEIGHT - BOTTOM}" x1="0" x2="0"/>')
    plot = f'data-left="{LEFT}" data-right="{WIDTH - RIGHT}" data-width="{WIDTH}"'
    span = f'data-low="{frame.x_low:g}" data-high="{frame.x_high:g}"'
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{_words(chart.title)}"'
        f" {plot} {span}>{''.join(parts)}</svg>"
    )


def _bands(chart: Chart) -> list[list[float]]:
    """The edges between stacked series, from 0 up: one more than there are series."""
    if chart.kind not in ("area", "bars"):
        return []
    edges = [[0.0] * len(chart.axis.at)]
    for s in chart.series:
        values = _trend(chart, s.values) if chart.kind == "area" else s.values
        edges.append([e + (0.0 if v != v else v) for e, v in zip(edges[-1], values, strict=True)])
    return edges


def _trend(chart: Chart, values: list[float]) -> list[float]:
    """Moving averages within each stage: across a boundary they would blur what it changed."""
    if not chart.smoothed:
        return values
    starts = [start for start, _ in chart.axis.stages[1:]]
    cuts = [0, *(bisect_left(chart.axis.at, start) for start in starts), len(values)]
    width = window(len(values))
    return [v for a, b in pairwise(cuts) for v in smooth(values[a:b], width)]


def _frame(chart: Chart, bands: list[list[float]]) -> Frame:
    high = chart.axis.high
    values = [v for s in chart.series for v in s.values if v == v]
    values += [m.high for m in chart.marks]
    values += bands[-1] if bands else []
    if chart.unit == "log":
        levels = [math.log10(v) for v in values]
        return Frame(0, high, math.floor(min(levels)), math.ceil(max(levels) + 1e-9), log=True)
    top, bottom = max(values, default=1.0), min(0.0, *values) if values else 0.0
    if chart.unit == "share" and top > 0.25:
        return Frame(0, high, 0, 1)
    floor = {"share": 0.01, "count": 4.0}.get(chart.unit, 1e-9)
    return Frame(0, high, bottom * 1.1, max(top, floor) * 1.08)


def ticks(low: float, high: float, about: int) -> list[float]:
    """Round numbers from `low` to `high`: steps of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / about
    if not rough > 0:
        return [low]
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(f * power for f in (1, 2, 5, 10) if f * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [i * step for i in range(first, last + 1)]


def _grid(chart: Chart, frame: Frame) -> Iterable[str]:
    if frame.log:
        exponents = range(int(frame.y_low), int(frame.y_high) + 1)
        every = max(1, math.ceil(len(exponents) / 6))
        heights = [10.0**e for e in exponents if (e - int(frame.y_low)) % every == 0]
    else:
        heights = ticks(frame.y_low, frame.y_high, 7)
    for value in heights:
        y = frame.y(value)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield _text(LEFT - 6, y + 4, tick_text(value, chart.unit), "end")
    for at, label in _x_labels(chart, frame):
        yield _text(frame.x(at), HEIGHT - BOTTOM + 16, label, "middle")


def _x_labels(chart: Chart, frame: Frame) -> list[tuple[float, str]]:
    if chart.kind != "bars":
        places = [t for t in ticks(frame.x_low, frame.x_high, 6) if t == int(t)]
        return [(t, f"{t:,.0f}") for t in places]
    every = max(1, math.ceil(len(chart.axis.at) / 12))
    pairs = list(zip(chart.axis.at, chart.axis.labels, strict=True))[::every]
    return [(at, label.rsplit(" ", 1)[-1]) for at, label in pairs]  # the epoch: stages stand above


def _stages(chart: Chart, frame: Frame) -> Iterable[str]:
    for i, (start, name) in enumerate(chart.axis.stages):
        # Steps count from 1 and the first stage owns the left edge.
        x = frame.x(start) if i else float(LEFT)
        if i:
            yield f'<path class="stage" d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}"/>'
        end = x > WIDTH - RIGHT - 46
        yield _text(
            x + (-3 if end else 1 + 2 * bool(i)), TOP - 7, name[:20], "end" if end else "start"
        )


def _line(chart: Chart, frame: Frame, s: Series) -> Iterable[str]:
    if chart.kind == "steps":
        yield f'<path class="line {s.color}" d="{_stairs(frame, chart.axis.at, s.values)}"/>'
        return
    trend = _trend(chart, s.values)
    if chart.smoothed and window(len(trend)) > 1:
        raw = _path(frame, chart.axis.at, s.values)
        yield f'<path class="line raw {s.color}" d="{raw}"/>'
    mean = _path(frame, chart.axis.at, trend)
    yield f'<path class="line {s.color}" d="{mean}"/>'


def _path(frame: Frame, at: list[float], values: list[float]) -> str:
    """Straight lines; a gap where a value is missing; a lone value is a dot."""
    parts, drawing = [], False
    for x, v in zip(at, values, strict=True):
        if math.isnan(v):
            drawing = False
            continue
        point = f"{frame.x(x):.1f} {frame.y(v):.1f}"
        parts.append(f"L{point}" if drawing else f"M{point}h0")
        drawing = True
    return "".join(parts)


def _stairs(frame: Frame, at: list[float], values: list[float]) -> str:
    parts, drawing = [], False
    for x, v in zip(at, values, strict=True):
        if math.isnan(v):
            drawing = False
            continue
        px, py = frame.x(x), frame.y(v)
        parts.append(f"H{px:.1f}V{py:.1f}" if drawing else f"M{px:.1f} {py:.1f}h0")
        drawing = True
    return "".join(parts)


def _area(chart: Chart, frame: Frame, below: list[float], s: Series, above: list[float]) -> str:
    at = chart.axis.at
    upper = " ".join(f"{frame.x(x):.1f},{frame.y(v):.1f}" for x, v in zip(at, above, strict=True))
    back = zip(reversed(at), reversed(below), strict=True)
    lower = " ".join(f"{frame.x(x):.1f},{frame.y(v):.1f}" for x, v in back)
    return f'<polygon class="area {s.color}" points="{upper} {lower}"/>'


def _bars(chart: Chart, frame: Frame, below: list[float], s: Series, above: list[float]) -> str:
    half = min(0.4, 20 / (frame.x(1) - frame.x(0)))  # a lone epoch is no wall
    bars = []
    for x, low, high in zip(chart.axis.at, below, above, strict=True):
        left, right = frame.x(x - half), frame.x(x + half)
        bars.append(f"M{left:.1f} {frame.y(low):.1f}H{right:.1f}V{frame.y(high):.1f}H{left:.1f}z")
    return f'<path class="area {s.color}" d="{"".join(bars)}"/>'


def _mark(frame: Frame, mark: Mark) -> str:
    x, y = frame.x(mark.step), frame.y(mark.value)
    low, high = frame.y(mark.low), frame.y(mark.high)
    title = f"{mark.label}: {mark.value:.1%} ({mark.low:.1%} to {mark.high:.1%})"
    shape = (
        f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>'
        if mark.color == "math"
        else f'<rect class="dot" x="{x - 4.2:.1f}" y="{y - 4.2:.1f}" width="8.4" height="8.4"/>'
    )
    whisker = f"M{x:.1f} {low:.1f}V{high:.1f}M{x - 3:.1f} {low:.1f}h6M{x - 3:.1f} {high:.1f}h6"
    return (
        f'<g class="mark {mark.color}"><title>{_words(title)}</title>'
        f'<path class="line" d="{whisker}"/>{shape}</g>'
    )


def _words(text: str) -> str:
    return escape(printable(text))


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{_words(text)}</text>'
