"""The constant normaliser of Dr. GRPO (arXiv 2503.20783 section 3).

    L = -1/(rollouts x length) sum over all tokens t of gain_t

`length` is the same for all responses and all steps, so a token's weight depends neither on its
response's length nor on the batch's. The other half of Dr. GRPO is an advantage without standard
deviation: `advantage: {kind: group, normalize_std: false}`.
"""

from __future__ import annotations

from srpo.algorithm.losses.base import Loss
from srpo.recipe.schema import DrGrpoConfig


class DrGrpoLoss(Loss):
    config: DrGrpoConfig

    def denominator(self, tokens: int, rollouts: int) -> float:
        assert self.config.length is not None, "a whole recipe fills it in"
        return rollouts * self.config.length
