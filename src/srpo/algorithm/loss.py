"""The token-level clipped policy loss (SRPO: GRPO, token-level, without KL).

    L = -1/N sum over all tokens t of w_t min(r_t A_t, clip(r_t, 1 - low, 1 + high) A_t)

N is the number of tokens in the *whole* batch (DAPO, arXiv 2503.14476 section 3.3). Functions
here return sums over tokens; whoever calls divides by N once, so the result does not depend
on how a batch is cut into micro-batches or ranks.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from srpo.recipe.schema import LossConfig


@dataclass
class TokenSums:
    """Sums over tokens (scalars); `loss` carries the gradient, the others do not."""

    loss: Tensor
    clip_low: Tensor
    clip_high: Tensor
    kl: Tensor


def policy_loss(
    logprobs: Tensor,
    old_logprobs: Tensor,
    engine_logprobs: Tensor,
    advantages: Tensor,
    config: LossConfig,
    reference_logprobs: Tensor | None = None,
) -> TokenSums:
    """Sum the clipped loss over tokens.

    Args:
        logprobs: (N,) the learner's log-probabilities now; carries gradient.
        old_logprobs: (N,) the learner's at the start of the step; no gradient.
        engine_logprobs: (N,) the rollout engine's, at sampling.
        advantages: (N,) each token's rollout's advantage.
        config: clip range, KL weight, cap of the truncated importance weights.
        reference_logprobs: (N,) the base model's; needed when kl_coef is above 0.

    Returns:
        Sums over the N tokens, to be divided by the batch's token count.
    """
    ratio = torch.exp(logprobs - old_logprobs)
    clipped = ratio.clamp(1 - config.clip_low, 1 + config.clip_high)
    gain = torch.minimum(ratio * advantages, clipped * advantages)
    if config.tis_cap is not None:
        gain = gain * truncated_weights(old_logprobs, engine_logprobs, config.tis_cap)
    loss, kl = -gain.sum(), logprobs.new_zeros(())
    if config.kl_coef > 0:
        assert reference_logprobs is not None, "kl_coef above 0 needs the base model's"
        divergence = kl_k3(logprobs, reference_logprobs).sum()
        loss, kl = loss + config.kl_coef * divergence, divergence.detach()
    with torch.no_grad():
        low = ((ratio < 1 - config.clip_low) & (advantages < 0)).sum()
        high = ((ratio > 1 + config.clip_high) & (advantages > 0)).sum()
    return TokenSums(loss, low, high, kl)


def truncated_weights(learner: Tensor, engine: Tensor, cap: float) -> Tensor:
    """min(pi_learner / pi_engine, cap) for each token: corrects for an engine whose numerics
    differ from the learner's (https://fengyao.notion.site/off-policy-rl). No gradient."""
    return torch.exp(learner - engine).clamp(max=cap).detach()


def kl_k3(logprobs: Tensor, reference: Tensor) -> Tensor:
    """The k3 estimate of KL(policy || reference) for each sampled token; never negative
    (http://joschu.net/blog/kl-approx.html)."""
    delta = reference - logprobs
    return torch.exp(delta) - 1 - delta
