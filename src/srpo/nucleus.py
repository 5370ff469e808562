"""Top-p's set of tokens: the engine samples from it, the learner scores with it."""

from __future__ import annotations

from torch import Tensor


def in_nucleus(probabilities: Tensor, top_p: float) -> Tensor:
    """(B, V) probabilities to (B, V) booleans: the smallest set that reaches `top_p`."""
    ordered, order = probabilities.double().sort(dim=-1, descending=True, stable=True)
    before = ordered.cumsum(-1) - ordered
    return (before < top_p).scatter(-1, order, before < top_p)
