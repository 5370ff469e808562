"""Group-relative advantages (GRPO, arXiv 2402.03300 section 4.1; SRPO, the objective)."""

from __future__ import annotations

import torch
from torch import Tensor

from srpo.recipe.schema import AdvantageConfig

EPSILON = 1e-6  # keeps the division finite; far below any reward scale in use


def group_advantages(rewards: Tensor, correct: Tensor, config: AdvantageConfig) -> Tensor:
    """How much better each rollout of one group did than its group.

    Args:
        rewards: (G,) total rewards of the group's valid rollouts.
        correct: (G,) bool, the same rollouts' accuracy verdicts.
        config: whether to divide by the standard deviation, and the outcome gate.

    Returns:
        (G,) advantages of mean zero. All zero for a group without variance in reward, for one
        without variance in accuracy when the gate is on, and for fewer than two rollouts.
    """
    gated = config.outcome_gate and bool(correct.all() or not correct.any())
    if rewards.numel() < 2 or gated or bool((rewards == rewards[0]).all()):
        return torch.zeros_like(rewards)
    centred = rewards - rewards.mean()
    if not config.normalize_std:
        return centred
    # The population's deviation: the group is all there is, so the mean square becomes 1.
    return centred / (rewards.std(correction=0) + EPSILON)
