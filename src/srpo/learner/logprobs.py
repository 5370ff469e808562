"""Log-probabilities of given tokens, without ever holding all logits of a batch."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from srpo.nucleus import in_support


def token_logprobs(
    hidden: Tensor,
    head: nn.Module,
    targets: Tensor,
    temperature: float,
    logit_chunk: int,
    top_p: float = 1.0,
    top_k: int = 0,
) -> tuple[Tensor, Tensor]:
    """Score `targets` under softmax(head(hidden) / temperature), cut to its top-k and nucleus.

    Args:
        hidden: (N, D) final hidden states.
        head: maps (n, D) to (n, V).
        targets: (N,) token ids.
        temperature: the sampling temperature.
        logit_chunk: how many logits may be held at once. When N * V is more, the work is cut
            into chunks whose logits are computed again in the backward pass.
        top_p: of the sampling. A target belongs to the nucleus in any case, since rounding may
            have put it on the other side of the edge.
        top_k: of the sampling, likewise.

    Returns:
        (N,) float32 log-probabilities, and (N,) entropies in nats, before the cut, without
        gradient.
    """

    def score(h: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        logprobs = torch.log_softmax(head(h).float() / temperature, dim=-1)
        with torch.no_grad():
            entropy = -(logprobs.exp() * logprobs).sum(-1)
        kept = in_support(logprobs.detach().exp(), top_p, top_k)
        if kept is not None:
            kept = kept.scatter(-1, t[:, None], True)
            logprobs = torch.log_softmax(logprobs.masked_fill(~kept, -torch.inf), dim=-1)
        return logprobs.gather(-1, t[:, None])[:, 0], entropy

    vocabulary = getattr(head, "out_features", None) or head(hidden[:1]).shape[-1]
    size = max(1, logit_chunk // vocabulary)
    if hidden.shape[0] <= size:
        return score(hidden, targets)
    parts = [
        checkpoint(score, h, t, use_reentrant=False)
        for h, t in zip(hidden.split(size), targets.split(size), strict=True)
    ]
    return torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts])
