"""Small-sample statistics against hand-computed values, enumeration and simulation."""

from __future__ import annotations

import math
import random
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpo.report.statistics import (
    difference_interval,
    holm,
    mean_interval,
    mean_intervals,
    permutation_test,
    ratio_interval,
    resample_weights,
    sign_flip_test,
    stretch,
    t_probability,
    t_quantile,
)

whole = st.integers(-20, 20).map(float)  # sums of these are exact: ties are ties


@pytest.mark.parametrize(
    ("df", "t"), [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (9, 2.262), (30, 2.042)]
)
def test_students_quantiles_are_those_of_the_printed_tables(df: int, t: float):
    assert t_quantile(df) == pytest.approx(t, abs=5e-4)


@pytest.mark.parametrize("t", [0.1, 1.0, 3.7])
def test_students_probability_has_its_closed_forms(t: float):
    assert t_probability(t, 1) == pytest.approx(2 / math.pi * math.atan(t))  # Cauchy's
    assert t_probability(t, 2) == pytest.approx(t / math.sqrt(2 + t * t))


@pytest.mark.parametrize("df", [3, 4, 7, 12])
def test_students_probability_is_the_densitys_integral(df: int):
    t = random.Random().uniform(0.2, 4.0)
    x = np.linspace(-t, t, 20_001)
    scale = math.gamma((df + 1) / 2) / math.gamma(df / 2) / math.sqrt(df * math.pi)
    density = scale * (1 + x**2 / df) ** (-(df + 1) / 2)
    area = float(((density[1:] + density[:-1]) / 2).sum() * (x[1] - x[0]))
    assert t_probability(t, df) == pytest.approx(area, abs=1e-6)


def test_all_resamples_of_two_values_by_hand():
    weights = resample_weights(2)
    assert sorted(map(tuple, weights)) == [(0.0, 1.0), (0.5, 0.5), (0.5, 0.5), (1.0, 0.0)]
    # Resampled means of 1 and 3 are 1, 2, 2, 3: deviations of 1, times 12.706/1.96 * sqrt(2).
    found = mean_interval(np.array([1.0, 3.0]))
    assert found.value == 2.0
    assert (found.low, found.high) == pytest.approx((2 - 9.168, 2 + 9.168), abs=1e-3)


@pytest.mark.parametrize("n", [3, 5, 6, 11])
def test_resamples_are_means_of_n_values(n: int):
    weights = resample_weights(n)
    assert np.allclose(weights.sum(axis=1), 1)
    assert np.allclose(weights * n, np.round(weights * n))
    assert weights.mean(axis=0) == pytest.approx(np.full(n, 1 / n), abs=0.01)
    assert len(weights) == (n**n if n <= 5 else 10_000)


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=7), st.floats(-3, 3), st.floats(0.1, 9))
def test_intervals_hold_the_mean_and_follow_shift_and_scale(
    values: list[float], shift: float, scale: float
):
    one = mean_interval(np.array(values))
    other = mean_interval(np.array(values) * scale + shift)
    assert one.low <= one.value + 1e-9
    assert one.value <= one.high + 1e-9
    for a, b in ((one.value, other.value), (one.low, other.low), (one.high, other.high)):
        assert b == pytest.approx(a * scale + shift, abs=1e-6)


def test_one_seed_has_no_interval_and_the_same_call_gives_the_same():
    assert not mean_interval(np.array([0.3])).known
    assert not difference_interval(np.array([0.3]), np.array([0.1, 0.2]), paired=False).known
    values = np.random.default_rng().normal(size=8)
    assert mean_interval(values) == mean_interval(values)


@pytest.mark.parametrize("n", [3, 4, 5, 8])
@pytest.mark.parametrize("law", ["normal", "uniform"])
def test_the_interval_covers_the_mean_about_95_times_of_100(n: int, law: str):
    """4,000 simulated experiments: three standard errors of the share are a point. Uniform is
    where Student's own interval is at 92 to 94 with 3 seeds."""
    r = np.random.default_rng()
    draws, mean = (r.normal(2, 3, (n, 4000)), 2) if law == "normal" else (r.random((n, 4000)), 0.5)
    parts = [mean_intervals(draws[:, i : i + 200]) for i in range(0, 4000, 200)]
    covered = np.concatenate([(low <= mean) & (mean <= high) for _, low, high in parts]).mean()
    assert 0.90 <= covered <= 0.97


def test_unpaired_differences_and_ratios_are_covered_too():
    r = np.random.default_rng()
    hits = np.zeros(3)
    for _ in range(300):
        a, b = r.normal(5, 0.5, 5), r.normal(4, 0.7, 5)
        found = [difference_interval(a, b, False), ratio_interval(a, b, False)]
        pairs = r.normal(0, 1, 5)
        found.append(ratio_interval(10 + pairs + r.normal(0, 0.3, 5), 8 + pairs, True))
        truths = (1.0, 1.25, 1.25)
        hits += [i.low <= t <= i.high for i, t in zip(found, truths, strict=True)]
    assert (hits / 300 >= 0.90).all(), hits


