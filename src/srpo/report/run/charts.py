"""The catalogue of a run's charts: one entry each, drawn on the page and in the picture alike.

An entry is a chart without its values, and the metrics that it shows: name, label and colour of
each. `{domain}` stands for every domain that the run has, in that domain's own colour.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

from srpo.metrics import Row
from srpo.report.chart import Axis, Chart, Point, Series
from srpo.report.colors import NONE_GIVEN, DomainStyle, Given, domain_style
from srpo.report.plain import printable
from srpo.report.reader import Record, domains, stage_starts
from srpo.report.run.epochs import BUCKETS, bucket_shares

MAX_POINTS = 300  # beyond it, neighbouring steps are averaged: a screen shows no more
LAST_COUNTS = ("pool/size", "pool/dropped", "tokens/generated", "tokens/trained", "seconds/total")

Curve = tuple[str, str, str]
Styles = dict[str, DomainStyle]
EACH = "{domain}"
REST = "seconds/rest"  # of a step's seconds, what no part of them is


def _entry(
    subject: str, key: str, title: str, caption: str, *curves: Curve, **look: Any
) -> tuple[Chart, list[Curve]]:
    return Chart(subject, key, title, caption, **look), list(curves)


CATALOGUE = (
    _entry(
        "Learning", "accuracy", "Accuracy",
        "Lines are training prompts, which resampling makes harder; dots are held-out problems"
        " with 95% intervals: trust the dots.",
        ("accuracy/{domain}", EACH, EACH),
        unit="share", points_name="held-out pass@1",
    ),
    _entry(
        "Learning", "length", "Response length (tokens)",
        "Growth together with accuracy is the reasoning that stage 1 is for; growth without it is"
        " padding. Means of the step.",
        ("length/{domain}", EACH, EACH),
        unit="tokens",
    ),
    _entry(
        "Learning", "reward", "Reward and its parts",
        "Total and accuracy should rise together; a total that rises alone is format being"
        " learnt, not the task.",
        ("reward/mean", "total", "ink"), ("reward/accuracy", "accuracy", "blue"),
        ("reward/format", "format", "orange"), ("reward/language", "language mixing", "pink"),
    ),
    _entry(
        "Learning", "reward-domain", "Reward by domain",
        "What the gradient sees of each domain: accuracy, format and language together.",
        ("reward/{domain}", EACH, EACH),
    ),
    _entry(
        "Learning", "reasoning", "Reasoning behaviours",
        "Share of a sample of the step's responses that recheck, hesitate or explore, by the rules"
        " of docs/analysis.md; nano's are calculations that stand there again.",
        ("behaviour/recheck", "recheck", "blue"), ("behaviour/hesitation", "hesitation", "orange"),
        ("behaviour/exploration", "exploration", "green"),
        ("behaviour/program that verifies", "a program that verifies", "pink"),
        ("behaviour/step repeated", "step repeated (nano)", "pale"),
        ("behaviour/result checked", "result checked (nano)", "ink"),
        unit="share",
    ),
    _entry(
        "Groups and resampling", "groups", "Groups by verdicts",
        "Only mixed groups teach. The paper saw nearly 50% identical late in training; resampling"
        " should keep the green high.",
        ("groups/informative", "mixed", "green"), ("groups/all_correct", "all correct", "sky"),
        ("groups/all_wrong", "all wrong", "pale"),
        kind="area", unit="share",
    ),
    _entry(
        "Groups and resampling", "pool", "Prompts in the epoch",
        "Falls as solved prompts are dropped. A pool that shrinks to the unsolvable few starves"
        " training.",
        ("pool/size", "in the epoch", "ink"), ("pool/dropped", "left out", "orange"),
        kind="steps", unit="count",
    ),
    _entry(  # its values are the ledger's
        "Groups and resampling", "drift", "Difficulty of the epochs' prompts",
        "Pass rates by epoch, from the ledger: bands that move downwards mean that the policy"
        " learns; a growing grey base is what it cannot reach.",
        kind="bars", unit="share",
    ),
    _entry(
        "Health", "entropy", "Entropy of the policy (nats)",
        "A slow fall is normal; near 0 the policy no longer explores. Per token.",
        ("entropy", "entropy", "green"),
    ),
    _entry(
        "Health", "clip", "Clipped tokens",
        "0 with one update a step; shares of several per cent mean steps too large for the clip"
        " range.",
        ("clip/low", "clipped below", "blue"), ("clip/high", "clipped above", "red"),
        unit="share",
    ),
    _entry(
        "Health", "gradient", "Gradient norm",
        "Spikes before clipping come ahead of divergence; steady is good.",
        ("grad_norm", "gradient norm", "ink"),
    ),
    _entry(
        "Health", "kl", "KL to the base model",
        "How far the policy has moved. Only there with loss.kl_coef above 0.",
        ("kl", "KL (k3)", "pink"),
    ),
    _entry(
        "Health", "mismatch", "Engine against learner",
        "Log-probabilities of the same tokens by both, on a logarithmic scale: a jump means stale"
        " weights or different arithmetic.",
        ("mismatch/max", "largest difference", "orange"),
        ("mismatch/mean", "mean difference", "ink"), ("mismatch/kl", "KL (k3)", "pink"),
        unit="log",
    ),
    _entry(
        "Health", "truncated", "Responses cut at the token limit",
        "A rise means that answers outgrow rollout.max_new_tokens, and a cut answer is a wrong"
        " answer.",
        ("truncated", "cut", "orange"),
        unit="share",
    ),
    _entry(
        "Health", "errors", "Rollouts that we failed to judge",
        "Should be 0. Each one is left out of its group, never scored as wrong.",
        ("errors", "errors", "pink"),
        kind="steps", unit="count",
    ),
    _entry(
        "Cost", "seconds", "Time of a step", "The thickest band is what to make faster.",
        ("seconds/rollout", "decoding", "blue"),
        ("seconds/verify", "waiting for verdicts", "orange"),
        ("seconds/learn", "learning", "green"), ("seconds/weights", "moving weights", "pink"),
        (REST, "the rest", "pale"),
        kind="area", unit="seconds",
    ),
    _entry(
        "Cost", "tokens", "Tokens so far",
        "The gap was paid for and taught nothing: uniform groups, discarded rounds, errors.",
        ("tokens/generated", "generated", "ink"), ("tokens/trained", "trained on", "green"),
        unit="count", smoothed=False,
    ),
    _entry(
        "Cost", "speed", "Tokens a second",
        "Generated tokens over the whole step's time. Falls when answers grow faster than batches.",
        ("tokens/s", "tokens a second", "blue"),
        unit="count",
    ),
)  # fmt: skip
PARTS = ("seconds/rollout", "seconds/verify", "seconds/learn", "seconds/weights")
PICTURED = ("accuracy", "length", "groups", "pool", "reward", "entropy")  # in curves.png


def run_charts(
    rows: list[Row], evals: list[Record], ledger: Path | None, given: Given = NONE_GIVEN
) -> list[Chart]:
    """All charts that the run has values for, subject by subject; `given` are its styles."""
    thinned = [_with_rest(row) for row in thin(rows, MAX_POINTS)]
    styles = {name: domain_style(name, given) for name in domains(rows, evals)}
    axis = _steps_axis(thinned, rows, evals)
    charts = []
    for chart, curves in CATALOGUE:
        if chart.key == "drift":
            filled = _drift(chart, ledger) if ledger is not None else chart
        else:
            found = _series(thinned, curves, styles, chart.unit == "log")
            filled = replace(chart, axis=axis, series=found)
        if chart.points_name:
            filled = replace(filled, points=_points(evals, styles))
        charts.append(filled)
    return [chart for chart in charts if not chart.empty]


def pictured(charts: list[Chart]) -> list[Chart]:
    """Those of curves.png."""
    return sorted((c for c in charts if c.key in PICTURED), key=lambda c: PICTURED.index(c.key))


def _steps_axis(thinned: list[Row], rows: list[Row], evals: list[Record]) -> Axis:
    last = max((line["step"] for line in (*rows, *evals)), default=1)
    starts = [(float(step), printable(name)) for step, name in stage_starts(rows)]
    return Axis(
        "step",
        [float(row["step"]) for row in thinned],
        [_label(row) for row in thinned],
        [(0.0 if i == 0 else step, name) for i, (step, name) in enumerate(starts)],
        float(max(last, 1)),
    )


def _label(row: Row) -> str:
    return str(row["step"]) if row["first"] == row["step"] else f"{row['first']}-{row['step']}"


def _series(rows: list[Row], curves: list[Curve], styles: Styles, log: bool) -> list[Series]:
    """Of each curve that has values; a logarithmic axis has no place for 0."""
    found = []
    for metric, label, color in _by_domain(curves, styles):
        values = [float(row.get(metric, math.nan)) for row in rows]
        if log:
            values = [v if v > 0 else math.nan for v in values]
        if not all(map(math.isnan, values)):
            found.append(Series(label, color, values))
    return found


def _by_domain(curves: list[Curve], styles: Styles) -> list[Curve]:
    found = []
    for metric, label, color in curves:
        if color == EACH:
            found += [(metric.format(domain=n), n, style.color) for n, style in styles.items()]
        else:
            found.append((metric, label, color))
    return found


def _points(evals: list[Record], styles: Styles) -> list[Point]:
    points = []
    for line in evals:
        for name, style in styles.items():
            results = line.get(name) or {}
            if (value := results.get("pass@1")) is not None:
                ends = results.get("pass@1_low", value), results.get("pass@1_high", value)
                label = f"{name}, held-out pass@1, {line['point']} (step {line['step']})"
                points.append(Point(line["step"], value, style.color, *ends, label, style.marker))
    return points


def _with_rest(row: Row) -> Row:
    """What a step's seconds hold beside the parts that are measured."""
    known = [row[name] for name in PARTS if name in row]
    if not known or "seconds/step" not in row:
        return row
    return row | {REST: max(0.0, row["seconds/step"] - sum(known))}


