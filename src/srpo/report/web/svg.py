"""Charts as inline SVG, small and without script. Colours are classes of the page's style."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

from srpo.report.chart import Chart, Point, Series
from srpo.report.plain import printable, tick_text
from srpo.report.smoothing import window

WIDTH, HEIGHT = 440, 240
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 24, 26  # margins: tick labels, stage names
END, FOOT = WIDTH - RIGHT, HEIGHT - BOTTOM  # where the plot's right and lower edges stand

SHAPES = {
    "circle": '<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>',
    "square": '<path class="dot" d="M{x:.1f} {y:.1f}m-4.2 -4.2h8.4v8.4h-8.4z"/>',
    "diamond": '<path class="dot" d="M{x:.1f} {y:.1f}m0 -5.6l5.6 5.6l-5.6 5.6l-5.6 -5.6z"/>',
    "triangle": '<path class="dot" d="M{x:.1f} {y:.1f}m0 -5.4l5.2 9h-10.4z"/>',
}


class Frame:
    """Where a chart's values stand in the picture."""

    def __init__(self, chart: Chart):
        self.right, self.log = chart.axis.high or 1.0, chart.unit == "log"
        self.low, high = map(self._level, chart.limits())
        self.span = (high - self.low) or 1.0

    def _level(self, value: float) -> float:
        return math.log10(value) if self.log else value

    def x(self, value: float) -> float:
        return LEFT + value / self.right * (END - LEFT)

    def y(self, value: float) -> float:
        return FOOT - (self._level(value) - self.low) / self.span * (FOOT - TOP)

    def points(self, at: Sequence[float], values: Sequence[float]) -> list[str]:
        """`x y` of the values that are there."""
        pairs = zip(at, values, strict=True)
        return [f"{self.x(x):.1f} {self.y(v):.1f}" for x, v in pairs if not math.isnan(v)]

    def path(self, at: list[float], values: list[float], stairs: bool = False) -> str:
        """Straight lines or stairs; a gap where a value is missing; a lone value is a dot."""
        parts, drawing = [], False
        for x, v in zip(at, values, strict=True):
            if math.isnan(v):
                drawing = False
                continue
            px, py = f"{self.x(x):.1f}", f"{self.y(v):.1f}"
            onwards = f"H{px}V{py}" if stairs else f"L{px} {py}"
            parts.append(onwards if drawing else f"M{px} {py}h0")
            drawing = True
        return "".join(parts)


def draw(chart: Chart) -> str:
    """The chart as one `<svg>` element; every text in it is escaped."""
    frame = Frame(chart)
    shapes = _layers(chart, frame) if chart.kind in ("area", "bars") else _lines(chart, frame)
    parts = [*_grid(chart, frame), *shapes, *_edges(chart, frame)]
    parts += (_point(frame, point) for point in chart.points)
    parts.append(f'<line class="cursor" y1="{TOP}" y2="{FOOT}" x1="0" x2="0"/>')
    plot = f'data-left="{LEFT}" data-right="{END}" data-width="{WIDTH}"'
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{_words(chart.title)}"'
        f' {plot} data-low="0" data-high="{chart.axis.high:g}">{"".join(parts)}</svg>'
    )


def _grid(chart: Chart, frame: Frame) -> Iterable[str]:
    for value in chart.heights():
        y = frame.y(value)
        yield f'<path class="grid" d="M{LEFT} {y:.1f}H{END}"/>'
        yield _text(LEFT - 6, y + 4, tick_text(value, chart.unit), "end")
    for at, label in chart.places():
        yield _text(frame.x(at), FOOT + 16, label, "middle")
    if not any(name for _, name in chart.axis.edges):
        yield _text(END, TOP - 8, chart.axis.name, "end")


def _edges(chart: Chart, frame: Frame) -> Iterable[str]:
    for start, name in chart.axis.edges:
        x = frame.x(start)
        if start > 0:
            yield f'<path class="stage" d="M{x:.1f} {TOP}V{FOOT}"/>'
        end = x > END - 46
        shift = -3 if end else 1 + 2 * (start > 0)
        yield _text(x + shift, TOP - 7, name[:20], "end" if end else "start")
    low, high = chart.limits()
    if chart.target is not None and low <= chart.target <= high:
        yield f'<path class="target" d="M{LEFT} {frame.y(chart.target):.1f}H{END}"/>'


def _lines(chart: Chart, frame: Frame) -> Iterable[str]:
    at = chart.axis.at
    for s in chart.series:
        if s.low and s.high:
            upper, lower = frame.points(at, s.high), frame.points(at, s.low)
            yield f'<polygon class="band {s.color}" points="{" ".join(upper + lower[::-1])}"/>'
    for s in chart.series:
        if chart.kind == "steps":
            yield _line(s, frame.path(at, s.values, stairs=True))
            continue
        if chart.smoothed and window(len(at)) > 1:
            yield _line(s, frame.path(at, s.values), " raw")
        yield _line(s, frame.path(at, chart.trend(s.values)))


def _line(s: Series, path: str, look: str = "") -> str:
    return f'<path class="line{look} {s.color}" d="{path}"/>'


def _layers(chart: Chart, frame: Frame) -> Iterable[str]:
    layers = chart.layers()
    for s, below, above in zip(chart.series, layers, layers[1:], strict=False):
        if chart.kind == "area":
            upper, lower = frame.points(chart.axis.at, above), frame.points(chart.axis.at, below)
            path = f"M{'L'.join(upper + lower[::-1])}z"
        else:
            path = _bars(chart, frame, below, above)
        yield f'<path class="area {s.color}" d="{path}"/>'


def _bars(chart: Chart, frame: Frame, below: list[float], above: list[float]) -> str:
    half = min(0.4, 20 / (frame.x(1) - frame.x(0)))  # a lone epoch is no wall
    bars = []
    for x, low, high in zip(chart.axis.at, below, above, strict=True):
        left, right = frame.x(x - half), frame.x(x + half)
        bars.append(f"M{left:.1f} {frame.y(low):.1f}H{right:.1f}V{frame.y(high):.1f}H{left:.1f}z")
    return "".join(bars)


def _point(frame: Frame, point: Point) -> str:
    x, y = frame.x(point.x), frame.y(point.value)
    if not point.whiskers:
        return f'<circle class="dot {point.color}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
    low, high = frame.y(point.low), frame.y(point.high)
    title = f"{point.label}: {point.value:.1%} ({point.low:.1%} to {point.high:.1%})"
    whisker = f"M{x:.1f} {low:.1f}V{high:.1f}M{x - 3:.1f} {low:.1f}h6M{x - 3:.1f} {high:.1f}h6"
    return (
        f'<g class="mark {point.color}"><title>{_words(title)}</title>'
        f'<path class="line" d="{whisker}"/>{SHAPES[point.marker].format(x=x, y=y)}</g>'
    )


def _words(text: str) -> str:
    return escape(printable(text))


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{_words(text)}</text>'
