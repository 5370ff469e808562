"""Tokens are drawn as often as the distribution says, by each row's own random number."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from srpo.nucleus import in_nucleus
from srpo.rollout.transformers.sampling import sample, uniforms

LOGITS = torch.tensor([2.0, 1.0, 0.0, -1.0, -2.0, float("-inf"), 1.5, -30.0])
DRAWS = 40_000
CHI_SQUARE_999 = {6: 22.46, 3: 16.27}  # by degrees of freedom


def counts(temperature: float, top_p: float) -> np.ndarray:
    uniform = uniforms(11, DRAWS, 1)[:, 0]
    tokens, _ = sample(LOGITS.expand(DRAWS, -1), uniform, temperature, top_p)
    return np.bincount(tokens.numpy(), minlength=len(LOGITS))


def chi_square(found: np.ndarray, expected: np.ndarray) -> float:
    assert not found[expected == 0].any()
    some = expected * DRAWS >= 5
    return float(((found - expected * DRAWS)[some] ** 2 / (expected * DRAWS)[some]).sum())


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.7])
def test_frequencies_match_the_probabilities(temperature: float) -> None:
    expected = torch.softmax(LOGITS.double() / temperature, -1).numpy()
    found = counts(temperature, 1.0)
    found[7] = 0  # e-14 and less: never to be judged by frequency
    expected[7] = 0
    assert chi_square(found, expected) < CHI_SQUARE_999[6]
    assert chi_square(found, np.roll(expected, 1)[[0, 0, 1, 2, 3, 5, 6, 7]] + 1e-9) > 1000


def test_frequencies_within_the_nucleus() -> None:
    probabilities = torch.softmax(LOGITS.double(), -1).numpy()
    kept = np.argsort(-probabilities)[:3]  # 0.44, 0.27, 0.16: the third reaches 0.8
    assert probabilities[kept[:2]].sum() < 0.8 < probabilities[kept].sum()
    expected = np.zeros_like(probabilities)
    expected[kept] = probabilities[kept] / probabilities[kept].sum()
    assert chi_square(counts(1.0, 0.8), expected) < CHI_SQUARE_999[3]


@pytest.mark.parametrize(("top_p", "kept"), [(0.5, [0]), (0.8, [0, 6]), (1.0, [0, 1, 2, 3, 4, 6])])
def test_logprobs_are_those_of_the_distribution_after_the_cut(top_p: float, kept: list) -> None:
    uniform = uniforms(2, 2000, 1)[:, 0]
    tokens, logprobs = sample(LOGITS.expand(2000, -1), uniform, 0.7, top_p)
    assert set(tokens.tolist()) == set(kept), "shares of 0.57 and 0.28 at this temperature"
    cut = torch.full_like(LOGITS, -torch.inf)
    cut[kept] = LOGITS[kept] / 0.7
    assert torch.allclose(logprobs, torch.log_softmax(cut, -1)[tokens], atol=1e-6)


PROBABILITIES = st.lists(st.floats(0.001, 1.0), min_size=1, max_size=20)


@given(PROBABILITIES, st.floats(0.01, 0.999))
def test_the_nucleus_is_the_smallest_set_that_reaches_top_p(raw: list[float], top_p: float) -> None:
    weights = torch.tensor(raw, dtype=torch.float64)
    weights = weights / weights.sum()
    kept = in_nucleus(weights[None], top_p)[0]
    cut = weights[kept]
    assert float(cut.sum()) >= top_p - 1e-9
    assert float(cut.sum() - cut.min()) < top_p + 1e-9, "none could be spared"
    if (~kept).any():
        assert weights[kept].min() >= weights[~kept].max()


@given(st.floats(0, 1, exclude_max=True), st.integers(0, 2**32 - 1))
def test_a_draw_inverts_the_cumulative_distribution(uniform: float, seed: int) -> None:
    logits = torch.randn(1, 30, generator=torch.Generator().manual_seed(seed)) * 3
    token, _ = sample(logits, torch.tensor([uniform], dtype=torch.float64), 1.0, 1.0)
    cumulative = torch.log_softmax(logits, -1)[0].double().exp().cumsum(0)
    target = uniform * cumulative[-1]
    assert cumulative[token] >= target
    assert token == 0 or cumulative[token - 1] <= target


@pytest.mark.parametrize("uniform", [0.0, 1.0 - 2.0**-53])
def test_the_edges_never_draw_an_impossible_token(uniform: float) -> None:
    inf = float("inf")
    logits = torch.tensor([[-inf, 0.3, -inf, 0.1, -inf]])
    token, logprob = sample(logits, torch.tensor([uniform], dtype=torch.float64), 1.0, 1.0)
    assert token.item() == (3 if uniform else 1)
    assert torch.isfinite(logprob).all()


def test_randomness_is_fixed_by_the_seed() -> None:
    assert torch.equal(uniforms(5, 4, 9), uniforms(5, 4, 9))
    assert not torch.equal(uniforms(5, 4, 9), uniforms(6, 4, 9))
    drawn = uniforms(2**62, 100, 100)
    assert float(drawn.min()) >= 0
    assert float(drawn.max()) < 1
    assert float(drawn.mean()) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(("top_k", "top_p"), [(1, 1.0), (3, 1.0), (3, 0.8), (99, 1.0)])
def test_top_k_comes_before_top_p(top_k: int, top_p: float) -> None:
    uniform = uniforms(5, DRAWS, 1)[:, 0]
    tokens, logprobs = sample(LOGITS.expand(DRAWS, -1), uniform, 1.0, top_p, top_k)
    p = torch.softmax(LOGITS.double(), -1).numpy()
    kept = np.argsort(-p)[:top_k]
    total = p[kept].sum()
    kept = [t for i, t in enumerate(kept) if p[kept[:i]].sum() < top_p * total and p[t] > 1e-9]
    assert set(tokens.tolist()) <= {*kept, 7}
    mass = p[kept].sum()
    for token in kept:
        assert float(logprobs[tokens == token][0]) == pytest.approx(
            np.log(p[token] / mass), abs=1e-5
        )
    if top_k == 3:
        found = np.bincount(tokens.numpy(), minlength=len(LOGITS))[kept] / DRAWS
        assert found == pytest.approx(p[kept] / mass, abs=0.02)
