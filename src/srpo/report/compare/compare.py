"""Conditions held against a baseline at equal cost, with what the seeds allow to be said.

**Common budget.** The cost (tokens, steps or seconds) that every run reached, the smallest of the
runs' last points. Values are read there from each run's curve, straight lines between points.
A run that ended because its pool had no prompt left sets no budget: its policy would stay as it
is, so its last held-out value is held.

**Target.** By default, for accuracies, 0.9 times the best condition's mean at the common budget.

**Cost to the target.** A run's first cost at which its curve is at the target or beyond: above,
but below where a metric other than an accuracy starts higher than its target. A run that
does not get there within the common budget is censored: it counts as the budget, so that the mean
is the *restricted mean*, min(cost, budget) averaged over seeds, which needs no guess about what
would have come later. A ratio of restricted means is a lower bound of the ratio where only the
condition has censored runs, an upper bound where only the baseline has, and neither where both do.

**Evidence.** One hypothesis for each metric and condition: the value at the common budget differs
from the baseline's. The test is exact by permutation, Holm's correction is over all of them.
Intervals, final values and costs are described, not tested.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from srpo.report.compare.alignment import By, Curve, Metric, curve, find_metrics
from srpo.report.compare.conditions import Condition, Grouping, Member, group_runs
from srpo.report.statistics import (
    Interval,
    Test,
    difference_interval,
    holm,
    mean_interval,
    permutation_test,
    ratio_interval,
    sign_flip_test,
)
from srpo.types import UserError

LEVEL = 0.05
MIN_SEEDS = 3  # below, no statement about a difference
DEFAULT_SHARE = 0.9  # of the best condition's value


@dataclass(frozen=True)
class Result:
    """One condition's values of one metric, over its seeds in order."""

    condition: Condition
    curves: list[Curve]
    at_budget: np.ndarray  # (S,)
    value: Interval  # at the common budget
    final: Interval  # each run's last value, whatever it cost
    costs: np.ndarray | None  # (S,) to the target, infinity where censored; None without a target
    restricted: Interval | None  # mean of min(cost, budget)

    @property
    def reached(self) -> int:
        return 0 if self.costs is None else int(np.isfinite(self.costs).sum())


@dataclass(frozen=True)
class Contrast:
    """A condition against the baseline."""

    condition: Condition
    baseline: Condition
    seeds: list[int]  # of the pairs; empty when unpaired
    difference: Interval  # condition - baseline, at the common budget
    test: Test
    adjusted: float  # p after Holm's correction over the whole comparison
    possible: float  # the smallest that `adjusted` can be with so many seeds and tests
    ratio: Interval | None  # of restricted mean costs to the target
    bound: str  # "≥", "≤", "?" (neither) or "" (exact: no run censored)

    @property
    def fewest(self) -> int:
        """Seeds on the side that has fewer."""
        both = (len(self.condition.members), len(self.baseline.members))
        return len(self.seeds) if self.seeds else min(both)

    @property
    def shown(self) -> bool:
        return self.fewest >= MIN_SEEDS and self.adjusted <= LEVEL


@dataclass(frozen=True)
class MetricResult:
    metric: Metric
    budget: float
    shortest: str  # the run whose end is the common budget
    target: float | None
    rising: bool  # the target is reached from below
    results: list[Result]  # the baseline first
    contrasts: list[Contrast]


@dataclass(frozen=True)
class Comparison:
    by: By
    grouping: Grouping
    baseline: Condition
    metrics: list[MetricResult]

    @property
    def conditions(self) -> list[Condition]:
        """The baseline first."""
        others = [c for c in self.grouping.conditions if c is not self.baseline]
        return [self.baseline, *others]

    @property
    def tests(self) -> int:
        return sum(len(m.contrasts) for m in self.metrics)


def compare_runs(
    arguments: Sequence[str],
    by: By = By.tokens,
    metric: str = "pass@1",
    target: float | None = None,
    baseline: str | None = None,
) -> Comparison:
    """Group, align and test. Raises UserError for what cannot be compared.

    Args:
        arguments: run folders, or NAME=GLOB.
        metric: `pass@1` (each domain), `pass@1/math`, or a name of docs/metrics.md.
        target: of the cost to a target, in the metric's unit.
        baseline: a condition's name; by default the first condition's.
    """
    if target is not None and not math.isfinite(target):
        raise UserError(f"--target {target}: give a finite number, in the metric's unit")
    grouping = group_runs(arguments)
    base = _baseline(grouping, baseline)
    members = [m for c in grouping.conditions for m in c.members]
    wanted = find_metrics(metric, members)
    if not wanted:
        raise UserError(
            f"metric {metric!r}: no domain was evaluated in all runs; leave out the runs without"
            " evaluations, or compare a training metric (--metric accuracy/pool)"
        )
    comparison = Comparison(by, grouping, base, [])
    results = [_measure(m, comparison.conditions, by, target) for m in wanted]
    return replace(comparison, metrics=_adjust(results))


def _baseline(grouping: Grouping, name: str | None) -> Condition:
    if name is None:
        return grouping.conditions[0]
    for condition in grouping.conditions:
        if condition.name == name:
            return condition
    known = ", ".join(repr(c.name) for c in grouping.conditions)
    raise UserError(f"--baseline {name!r}: no such condition; there are {known}")


