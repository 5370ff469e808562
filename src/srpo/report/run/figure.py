"""The curves of a run in one picture, `curves.png`: six panels over the steps."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from srpo.files import replacing
from srpo.metrics import Row
from srpo.report.reader import Record, open_run, stage_starts
from srpo.report.smoothing import smooth, window

# Okabe and Ito's colours, which people with any kind of colour vision can tell apart.
BLUE, RED, GREEN, SKY = "#0072B2", "#D55E00", "#009E73", "#9CD3F2"
ORANGE, PINK, INK, GREY, PALE = "#E69F00", "#CC79A7", "#333333", "#8A8A8A", "#D9D9D9"
DOMAINS = {"math": BLUE, "code": RED}
MARKS = {"math": "o", "code": "s"}
GROUPS = {
    "groups/informative": ("informative", GREEN),
    "groups/all_correct": ("all correct", SKY),
    "groups/all_wrong": ("all wrong", PALE),
}
REWARDS = {
    "reward/mean": ("total", INK),
    "reward/accuracy": ("accuracy", BLUE),
    "reward/format": ("format", ORANGE),
    "reward/language": ("language mixing", PINK),
}
STYLE = {
    "font.size": 10,
    "axes.titlesize": 11.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 16,
    "axes.edgecolor": "#BBBBBB",
    "axes.labelcolor": "#555555",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#EEEEEE",
    "xtick.color": "#777777",
    "ytick.color": "#777777",
    "xtick.labelcolor": "#555555",
    "ytick.labelcolor": "#555555",
    "text.parse_math": False,  # names are names, also with a dollar sign
    "legend.fontsize": 9,
    "legend.frameon": False,
    "legend.handlelength": 1.4,
}


def write_curves(run: Path) -> Path:
    """Draw the run's curves so far into its `curves.png`, replaced in one move."""
    opened = open_run(run)
    with _style():
        figure = draw_curves(opened.metrics(), opened.evals())
        with replacing(opened.files.picture) as unfinished:
            FigureCanvasAgg(figure).print_png(str(unfinished))
    return opened.files.picture


def draw_curves(rows: list[Row], evals: list[Record]) -> Figure:
    """The figure, from the rows of metrics.jsonl and evals.jsonl."""
    with _style():
        figure = Figure(figsize=(12.4, 7.2), dpi=140, layout="constrained")
        figure.get_layout_engine().set(w_pad=0.12, h_pad=0.12)  # type: ignore[union-attr]
        axes = list(figure.subplots(2, 3).flat)
        _accuracy(axes[0], rows, evals)
        _length(axes[1], rows)
        _groups(axes[2], rows)
        _pool(axes[3], rows)
        _lines(axes[4], rows, REWARDS, "Reward and its terms")
        _lines(axes[5], rows, {"entropy": ("", GREEN)}, "Entropy of the policy (nats)")
        axes[5].set_ylim(bottom=0)
        last = max((line["step"] for line in (*rows, *evals)), default=0)
        for ax in axes:
            _frame(ax, rows, last)
        for ax in (axes[3], axes[5]):  # the others have their legend there
            ax.set_xlabel("step")
    return figure


def _accuracy(ax: Axes, rows: list[Row], evals: list[Record]) -> None:
    for domain, color in DOMAINS.items():
        _trend(ax, rows, f"accuracy/{domain}", color, domain)
        _held_out(ax, evals, domain, color)
    ax.set_title("Accuracy")
    ax.set_ylim(0, 1)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    _legend(ax)


def _held_out(ax: Axes, evals: list[Record], domain: str, color: str) -> None:
    """Markers at the evaluations, with the confidence interval where it is known."""
    points = [
        (e["step"], e[domain]) for e in evals if (e.get(domain) or {}).get("pass@1") is not None
    ]
    if not points:
        return
    steps, values = [s for s, _ in points], [r["pass@1"] for _, r in points]
    below = [v - r.get("pass@1_low", v) for v, (_, r) in zip(values, points, strict=True)]
    above = [r.get("pass@1_high", v) - v for v, (_, r) in zip(values, points, strict=True)]
    ax.errorbar(
        steps,
        values,
        yerr=[[max(b, 0.0) for b in below], [max(a, 0.0) for a in above]],
        fmt=MARKS[domain],
        color=color,
        markersize=7,
        markeredgecolor="white",
        markeredgewidth=1,
        elinewidth=1.2,
        capsize=2.5,
        zorder=5,
        clip_on=False,
        label=f"{domain}, held-out pass@1",
    )


