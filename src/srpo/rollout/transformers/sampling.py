"""Draw the next token of each row from its logits and its own random number."""

from __future__ import annotations

import torch
from torch import Tensor

from srpo.nucleus import in_support


def uniforms(seed: int, n: int, length: int) -> Tensor:
    """(n, length) numbers in [0, 1), float64: the randomness of one request, fixed by its seed."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(n, length, generator=generator, dtype=torch.float64)


def sample(
    logits: Tensor, uniform: Tensor, temperature: float, top_p: float, top_k: int = 0
) -> tuple[Tensor, Tensor]:
    """Sample by inverting the cumulative distribution.

    Args:
        logits: (B, V).
        uniform: (B,) float64 in [0, 1), one for each row, so that a row's draw does not depend
            on which other rows share its batch.
        temperature: divides the logits.
        top_p: keep the smallest set of tokens whose probability reaches this.
        top_k: and before that the so many likeliest tokens; 0 keeps all.

    Returns:
        (B,) token ids and (B,) float32 log-probabilities of the distribution after the cut.
    """
    logprobs = torch.log_softmax(logits.float() / temperature, dim=-1)
    weights = logprobs.double().exp()
    kept = in_support(weights, top_p, top_k)
    if kept is not None:
        weights = weights.masked_fill(~kept, 0.0)
    cumulative = weights.cumsum(-1)
    # A uniform below 1 times the total can round up to the total; the last token with any
    # weight is then the right one.
    last = (weights > 0).int().cumsum(-1).argmax(-1)
    target = uniform.to(weights.device) * cumulative[:, -1]
    tokens = torch.searchsorted(cumulative, target[:, None], right=True)[:, 0].minimum(last)
    chosen = logprobs.gather(-1, tokens[:, None])[:, 0]
    return tokens, chosen if kept is None else chosen - cumulative[:, -1].log().float()
