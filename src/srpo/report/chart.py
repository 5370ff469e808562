"""A chart as a record: what it shows, in which unit, and how to read it. Nothing here draws.

Any such record is drawn by `srpo.report.web.svg` on a page and by `srpo.report.picture` in a
picture, with the limits, ticks and averages given here. Its values are also its table, which a
screen reader reads and the page's cursor shows.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, NamedTuple

from srpo.report.colors import Marker
from srpo.report.plain import Unit, tick_text
from srpo.report.smoothing import smooth, window

Kind = Literal["line", "steps", "area", "bars"]


@dataclass(frozen=True)
class Series:
    """P values, one a position of the axis; not-a-number where there is none. `low` and `high`
    are the ends of their 95% intervals, where they have any."""

    label: str
    color: str  # a name of colors.PALETTE
    values: list[float]  # (P,)
    low: list[float] | None = None  # (P,)
    high: list[float] | None = None  # (P,)


@dataclass(frozen=True)
class Point:
    """One evaluation, with its 95% interval if it has one of its own."""

    x: float
    value: float
    color: str
    low: float = math.nan
    high: float = math.nan
    label: str = ""
    marker: Marker = "circle"

    @property
    def whiskers(self) -> bool:
        return not math.isnan(self.low)


@dataclass(frozen=True)
class Axis:
    """P positions from 0 to `high`. `edges`: where a stage starts or a budget ends, named."""

    name: str = ""
    at: list[float] = field(default_factory=list)  # (P,)
    labels: list[str] = field(default_factory=list)  # (P,)
    edges: list[tuple[float, str]] = field(default_factory=list)
    high: float = 1.0


class Limits(NamedTuple):
    """What the vertical axis spans."""

    low: float
    high: float


@dataclass(frozen=True)
class Chart:
    subject: str  # charts of one subject stand together
    key: str
    title: str
    caption: str  # what to look for, in one line
    kind: Kind = "line"
    unit: Unit = "number"
    smoothed: bool = True  # lines and areas get a moving average
    whole: bool = True  # a share's axis goes to 100%, unless all values are small
    points_name: str = ""  # for the legend
    axis: Axis = Axis()
    series: list[Series] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    target: float | None = None

    @property
    def empty(self) -> bool:
        return not (self.series or self.points)

    def trend(self, values: list[float]) -> list[float]:
        """Moving averages within each stage: across its edge they would blur what it changed."""
        if not self.smoothed:
            return values
        edges = (bisect_left(self.axis.at, start) for start, _ in self.axis.edges if start > 0)
        width = window(len(values))
        parts = pairwise([0, *edges, len(values)])
        return [v for a, b in parts for v in smooth(values[a:b], width)]

    def layers(self) -> list[list[float]]:
        """The edges between stacked series, from 0 up: one more than there are series."""
        found = [[0.0] * len(self.axis.at)]
        for s in self.series:
            values = self.trend(s.values) if self.kind == "area" else s.values
            found.append(
                [e + (0.0 if v != v else v) for e, v in zip(found[-1], values, strict=True)]
            )
        return found

    def limits(self) -> Limits:
        """From the values, the axis' unit and the kind; powers of ten for a logarithmic axis."""
        seen = [v for s in self.series for v in (*s.values, *(s.low or ()), *(s.high or ()))]
        seen += [v for p in self.points for v in (p.value, p.low, p.high)]
        seen += self.layers()[-1] if self.kind in ("area", "bars") else []
        seen = [v for v in seen if not math.isnan(v)]
        top, bottom = max(seen, default=1.0), min(0.0, *seen) if seen else 0.0
        if self.unit == "log":
            low, high = math.floor(math.log10(min(seen))), math.ceil(math.log10(top) + 1e-9)
            return Limits(10.0**low, 10.0**high)
        if self.unit == "share" and self.whole and top > 0.25:
            return Limits(0.0, 1.0)
        floor = {"share": 0.01, "count": 4.0}.get(self.unit, 1e-9)
        return Limits(bottom * 1.1, max(top, floor) * 1.08)

    def heights(self) -> list[float]:
        """The vertical axis' ticks."""
        low, high = self.limits()
        if self.unit != "log":
            return ticks(low, high, 7)
        exponents = range(round(math.log10(low)), round(math.log10(high)) + 1)
        return [10.0**e for e in exponents[:: max(1, math.ceil(len(exponents) / 6))]]

    def places(self) -> list[tuple[float, str]]:
        """The horizontal axis' ticks and their labels."""
        if self.kind != "bars":
            whole = [t for t in ticks(0.0, self.axis.high, 6) if t == int(t)]
            return [(t, tick_text(t, "count")) for t in whole]
        every = max(1, math.ceil(len(self.axis.at) / 12))
        pairs = list(zip(self.axis.at, self.axis.labels, strict=True))[::every]
        return [(at, label.rsplit(" ", 1)[-1]) for at, label in pairs]  # stages stand above


def ticks(low: float, high: float, about: int) -> list[float]:
    """Round numbers from `low` to `high`: steps of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / about
    if not rough > 0:
        return [low]
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(f * power for f in (1, 2, 5, 10) if f * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [i * step for i in range(first, last + 1)]


def by_subject(charts: list[Chart]) -> dict[str, list[Chart]]:
    """Those with values, in their order."""
    found: dict[str, list[Chart]] = {}
    for chart in charts:
        if not chart.empty:
            found.setdefault(chart.subject, []).append(chart)
    return found
