"""The tables of `srpo report`: evaluations, totals, and what the ledger says of each epoch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from srpo.report.plain import duration, one_line
from srpo.report.reader import Record, Run, domains, stage_starts

TIMES = "\u00d7"


def eval_table(evals: list[Record]) -> Table:
    """Points as rows; below each number its change from the first point.

    pass@1 stands with half its 95% confidence interval, and lengths change by a factor.
    """
    table = _table("Held-out problems", "point", "step")
    columns = eval_columns(evals)
    for domain, name in columns:
        table.add_column(f"{domain}\n{_SHORT.get(name, name)}", justify="right", no_wrap=True)
    for i, line in enumerate(evals):
        cells = [_eval_cell(line, evals[0], d, n, first=i == 0) for d, n in columns]
        table.add_row(one_line(str(line["point"]), 12), str(line["step"]), *cells)
    return table


def totals_table(run: Run) -> Table:
    """What the run did and what it cost; of an unfinished run, so far."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.title, table.title_justify, table.title_style = "Run", "left", "bold"
    table.add_column(style="dim")
    table.add_column()
    for name, value in totals(run).items():
        table.add_row(name, Text(value))
    return table


def epoch_table(ledger: Path) -> Table:
    """One row an epoch: what History Resampling saw, and how many prompts it dropped.

    `open` stands in place of their number while the epoch is not over.
    """
    table = _table("Epochs", "stage", "epoch")
    shares = ("infor-\nmative", "all\ncorrect", "all\nwrong")
    for name in ("prompts", *shares, "errors", "cut at\nlimit", "mean\nlength", "dropped"):
        table.add_column(name, justify="right", no_wrap=True)
    for e in epochs(ledger):
        table.add_row(
            e["stage"],
            str(e["epoch"]),
            f"{e['prompts']:,}",
            *(f"{e[n]:.0%}" for n in ("informative", "all_correct", "all_wrong")),
            f"{e['errored']:,}",
            f"{e['truncated']:.0%}",
            f"{e['mean_length']:.1f}",
            f"{e['dropped']:,}" if e["over"] else "open",
        )
    return table


def epochs(ledger: Path) -> list[Record]:
    """The ledger summed up by stage and epoch, in the order of training.

    Counts: prompts (groups), errored rollouts, dropped prompts. Shares of groups: informative,
    all_correct, all_wrong. Share of rollouts: truncated. `over`: its decisions are made.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    t = pq.read_table(ledger)
    names = ("step", "correct", "wrong", "errored", "truncated")
    # As int64: totals overflow the columns' int16.
    n = {name: t[name].to_numpy().astype(np.int64) for name in names}
    right, wrong = n["correct"] > 0, n["wrong"] > 0
    n["rollouts"] = n["correct"] + n["wrong"] + n["errored"]
    flags = {
        "informative": right & wrong,
        "all_correct": right & ~wrong,
        "all_wrong": wrong & ~right,
    }
    decision = t["decision"].cast(pa.string())
    for name, value in (("dropped", "drop"), ("open", "open")):
        flags[name] = pc.call_function("equal", [decision, pa.scalar(value)]).to_numpy()
    tokens = t["mean_length"].to_numpy().astype(np.float64) * n["rollouts"]
    flat = pa.table(
        {"stage": t["stage"].cast(pa.string()), "epoch": t["epoch"], "tokens": pa.array(tokens)}
        | {name: pa.array(values) for name, values in n.items()}
        | {name: pa.array(values.astype(np.int64)) for name, values in flags.items()}
    )
    summed = ("tokens", "rollouts", "errored", "truncated", *flags)
    grouped = flat.group_by(["stage", "epoch"]).aggregate(
        [("step", "min"), ("stage", "count"), *((name, "sum") for name in summed)]
    )
    return [_epoch(row) for row in sorted(grouped.to_pylist(), key=lambda r: r["step_min"])]


def _epoch(row: Record) -> Record:
    prompts, rollouts = row["stage_count"], max(row["rollouts_sum"], 1)
    shares = ("informative", "all_correct", "all_wrong")
    return {
        "stage": row["stage"],
        "epoch": row["epoch"],
        "prompts": prompts,
        **{n: row[f"{n}_sum"] / prompts for n in shares},
        "errored": row["errored_sum"],
        "truncated": row["truncated_sum"] / rollouts,
        "mean_length": row["tokens_sum"] / rollouts,
        "dropped": row["dropped_sum"],
        "over": row["open_sum"] == 0,
    }


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


_SHORT = {"mean_tokens": "tokens"}


def eval_columns(evals: list[Record]) -> list[tuple[str, str]]:
    """(domain, result) of all results present: pass@1, then the other pass@k, then the length."""
    columns = []
    for domain in domains([], evals):
        names = {n for line in evals for n in line.get(domain) or {}}
        passes = sorted((int(n[5:]), n) for n in names if n.startswith("pass@") and n[5:].isdigit())
        columns += [(domain, n) for _, n in passes]
        columns += [(domain, "mean_tokens")] if "mean_tokens" in names else []
    return columns


def _eval_cell(line: Record, base: Record, domain: str, name: str, first: bool) -> Text:
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


def _table(title: str, *columns: str) -> Table:
    """A ruled table whose first columns are these."""
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="dim",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        collapse_padding=True,
    )
    for i, column in enumerate(columns):
        table.add_column(column, justify="right" if i else "left", no_wrap=True, vertical="top")
    return table


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
