"""From a verdict to a reward: the terms, and their weighted sum."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from srpo.recipe.own import load_own
from srpo.recipe.schema import RewardConfig
from srpo.types import Outcome, Problem, Reward, TrainingError, UserError, Verdict, short
from srpo.verifiers.domain import Domain
from srpo.verifiers.language.mixing import mixed

Term = Callable[[Problem, str, Verdict], float]


class RewardRule:
    """`(problem, text, verdict) -> Reward`: accuracy and format earn their weights, mixing
    languages costs its own, and each of the recipe's own terms is added by its weight.

    config     a recipe's `reward` section
    domains    of the problems, by name: they know the format

    Raises UserError for a term of one's own that cannot be loaded.
    """

    def __init__(self, config: RewardConfig, domains: Mapping[str, Domain]):
        self.config, self.domains = config, domains
        self.terms = {name: _load(name) for name in config.terms}

    def __call__(self, problem: Problem, text: str, verdict: Verdict) -> Reward:
        """The terms are 1.0 or 0.0 before weighting (language: 1.0 means mixed), own ones any
        finite number.

        Raises ValueError for an ERROR verdict: our failure is not a 0, such a rollout has no
        reward. Raises TrainingError when a term of one's own fails.
        """
        if verdict.outcome is Outcome.ERROR:
            raise ValueError(f"problem {problem.id}: an ERROR verdict has no reward; exclude it")
        weights = self.config
        accuracy = float(verdict.outcome is Outcome.CORRECT)
        form = float(self.domains[problem.domain].format(text, weights))
        language = float(mixed(problem.prompt, text))
        own = {n: _value(n, term, problem, text, verdict) for n, term in self.terms.items()}
        total = weights.accuracy * accuracy + weights.format * form - weights.language * language
        total += sum(weights.terms[name] * value for name, value in own.items())
        return Reward(accuracy, form, language, total, own=own)


def _load(name: str) -> Any:
    term = load_own(name, "reward.terms")
    if not callable(term):
        raise UserError(
            f"reward.terms: {name!r} is {short(term)}: give a function (problem, text, verdict)"
        )
    return term


def _value(name: str, term: Term, problem: Problem, text: str, verdict: Verdict) -> float:
    try:
        value = float(term(problem, text, verdict))
    except Exception as error:  # whatever code of the user's own may raise
        why = f"{type(error).__name__}: {error}"
    else:
        if math.isfinite(value):
            return value
        why = f"it returned {value}, no finite number"
    raise TrainingError(f"reward.terms: {name!r} failed for problem {problem.id!r}: {why}")
