"""A chart's limits, averages and table; and what both of its drawings make of it."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import get_args
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes

from srpo.report.chart import Axis, Chart, Kind, Point, Series, by_subject, ticks
from srpo.report.colors import PALETTE, Marker, domain_style, style_sheet
from srpo.report.picture import draw_picture
from srpo.report.plain import Unit
from srpo.report.sheet import chart_sheet
from srpo.report.smoothing import smooth
from srpo.report.web.svg import draw

CHART = Chart("subject", "k", "<t>", "caption")


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e6), st.integers(1, 9))
def test_ticks_are_few_and_inside(low: float, span: float, about: int):
    found = ticks(low, low + span, about)
    slack = span * 1e-6
    assert len(found) <= about + 1
    assert all(low - slack <= t <= low + span + slack for t in found)
    assert found == sorted(set(found))


@given(st.data())
def test_every_drawing_is_well_formed_and_inside_its_frame(data: st.DataObject):
    kind: Kind = data.draw(st.sampled_from(get_args(Kind)))
    unit: Unit = data.draw(st.sampled_from(get_args(Unit)))
    n = data.draw(st.integers(1, 40))
    size = st.floats(1e-9, 1 if unit == "share" else 1e6)
    values = st.lists(size | st.just(math.nan), min_size=n, max_size=n)
    if kind in ("area", "bars"):
        unit, values = "number", st.lists(size, min_size=n, max_size=n)
    series = [Series("<b>&", "ink", data.draw(values)) for _ in range(2)]
    if unit == "log" and all(map(math.isnan, series[0].values + series[1].values)):
        return
    at = [i + 0.5 for i in range(n)]
    axis = Axis("step", at, ["<x>"] * n, [(0.0, "<s>"), (n / 2, '"&')], float(n))
    interval = data.draw(st.sampled_from([(math.nan, math.nan), (0.4, 0.6)]))
    marker: Marker = data.draw(st.sampled_from(get_args(Marker)))
    points = [Point(n, 0.5, "blue", *interval, "<m>", marker)] if unit == "share" else []
    chart = replace(CHART, axis=axis, series=series, kind=kind, unit=unit, points=points)
    drawn = draw(chart)
    root = ElementTree.fromstring(drawn)
    assert "nan" not in drawn
    assert "inf" not in drawn
    for path in root.iter("path"):
        for y in re.findall(r"[ML][\d.]+ (-?[\d.]+)", path.get("d", "")):
            assert -1 <= float(y) <= 241


def heights(drawn: str, color: str) -> list[list[float]]:
    """The vertical places of each line of a colour, raw first."""
    paths = re.findall(rf'class="line (?:raw )?{color}" d="([^"]*)"', drawn)
    return [[float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", path)] for path in paths]


def test_no_average_crosses_a_stage_boundary():
    values = [0.2] * 40 + [0.8] * 40
    at = [float(step) for step in range(1, 81)]
    axis = Axis("step", at, [str(a) for a in at], [(0.0, "stage1"), (41.0, "stage2")], 80.0)
    for smoothed in (True, False):
        chart = replace(CHART, axis=axis, series=[Series("s", "ink", values)], smoothed=smoothed)
        line = heights(draw(chart), "ink")[-1]  # the average is the curve itself
        assert len(set(line[:40])) == len(set(line[40:])) == 1
    noisy = [v + (-1) ** n * 0.1 for n, v in enumerate(values)]
    drawn = draw(replace(CHART, axis=axis, series=[Series("s", "ink", noisy)]))
    raw, mean = heights(drawn, "ink")
    assert max(raw[5:35]) - min(raw[5:35]) > 5 * (max(mean[5:35]) - min(mean[5:35]))


def panels(*charts: Chart) -> list[Axes]:
    return draw_picture(charts).axes


values = st.lists(st.floats(-1e6, 1e6) | st.just(math.nan), min_size=1, max_size=30)


@given(values, values, st.sampled_from(get_args(Unit)), st.sampled_from(get_args(Kind)))
def test_limits_hold_every_value(one: list[float], two: list[float], unit: Unit, kind: Kind):
    n = min(len(one), len(two))
    both = [[abs(v) for v in vs[:n]] if unit == "log" else vs[:n] for vs in (one, two)]
    if unit == "share":
        both = [[abs(v) / 1e6 for v in vs] for vs in both]
    axis = Axis("step", [float(i) for i in range(n)], ["x"] * n, [], float(n))
    series = [Series("s", "ink", vs) for vs in both]
    chart = replace(CHART, unit=unit, kind=kind, axis=axis, series=series, smoothed=False)
    known = [v for vs in both for v in vs if not math.isnan(v) and (v > 0 or unit != "log")]
    if kind in ("area", "bars") or not known or (unit == "log" and min(known) < 1e-300):
        return
    if unit == "log":
        series = [Series("s", "ink", [v if v > 0 else math.nan for v in vs]) for vs in both]
        chart = replace(chart, series=series)
    low, high = chart.limits()
    assert low <= min(known)
    assert max(known) <= high * (1 + 1e-9)
    assert all(low <= h <= high * (1 + 1e-9) for h in chart.heights())


@pytest.mark.parametrize(
    ("unit", "whole", "values", "limits"),
    [
        ("share", True, [0.3, 0.5], (0.0, 1.0)),
        ("share", False, [0.3, 0.5], (0.0, 0.54)),
        ("share", True, [0.0, 0.1], (0.0, 0.108)),
        ("share", True, [0.0], (0.0, 0.0108)),
        ("count", True, [0.0, 1.0], (0.0, 4.32)),
        ("number", True, [-2.0, 1.0], (-2.2, 1.08)),
        ("log", True, [0.002, 0.3], (0.001, 1.0)),
        ("log", True, [0.1], (0.1, 1.0)),
    ],
)
def test_limits_by_hand(unit: Unit, whole: bool, values: list[float], limits: tuple[float, float]):
    series = [Series("s", "ink", values)]
    axis = Axis("step", [float(i) for i in range(len(values))], [""] * len(values))
    chart = replace(CHART, unit=unit, whole=whole, axis=axis, series=series)
    assert chart.limits() == pytest.approx(limits)


def test_layers_stand_on_each_other():
    axis = Axis("epoch", [0.5, 1.5, 2.5], ["a", "b", "c"], [], 3.0)
    series = [Series("x", "ink", [0.2, math.nan, 0.5]), Series("y", "sky", [0.3, 0.4, 0.5])]
    chart = replace(CHART, kind="bars", axis=axis, series=series)
    assert chart.layers() == [[0, 0, 0], [0.2, 0, 0.5], [0.5, 0.4, 1.0]]
    assert chart.limits().high == pytest.approx(1.08)


def test_page_and_picture_show_the_same_values_ticks_and_names():
    n = 24
    at = [float(i) for i in range(1, n + 1)]
    one, two = np.random.default_rng().uniform(0.0, 0.9, (2, n)).tolist()
    low, high = [v - 0.05 for v in one], [v + 0.05 for v in one]
    series = [Series("one", "ink", one, low, high), Series("two", "blue", two)]
    points = [Point(6.0, 0.5, "blue", 0.25, 0.75, "label", "square"), Point(9.0, 0.25, "ink")]
    edges = [(0.0, "first"), (13.0, "second")]
    chart = replace(
        CHART,
        unit="share",
        axis=Axis("step", at, list(map(str, at)), edges, float(n)),
        series=series,
        points=points,
        points_name="held-out",
        target=0.5,
    )
    (ax, *_) = panels(chart)
    root = ElementTree.fromstring(draw(chart))
    words = [element.text for element in root.iter("text")]
    ticks_of = [t.get_text() for t in (*ax.get_yticklabels(), *ax.get_xticklabels())]
    assert words[: len(ticks_of)] == ticks_of
    assert {"first", "second"} <= {t.get_text() for t in ax.texts} & {*words}
    assert ax.get_title("left") == root.get("aria-label") == "<t>"
    drawn = [np.asarray(line.get_ydata()).tolist() for line in ax.lines]
    for s in series:
        assert s.values in drawn
        assert chart.trend(s.values) in drawn
        (raw, mean) = heights(draw(chart), s.color)
        assert raw == pytest.approx([214 - 190 * v for v in s.values], abs=0.06)
        assert mean == pytest.approx([214 - 190 * v for v in chart.trend(s.values)], abs=0.06)
    assert ax.get_legend_handles_labels()[1] == ["one", "two", "held-out"]
    classes = [element.get("class") for element in root.iter()]
    assert classes.count("mark blue") == classes.count("target") == classes.count("band ink") == 1
    band, _, lone = ax.collections  # between them, the other point's interval
    assert band.get_alpha() == 0.18
    assert lone.get_offsets().tolist() == [[9.0, 0.25]]  # pyright: ignore


def test_a_target_outside_of_the_limits_is_not_drawn():
    axis = Axis("tokens", [0.0, 1.0], ["", ""])
    chart = replace(CHART, axis=axis, series=[Series("s", "ink", [0.1, 0.2])], target=5.0)
    assert "target" not in draw(chart)
    assert "target" in draw(replace(chart, target=0.15))


def test_one_legend_where_all_panels_have_the_same_labels():
    axis = Axis("step", [0.0, 1.0], ["", ""])
    a, b, c = (Series(name, "ink", [0.1, 0.2]) for name in "abc")
    both = replace(CHART, axis=axis, series=[a, b])
    figure = draw_picture([both, replace(both, series=[a]), both])
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["a", "b"]
    figure = draw_picture([both, replace(both, series=[a, c])])
    assert not figure.legends
    legends = [legend for ax in figure.axes if (legend := ax.get_legend())]
    assert [[t.get_text() for t in legend.get_texts()] for legend in legends] == [
        ["a", "b"],
        ["a", "c"],
    ]


def test_a_chart_without_values_is_on_no_page():
    axis = Axis("step", [0.0], [""])
    full = replace(CHART, axis=axis, series=[Series("s", "ink", [1.0])])
    other = replace(full, subject="other")
    found = by_subject([full, CHART, other, full])
    assert {subject: len(charts) for subject, charts in found.items()} == {"subject": 2, "other": 1}


@given(st.integers(1, 300), st.integers(2, 20))
def test_a_table_of_few_rows_has_the_first_and_the_last(n: int, most: int):
    labels = [f"{i} tokens" for i in range(n)]
    values = [i / n for i in range(n)]
    low = [math.nan, *([0.0] * (n - 1))]
    series = [Series("s", "ink", values, low, [1.0] * n)]
    axis = Axis("tokens", [float(i) for i in range(n)], labels)
    chart = replace(CHART, unit="share", axis=axis, series=series)
    sheet = chart_sheet(chart, most)
    assert len(sheet.rows) == min(n, most)
    assert (sheet.rows[0][0], sheet.rows[-1][0]) == (labels[0], labels[-1])
    assert sheet.rows[0][1] == "0.0%"  # no interval
    assert all(row[1].endswith("% (0.0% to 100.0%)") for row in sheet.rows[1:])
    assert len(chart_sheet(chart).rows) == n


@given(st.text())
def test_every_domain_has_a_style_of_its_own_that_stays(name: str):
    style = domain_style(name)
    assert style == domain_style(name)
    assert style.color in PALETTE
    assert (style.rank < 2) == (name in ("math", "code"))


def test_the_style_sheet_has_a_class_for_each_colour():
    assert re.findall(r"\.(\w+)\{--c:var\(--(\w+)\)\}", style_sheet()) == [(c, c) for c in PALETTE]


numbers = st.lists(st.floats(-1e6, 1e6), max_size=40)


@given(numbers, st.integers(1, 12))
def test_smooth_stays_within_the_values_around(values: list[float], window: int):
    means = smooth(values, window)
    assert len(means) == len(values)
    for i, mean in enumerate(means):
        near = values[max(0, i - window) : i + window + 1]
        assert min(near) - 1e-6 <= mean <= max(near) + 1e-6


def test_smooth_by_hand():
    assert smooth([1.0, 2.0, 6.0, 3.0], 3) == [1.5, 3.0, 11 / 3, 4.5]
    assert smooth([1.0, 2.0], 1) == [1.0, 2.0]
    holes = smooth([math.nan, 2.0, math.nan, 4.0], 3)
    assert math.isnan(holes[0])
    assert holes[1] == 2.0
