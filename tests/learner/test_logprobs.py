"""Scores of tokens without all logits at once: the same numbers and gradients, less memory."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from srpo.learner.logprobs import token_logprobs

N, D, V = 23, 8, 50


def parts() -> tuple[Tensor, nn.Linear, Tensor]:
    random = torch.Generator().manual_seed(3)
    hidden = torch.randn(N, D, generator=random, dtype=torch.float64).requires_grad_()
    head = nn.Linear(D, V, bias=False, dtype=torch.float64)
    with torch.no_grad():
        head.weight.copy_(torch.randn(V, D, generator=random, dtype=torch.float64))
    return hidden, head, torch.randint(V, (N,), generator=random)


@pytest.mark.parametrize("chunk", [V, 2**24])
def test_with_top_p_the_scores_are_those_of_the_nucleus(chunk: int) -> None:
    hidden, head, targets = parts()
    scores, entropy = token_logprobs(hidden, head, targets, 3.0, chunk, top_p=0.8)
    uncut, same_entropy = token_logprobs(hidden, head, targets, 3.0, chunk)
    assert torch.equal(entropy, same_entropy), "the policy's own, before the cut"
    outside = 0
    for i, row in enumerate(torch.softmax(head(hidden) / 3.0, -1).tolist()):
        kept, mass = set(), 0.0
        for token in sorted(range(V), key=lambda t: -row[t]):
            if mass < 0.8:
                kept.add(token)
                mass += row[token]
        target = int(targets[i])
        outside += target not in kept
        mass = sum(row[t] for t in kept | {target})
        assert scores[i].item() == pytest.approx(math.log(row[target] / mass), abs=1e-5)
        assert scores[i] >= uncut[i]
    assert 0 < outside < N, "the test sees both"


@pytest.mark.parametrize("chunk", [1, V, 5 * V, 22 * V, N * V, 2**24])
@pytest.mark.parametrize("temperature", [1.0, 0.6])
def test_scores_entropies_and_gradients_equal_float64(chunk: int, temperature: float) -> None:
    hidden, head, targets = parts()
    sizes: list[int] = []
    handle = head.register_forward_hook(lambda _m, _i, out: sizes.append(out.numel()))
    scores, entropy = token_logprobs(hidden, head, targets, temperature, chunk)
    (scores * torch.arange(N)).sum().backward()
    handle.remove()
    assert max(sizes) <= max(chunk, V), "no more logits at once than allowed"
    assert hidden.grad is not None
    found = hidden.grad.clone(), head.weight.grad

    hidden, head, targets = parts()
    whole = torch.log_softmax(head(hidden) / temperature, -1)
    expected = whole[range(N), targets]
    (expected * torch.arange(N)).sum().backward()
    assert torch.allclose(scores.double(), expected, atol=1e-5)
    assert torch.allclose(entropy.double(), -(whole.exp() * whole).sum(-1), atol=1e-5)
    assert not entropy.requires_grad
    for a, b in zip(found, (hidden.grad, head.weight.grad), strict=True):
        assert a is not None
        assert b is not None
        assert (a - b).norm() <= 1e-6 * b.norm()


@pytest.mark.parametrize("top_p", [1.0, 0.8])
def test_with_top_k_the_scores_are_those_of_the_likeliest(top_p: float) -> None:
    hidden, head, targets = parts()
    scores, _ = token_logprobs(hidden, head, targets, 3.0, 2**24, top_p, top_k=7)
    outside = 0
    for i, row in enumerate(torch.softmax(head(hidden) / 3.0, -1).tolist()):
        likeliest = sorted(range(V), key=lambda t: -row[t])[:7]
        total, kept, mass = sum(row[t] for t in likeliest), set(), 0.0
        for token in likeliest:
            if mass < top_p * total:
                kept.add(token)
                mass += row[token]
        target = int(targets[i])
        outside += target not in kept
        mass = sum(row[t] for t in kept | {target})
        assert scores[i].item() == pytest.approx(math.log(row[target] / mass), abs=1e-5)
    assert 0 < outside < N, "the test sees both"
