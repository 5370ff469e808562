"""Group-relative advantages (GRPO, arXiv 2402.03300 section 4.1; SRPO, the objective).

    A_i = (r_i - mean r) / std r

Without the division by the standard deviation it is Dr. GRPO's (arXiv 2503.20783): dividing gives
prompts whose rewards hardly differ, the very easy and very hard ones, more weight than others.
"""

from __future__ import annotations

from torch import Tensor

from srpo.algorithm.advantages.base import Advantage
from srpo.recipe.schema import GroupConfig

EPSILON = 1e-6  # keeps the division finite; far below any reward scale in use


class GroupAdvantage(Advantage):
    config: GroupConfig

    def compare(self, rewards: Tensor) -> Tensor:
        centred = rewards - rewards.mean()
        if not self.config.normalize_std:
            return centred
        # The population's deviation: the group is all there is, so the mean square becomes 1.
        return centred / (rewards.std(correction=0) + EPSILON)
