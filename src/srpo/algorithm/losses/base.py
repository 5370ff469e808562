"""What a loss is: a gain for each token, how gains are added up, and one denominator.

    L = -1/D sum over responses i and their tokens t of v_i w_t gain_t

D counts the *whole* batch. Functions here return sums over tokens; whoever calls divides by D
once, so the result does not depend on how a batch is cut into micro-batches or ranks. w_t are
truncated importance weights, where tis_cap is set. The KL term is added up as the gains are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from srpo.recipe.schema import LossSettings, TokenLossSettings


@dataclass(frozen=True)
class Tokens:
    """The N tokens of B whole responses, one response after the other."""

    logprobs: Tensor  # (N,) the learner's log-probabilities now; carries gradient
    old_logprobs: Tensor  # (N,) the learner's at the start of the step; no gradient
    engine_logprobs: Tensor  # (N,) the rollout engine's, at sampling
    advantages: Tensor  # (N,) each token's response's advantage
    lengths: Tensor  # (B,) tokens of each response
    reference_logprobs: Tensor | None = None  # (N,) the base model's; with a KL term

    def mean(self, values: Tensor) -> Tensor:
        """(N,) for each token the mean of (N,) values over its response."""
        of = torch.arange(len(self.lengths), device=values.device).repeat_interleave(self.lengths)
        sums = values.new_zeros(len(self.lengths)).index_add(0, of, values)
        return (sums / self.lengths)[of]


@dataclass
class TokenSums:
    """Sums over tokens (scalars); `loss` carries the gradient, the others do not."""

    loss: Tensor
    clip_low: Tensor
    clip_high: Tensor
    kl: Tensor


class Loss(ABC):
    """The clipped gain of PPO, min(r A, clip(r, 1 - low, 1 + high) A), r a token's ratio.

    A rule says what it divides by, and overrides what else it changes.
    """

    def __init__(self, config: LossSettings):
        self.config = config
        self.tis_cap = config.tis_cap if isinstance(config, TokenLossSettings) else None

    @abstractmethod
    def denominator(self, tokens: int, rollouts: int) -> float:
        """D, from the numbers of tokens and rollouts in the whole batch, silent ones included."""

    def ratio(self, t: Tokens) -> Tensor:
        """(N,) how much likelier each token became since it was sampled."""
        return torch.exp(t.logprobs - t.old_logprobs)

    def clip(self, ratio: Tensor) -> Tensor:
        """(N,) the ratio, kept from 1 - clip_low to 1 + clip_high."""
        return ratio.clamp(1 - self.config.clip_low, 1 + self.config.clip_high)

    def gain(self, ratio: Tensor, t: Tokens) -> Tensor:
        """(N,) what each token adds to the objective."""
        return torch.minimum(ratio * t.advantages, self.clip(ratio) * t.advantages)

    def clipped(self, ratio: Tensor, t: Tokens) -> tuple[Tensor, Tensor]:
        """(N,) bool each: where the clip changes the gain, below and above."""
        low = (ratio < 1 - self.config.clip_low) & (t.advantages < 0)
        return low, (ratio > 1 + self.config.clip_high) & (t.advantages > 0)

    def total(self, values: Tensor, t: Tokens) -> Tensor:
        """(N,) values of tokens added up, v_i their responses' weights: here 1."""
        return values.sum()

    def sums(self, t: Tokens) -> TokenSums:
        """The loss of these tokens, to be divided by the batch's denominator."""
        ratio = self.ratio(t)
        gain = self.gain(ratio, t)
        if self.tis_cap is not None:
            gain = gain * truncated_weights(t.old_logprobs, t.engine_logprobs, self.tis_cap)
        loss, kl = -self.total(gain, t), t.logprobs.new_zeros(())
        if self.config.kl_coef > 0:
            assert t.reference_logprobs is not None, "kl_coef above 0 needs the base model's"
            divergence = kl_k3(t.logprobs, t.reference_logprobs)
            loss = loss + self.config.kl_coef * self.total(divergence, t)
            kl = divergence.detach().sum()
        with torch.no_grad():
            low, high = self.clipped(ratio, t)
        return TokenSums(loss, low.sum(), high.sum(), kl)


def truncated_weights(learner: Tensor, engine: Tensor, cap: float) -> Tensor:
    """min(pi_learner / pi_engine, cap) for each token: corrects for an engine whose numerics
    differ from the learner's (https://fengyao.notion.site/off-policy-rl). No gradient."""
    return torch.exp(learner - engine).clamp(max=cap).detach()


def kl_k3(logprobs: Tensor, reference: Tensor) -> Tensor:
    """The k3 estimate of KL(policy || reference) for each sampled token; never negative
    (http://joschu.net/blog/kl-approx.html)."""
    delta = reference - logprobs
    return torch.exp(delta) - 1 - delta
