"""Clipped importance weights (CISPO; MiniMax-M1, arXiv 2506.13585 equations 4 and 5).

    L = -1/tokens sum over all tokens t of sg(clip(r_t)) A_t log pi(t)

PPO's clip takes the gradient from tokens that moved far, among them the rare ones at which
reasoning forks ("however", "wait"). Here the ratio is a weight without gradient, and clipping
bounds it: every token keeps its gradient. The paper sets no lower bound, and an upper one that it
does not tell.
"""

from __future__ import annotations

from torch import Tensor

from srpo.algorithm.losses.base import Tokens
from srpo.algorithm.losses.token_mean import TokenMeanLoss


class CispoLoss(TokenMeanLoss):
    def gain(self, ratio: Tensor, t: Tokens) -> Tensor:
        return self.clip(ratio).detach() * t.advantages * t.logprobs

    def clipped(self, ratio: Tensor, t: Tokens) -> tuple[Tensor, Tensor]:
        return ratio < 1 - self.config.clip_low, ratio > 1 + self.config.clip_high
