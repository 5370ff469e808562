"""Paired differences: by hand, and covered as often as they claim."""

from __future__ import annotations

import numpy as np
import pytest

from srpo.evaluation.paired import difference


def test_by_hand() -> None:
    found = difference([0.0, 0.5, 1.0], [0.5, 0.5, 1.0])
    assert (found.first, found.second) == (0.5, pytest.approx(2 / 3))
    assert found.mean == pytest.approx(1 / 6)
    assert found.error == pytest.approx(np.std([0.5, 0, 0], ddof=1) / 3**0.5)
    assert (found.better, found.worse) == (1, 0)
    assert not found.is_beyond_noise
    assert found.high - found.mean == pytest.approx(4.303 * found.error)


def test_the_same_twice_is_no_difference() -> None:
    found = difference([0.1, 0.9], [0.1, 0.9])
    assert (found.mean, found.low, found.high, found.is_beyond_noise) == (0, 0, 0, False)


@pytest.mark.parametrize(("n", "questions"), [(4, 30), (16, 40), (1, 200)])
def test_the_interval_covers_the_true_difference(n: int, questions: int) -> None:
    """Between two models whose rates go together over the questions."""
    rng = np.random.default_rng(n)
    covered, narrower, tries, gap = 0, 0, 1500, 0.07
    for _ in range(tries):
        rates = rng.beta(1, 1, questions) * 0.8
        first, second = (rng.binomial(n, rates + shift) / n for shift in (0, gap))
        found = difference(first.tolist(), second.tolist())
        covered += found.low <= gap <= found.high
        narrower += found.high - found.low < 2 * found.unpaired
    assert 0.93 <= covered / tries <= 0.97
    assert narrower > 0.9 * tries
