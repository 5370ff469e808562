"""Charts as one picture, through matplotlib: a panel a chart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from srpo.files import replacing
from srpo.report.chart import Chart, Point
from srpo.report.colors import PALETTE
from srpo.report.plain import tick_text
from srpo.report.smoothing import window

COLUMNS = 3
GREY, SOFT = "#8A8A8A", "#555555"
DASHED, DOTTED = (0, (4, 3)), ":"
MARKERS = {"circle": "o", "square": "s", "diamond": "D", "triangle": "^"}
STYLE = {
    "font.size": 10,
    "axes.titlesize": 11.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 16,
    "axes.edgecolor": "#BBBBBB",
    "axes.labelcolor": SOFT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#EEEEEE",
    "xtick.color": "#777777",
    "ytick.color": "#777777",
    "xtick.labelcolor": SOFT,
    "ytick.labelcolor": SOFT,
    "text.parse_math": False,  # names are names, also with a dollar sign
    "legend.fontsize": 9,
    "legend.frameon": False,
    "legend.handlelength": 1.4,
    "legend.labelcolor": SOFT,
}


def write_picture(charts: Sequence[Chart], out: Path) -> None:
    """Draw the charts into a PNG file, replaced in one move."""
    with mpl.rc_context(STYLE), replacing(out) as unfinished:  # pyright: ignore[reportArgumentType]
        FigureCanvasAgg(draw_picture(charts)).print_png(str(unfinished))


def draw_picture(charts: Sequence[Chart]) -> Figure:
    """The figure. Nobody else's matplotlib settings are touched."""
    lines = max(1, -(-len(charts) // COLUMNS))
    with mpl.rc_context(STYLE):  # pyright: ignore[reportArgumentType]
        figure = Figure(figsize=(12.4, 3.5 * lines + 0.2), dpi=140, layout="constrained")
        figure.get_layout_engine().set(w_pad=0.12, h_pad=0.12)  # type: ignore[union-attr]
        panels = list(figure.subplots(lines, COLUMNS, squeeze=False).flat)
        for ax, chart in zip(panels, charts, strict=False):
            _panel(ax, chart)
        for ax in panels[len(charts) :]:
            ax.set_axis_off()
        if not charts:
            figure.text(0.5, 0.5, "no steps yet", ha="center", color=GREY)
        _legends(figure)
    return figure


def _panel(ax: Axes, chart: Chart) -> None:
    if chart.kind in ("area", "bars"):
        _layers(ax, chart)
    else:
        _lines(ax, chart)
    _points(ax, chart)
    _frame(ax, chart)
    _edges(ax, chart)


def _lines(ax: Axes, chart: Chart) -> None:
    at = chart.axis.at
    style = "steps-post" if chart.kind == "steps" else "default"
    for s in chart.series:
        color, values = PALETTE[s.color][0], s.values
        if s.low and s.high:
            ax.fill_between(at, s.low, s.high, color=color, alpha=0.18, lw=0)
        if chart.kind == "line" and chart.smoothed and window(len(at)) > 1:
            ax.plot(at, values, color=color, lw=0.8, alpha=0.3)
            values = chart.trend(values)
        marker = "." if len(at) == 1 else None  # a line of one point cannot be seen
        ax.plot(at, values, color=color, lw=2, marker=marker, drawstyle=style, label=s.label)


def _layers(ax: Axes, chart: Chart) -> None:
    layers, at = chart.layers(), chart.axis.at
    for s, below, above in zip(chart.series, layers, layers[1:], strict=False):
        look = {"color": PALETTE[s.color][0], "edgecolor": "white", "lw": 0.6, "label": s.label}
        if chart.kind == "area":
            ax.fill_between(at, below, above, **look)
        else:
            ax.bar(at, [a - b for a, b in zip(above, below, strict=True)], bottom=below, **look)


def _points(ax: Axes, chart: Chart) -> None:
    for p in chart.points:
        color = PALETTE[p.color][0]
        if not p.whiskers:
            ax.scatter([p.x], [p.value], s=14, color=color, zorder=4, clip_on=False)
            continue
        ax.errorbar(
            [p.x],
            [p.value],
            yerr=_whiskers(p),
            fmt=MARKERS[p.marker],
            color=color,
            markersize=7,
            markeredgecolor="white",
            markeredgewidth=1,
            elinewidth=1.2,
            capsize=2.5,
            zorder=5,
            clip_on=False,
        )
    if chart.points_name and chart.points:
        ax.plot([], [], "o", color=GREY, label=chart.points_name)


def _whiskers(p: Point) -> list[list[float]]:
    return [[max(p.value - p.low, 0.0)], [max(p.high - p.value, 0.0)]]


def _frame(ax: Axes, chart: Chart) -> None:
    """The same limits and ticks as on the page."""
    ax.set_title(chart.title)
    if chart.unit == "log":
        ax.set_yscale("log")
        ax.minorticks_off()
    ax.set_ylim(chart.limits())
    heights, places = chart.heights(), chart.places()
    ax.set_yticks(heights, [tick_text(v, chart.unit) for v in heights])
    ax.set_xticks([at for at, _ in places], [label for _, label in places])
    ax.set_xlim(0, chart.axis.high or 1.0)
    ax.set_xlabel(chart.axis.name)


def _edges(ax: Axes, chart: Chart) -> None:
    for start, name in chart.axis.edges:
        if start > 0:
            ax.axvline(start, color=GREY, lw=1, ls=DASHED, zorder=4)
        place = {"xy": (start, 1), "xycoords": ("data", "axes fraction")}
        offset = {"xytext": (1, 4), "textcoords": "offset points"}
        ax.annotate(name, **place, **offset, fontsize=8.5, color=GREY, annotation_clip=False)
    if chart.target is not None:
        ax.axhline(chart.target, color=GREY, lw=1, ls=DOTTED)


def _legends(figure: Figure) -> None:
    """Below the panels, since inside they would hide a curve sooner or later; one for all of
    them where one panel has every label that there is."""
    panels = [(ax, *ax.get_legend_handles_labels()) for ax in figure.axes]
    _, handles, every = max(panels, key=lambda panel: len(panel[2]))
    if len(panels) > 1 and all(set(labels) <= set(every) for *_, labels in panels):
        figure.legend(handles, every, loc="outside lower center", ncols=min(3, len(every)) or 1)
        return
    for ax, handles, labels in panels:
        if len(labels) > 1:
            ax.legend(
                handles,
                labels,
                loc="upper center",
                bbox_to_anchor=(0.5, -0.18),
                ncols=2 if len(labels) == 4 else len(labels),
                columnspacing=1.2,
                handletextpad=0.5,
            )
