"""The sample-level mean of GRPO's first paper (DeepSeekMath, arXiv 2402.03300 equation 3).

    L = -1/rollouts sum over responses i of 1/|i| sum over its tokens t of gain_t

Every response weighs the same, so the tokens of a long one weigh less, be they right or wrong.
"""

from __future__ import annotations

from torch import Tensor

from srpo.algorithm.losses.base import Loss, Tokens


class SampleMeanLoss(Loss):
    def denominator(self, tokens: int, rollouts: int) -> float:
        return rollouts

    def total(self, values: Tensor, t: Tokens) -> Tensor:
        return (values / t.lengths.repeat_interleave(t.lengths)).sum()
