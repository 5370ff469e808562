"""Held-out accuracy: pass@1 as the mean over n samples (as the paper does with 32), pass@n."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from srpo.evaluation.passk import mean_interval, pass_at_k
from srpo.types import Group, Outcome


def summarize(groups: Sequence[Group]) -> dict[str, dict[str, Any]]:
    """Results by domain. A rollout that we failed to judge counts in no rate.

    Returns:
        For each domain: pass@1 with its 95% interval over problems, pass@n (over the problems
        whose n samples were all judged; left out where there is none), mean response tokens, the
        share cut at the limit, and how many problems and errors there were.
    """
    domains = sorted({g.problem.domain for g in groups})
    return {str(d): _summary([g for g in groups if g.problem.domain == d]) for d in domains}


def _summary(groups: Sequence[Group]) -> dict[str, Any]:
    judged = [g for g in groups if g.valid()]
    n = max(len(g.rollouts) for g in groups)
    rates = [g.pass_rate() or 0.0 for g in judged]
    mean, low, high = mean_interval(rates, n) if rates else (0.0, 0.0, 1.0)
    whole = [g.count(Outcome.CORRECT) for g in judged if len(g.valid()) == n]
    at_n = [pass_at_k(n, correct, n) for correct in whole]
    rollouts = [r for g in groups for r in g.rollouts]
    return {
        "pass@1": mean,
        "pass@1_low": low,
        "pass@1_high": high,
        **({f"pass@{n}": sum(at_n) / len(at_n)} if at_n and n > 1 else {}),
        "mean_tokens": sum(len(r.token_ids) for r in rollouts) / len(rollouts),
        "truncated": sum(r.finish_reason == "length" for r in rollouts) / len(rollouts),
        "problems": len(groups),
        "errors": sum(g.count(Outcome.ERROR) for g in groups),
    }
