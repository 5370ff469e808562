"""Held-out accuracy: pass@1 as the mean over n samples (as the paper does with 32), pass@n."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from srpo.evaluation.numbers import numbers, of_group
from srpo.types import Group


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
    n = max(len(g.rollouts) for g in groups)
    found = numbers([of_group(g) for g in groups], n)
    return {
        "pass@1": found["avg@n"],
        "pass@1_low": found["over_questions"]["low"],
        "pass@1_high": found["over_questions"]["high"],
        **({f"pass@{n}": found["pass@k"][n]} if n > 1 and found["pass@k"] else {}),
        "mean_tokens": found["mean_tokens"],
        "truncated": found["truncated"],
        "problems": found["problems"],
        "errors": found["errors"],
    }
