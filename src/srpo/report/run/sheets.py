"""The tables of a run as plain words, for the page, for Markdown and for the terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

from srpo.report.chart import Chart
from srpo.report.plain import cell_text, one_line
from srpo.report.reader import Record
from srpo.report.run.tables import epochs, eval_columns
from srpo.report.sheet import Sheet


def eval_sheet(evals: list[Record]) -> Sheet:
    """One row an evaluation; pass@k with its 95% interval where the run has it."""
    columns = eval_columns(evals)
    names = [f"{d} {'tokens' if n == 'mean_tokens' else n}" for d, n in columns]
    rows = []
    for line in evals:
        cells = [_eval_cell(line.get(d) or {}, n) for d, n in columns]
        rows.append([one_line(str(line["point"]), 20), str(line["step"]), *cells])
    return Sheet(
        "Held-out problems. In brackets the 95% interval over problems.",
        ["point", "step", *names],
        rows,
    )


def _eval_cell(results: Record, name: str) -> str:
    value = results.get(name)
    if value is None:
        return "-"
    if name == "mean_tokens":
        return f"{value:,.1f}"
    low, high = results.get(f"{name}_low"), results.get(f"{name}_high")
    return f"{value:.1%}" + ("" if low is None or high is None else f" ({low:.1%} to {high:.1%})")


def epoch_sheet(ledger: Path) -> Sheet:
    """What History Resampling saw in each epoch, and how many prompts it dropped."""
    rows = [
        [
            one_line(str(e["stage"]), 20),
            str(e["epoch"]),
            f"{e['prompts']:,}",
            *(f"{e[n]:.1%}" for n in ("informative", "all_correct", "all_wrong")),
            f"{e['errored']:,}",
            f"{e['truncated']:.1%}",
            f"{e['mean_length']:,.1f}",
            f"{e['dropped']:,}" if e["over"] else "open",
        ]
        for e in epochs(ledger)
    ]
    shares = ["mixed", "all correct", "all wrong"]
    columns = ["stage", "epoch", "prompts", *shares, "errors", "cut", "mean length", "dropped"]
    return Sheet("Epochs, from the ledger", columns, rows, heads=2)


def summary_sheet(charts: Iterable[Chart]) -> Sheet:
    """First and last tenth, and the extremes, of every curve by step: a chart in a few words."""
    rows = []
    for chart in charts:
        for s in chart.series if chart.kind != "bars" else ():
            values = [v for v in s.values if not math.isnan(v)]
            n = max(1, len(values) // 10)
            parts = (sum(values[:n]) / n, sum(values[-n:]) / n, min(values), max(values))
            name = chart.title if len(chart.series) == 1 else f"{chart.title}: {s.label}"
            rows.append([name, *(cell_text(v, chart.unit) for v in parts)])
    columns = ["curve", "first tenth", "last tenth", "lowest", "highest"]
    return Sheet("Curves: means of the first and last tenth of steps, and extremes", columns, rows)
