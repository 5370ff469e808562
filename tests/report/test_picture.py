"""curves.png holds the run's numbers."""

from __future__ import annotations

import math
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import imread

from runs import eval_line, make_run, metrics_rows
from srpo.metrics import Row
from srpo.report.picture import draw_picture
from srpo.report.reader import Record
from srpo.report.run.charts import pictured, run_charts
from srpo.report.run.page import write_curves


def figure(rows: list[Row], evals: list[Record]) -> Figure:
    return draw_picture(pictured(run_charts(rows, evals, None)))


def panel(figure: Figure, title: str) -> Axes:
    return next(a for a in figure.axes if a.get_title("left").startswith(title))


def labels(axes: Axes) -> set[str]:
    return set(axes.get_legend_handles_labels()[1])


def test_six_panels_each_with_the_stages():
    drawn = figure(metrics_rows(60, stage2_at=31), [])
    assert len(drawn.axes) == 6
    for ax in drawn.axes:
        assert [t.get_text() for t in ax.texts] == ["stage1", "stage2"]
        dashed = [line for line in ax.lines if line.get_linestyle() == "--"]
        assert [list(np.asarray(line.get_xdata())) for line in dashed] == [[31.0, 31.0]]


def test_raw_values_are_drawn_as_they_are():
    rows = metrics_rows(60, stage2_at=31)
    accuracy = panel(figure(rows, []), "Accuracy")
    code = [row.get("accuracy/code", math.nan) for row in rows]
    raw = [line.get_ydata() for line in accuracy.lines]
    assert any(np.array_equal(np.asarray(y), code, equal_nan=True) for y in raw)
    pool = panel(figure(rows, []), "Prompts")
    assert list(np.asarray(pool.lines[0].get_ydata())) == [row["pool/size"] for row in rows]


def test_held_out_points_are_marked_where_they_were_measured():
    evals = [eval_line("base", 0, 0.2, 0.3, 20), eval_line("final", 60, 0.6, 0.7, 40)]
    accuracy = panel(figure(metrics_rows(60, 31), evals), "Accuracy")
    assert labels(accuracy) == {"math", "code", "held-out pass@1"}
    for marker, values in (("o", [0.2, 0.6]), ("s", [0.3, 0.7])):
        marks = [m for m in accuracy.lines if m.get_marker() == marker and len(m.get_xdata())]  # type: ignore[arg-type]
        assert [float(np.asarray(m.get_xdata())[0]) for m in marks] == [0, 60]
        assert [float(np.asarray(m.get_ydata())[0]) for m in marks] == values


def test_a_math_only_run_has_no_code_curve():
    rows = metrics_rows(20, stage2_at=99)
    assert labels(panel(figure(rows, []), "Accuracy")) == {"math"}


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
    if not steps:
        (run / "evals.jsonl").unlink()
    assert write_curves(run).stat().st_size > 5_000
