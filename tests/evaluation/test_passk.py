"""pass@k is the share of k-subsets with a correct sample; intervals are over problems."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpo.evaluation.passk import mean_interval, pass_at_k


@pytest.mark.parametrize("n", [1, 4, 7])
def test_equals_counting_every_subset(n: int) -> None:
    for c in range(n + 1):
        samples = [True] * c + [False] * (n - c)
        for k in range(1, n + 1):
            subsets = list(combinations(samples, k))
            assert pass_at_k(n, c, k) == pytest.approx(sum(map(any, subsets)) / len(subsets))


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))))
def test_pass_at_one_is_the_rate_and_more_samples_never_hurt(counts: tuple[int, int]) -> None:
    n, c = counts
    assert pass_at_k(n, c, 1) == pytest.approx(c / n)
    values = [pass_at_k(n, c, k) for k in range(1, n + 1)]
    assert values == sorted(values)
    assert values[-1] == (c > 0)


@pytest.mark.parametrize(("n", "c", "k"), [(4, 5, 1), (4, 2, 5), (4, 2, 0), (4, -1, 1)])
def test_impossible_counts_are_refused(n: int, c: int, k: int) -> None:
    with pytest.raises(AssertionError):
        pass_at_k(n, c, k)


def test_interval_by_hand() -> None:
    # mean 1/2, sample variance 1/3, standard error sqrt(1/12)
    mean, low, high = mean_interval([0.0, 1.0, 0.0, 1.0])
    assert mean == 0.5
    assert low == pytest.approx(max(0.0, 0.5 - 1.959964 * math.sqrt(1 / 12)))
    assert high == pytest.approx(min(1.0, 0.5 + 1.959964 * math.sqrt(1 / 12)))
    mean, low, high = mean_interval([0.4, 0.6])
    assert (mean, low, high) == pytest.approx((0.5, 0.5 - 0.1959964, 0.5 + 0.1959964))


def test_one_problem_says_nothing_about_others() -> None:
    assert mean_interval([0.7]) == (0.7, 0.0, 1.0)


def test_the_interval_covers_the_truth_nineteen_times_in_twenty() -> None:
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(1000):
        _, low, high = mean_interval(rng.beta(2, 3, 100).tolist())
        covered += low <= 0.4 <= high
    assert 925 <= covered <= 970
