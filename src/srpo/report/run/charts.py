"""Which charts the report page has, and their values: nothing here draws.

A chart's values are also its table, which a screen reader reads and the page's cursor shows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from srpo.metrics import Row
from srpo.report.plain import printable
from srpo.report.reader import Record, stage_starts
from srpo.report.run.difficulty import BUCKETS, bucket_shares
from srpo.types import Domain

MAX_POINTS = 300  # beyond it, neighbouring steps are averaged: a screen shows no more
LAST_COUNTS = ("pool/size", "pool/dropped", "tokens/generated", "tokens/trained", "seconds/total")

Kind = Literal["line", "steps", "area", "bars"]
Unit = Literal["share", "count", "number", "tokens", "seconds", "log"]


@dataclass(frozen=True)
class Series:
    label: str
    color: str  # a colour's name in page.css
    values: list[float]  # one a position of the axis; not-a-number where there is none


@dataclass(frozen=True)
class Mark:
    """One evaluation: a point with its 95% interval."""

    step: int
    value: float
    low: float
    high: float
    label: str
    color: str


@dataclass(frozen=True)
class Axis:
    """Positions from left to right. `stages` are where each stage starts, by position."""

    name: str
    at: list[float]
    labels: list[str]
    stages: list[tuple[float, str]]
    high: float


@dataclass(frozen=True)
class Chart:
    key: str
    title: str
    caption: str  # what to look for, in one line
    axis: Axis
    series: list[Series]
    kind: Kind = "line"
    unit: Unit = "number"
    marks: list[Mark] = field(default_factory=list)
    smoothed: bool = True  # lines and areas get a moving average; totals so far need none


@dataclass(frozen=True)
class Section:
    title: str
    charts: list[Chart]


def sections(rows: list[Row], evals: list[Record], ledger: Path | None) -> list[Section]:
    """All charts that the run has values for, by subject."""
    data = _Steps(rows, evals)
    drift = [_drift(ledger)] if ledger is not None else []
    health = [_entropy(data), _clip(data), _gradient(data), _kl(data), _mismatch(data)]
    health += [_truncated(data), _errors(data)]
    every = [
        Section(
            "Learning",
            [_accuracy(data, evals), _length(data), _reward(data), _reward_by_domain(data)],
        ),
        Section("Groups and resampling", [_groups(data), _pool(data), *drift]),
        Section("Health", health),
        Section("Cost", [_seconds(data), _tokens(data), _speed(data)]),
    ]
    full = [Section(s.title, [c for c in s.charts if c.series or c.marks]) for s in every]
    return [s for s in full if s.charts]


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


class _Steps:
    """The rows of metrics.jsonl, thinned, with the axis that they share."""

    def __init__(self, rows: list[Row], evals: list[Record]):
        self.rows = thin(rows, MAX_POINTS)
        last = max((line["step"] for line in (*rows, *evals)), default=1)
        self.axis = Axis(
            "step",
            [float(row["step"]) for row in self.rows],
            [_label(row) for row in self.rows],
            [(float(step), printable(name)) for step, name in stage_starts(rows)],
            float(max(last, 1)),
        )

    def series(self, *wanted: tuple[str, str, str]) -> list[Series]:
        """(metric, label, colour) of each metric that has values."""
        found = []
        for name, label, color in wanted:
            values = [float(row.get(name, math.nan)) for row in self.rows]
            if not all(map(math.isnan, values)):
                found.append(Series(label, color, values))
        return found


def _label(row: Row) -> str:
    return str(row["step"]) if row["first"] == row["step"] else f"{row['first']}-{row['step']}"


def _by_domain(data: _Steps, prefix: str) -> list[Series]:
    return data.series(*((f"{prefix}/{d}", str(d), str(d)) for d in Domain))


def _accuracy(data: _Steps, evals: list[Record]) -> Chart:
    return Chart(
        "accuracy",
        "Accuracy",
        "Lines are training prompts, which resampling makes harder; dots are held-out"
        " problems with 95% intervals: trust the dots.",
        data.axis,
        _by_domain(data, "accuracy"),
        unit="share",
        marks=_marks(evals),
    )


def _marks(evals: list[Record]) -> list[Mark]:
    marks = []
    for line in evals:
        for domain in map(str, Domain):
            results = line.get(domain) or {}
            if (value := results.get("pass@1")) is not None:
                low, high = results.get("pass@1_low", value), results.get("pass@1_high", value)
                label = f"{domain}, held-out pass@1, {line['point']} (step {line['step']})"
                marks.append(Mark(line["step"], value, low, high, label, domain))
    return marks


def _length(data: _Steps) -> Chart:
    return Chart(
        "length",
        "Response length",
        "Growth together with accuracy is the reasoning that stage 1 is for; growth without"
        " it is padding. Tokens, mean of the step.",
        data.axis,
        _by_domain(data, "length"),
        unit="tokens",
    )


def _reward_by_domain(data: _Steps) -> Chart:
    return Chart(
        "reward-domain",
        "Reward by domain",
        "What the gradient sees of each domain: accuracy, format and language together.",
        data.axis,
        _by_domain(data, "reward"),
    )


def _reward(data: _Steps) -> Chart:
    wanted = [
        ("reward/mean", "total", "ink"),
        ("reward/accuracy", "accuracy", "math"),
        ("reward/format", "format", "orange"),
        ("reward/language", "language mixing", "pink"),
    ]
    return Chart(
        "reward",
        "Reward and its parts",
        "Total and accuracy should rise together; a total that rises alone is format being"
        " learnt, not the task.",
        data.axis,
        data.series(*wanted),
    )


def _groups(data: _Steps) -> Chart:
    wanted = [
        ("groups/informative", "mixed", "green"),
        ("groups/all_correct", "all correct", "sky"),
        ("groups/all_wrong", "all wrong", "pale"),
    ]
    return Chart(
        "groups",
        "Groups by verdicts",
        "Only mixed groups teach. The paper saw nearly 50% identical late in training;"
        " resampling should keep the green high.",
        data.axis,
        data.series(*wanted),
        kind="area",
        unit="share",
    )


def _pool(data: _Steps) -> Chart:
    return Chart(
        "pool",
        "Prompts in the epoch",
        "Falls as solved prompts are dropped. A pool that shrinks to the unsolvable few"
        " starves training.",
        data.axis,
        data.series(("pool/size", "in the epoch", "ink"), ("pool/dropped", "left out", "orange")),
        kind="steps",
        unit="count",
    )


def _drift(ledger: Path) -> Chart:
    names, stages, shares = bucket_shares(ledger)
    axis = Axis("epoch", [i + 0.5 for i in range(len(names))], names, stages, float(len(names)))
    colors = ("pale", "green4", "green3", "green2", "green1", "sky")
    columns = [list(column) for column in zip(*shares, strict=True)] or [[] for _ in BUCKETS]
    return Chart(
        "drift",
        "Difficulty of the epochs' prompts",
        "Pass rates by epoch, from the ledger: bands that move downwards mean that the policy"
        " learns; a growing grey base is what it cannot reach.",
        axis,
        [Series(b, c, v) for b, c, v in zip(BUCKETS, colors, columns, strict=True) if v],
        kind="bars",
        unit="share",
    )


def _entropy(data: _Steps) -> Chart:
    return Chart(
        "entropy",
        "Entropy of the policy",
        "A slow fall is normal; near 0 the policy no longer explores. Nats per token.",
        data.axis,
        data.series(("entropy", "entropy", "green")),
    )


def _clip(data: _Steps) -> Chart:
    return Chart(
        "clip",
        "Clipped tokens",
        "0 with one update a step; shares of several per cent mean steps too large for the"
        " clip range.",
        data.axis,
        data.series(("clip/low", "clipped below", "math"), ("clip/high", "clipped above", "code")),
        unit="share",
    )


def _gradient(data: _Steps) -> Chart:
    return Chart(
        "gradient",
        "Gradient norm",
        "Spikes before clipping come ahead of divergence; steady is good.",
        data.axis,
        data.series(("grad_norm", "gradient norm", "ink")),
    )


def _kl(data: _Steps) -> Chart:
    return Chart(
        "kl",
        "KL to the base model",
        "How far the policy has moved. Only there with loss.kl_coef above 0.",
        data.axis,
        data.series(("kl", "KL (k3)", "pink")),
    )


def _mismatch(data: _Steps) -> Chart:
    wanted = [
        ("mismatch/max", "largest difference", "orange"),
        ("mismatch/mean", "mean difference", "ink"),
        ("mismatch/kl", "KL (k3)", "pink"),
    ]
    series = data.series(*wanted)
    positive = [
        Series(s.label, s.color, [v if v > 0 else math.nan for v in s.values])
        for s in series
        if any(v > 0 for v in s.values)
    ]
    return Chart(
        "mismatch",
        "Engine against learner",
        "Log-probabilities of the same tokens by both, on a logarithmic scale: a jump means"
        " stale weights or different arithmetic.",
        data.axis,
        positive,
        unit="log",
    )


def _truncated(data: _Steps) -> Chart:
    return Chart(
        "truncated",
        "Responses cut at the token limit",
        "A rise means that answers outgrow rollout.max_new_tokens, and a cut answer is a wrong"
        " answer.",
        data.axis,
        data.series(("truncated", "cut", "orange")),
        unit="share",
    )


def _errors(data: _Steps) -> Chart:
    return Chart(
        "errors",
        "Rollouts that we failed to judge",
        "Should be 0. Each one is left out of its group, never scored as wrong.",
        data.axis,
        data.series(("errors", "errors", "pink")),
        kind="steps",
        unit="count",
    )


def _seconds(data: _Steps) -> Chart:
    wanted = [
        ("seconds/rollout", "decoding", "math"),
        ("seconds/verify", "waiting for verdicts", "orange"),
        ("seconds/learn", "learning", "green"),
        ("seconds/weights", "moving weights", "pink"),
    ]
    series = data.series(*wanted)
    if series and all("seconds/step" in row for row in data.rows):
        known = [sum(v for v in part if v == v) for part in _columns(series)]
        rest = [max(0.0, r["seconds/step"] - k) for r, k in zip(data.rows, known, strict=True)]
        series.append(Series("the rest", "pale", rest))
    return Chart(
        "seconds",
        "Time of a step",
        "The thickest band is what to make faster.",
        data.axis,
        series,
        kind="area",
        unit="seconds",
    )


def _columns(series: Sequence[Series]) -> list[tuple[float, ...]]:
    return list(zip(*(s.values for s in series), strict=True))


def _tokens(data: _Steps) -> Chart:
    wanted = [
        ("tokens/generated", "generated", "ink"),
        ("tokens/trained", "trained on", "green"),
    ]
    return Chart(
        "tokens",
        "Tokens so far",
        "The gap was paid for and taught nothing: uniform groups, discarded rounds, errors.",
        data.axis,
        data.series(*wanted),
        unit="count",
        smoothed=False,
    )


def _speed(data: _Steps) -> Chart:
    return Chart(
        "speed",
        "Tokens a second",
        "Generated tokens over the whole step's time. Falls when answers grow faster than batches.",
        data.axis,
        data.series(("tokens/s", "tokens a second", "math")),
        unit="count",
    )
