"""The token-level mean (SRPO; DAPO, arXiv 2503.14476 section 3.3).

Every token of the batch weighs the same, so a long response weighs as many tokens as it has.
"""

from __future__ import annotations

from srpo.algorithm.losses.base import Loss


class TokenMeanLoss(Loss):
    def denominator(self, tokens: int, rollouts: int) -> float:
        return tokens
