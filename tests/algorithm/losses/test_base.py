"""What losses share, by the token-level mean: hand-computed numbers and a numpy reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from srpo.algorithm.losses import open_loss
from srpo.algorithm.losses.base import Tokens, TokenSums, kl_k3, truncated_weights
from srpo.recipe.schema import TokenMeanConfig

LENGTHS = torch.tensor([2])


def tensor(values: list[float] | np.ndarray) -> Tensor:
    return torch.tensor(np.asarray(values), dtype=torch.float64)


def at_ratio(ratio: float, advantage: float, **config: Any) -> tuple[TokenSums, float]:
    """The sums for one token, and the gradient with respect to its log-probability."""
    logprob = tensor([np.log(ratio) - 1.0]).requires_grad_()
    old = tensor([-1.0])
    tokens = Tokens(logprob, old, old, tensor([advantage]), torch.tensor([1]))
    sums = open_loss(TokenMeanConfig(**config)).sums(tokens)
    sums.loss.backward()
    assert logprob.grad is not None
    return sums, float(logprob.grad)


@pytest.mark.parametrize(
    ("ratio", "advantage", "loss", "gradient"),
    [
        (1.0, 2.0, -2.0, -2.0),  # on-policy: the gradient is minus the advantage
        (1.1, 2.0, -2.2, -2.2),  # inside the range: no clip
        (1.5, 2.0, -2.6, 0.0),  # cut at 1 + 0.3
        (0.5, 2.0, -1.0, -1.0),  # too low, but the minimum takes the unclipped: it may recover
        (0.5, -2.0, 1.8, 0.0),  # cut at 1 - 0.1
        (1.5, -2.0, 3.0, 3.0),  # a bad token that became likelier is never clipped
    ],
)
def test_hand_computed_clipping(
    ratio: float, advantage: float, loss: float, gradient: float
) -> None:
    sums, slope = at_ratio(ratio, advantage, clip_low=0.1, clip_high=0.3)
    assert sums.loss.item() == pytest.approx(loss)
    assert slope == pytest.approx(gradient)
    assert int(sums.clip_high) == (ratio > 1.3 and advantage > 0)
    assert int(sums.clip_low) == (ratio < 0.9 and advantage < 0)


def reference(
    now: np.ndarray,
    old: np.ndarray,
    engine: np.ndarray,
    a: np.ndarray,
    base: np.ndarray,
    config: TokenMeanConfig,
) -> tuple[float, int, int, float]:
    total = kl = 0.0
    low = high = 0
    for p, q, e, adv, b in zip(now, old, engine, a, base, strict=True):
        ratio = np.exp(p - q)
        bounded = min(max(ratio, 1 - config.clip_low), 1 + config.clip_high)
        weight = 1.0 if config.tis_cap is None else min(np.exp(q - e), config.tis_cap)
        total -= weight * min(ratio * adv, bounded * adv)
        k3 = np.exp(b - p) - (b - p) - 1
        kl += k3
        total += config.kl_coef * k3
        low += adv < 0 and ratio < 1 - config.clip_low
        high += adv > 0 and ratio > 1 + config.clip_high
    return total, low, high, kl


@given(
    st.integers(0, 2**32 - 1), st.integers(1, 40), st.sampled_from([None, 0.8, 2.0]),
    st.sampled_from([0.0, 0.3]),
)  # fmt: skip
def test_equals_the_float64_reference(seed: int, n: int, cap: float | None, kl: float) -> None:
    rng = np.random.default_rng(seed)
    now, base = -rng.exponential(2, n), -rng.exponential(2, n)
    old, engine = now + rng.normal(0, 0.4, n), now + rng.normal(0, 0.4, n)
    a = rng.normal(0, 1, n)
    config = TokenMeanConfig(clip_low=0.2, clip_high=0.28, tis_cap=cap, kl_coef=kl)
    parts = (tensor(now), tensor(old), tensor(engine), tensor(a))
    sums = open_loss(config).sums(Tokens(*parts, torch.tensor([n]), tensor(base)))
    total, low, high, divergence = reference(now, old, engine, a, base, config)
    assert sums.loss.item() == pytest.approx(total, rel=1e-12, abs=1e-9)
    assert (int(sums.clip_low), int(sums.clip_high)) == (low, high)
    assert sums.kl.item() == pytest.approx(divergence if kl else 0.0, rel=1e-12, abs=1e-9)


def test_without_a_cap_the_engine_log_probabilities_do_not_matter() -> None:
    now, a = tensor([-1.0, -2.0]), tensor([1.0, 0.5])
    losses = {
        float(open_loss(TokenMeanConfig()).sums(Tokens(now, now, engine, a, LENGTHS)).loss)
        for engine in (now, now - 3.0, tensor([float("nan")] * 2))
    }
    assert losses == {-1.5}


def test_truncated_weights_by_hand() -> None:
    learner, engine = tensor(np.log([0.2, 0.9, 0.5])), tensor(np.log([0.4, 0.1, 0.5]))
    assert truncated_weights(learner, engine, 2.0).tolist() == pytest.approx([0.5, 2.0, 1.0])


def test_the_cap_scales_the_gradient_and_has_none_itself() -> None:
    now = tensor(np.log([0.2, 0.9])).requires_grad_()
    engine = tensor(np.log([0.4, 0.1]))
    loss = open_loss(TokenMeanConfig(tis_cap=2.0))
    loss.sums(Tokens(now, now.detach(), engine, tensor([1.0, 1.0]), LENGTHS)).loss.backward()
    assert now.grad is not None
    assert now.grad.tolist() == pytest.approx([-0.5, -2.0])


def test_k3_by_hand() -> None:
    # reference twice as likely: 2 - 1 - ln 2; half as likely: 1/2 - 1 + ln 2
    found = kl_k3(tensor(np.log([0.2, 0.2])), tensor(np.log([0.4, 0.1])))
    assert found.tolist() == pytest.approx([1 - np.log(2), np.log(2) - 0.5])


@given(st.integers(0, 2**32 - 1))
def test_k3_is_never_negative_and_estimates_the_divergence(seed: int) -> None:
    rng = np.random.default_rng(seed)
    p, q = rng.dirichlet(np.ones(6), 2).clip(1e-6)
    p, q = p / p.sum(), q / q.sum()
    k3 = kl_k3(tensor(np.log(p)), tensor(np.log(q))).numpy()
    assert (k3 >= 0).all()
    assert (p * k3).sum() == pytest.approx((p * np.log(p / q)).sum(), abs=1e-9)
