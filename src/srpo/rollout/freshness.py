"""Does the engine sample from the learner's weights? A few tokens tell.

Engines can fail to take new weights without any error, and then training learns from the answers
of a policy that is gone. So after each weight change the engine samples a few tokens, and its
log-probabilities are held against the learner's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from srpo.errors import EngineError, StaleWeightsError
from srpo.rollout.engine import Request, RolloutEngine, Sampling

Score = Callable[[list[tuple[list[int], np.ndarray]]], list[np.ndarray]]

PROMPTS, TOKENS = 4, 8
# Rounding explains this much, on average over the tokens. Weights that stay behind differ by more
# after some steps at the latest, since their difference grows from step to step.
TOLERANCE = {"float32": 0.003, "bfloat16": 0.05}


class FreshnessCheck:
    """Samples the same few prompts with the same seeds each time."""

    def __init__(
        self,
        engine: RolloutEngine,
        score: Score,
        prompts: list[list[int]],
        sampling: Sampling,
        tolerance: float,
    ):
        """
        Args:
            score: (prompt ids, response ids) of some responses to the learner's log-probabilities
                of their tokens.
            prompts: the first PROMPTS are used. None at all: nothing is ever checked, for an
                engine that cannot fail to take new weights.
            sampling: that of training: temperature and top-p are checked with the weights.
            tolerance: the most that rounding explains.
        """
        self.engine, self.score, self.tolerance = engine, score, tolerance
        self.requests = [Request(i, ids, 1, i) for i, ids in enumerate(prompts[:PROMPTS])]
        self.sampling = replace(
            sampling, max_new_tokens=min(TOKENS, sampling.max_new_tokens), stop=()
        )

    def difference(self) -> float | None:
        """Mean |log-probability of the engine - of the learner| over the sampled tokens."""
        if not self.requests:
            return None
        answers, theirs = [], []
        for request, [rollout] in self.engine.generate(self.requests, self.sampling):
            if len(rollout.token_ids):
                answers.append((request.prompt_ids, rollout.token_ids))
                theirs.append(rollout.logprobs)
        if not answers:
            raise EngineError("the engine sampled nothing for the freshness check")
        engine, learner = np.concatenate(theirs), np.concatenate(self.score(answers))
        return float(np.abs(engine.astype(np.float64) - learner).mean())

    def probe(self) -> dict[str, float]:
        """The difference and what it cost to find out, as metrics; empty without prompts."""
        start = time.perf_counter()
        if (difference := self.difference()) is None:
            return {}
        return {"mismatch/probe": difference, "seconds/probe": time.perf_counter() - start}

    def check(self, difference: float | None) -> None:
        """Raises StaleWeightsError when it is above the tolerance, or no number."""
        if difference is not None and not difference <= self.tolerance:
            raise StaleWeightsError(
                f"the engine's log-probabilities differ from the learner's by {difference:.3g} on"
                f" average, more than rollout.freshness_tolerance {self.tolerance:g}: it does not"
                " sample from the learner's weights, or not in learner.dtype"
            )
