"""Top-k's and top-p's set of tokens: the engine samples from it, the learner scores with it."""

from __future__ import annotations

import torch
from torch import Tensor


def in_support(probabilities: Tensor, top_p: float, top_k: int = 0) -> Tensor | None:
    """(B, V) probabilities to (B, V) booleans: the `top_k` likeliest tokens (0: all), and of those
    the smallest set that reaches `top_p` of their sum. None where that is every token."""
    kept = None
    if 0 < top_k < probabilities.shape[-1]:
        kept = in_top(probabilities, top_k)
        probabilities = probabilities.double().masked_fill(~kept, 0.0)
        probabilities = probabilities / probabilities.sum(-1, keepdim=True)
    if top_p < 1.0:
        nucleus = in_nucleus(probabilities, top_p)
        kept = nucleus if kept is None else kept & nucleus
    return kept


def in_top(probabilities: Tensor, k: int) -> Tensor:
    """(B, V) booleans: the k likeliest, of equal ones the first."""
    order = probabilities.sort(dim=-1, descending=True, stable=True).indices[..., :k]
    return torch.zeros_like(probabilities, dtype=torch.bool).scatter(-1, order, True)


def in_nucleus(probabilities: Tensor, top_p: float) -> Tensor:
    """(B, V) probabilities to (B, V) booleans: the smallest set that reaches `top_p`."""
    ordered, order = probabilities.double().sort(dim=-1, descending=True, stable=True)
    before = ordered.cumsum(-1) - ordered
    return (before < top_p).scatter(-1, order, before < top_p)
