"""A comparison in one paragraph and a few tables: never more than the runs carry."""

from __future__ import annotations

import math
from collections.abc import Callable

from srpo.report.compare.alignment import By, Metric, cost_text
from srpo.report.compare.compare import LEVEL, MIN_SEEDS, Comparison, Contrast, MetricResult
from srpo.report.compare.conditions import Condition
from srpo.report.sheet import Sheet
from srpo.report.statistics import Interval


def compare_conclusions(c: Comparison) -> list[str]:
    """The paragraph's sentences: for every metric what is shown, what is not, and what it cost."""
    sentences = [s for m in c.metrics for s in (_values(m, c.by), _costs(m, c.by)) if s]
    if c.tests > 1 and any(k.fewest >= MIN_SEEDS for m in c.metrics for k in m.contrasts):
        sentences.append(f"p values are Holm's, over {c.tests} tests.")
    if any(w.startswith("NOT COMPARABLE") for w in c.grouping.warnings):
        sentences.insert(0, "These runs are not comparable as they stand, see the warnings.")
    return sentences


def notes(c: Comparison) -> list[str]:
    """What a reader has to know to read the tables right."""
    found = [*c.grouping.warnings, *(_budget_note(m, c.by) for m in c.metrics), _line_note(c)]
    found.append(
        "A difference is shown where Holm's p of the two-sided permutation test (pairs: signs"
        f" flipped) is at most {LEVEL}, with {MIN_SEEDS} seeds or more on both sides. Its least"
        " possible value is what the clearest outcome of so many seeds and tests would have."
    )
    found += [_early_note(m) for m in c.metrics]
    if any(k.bound for m in c.metrics for k in m.contrasts):
        found.append(
            "Ratios of costs where a run did not reach the target, which then counts as the common"
            " budget: ≥ the true ratio is at least this, ≤ at most, ? neither is known. Their"
            " intervals are those of the costs so counted."
        )
    if c.metrics[0].metric.held_out:
        found += [_exhausted_note(k) for k in c.conditions]
    found += [_pairs_note(k) for k in c.metrics[0].contrasts]
    return list(dict.fromkeys(note for note in found if note))


def _budget_note(m: MetricResult, by: By) -> str:
    longest = max(float(k.x[-1]) for r in m.results for k in r.curves)
    if longest <= 1.25 * m.budget:
        return ""
    return (
        f"{m.shortest} ends at {cost_text(m.budget, by)}, and no run is compared beyond it, though"
        f" the longest went to {cost_text(longest, by)}."
    )


def _line_note(c: Comparison) -> str:
    held_out = [m for m in c.metrics if m.metric.held_out]
    counts = [len(k.measured) for m in held_out for r in m.results for k in r.curves]
    if not counts:
        return ""
    return (
        f"Between evaluations (at least {min(counts)} a run) a straight line is taken: what falls"
        " between two of them is no finer than that."
    )


def _early_note(m: MetricResult) -> str:
    curves = [k for r in m.results for k in r.curves]
    if m.target is None:
        return ""
    goal, rising = m.target, m.rising
    early = sum(k.reaches(goal, rising) <= k.x[0] for k in curves)
    if not early:
        return ""
    return (
        f"{m.metric.title}: {early} of {len(curves)} runs stand at the target {m.metric.text(goal)}"
        " from their first point on, so costs to it say little; choose another with --target."
    )


def _exhausted_note(condition: Condition) -> str:
    out = sum(m.exhausted for m in condition.members)
    if not out:
        return ""
    return (
        f"{condition.label}: {out} of {len(condition.members)} runs ended when their pool had no"
        " prompt left. Their policy would stay as it is, so their last held-out values are held."
    )


def _pairs_note(k: Contrast) -> str:
    """Where the tables' means are of more runs than the difference is."""
    if not k.seeds or len(k.seeds) == len(k.condition.seeds) == len(k.baseline.seeds):
        return ""
    return (
        f"{k.condition.label}: difference and ratio are of the seeds that the baseline has too"
        f" ({', '.join(map(str, k.seeds))}); the means are of all."
    )


def _values(m: MetricResult, by: By) -> str:
    base, others = m.results[0], m.results[1:]
    parts = [
        f"{r.condition.label} {m.metric.text(r.value.value)}, {_finding(m.metric, k)}"
        for r, k in zip(others, m.contrasts, strict=True)
    ]
    return (
        f"{m.metric.title[0].upper()}{m.metric.title[1:]} at {cost_text(m.budget, by)}"
        f" (baseline {base.condition.label}: {m.metric.text(base.value.value)}):"
        f" {'; '.join(parts)}."
    )


def _finding(metric: Metric, k: Contrast) -> str:
    seeds = f"{k.fewest} {'paired seed' if k.seeds else 'seed'}{'' if k.fewest == 1 else 's'}"
    if k.fewest < MIN_SEEDS:
        return f"nothing can be shown with {seeds}: {MIN_SEEDS} are the least"
    gap = f"{_signed(metric, k.difference)}, {seeds}, p = {_p(k.adjusted)}"
    if k.shown:
        return f"a difference is shown ({gap})"
    limit = f"; so few seeds cannot give a p below {_p(k.possible)}" if k.possible > LEVEL else ""
    return f"no difference shown ({gap}{limit})"


