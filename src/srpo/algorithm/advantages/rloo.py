"""REINFORCE leave-one-out (RLOO, arXiv 2402.14740 section 3.3).

    A_i = r_i - mean of the other rollouts' r

A baseline that r_i has no part in leaves the gradient unbiased.
"""

from __future__ import annotations

from torch import Tensor

from srpo.algorithm.advantages.base import Advantage


class RlooAdvantage(Advantage):
    def compare(self, rewards: Tensor) -> Tensor:
        return rewards - (rewards.sum() - rewards) / (len(rewards) - 1)
