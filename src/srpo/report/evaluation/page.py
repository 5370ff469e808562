"""`report.html` of an evaluation: scores with their doubt, charts, and responses to read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from srpo.report.chart import Axis, Chart, Series
from srpo.report.colors import PALETTE
from srpo.report.evaluation.sample import SetSample, sample
from srpo.report.evaluation.sheet import interval, k_sheet, percent, result_sheet
from srpo.report.plain import one_line
from srpo.report.web.page import figures, render

COLORS = [name for name in PALETTE if name not in ("ink", "pale")]
CUT, SILENT = 0.1, 0.1  # shares that deserve a sentence
BINS = 10


def evaluation_page(out: Path, result: dict[str, Any]) -> str:
    """One page that needs nothing else: no script, no network; all text in it is escaped."""
    samples = sample(out, result["sets"])
    config = result["config"]
    rollout = config["rollout"]
    subtitle = (
        f"{config['samples']} responses to each problem, temperature {rollout['temperature']},"
        f" top_p {rollout['top_p']}, up to {rollout['max_new_tokens']:,} tokens,"
        f" {rollout['engine']}"
    )
    return render(
        "page.evaluation.html",
        title=one_line(str(result["model"]), 100),
        subtitle=subtitle,
        conclusions=conclusions(result, samples),
        subjects=figures(_charts(result, samples)),
        sheets=[result_sheet(result), k_sheet(result)],
        sets=samples,
    )


def conclusions(result: dict[str, Any], samples: list[SetSample]) -> list[str]:
    """What the numbers say, and how much."""
    found = []
    for one, shown in zip(result["sets"], samples, strict=True):
        x = one["numbers"]
        runs = x["over_runs"]
        again = f", another run of the same from {interval(runs)}" if runs else ""
        found.append(
            f"{one['title']}: {percent(x['avg@n'])}%. Other questions of the kind may give from"
            f" {interval(x['over_questions'])}{again}."
        )
        if x["truncated"] > CUT:
            found.append(f"{percent(x['truncated'])}% of its responses were cut at the limit.")
        if x["no_answer"] > SILENT:
            found.append(f"{percent(x['no_answer'])}% have no answer that could be taken out.")
        if shown.disputed:
            found.append(f"Graders disagree on {shown.disputed:,} of its responses, see below.")
    return found


def _charts(result: dict[str, Any], samples: list[SetSample]) -> list[Chart]:
    ks = list(result["sets"][0]["numbers"]["pass@k"])
    axis = Axis("k", list(map(float, ks)), ks, high=float(ks[-1]) if ks else 1.0)
    curves = [
        Series(one["title"], COLORS[i % len(COLORS)], [one["numbers"]["pass@k"][k] for k in ks])
        for i, one in enumerate(result["sets"])
    ]
    rates = [
        Series(s.title, COLORS[i % len(COLORS)], _histogram(s.rates)) for i, s in enumerate(samples)
    ]
    names = [f"{100 * i // BINS}%" for i in range(BINS + 1)]
    bins = Axis("pass rate", [i + 0.5 for i in range(BINS + 1)], names, high=BINS + 1.0)
    at_k = "The chance that at least one of k responses is correct: what is within reach."
    by_rate = "Problems by the share of their responses that is correct, to the nearest tenth."
    first = Chart("Numbers", "pass-at-k", "pass@k", at_k, "line", "share", False)
    second = Chart("Numbers", "rates", "Pass rates", by_rate, "bars", "count", False)
    charts = [replace(second, axis=bins, series=rates)]
    return [replace(first, axis=axis, series=curves), *charts] if len(ks) > 1 else charts


def _histogram(rates: list[float]) -> list[float]:
    counts = [0.0] * (BINS + 1)
    for rate in rates:
        counts[round(rate * BINS)] += 1
    return counts