def _measure(
    metric: Metric, conditions: list[Condition], by: By, wanted: float | None
) -> MetricResult:
    curves = [[_curve(m, metric, by) for m in c.members] for c in conditions]
    every = [(c, m) for cs, k in zip(curves, conditions, strict=True)
             for c, m in zip(cs, k.members, strict=True)]  # fmt: skip
    ends = [(float(c.x[-1]), m.name) for c, m in every if not _stays(m, metric)]
    last, shortest = min(ends) if ends else max((float(c.x[-1]), m.name) for c, m in every)
    first, latest = max(((float(c.x[0]), m.name) for c, m in every), key=lambda p: p[0])
    if last < first or last <= 0:
        raise UserError(
            f"{metric.name}: runs do not overlap: {shortest} ends at {last:,.0f} {by.value},"
            f" {latest} begins at {first:,.0f}; leave one of them out, or finish it"
            " (srpo resume)"
        )
    curves = [
        [c.until(last) if _stays(m, metric) else c for c, m in zip(cs, k.members, strict=True)]
        for cs, k in zip(curves, conditions, strict=True)
    ]
    values = [np.array([float(c.at(np.array(last))) for c in cs]) for cs in curves]
    target = wanted
    if target is None and metric.is_accuracy:
        target = DEFAULT_SHARE * max(float(v.mean()) for v in values)
    start = float(np.mean([c.y[0] for c, _ in every]))
    rising = metric.is_accuracy or target is None or target >= start
    results = [
        _result(metric, k, cs, v, last, target, rising)
        for k, cs, v in zip(conditions, curves, values, strict=True)
    ]
    contrasts = [_contrast(r, results[0], last) for r in results[1:]]
    return MetricResult(metric, last, shortest, target, rising, results, contrasts)


def _stays(member: Member, metric: Metric) -> bool:
    """Whether the last value is what the run would have at any greater cost: it has nothing left
    to train on, so its policy stays as it is."""
    return member.exhausted and metric.held_out


def _curve(member: Member, metric: Metric, by: By) -> Curve:
    found = curve(member, metric, by)
    if found is None:
        raise UserError(f"{member.name}: no value of {metric.name} by {by.value}; leave it out")
    return found


def _result(
    metric: Metric,
    condition: Condition,
    curves: list[Curve],
    values: np.ndarray,
    budget: float,
    target: float | None,
    rising: bool,
) -> Result:
    finals = np.array([c.y[-1] for c in curves])
    costs = restricted = None
    if target is not None:
        costs = np.array([c.reaches(target, rising) for c in curves])
        costs = np.where(costs <= budget, costs, math.inf)
        restricted = _cut(mean_interval(np.minimum(costs, budget)), 0.0, budget)
    value, final = (
        _cut(i, 0.0, 1.0) if metric.is_share else i for i in map(mean_interval, (values, finals))
    )
    return Result(condition, curves, values, value, final, costs, restricted)


def _cut(interval: Interval, low: float, high: float) -> Interval:
    """To where the quantity can lie at all."""
    return Interval(
        interval.value,
        *(v if math.isnan(v) else min(high, max(low, v)) for v in (interval.low, interval.high)),
    )


def _contrast(result: Result, base: Result, budget: float) -> Contrast:
    mine, theirs = result.condition.seeds, base.condition.seeds
    common = [s for s in mine if s in theirs]
    paired = set(mine) == set(theirs) or len(common) >= MIN_SEEDS
    rows = [mine.index(s) for s in common] if paired else list(range(len(mine)))
    other = [theirs.index(s) for s in common] if paired else list(range(len(theirs)))
    a, b = result.at_budget[rows], base.at_budget[other]
    test = sign_flip_test(a - b) if paired else permutation_test(a, b)
    ratio, bound = None, ""
    if result.costs is not None and base.costs is not None:
        costs = result.costs[rows], base.costs[other]
        ratio, bound = _ratio(*costs, budget, paired)
    return Contrast(
        result.condition,
        base.condition,
        common if paired else [],
        difference_interval(a, b, paired),
        test,
        test.p,
        test.smallest,
        ratio,
        bound,
    )


def _ratio(
    a: np.ndarray, b: np.ndarray, budget: float, paired: bool
) -> tuple[Interval | None, str]:
    """Ratio of restricted means. None where it says nothing: nobody reached the target, or
    somebody stood there from the start."""
    if not np.isfinite([*a, *b]).any() or min(*a, *b) <= 0:
        return None, ""
    cut_a, cut_b = bool(np.isinf(a).any()), bool(np.isinf(b).any())
    bound = {(False, False): "", (True, False): "≥", (False, True): "≤"}.get((cut_a, cut_b), "?")
    return ratio_interval(np.minimum(a, budget), np.minimum(b, budget), paired), bound


def _adjust(metrics: list[MetricResult]) -> list[MetricResult]:
    """Holm's correction. It never falls when a p grows, so that of the smallest p values that the
    seeds allow is the best that any outcome could have had."""
    tests = [c.test for m in metrics for c in m.contrasts]
    adjusted, possible = iter(holm([t.p for t in tests])), iter(holm([t.smallest for t in tests]))
    return [
        replace(
            m,
            contrasts=[
                replace(c, adjusted=next(adjusted), possible=next(possible)) for c in m.contrasts
            ],
        )
        for m in metrics
    ]
