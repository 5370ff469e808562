"""A run's metric as a curve over what it cost: generated tokens, steps or seconds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from srpo.metrics import meaning
from srpo.report.compare.conditions import Member
from srpo.report.plain import Unit, cell_text, duration, short_count
from srpo.report.reader import Record, domains
from srpo.report.smoothing import window
from srpo.types import UserError


class By(StrEnum):
    """What runs are aligned by."""

    tokens = "tokens"
    steps = "steps"
    seconds = "seconds"


COST = {By.tokens: "tokens/generated", By.steps: "step", By.seconds: "seconds/total"}
SHARES = ("pass@", "accuracy/", "truncated", "clip/", "reward/format")


@dataclass(frozen=True)
class Metric:
    """`pass@1/math` (held-out: a result of evals.jsonl) or a name of metrics.jsonl."""

    name: str
    held_out: bool

    @property
    def title(self) -> str:
        result, _, domain = self.name.rpartition("/")
        return f"held-out {domain} {result}" if self.held_out else self.name

    @property
    def is_share(self) -> bool:
        groups = self.name.startswith("groups/") and self.name != "groups/discarded"
        return groups or self.name.startswith(SHARES)

    @property
    def unit(self) -> Unit:
        return "share" if self.is_share else "number"

    @property
    def is_accuracy(self) -> bool:
        return self.name.startswith(("pass@", "accuracy/"))

    def text(self, value: float) -> str:
        """A value as tables show it."""
        return cell_text(value, self.unit)


@dataclass(frozen=True)
class Curve:
    """Straight lines between points; x rises. Nothing is known to the left and right of them."""

    x: np.ndarray  # (P,) what was spent
    y: np.ndarray  # (P,)
    held: bool = False  # the last point was not measured: its value is that of the one before

    @property
    def measured(self) -> list[tuple[float, float]]:
        points = list(zip(self.x.tolist(), self.y.tolist(), strict=True))
        return points[:-1] if self.held else points

    def at(self, x: np.ndarray) -> np.ndarray:
        """Values at `x`; not-a-number outside."""
        return np.interp(x, self.x, self.y, left=math.nan, right=math.nan)

    def until(self, x: float) -> Curve:
        """The same, its last value held up to `x`."""
        if x <= self.x[-1]:
            return self
        return Curve(np.append(self.x, x), np.append(self.y, self.y[-1]), held=True)

    def reaches(self, target: float, rising: bool = True) -> float:
        """The first x at which the curve is at `target` or beyond; infinity if it never is."""
        sign = 1.0 if rising else -1.0
        above = np.flatnonzero(sign * self.y >= sign * target)
        if not len(above):
            return math.inf
        i = int(above[0])
        if i == 0:
            return float(self.x[0])
        share = (target - self.y[i - 1]) / (self.y[i] - self.y[i - 1])
        return float(self.x[i - 1] + share * (self.x[i] - self.x[i - 1]))


def curve(member: Member, metric: Metric, by: By) -> Curve | None:
    """The run's curve; None where it has no value of the metric.

    Held-out results are points at their evaluations. Training metrics are trailing means over
    `smoothing.window` steps (a tenth of noise would otherwise reach any target early), so that a
    point holds nothing that came after it.
    """
    points = _evaluated(member, metric, by) if metric.held_out else _trained(member, metric, by)
    last = dict(points)  # of two at the same cost, the later
    if not last:
        return None
    return Curve(np.array(list(last), dtype=float), np.array(list(last.values()), dtype=float))


def _evaluated(member: Member, metric: Metric, by: By) -> list[tuple[float, float]]:
    result, _, domain = metric.name.rpartition("/")
    points = []
    for line in member.evals:
        value = (line.get(domain) or {}).get(result)
        if value is not None:
            points.append((_spent(member, line, by), float(value)))
    return points


def _spent(member: Member, line: Record, by: By) -> float:
    if by is By.tokens:
        return float(line["generated_tokens"])
    if by is By.steps:
        return float(line["step"])
    seconds = (r["seconds/total"] for r in reversed(member.rows) if r["step"] <= line["step"])
    return float(next(seconds, 0.0))


def _trained(member: Member, metric: Metric, by: By) -> list[tuple[float, float]]:
    rows = [r for r in member.rows if r.get(metric.name) is not None and COST[by] in r]
    if not rows:
        return []
    width = window(len(rows))
    values = np.array([float(r[metric.name]) for r in rows])
    means = np.convolve(values, np.full(width, 1 / width), mode="valid")
    return [(float(r[COST[by]]), float(m)) for r, m in zip(rows[width - 1 :], means, strict=True)]


def find_metrics(wanted: str, members: Sequence[Member]) -> list[Metric]:
    """The metrics that a name means: `pass@1` is one for each domain, `pass@1/math` is one.

    Raises:
        UserError: no run has it, or some runs have not.
    """
    names = held_out_names(members)
    if wanted in names:
        found = [Metric(wanted, held_out=True)]
    elif meaning(wanted) and wanted not in ("step", "stage"):
        found = [Metric(wanted, held_out=False)]
    else:
        found = [Metric(n, held_out=True) for n in names if n.rpartition("/")[0] == wanted]
    found = [m for m in found if any(curve(r, m, By.steps) is not None for r in members)]
    if not found:
        known = ", ".join(dict.fromkeys(n.rpartition("/")[0] for n in names)) or "none, no run"
        raise UserError(
            f"metric {wanted!r}: no run has it. Held-out results here: {known} has evaluations."
            if not names
            else f"metric {wanted!r}: no run has it. Held-out results here: {known}; or give a name"
            " of docs/metrics.md"
        )
    return [m for m in found if _everywhere(m, members, alone=len(found) == 1)]


def held_out_names(members: Sequence[Member]) -> list[str]:
    """Every numeric `result/domain` of the evaluations, bounds of their intervals left out."""
    names: dict[str, None] = {}
    for line in (line for m in members for line in m.evals):
        for domain in domains([], [line]):
            for result, value in line[domain].items():
                if isinstance(value, int | float) and not result.endswith(("_low", "_high")):
                    names[f"{result}/{domain}"] = None
    return list(names)


def _everywhere(metric: Metric, members: Sequence[Member], alone: bool) -> bool:
    missing = [m.name for m in members if curve(m, metric, By.steps) is None]
    if missing and alone:
        what = "no evaluation with" if metric.held_out else "no value of"
        raise UserError(
            f"{', '.join(missing[:4])}: {what} {metric.name}; leave these runs out, evaluate with"
            " data.eval and eval.at, or compare a training metric (--metric accuracy/pool)"
        )
    return not missing


def cost_text(value: float, by: By) -> str:
    """2310000 tokens → '2.31M tokens'."""
    if by is By.seconds:
        return duration(value)
    count = short_count(value) if by is By.tokens else f"{value:,.0f}"
    return f"{count} {by.value}"
