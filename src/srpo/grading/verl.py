"""Our rewards as verl's `custom_reward_function`.

    custom_reward_function.path=<this file>  custom_reward_function.name=compute_score

`ground_truth` is a gold answer (mathematics), or tests as an object or its JSON text (code);
see `srpo.data.problem`. `extra_info["question"]`, where it is there, tells the language that
the answer should keep to.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from srpo.grading.grade import Grader
from srpo.types import TrainingError


def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: Any,
    extra_info: dict[str, Any] | None = None,
    **_: Any,
) -> dict[str, float]:
    """{"score": total reward, "acc", "format", "language"}.

    verl cannot leave a rollout out of its group, so an ERROR of our machinery, after its
    retries, raises TrainingError: a run that stops is better than one that learns from noise.
    """
    extra = extra_info or {}
    row = {"id": f"{data_source} {extra.get('index', '')}".strip(), "prompt": ""}
    row["prompt"] = str(extra.get("question", ""))
    tests = _tests(ground_truth)
    gold = {"tests": tests} if tests else {"answer": ground_truth}
    graded = _grader().grade(row | gold, solution_str)
    if graded.reward is None:
        raise TrainingError(f"{row['id']}: the verifier failed: {graded.verdict.detail}")
    r = graded.reward
    return {"score": r.total, "acc": r.accuracy, "format": r.format, "language": r.language}


@cache
def _grader() -> Grader:
    """One for the process: verl calls a bare function and says nothing of its end."""
    return Grader()


def _tests(ground_truth: Any) -> dict[str, Any] | None:
    if isinstance(ground_truth, str) and ground_truth.lstrip().startswith("{"):
        try:
            ground_truth = json.loads(ground_truth)
        except ValueError:  # a set in mathematics, {1, 2}
            return None
    if isinstance(ground_truth, dict) and "type" in ground_truth:
        return ground_truth
    return None
