"""The compared metrics and the training curves in one picture, through matplotlib."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator, PercentFormatter

from srpo.files import replacing
from srpo.report.compare.charts import BandChart, compared_charts, training_charts
from srpo.report.compare.compare import Comparison
from srpo.report.run.figure import BLUE, GREEN, GREY, INK, ORANGE, PINK, RED, SKY, STYLE

COLORS = {"ink": INK, "math": BLUE, "code": RED, "green": GREEN, "pink": PINK} | {
    "orange": ORANGE,
    "sky": SKY,
}
COLUMNS = 3


def write_figure(c: Comparison, out: Path) -> None:
    """Draw the page's charts into a .png, replaced in one move."""
    charts = [*compared_charts(c), *training_charts(c)]
    lines = -(-len(charts) // COLUMNS)
    with mpl.rc_context(STYLE):  # pyright: ignore[reportArgumentType]
        figure = Figure(figsize=(12.4, 3.4 * lines + 0.4), dpi=140, layout="constrained")
        axes = list(figure.subplots(lines, COLUMNS, squeeze=False).flat)
        for ax, chart in zip(axes, charts, strict=False):
            _panel(ax, chart)
        for ax in axes[len(charts) :]:
            ax.set_visible(False)
        _legend(figure)
        with replacing(out) as unfinished:
            FigureCanvasAgg(figure).print_png(str(unfinished))


def _panel(ax: Axes, chart: BandChart) -> None:
    for b in chart.bands:
        shade = COLORS[b.color]
        ax.plot(chart.x, b.mean, color=shade, lw=2, label=b.label)
        if not np.isnan(b.low).all():
            ax.fill_between(chart.x, b.low, b.high, color=shade, alpha=0.18, lw=0)
        if b.points:
            ax.scatter(*zip(*b.points, strict=True), s=14, color=shade, zorder=4)
    if chart.budget is not None:
        ax.axvline(chart.budget, color=GREY, lw=1, ls=(0, (4, 3)))
    if chart.target is not None:
        ax.axhline(chart.target, color=GREY, lw=1, ls=":")
    ax.set_title(chart.metric.title)
    ax.set_xlabel(chart.by.value)
    ax.set_xlim(left=0)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=6))
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))
    ax.set_ylim(bottom=0 if chart.metric.is_share else None)
    if chart.metric.is_share:
        ax.yaxis.set_major_formatter(PercentFormatter(1.0))


def _legend(figure: Figure) -> None:
    """One for all panels, since a condition has one colour."""
    handles = {}
    for ax in figure.axes:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    figure.legend(
        list(handles.values()),
        list(handles),
        loc="outside lower center",
        ncols=min(3, len(handles)),
    )
