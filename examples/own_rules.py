"""A verifier and a reward term of one's own, each a function that the recipe names.

In this folder:

    srpo train nano --set 'verifier.own={math: "own_rules:whole_numbers"}' \\
        --set 'reward.terms={"own_rules:brevity": 0.05}'

docs/extending.md explains the parts.
"""

from __future__ import annotations

import re

from srpo import Outcome, Problem, Verdict


def whole_numbers(problem: Problem, text: str) -> Verdict:
    """For answers that are whole numbers: the last one in the response counts, boxed or not."""
    found = re.findall(r"-?\d+", text[-1000:])
    if not found:
        return Verdict(Outcome.INCORRECT, None, "no whole number")
    right = found[-1] == str(problem.answer)
    return Verdict(Outcome.CORRECT if right else Outcome.INCORRECT, found[-1])


def brevity(problem: Problem, text: str, verdict: Verdict) -> float:
    """1 for a correct answer of no length, falling to 0 at 200 characters; 0 for a wrong one."""
    return max(0.0, 1 - len(text) / 200) if verdict.outcome is Outcome.CORRECT else 0.0
