"""pass@k is the share of k-subsets with a correct sample; intervals are over problems."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpo.evaluation.passk import mean_interval, pass_at_k, student95


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


def wilson(p: float, n: float, z: float) -> tuple[float, float]:
    """The two p0 with (p - p0)^2 = z^2 p0 (1 - p0) / n, as roots of a quadratic."""
    z2 = z**2
    roots = np.roots([1 + z2 / n, -(2 * p + z2 / n), p * p]).real
    return float(min(roots)), float(max(roots))


def test_interval_by_hand() -> None:
    # One more problem of variance 1/4: that of the mean is (4/4 + 1/4) / 16, as of 3.2 answers.
    expected = (0.5, *wilson(0.5, 3.2, 3.182))
    assert mean_interval([0.0, 1.0, 0.0, 1.0]) == pytest.approx(expected, abs=2e-3)
    # (0.02 + 1/4) / 4: as many as 3.7
    assert mean_interval([0.4, 0.6], 50) == pytest.approx((0.5, *wilson(0.5, 1 / 0.27, 12.706)))
    # 1/4 / 4, and no more than there are
    assert mean_interval([0.5, 0.5], samples=1) == pytest.approx((0.5, *wilson(0.5, 2, 12.706)))


@pytest.mark.parametrize(
    ("freedom", "quantile"), [(1, 12.706), (2, 4.303), (3, 3.182), (9, 2.262), (29, 2.045)]
)
def test_students_quantiles_are_those_of_the_tables(freedom: int, quantile: float) -> None:
    assert student95(freedom) == pytest.approx(quantile, rel=0.01)


@pytest.mark.parametrize("rate", [0.0, 1.0])
@pytest.mark.parametrize(("n", "room"), [(10, 0.2775), (3, 0.5615), (200, 0.0188)])
def test_all_or_nothing_is_no_certainty(rate: float, n: int, room: float) -> None:
    mean, low, high = mean_interval([rate] * n, samples=32)
    assert mean == rate
    assert (low, high) == pytest.approx((0.0, room) if rate == 0 else (1 - room, 1.0), abs=2e-4)


def test_one_problem_says_nearly_nothing_about_others() -> None:
    _, low, high = mean_interval([0.7], samples=1000)
    assert low < 0.11
    assert high > 0.97


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.integers(1, 64))
def test_the_interval_holds_the_mean_and_stays_between_0_and_1(rates: list[float], samples: int):
    mean, low, high = mean_interval(rates, samples)
    assert 0 <= low <= mean <= high <= 1
    assert high - low > 1e-4


@pytest.mark.parametrize(("a", "b", "problems"), [(2, 3, 100), (0.2, 2, 30), (9, 0.3, 60)])
def test_the_interval_covers_the_truth_nineteen_times_in_twenty(a: float, b: float, problems: int):
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(1000):
        rates = rng.binomial(8, rng.beta(a, b, problems)) / 8
        _, low, high = mean_interval(rates.tolist(), 8)
        covered += low <= a / (a + b) <= high
    assert 930 <= covered <= 975