def test_paired_differences_take_out_what_pairs_share():
    r = np.random.default_rng()
    shared = r.normal(0, 10, 6)
    a, b = shared + 1 + r.normal(0, 0.1, 6), shared
    paired, unpaired = (difference_interval(a, b, p) for p in (True, False))
    assert paired.value == pytest.approx(unpaired.value)
    assert paired.high - paired.low < 1 < unpaired.high - unpaired.low


def test_ratio_by_hand():
    found = ratio_interval(np.array([2.0, 2.0, 2.0]), np.array([8.0, 8.0, 8.0]), paired=True)
    assert (found.value, found.low, found.high) == pytest.approx((0.25, 0.25, 0.25))


def test_sign_flips_by_hand():
    # Sums of ±1 ±2 ±3 are 6, 4, 2, 0, 0, -2, -4, -6.
    assert sign_flip_test(np.array([1.0, 2.0, 3.0])).p == 2 / 8
    assert sign_flip_test(np.array([-1.0, 2.0, 3.0])).p == 4 / 8
    assert sign_flip_test(np.array([1.0, 2.0, -3.0])).p == 1.0
    assert sign_flip_test(np.array([1.0, 2.0, 3.0])).smallest == 0.25
    assert sign_flip_test(np.zeros(4)).p == 1.0


@given(st.lists(whole, min_size=1, max_size=8))
def test_sign_flips_are_enumerated(differences: list[float]):
    ours = abs(sum(differences))
    sums = [
        abs(sum(s * d for s, d in zip(signs, differences, strict=True)))
        for signs in product((1, -1), repeat=len(differences))
    ]
    found = sign_flip_test(np.array(differences))
    assert found.p == pytest.approx(sum(s >= ours for s in sums) / len(sums))
    assert found.p >= found.smallest == 2 / 2 ** len(differences)


@given(st.lists(whole, min_size=1, max_size=5), st.lists(whole, min_size=1, max_size=4))
def test_permutations_are_enumerated(a: list[float], b: list[float]):
    pool, n = a + b, len(a)
    total = sum(pool)

    def apart(chosen: tuple[int, ...]) -> float:
        mine = sum(pool[i] for i in chosen)
        return abs(mine * len(b) - (total - mine) * n)  # the means' difference, in whole numbers

    ways = list(combinations(range(len(pool)), n))
    ours = apart(tuple(range(n)))
    found = permutation_test(np.array(a), np.array(b))
    assert found.p == pytest.approx(sum(apart(w) >= ours for w in ways) / len(ways))
    assert found.p >= found.smallest - 1e-12


@pytest.mark.parametrize(("n", "m", "smallest"), [(3, 3, 2 / 20), (4, 4, 2 / 70), (3, 4, 1 / 35)])
def test_the_smallest_p_is_that_of_sides_that_do_not_overlap(n: int, m: int, smallest: float):
    r = np.random.default_rng()
    low, high = r.uniform(0, 0.01, n), r.uniform(100, 100.01, m)
    found = permutation_test(low, high)
    assert found.p == found.smallest == pytest.approx(smallest)


def test_many_seeds_are_drawn_and_agree_with_the_normal():
    r = np.random.default_rng()
    differences = r.normal(0.25, 1, 60)
    z = abs(differences.sum()) / math.sqrt((differences**2).sum())
    assert sign_flip_test(differences).p == pytest.approx(math.erfc(z / math.sqrt(2)), abs=0.02)


def test_under_no_difference_p_is_below_a_level_no_more_often_than_the_level():
    r = np.random.default_rng()
    ps = [sign_flip_test(r.normal(0, 1, 7)).p for _ in range(3000)]
    for level in (0.05, 0.1, 0.5):
        assert np.mean(np.array(ps) <= level) <= level + 0.03


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6), st.data())
def test_holm_lies_between_p_and_bonferroni_and_never_falls_when_a_p_grows(
    ps: list[float], data: st.DataObject
):
    adjusted = holm(ps)
    for p, q in zip(ps, adjusted, strict=True):
        assert p <= q <= min(1.0, len(ps) * p) + 1e-12
    larger = [data.draw(st.floats(p, 1)) for p in ps]
    assert all(a <= b + 1e-12 for a, b in zip(adjusted, holm(larger), strict=True))


def test_stretch_makes_three_values_students():
    """Of 3 values the outermost resamples are the values themselves."""
    spread = np.array([-1.0, 0.0, 1.0])
    found = mean_interval(spread)
    assert found.high == pytest.approx(stretch(3))
    student = t_quantile(2) * spread.std(ddof=1) / math.sqrt(3)
    assert found.high == pytest.approx(student, rel=0.1)
