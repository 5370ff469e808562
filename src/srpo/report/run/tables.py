"""The tables of a run: evaluations, epochs, totals, and its curves in a few numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from rich.table import Table
from rich.text import Text

from srpo.report.chart import Chart
from srpo.report.plain import cell_text, duration, one_line
from srpo.report.reader import Record, Run, domains, stage_starts
from srpo.report.sheet import Sheet, ruled_table

TIMES = "\u00d7"
_SHORT = {"mean_tokens": "tokens"}


def eval_table(evals: list[Record]) -> Table:
    """Points as rows; below each number its change from the first point.

    pass@1 stands with half its 95% confidence interval, and lengths change by a factor.
    """
    columns = eval_columns(evals)
    names = [f"{domain}\n{_SHORT.get(name, name)}" for domain, name in columns]
    table = ruled_table("Held-out problems", ["point", "step", *names])
    for i, line in enumerate(evals):
        cells = [_eval_change(line, evals[0], d, n, first=i == 0) for d, n in columns]
        table.add_row(one_line(str(line["point"]), 12), str(line["step"]), *cells)
    return table


def eval_columns(evals: list[Record]) -> list[tuple[str, str]]:
    """(domain, result) of all results present: pass@1, then the other pass@k, then the length."""
    columns = []
    for domain in domains([], evals):
        names = {n for line in evals for n in line.get(domain) or {}}
        passes = sorted((int(n[5:]), n) for n in names if n.startswith("pass@") and n[5:].isdigit())
        columns += [(domain, n) for _, n in passes]
        columns += [(domain, "mean_tokens")] if "mean_tokens" in names else []
    return columns


def _eval_change(line: Record, base: Record, domain: str, name: str, first: bool) -> Text:
    results, before = line.get(domain) or {}, (base.get(domain) or {}).get(name)
    value = results.get(name)
    if value is None:
        return Text("-", style="dim")
    if name == "mean_tokens":
        cell = Text(f"{value:,.1f}")
        change = "" if first or not before else f"{TIMES}{value / before:.2f}"
        style = "dim"
    else:
        cell = Text(f"{value:.3f}", style="bold")
        cell.append(_half_interval(results, name), style="not bold dim")
        change = "" if first or before is None else f"{value - before:+.3f}"
        style = "" if not change else "green" if value >= before else "red"
    cell.append(f"\n{change}", style=f"not bold {style}")
    return cell


def _half_interval(results: Record, name: str) -> str:
    low, high = results.get(f"{name}_low"), results.get(f"{name}_high")
    return "" if low is None or high is None else f" ±{(high - low) / 2:.2f}".replace("0.", ".")


def run_sheets(evals: list[Record], epochs: list[Record]) -> list[Sheet]:
    """What there is of evaluations and epochs."""
    return [*([eval_sheet(evals)] if evals else []), *([epoch_sheet(epochs)] if epochs else [])]


def eval_sheet(evals: list[Record]) -> Sheet:
    """One row an evaluation; pass@k with its 95% interval where the run has it."""
    columns = eval_columns(evals)
    names = [f"{d} {_SHORT.get(n, n)}" for d, n in columns]
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


def epoch_sheet(epochs: list[Record]) -> Sheet:
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
        for e in epochs
    ]
    shares = ["mixed", "all correct", "all wrong"]
    columns = ["stage", "epoch", "prompts", *shares, "errors", "cut", "mean length", "dropped"]
    return Sheet("Epochs, from the ledger", columns, rows, heads=2)


def totals_sheet(run: Run) -> Sheet:
    """What the run did and what it cost; of an unfinished run, so far."""
    return Sheet("Run", ["", ""], [list(pair) for pair in totals(run).items()], heads=2)


def totals(run: Run) -> dict[str, str]:
    """What the run did and what it cost, as words by name; of an unfinished run, so far."""
    rows, summary = run.metrics(), run.summary()
    last = rows[-1] if rows else {}
    done = summary or {
        "steps": last.get("step", 0),
        "generated_tokens": last.get("tokens/generated", 0),
        "trained_tokens": last.get("tokens/trained", 0),
        "seconds": last.get("seconds/total", 0.0),
    }
    stages = done.get("stages") or [
        {"name": name, "entered_at_step": step, "reason": ""} for step, name in stage_starts(rows)
    ]
    words = {
        "state": "finished" if summary else "not finished",
        "steps": f"{done['steps']:,}",
        "generated tokens": f"{done['generated_tokens']:,}",
        "trained tokens": f"{done['trained_tokens']:,}",
        "training time": duration(done["seconds"]),
    }
    for stage in stages:
        why = f": {one_line(stage['reason'], 200)}" if stage.get("reason") else ""
        words[one_line(stage["name"], 20)] = f"entered at step {stage['entered_at_step']}{why}"
    if shares := done.get("informative_groups"):
        words["informative groups"] = " → ".join(f"{s:.0%}" for s in _ends(shares)) + " by epoch"
    return words


def _ends(shares: list[float]) -> list[float]:
    """First, middle and last are enough to see where a long list goes."""
    return shares if len(shares) <= 8 else [*shares[:3], shares[len(shares) // 2], *shares[-3:]]


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


def summary_lines(line: dict[str, Any]) -> str:
    """One evaluation on one line, for logs: `math pass@1 0.312 pass@32 0.840 tokens 21.3; ...`."""
    parts = []
    for domain in domains([], [line]):
        if line[domain]:
            names = [n for d, n in eval_columns([line]) if d == domain]
            shown = (f"{_SHORT.get(n, n)} {_number(n, line[domain][n])}" for n in names)
            parts.append(f"{domain} " + " ".join(shown))
    return "; ".join(parts)


def _number(name: str, value: float) -> str:
    return f"{value:.1f}" if name == "mean_tokens" else f"{value:.3f}"
