"""From a verdict to a reward: the terms, and their weighted sum."""

from __future__ import annotations

from typing import Protocol

from srpo.recipe.schema import CodeFormat, MathFormat, RewardConfig
from srpo.types import Outcome, Problem, Reward, Verdict
from srpo.verifiers.format import format_ok
from srpo.verifiers.language.mixing import mixed

DEFAULT_WEIGHTS = RewardConfig()  # frozen


class RewardWeights(Protocol):
    """Any object with these fields will do; a recipe's reward section does."""

    @property
    def accuracy(self) -> float:
        """What a correct answer adds."""
        ...

    @property
    def format(self) -> float:
        """What the asked-for format adds."""
        ...

    @property
    def language(self) -> float:
        """What mixing languages costs."""
        ...

    @property
    def math_format(self) -> MathFormat: ...
    @property
    def code_format(self) -> CodeFormat: ...


def reward(
    problem: Problem, text: str, verdict: Verdict, weights: RewardWeights = DEFAULT_WEIGHTS
) -> Reward:
    """accuracy and format earn their weights, mixing languages costs its own.

    The terms are 1.0 or 0.0 before weighting (language: 1.0 means mixed). Raises ValueError
    for an ERROR verdict: our failure is not a 0, such a rollout has no reward.
    """
    if verdict.outcome is Outcome.ERROR:
        raise ValueError(f"problem {problem.id}: an ERROR verdict has no reward; exclude it")
    accuracy = float(verdict.outcome is Outcome.CORRECT)
    form = float(format_ok(problem, text, weights.math_format, weights.code_format))
    language = float(mixed(problem.prompt, text))
    total = weights.accuracy * accuracy + weights.format * form - weights.language * language
    return Reward(accuracy=accuracy, format=form, language=language, total=total)
