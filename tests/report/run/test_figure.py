"""The picture holds the run's numbers."""

from __future__ import annotations

import math
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.image import imread

from runs import eval_line, make_run, metrics_rows
from srpo.report.run.figure import draw_curves, smooth, write_curves

Values = st.lists(st.floats(-1e6, 1e6), max_size=40)


def panel(axes: list[Axes], title: str) -> Axes:
    return next(a for a in axes if a.get_title("left").startswith(title))


def labels(axes: Axes) -> set[str]:
    return set(axes.get_legend_handles_labels()[1])


def test_six_panels_each_with_the_stages():
    figure = draw_curves(metrics_rows(60, stage2_at=31), [])
    assert len(figure.axes) == 6
    for ax in figure.axes:
        assert [t.get_text() for t in ax.texts] == ["stage1", "stage2"]
        dashed = [line for line in ax.lines if line.get_linestyle() == "--"]
        assert [list(np.asarray(line.get_xdata())) for line in dashed] == [[31.0, 31.0]]


def test_raw_values_are_drawn_as_they_are():
    rows = metrics_rows(60, stage2_at=31)
    accuracy = panel(draw_curves(rows, []).axes, "Accuracy")
    code = [row.get("accuracy/code", math.nan) for row in rows]
    raw = [line.get_ydata() for line in accuracy.lines]
    assert any(np.array_equal(np.asarray(y), code, equal_nan=True) for y in raw)
    pool = panel(draw_curves(rows, []).axes, "Prompts")
    assert list(np.asarray(pool.lines[0].get_ydata())) == [row["pool/size"] for row in rows]


def test_held_out_points_are_marked_where_they_were_measured():
    evals = [eval_line("base", 0, 0.2, 0.3, 20), eval_line("final", 60, 0.6, 0.7, 40)]
    accuracy = panel(draw_curves(metrics_rows(60, 31), evals).axes, "Accuracy")
    assert {"math, held-out pass@1", "code, held-out pass@1"} <= labels(accuracy)
    marks = [line for line in accuracy.lines if line.get_marker() == "o"]
    assert [list(np.asarray(m.get_xdata())) for m in marks] == [[0, 60]]
    assert [list(np.asarray(m.get_ydata())) for m in marks] == [[0.2, 0.6]]


def test_a_math_only_run_has_no_code_curve():
    rows = metrics_rows(20, stage2_at=99)
    assert labels(panel(draw_curves(rows, []).axes, "Accuracy")) == {"math"}


@pytest.mark.parametrize("finished", [True, False])
def test_the_file(tmp_path: Path, finished: bool):
    run = make_run(tmp_path, steps=30, stage2_at=16, finished=finished)
    before = dict(mpl.rcParams)
    path = write_curves(run)
    assert path == run / "curves.png"
    height, width = imread(path).shape[:2]
    assert width > 1.5 * height > 1000
    assert dict(mpl.rcParams) == before
    assert not list(run.glob(".writing*"))


@pytest.mark.filterwarnings("error")  # matplotlib warns when the layout falls apart
@pytest.mark.parametrize("steps", [0, 1, 2])
def test_a_run_that_has_just_begun(tmp_path: Path, steps: int):
    run = make_run(tmp_path, steps=9, stage2_at=5)
    lines = (run / "metrics.jsonl").read_text().splitlines(keepends=True)
    (run / "metrics.jsonl").write_text("".join(lines[:steps]))
    assert write_curves(run).stat().st_size > 5_000


@given(Values, st.integers(1, 12))
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
