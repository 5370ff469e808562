"""What an advantage is: how much better each rollout of one group did than the others."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from srpo.recipe.schema import AdvantageSettings


class Advantage(ABC):
    """A rule says how rollouts are compared; what cannot be is silent whatever the rule."""

    def __init__(self, config: AdvantageSettings):
        self.config = config

    @abstractmethod
    def compare(self, rewards: Tensor) -> Tensor:
        """(G,) advantages from (G,) total rewards that are not all alike, G at least 2."""

    def __call__(self, rewards: Tensor, correct: Tensor) -> Tensor:
        """The advantages of one group's valid rollouts.

        Args:
            rewards: (G,) their total rewards.
            correct: (G,) bool, their accuracy verdicts.

        Returns:
            (G,) All zero for a group without variance in reward, for one without variance in
            accuracy when the outcome gate is on, and for fewer than two rollouts.
        """
        gated = self.config.outcome_gate and bool(correct.all() or not correct.any())
        if rewards.numel() < 2 or gated or bool((rewards == rewards[0]).all()):
            return torch.zeros_like(rewards)
        return self.compare(rewards)
