"""Does the engine sample from the learner's weights? A few tokens tell.

Engines can fail to take new weights without any error, and then training learns from the answers
of a policy that is gone. So after each weight change the engine samples a few tokens, and its
log-probabilities are held against the learner's.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

from srpo.errors import EngineError, StaleWeightsError
from srpo.rollout.engine import Request, RolloutEngine, Sampling

Score = Callable[[list[tuple[list[int], list[int]]]], list[list[float]]]

PROMPTS, TOKENS = 4, 8
# Rounding explains this much, on average over the tokens. Weights that stay behind differ by more
# after some steps at the latest, since their difference grows from step to step.
TOLERANCE = {"float32": 0.003, "bfloat16": 0.05}


class FreshnessCheck:
    """Samples the same few prompts with the same seeds each time."""

    def __init__(self, prompts: list[list[int]], sampling: Sampling, tolerance: float):
        """`sampling` is that of training: temperature and top-p are checked with the weights."""
        self.requests = [Request(i, ids, 1, i) for i, ids in enumerate(prompts[:PROMPTS])]
        self.sampling = Sampling(
            sampling.temperature, sampling.top_p, min(TOKENS, sampling.max_new_tokens)
        )
        self.tolerance = tolerance

    def difference(self, engine: RolloutEngine, score: Score) -> float:
        """Mean |log-probability of the engine - of the learner| over the sampled tokens.

        Args:
            score: (prompt ids, response ids) of some responses to the learner's
                log-probabilities of their tokens.
        """
        answers, theirs = [], []
        for request, [rollout] in engine.generate(self.requests, self.sampling):
            if rollout.token_ids:
                answers.append((request.prompt_ids, rollout.token_ids))
                theirs.append(rollout.logprobs)
        if not answers:
            raise EngineError("the engine sampled nothing for the freshness check")
        pairs = zip(chain(*theirs), chain(*score(answers)), strict=True)
        differences = [abs(a - b) for a, b in pairs]
        return sum(differences) / len(differences)

    def check(self, difference: float) -> None:
        """Raises StaleWeightsError when it is above the tolerance, or no number."""
        if not difference <= self.tolerance:
            raise StaleWeightsError(
                f"the engine's log-probabilities differ from the learner's by {difference:.3g} on"
                f" average, more than rollout.freshness_tolerance {self.tolerance:g}: it does not"
                " sample from the learner's weights, or not in learner.dtype"
            )
