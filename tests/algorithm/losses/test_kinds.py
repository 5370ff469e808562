"""Each loss by hand, on two responses: what it divides by, and each token's loss and gradient."""

from __future__ import annotations

from math import exp, log

import pytest
import torch

from srpo.algorithm.losses import open_loss
from srpo.algorithm.losses.base import Tokens, TokenSums
from srpo.recipe.schema import (
    CispoConfig,
    DrGrpoConfig,
    GspoConfig,
    LossConfig,
    SampleMeanConfig,
    TokenMeanConfig,
)

A, B = 1.0, -2.0  # advantages of a response of one token and of one of three
NOW = [-1.0, -0.5, -2.0, -1.5]


def run(
    config: LossConfig, ratios: list[float], **parts: list[float]
) -> tuple[TokenSums, list[float]]:
    """The sums for the two responses, and the gradient for each of their four tokens."""
    now = torch.tensor(NOW, dtype=torch.float64, requires_grad=True)
    old = now.detach() - torch.tensor(ratios, dtype=torch.float64).log()
    given = {k: torch.tensor(v, dtype=torch.float64) for k, v in parts.items()}
    advantages = torch.tensor([A, B, B, B], dtype=torch.float64)
    tokens = {"engine_logprobs": old, "advantages": advantages, **given}
    sums = open_loss(config).sums(Tokens(now, old, lengths=torch.tensor([1, 3]), **tokens))
    sums.loss.backward()
    assert now.grad is not None
    return sums, now.grad.tolist()


@pytest.mark.parametrize(
    ("config", "denominator"),
    [
        (TokenMeanConfig(), 700),
        (SampleMeanConfig(), 12),
        (DrGrpoConfig(length=50), 600),
        (GspoConfig(), 12),
        (CispoConfig(), 700),
    ],
)
def test_denominators_of_a_batch_of_12_rollouts_and_700_tokens(
    config: LossConfig, denominator: int
) -> None:
    assert open_loss(config).denominator(tokens=700, rollouts=12) == denominator


@pytest.mark.parametrize("config", [TokenMeanConfig(), DrGrpoConfig(length=9)])
def test_every_token_weighs_the_same(config: LossConfig) -> None:
    sums, gradient = run(config, [1.1, 1.0, 0.9, 0.5])
    # the last is cut at 0.8, which is worth 1.6 and has no gradient
    assert sums.loss.item() == pytest.approx(-1.1 + 2.0 + 1.8 + 1.6)
    assert gradient == pytest.approx([-1.1, 2.0, 1.8, 0.0])


def test_every_response_weighs_the_same() -> None:
    sums, gradient = run(SampleMeanConfig(), [1.1, 1.0, 0.9, 0.5])
    assert sums.loss.item() == pytest.approx(-1.1 + (2.0 + 1.8 + 1.6) / 3)
    assert gradient == pytest.approx([-1.1, 2.0 / 3, 1.8 / 3, 0.0])


def test_the_kl_term_and_importance_weights_are_added_up_as_the_gains_are() -> None:
    """The engine and the base model find each token twice as likely as the learner does."""
    twice = [x + log(2) for x in NOW]
    k3 = 2 - 1 - log(2)
    config = SampleMeanConfig(kl_coef=0.5, tis_cap=3.0)
    sums, _ = run(config, [1.0] * 4, engine_logprobs=twice, reference_logprobs=twice)
    assert sums.loss.item() == pytest.approx(-0.5 * A - 0.5 * B + 0.5 * 2 * k3)
    assert sums.kl.item() == pytest.approx(4 * k3), "the metric is a mean over tokens"


def test_a_response_has_one_ratio() -> None:
    # (1.2 * 0.9 * 1)^(1/3) for the second response
    s = exp((log(1.2) + log(0.9)) / 3)
    sums, gradient = run(GspoConfig(clip_low=0.5, clip_high=0.5), [1.1, 1.2, 0.9, 1.0])
    assert sums.loss.item() == pytest.approx(-1.1 * A - s * B)
    # each token's share in the mean of logarithms
    assert gradient == pytest.approx([-1.1 * A, *[-s * B / 3] * 3])


def test_a_response_is_clipped_as_a_whole() -> None:
    sums, gradient = run(GspoConfig(), [1.1, 0.999, 0.999, 1.0])
    # 1.1 is above 1.0004; the mean of the second is 1 - 2/3e-3, below 1 - 3e-4
    assert sums.loss.item() == pytest.approx(-1.0004 * A - (1 - 3e-4) * B)
    assert gradient == [0.0] * 4
    assert (int(sums.clip_low), int(sums.clip_high)) == (3, 1), "in tokens"


def test_a_clipped_weight_leaves_the_gradient() -> None:
    sums, gradient = run(CispoConfig(clip_low=0.3, clip_high=0.5), [2.0, 1.2, 0.5, 3.0])
    weights = [1.5 * A, 1.2 * B, 0.7 * B, 1.5 * B]
    assert gradient == pytest.approx([-w for w in weights]), "every token keeps its own"
    by_hand = -sum(w * x for w, x in zip(weights, NOW, strict=True))
    assert sums.loss.item() == pytest.approx(by_hand)
    assert (int(sums.clip_low), int(sums.clip_high)) == (1, 2), "whatever the advantage's sign"


def test_cispo_has_no_lower_bound_by_default() -> None:
    _, gradient = run(CispoConfig(), [4.9, 1e-3, 1.0, 6.0])
    assert gradient == pytest.approx([-4.9 * A, -1e-3 * B, -B, -5 * B])