def _length(ax: Axes, rows: list[Row]) -> None:
    for domain, color in DOMAINS.items():
        _trend(ax, rows, f"length/{domain}", color, domain)
    ax.set_title("Response length (tokens)")
    ax.set_ylim(bottom=0)
    _legend(ax)


def _groups(ax: Axes, rows: list[Row]) -> None:
    """Stacked shares, averaged: the raw ones are too jagged to compare areas."""
    ax.set_title("Groups")
    ax.set_ylim(0, 1)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    if not rows:
        return
    shares = [smooth(_series(rows, name), window(len(rows))) for name in GROUPS]
    colors = [color for _, color in GROUPS.values()]
    labels = [label for label, _ in GROUPS.values()]
    ax.stackplot(_steps(rows), shares, colors=colors, labels=labels, lw=0.6, edgecolor="white")
    _legend(ax)


def _pool(ax: Axes, rows: list[Row]) -> None:
    ax.set_title("Prompts in the epoch")
    steps, sizes = _steps(rows), _series(rows, "pool/size")
    ax.plot(steps, sizes, drawstyle="steps-post", color=INK, lw=1.8, label="pool/size")
    ax.fill_between(steps, sizes, step="post", color=INK, alpha=0.08, lw=0)
    ax.set_ylim(bottom=0)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))


def _lines(ax: Axes, rows: list[Row], names: dict[str, tuple[str, str]], title: str) -> None:
    for name, (label, color) in names.items():
        _trend(ax, rows, name, color, label)
    ax.set_title(title)
    _legend(ax)


def _trend(ax: Axes, rows: list[Row], name: str, color: str, label: str) -> None:
    """The raw values thin and pale, their moving average on top."""
    values = _series(rows, name)
    if all(map(math.isnan, values)):
        return
    ax.plot(_steps(rows), values, color=color, lw=0.8, alpha=0.3)
    mean = smooth(values, window(len(rows)))
    ax.plot(_steps(rows), mean, color=color, lw=2, label=label or None, solid_capstyle="round")


def _frame(ax: Axes, rows: list[Row], last: int) -> None:
    """The same x axis and the stages' boundaries in every panel."""
    if not rows:
        ax.text(0.5, 0.5, "no steps yet", transform=ax.transAxes, ha="center", color=GREY)
        return
    ax.set_xlim(0, max(last, 1))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=7, min_n_ticks=2))
    for i, (step, name) in enumerate(stage_starts(rows)):
        if i:
            ax.axvline(step, color=GREY, lw=1, ls=(0, (4, 3)), zorder=4)
        place = {"xy": (step if i else 0, 1), "xycoords": ("data", "axes fraction")}
        offset = {"xytext": (1, 4), "textcoords": "offset points"}
        ax.annotate(name, **place, **offset, fontsize=8.5, color=GREY, annotation_clip=False)


def _legend(ax: Axes) -> None:
    """Below the panel: inside, it would hide a curve sooner or later."""
    _, labels = ax.get_legend_handles_labels()
    if labels:
        ax.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, -0.09),
            ncols=2 if len(labels) == 4 else len(labels),
            columnspacing=1.2,
            handletextpad=0.5,
            labelcolor="#555555",
        )


def _steps(rows: list[Row]) -> list[int]:
    return [row["step"] for row in rows]


def _series(rows: list[Row], name: str) -> list[float]:
    """The metric's values; not-a-number where the step has none, which breaks the line."""
    return [math.nan if row.get(name) is None else float(row[name]) for row in rows]


@contextmanager
def _style() -> Iterator[None]:
    """Our look, without touching anybody else's matplotlib settings."""
    with mpl.rc_context(STYLE):  # pyright: ignore[reportArgumentType]
        yield