def _costs(m: MetricResult, by: By) -> str:
    """What the target cost, with who did not reach it. Empty with too few seeds for it."""
    enough = [k for k in m.contrasts if k.fewest >= MIN_SEEDS]
    if m.target is None or not enough:
        return ""
    parts = [f"{k.condition.label} took {_ratio(k, by)}" for k in enough if k.ratio is not None]
    missed = [
        f"{r.condition.label} in {len(r.curves) - r.reached} of {len(r.curves)} seeds"
        for r in m.results
        if r.reached < len(r.curves)
    ]
    parts += [f"not reached by then: {', '.join(missed)}"] if missed else []
    return f"To reach {m.metric.text(m.target)}: {'; '.join(parts)}." if parts else ""


def _ratio(k: Contrast, by: By) -> str:
    assert k.ratio is not None
    limits = f" (95%: {k.ratio.low:.2f} to {k.ratio.high:.2f})" if k.ratio.known else ""
    sign = {"≥": "at least ", "≤": "at most "}.get(k.bound, "")
    cut = " (both cut at the common budget)" if k.bound == "?" else ""
    return f"{sign}{k.ratio.value:.2f}{limits} times the baseline's {by.value}{cut}"


def _p(p: float) -> str:
    return f"{p:.2g}" if p >= 0.001 else "less than 0.001"


def _signed(metric: Metric, d: Interval) -> str:
    """+4.1 points (95%: -0.6 to +8.8)."""
    scale, unit, form = (100, " points", "+.1f") if metric.is_share else (1, "", "+.4g")
    text = f"{format(d.value * scale, form)}{unit}"
    if d.known:
        text += f" (95%: {format(d.low * scale, form)} to {format(d.high * scale, form)})"
    return text


def compare_sheets(c: Comparison) -> list[Sheet]:
    """Conditions, then values and contrasts of every metric, then what the recipes differ in."""
    metrics = [s for m in c.metrics for s in (_value_sheet(m, c.by), _contrast_sheet(m, c.by))]
    recipes = [_recipe_sheet(c)] if c.grouping.varied else []
    return [_condition_sheet(c), *metrics, *recipes]


def _condition_sheet(c: Comparison) -> Sheet:
    rows = []
    for k in c.conditions:
        name = k.name + (" (baseline)" if k is c.baseline else "")
        seeds = ", ".join(map(str, k.seeds))
        rows.append([name, str(len(k.members)), seeds, ", ".join(m.name for m in k.members)])
    return Sheet("Conditions", ["condition", "runs", "seeds", "folders"], rows)


def _value_sheet(m: MetricResult, by: By) -> Sheet:
    at = cost_text(m.budget, by)
    columns = ["condition", "seeds", f"at {at}", "at its end"]
    caption = f"{m.metric.title}: means over seeds with 95% intervals over seeds, by bootstrap"
    if m.target is not None:
        goal = m.metric.text(m.target)
        columns += [f"{by.value} to {goal}", "reached it"]
        caption += f". Who did not reach {goal} by then counts as {at}"
    rows = []
    for r in m.results:
        cells = [_interval(i, m.metric.text) for i in (r.value, r.final)]
        if r.restricted is not None:
            cost = _interval(r.restricted, lambda v: cost_text(v, by).split(" ")[0])
            if r.reached < len(r.curves):
                cost = f"≥ {cost}" if r.reached else "-"
            cells += [cost, f"{r.reached} of {len(r.curves)}"]
        rows.append([r.condition.label, str(len(r.curves)), *cells])
    return Sheet(caption, columns, rows)


def _contrast_sheet(m: MetricResult, by: By) -> Sheet:
    rows = []
    for k in m.contrasts:
        kind = f"{len(k.seeds)} pairs" if k.seeds else "unpaired"
        ratio = "-" if k.ratio is None else _cell_ratio(k.bound, k.ratio)
        p = [f"{v:.3g}" for v in (k.test.p, k.adjusted, k.possible)]
        shown = "yes" if k.shown else "too few seeds" if k.fewest < MIN_SEEDS else "no"
        gap = _signed(m.metric, k.difference).replace("95%: ", "")
        rows.append([k.condition.label, gap, kind, *p, shown, ratio])
    columns = ["condition", "difference", "test", "p", "Holm's p", "least possible", "shown"]
    return Sheet(
        f"{m.metric.title}, against {m.contrasts[0].baseline.label} at {cost_text(m.budget, by)}",
        [*columns, f"{by.value} to target, ratio"],
        rows,
    )


def _recipe_sheet(c: Comparison) -> Sheet:
    order = [c.grouping.conditions.index(k) for k in c.conditions]
    rows = [[field, *(values[i] for i in order)] for field, values in c.grouping.varied.items()]
    return Sheet(
        "What the recipes differ in: all of it may be the cause",
        ["field", *(k.label for k in c.conditions)],
        rows,
    )


def _interval(i: Interval, text: Callable[[float], str]) -> str:
    if math.isnan(i.value):
        return "-"
    return text(i.value) + (f" ({text(i.low)} to {text(i.high)})" if i.known else "")


def _cell_ratio(bound: str, i: Interval) -> str:
    limits = f" ({i.low:.2f} to {i.high:.2f})" if i.known else ""
    return f"{bound} {i.value:.2f}{limits}".strip()