def _drift(chart: Chart, ledger: Path) -> Chart:
    names, stages, shares = bucket_shares(ledger)
    colors = ("pale", "green4", "green3", "green2", "green1", "sky")
    columns = zip(BUCKETS, colors, zip(*shares, strict=True), strict=False)
    return replace(
        chart,
        axis=Axis("epoch", [i + 0.5 for i in range(len(names))], names, stages, float(len(names))),
        series=[Series(label, color, list(values)) for label, color, values in columns],
    )


def thin(rows: list[Row], limit: int) -> list[Row]:
    """At most about `limit` rows: means over equally many neighbours, never over two stages.

    `step` is the last of those averaged and `first` the first; totals so far are the last's.
    """
    size = max(1, math.ceil(len(rows) / limit))
    parts: list[list[Row]] = []
    for row in rows:
        full = not parts or len(parts[-1]) == size
        if full or parts[-1][0].get("stage") != row.get("stage"):
            parts.append([])
        parts[-1].append(row)
    return [_mean(part) for part in parts]


def _mean(part: list[Row]) -> Row:
    last = part[-1]
    means: Row = {"step": last["step"], "first": part[0]["step"], "stage": last.get("stage", "")}
    for name in dict.fromkeys(name for row in part for name in row):
        values = [row[name] for row in part if isinstance(row.get(name), int | float)]
        if values and name not in means:
            means[name] = values[-1] if name in LAST_COUNTS else sum(values) / len(values)
    return means
