"""Forecast Resampling: what is learnt from an epoch, and who comes in the next."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import epoch_over, make_group, problems, record
from srpo.algorithm.ledger import Ledger
from srpo.algorithm.strategies.forecast import (
    EASINESS,
    Forecast,
    ForecastStrategy,
    ability,
    widen,
)
from srpo.recipe.schema import ForecastConfig

ONLY = ForecastConfig(recheck_share=0.0, min_prompts=1)
LEVELS = np.repeat([0, 2, 4, 6, 8], 4)  # right of 8: a pool in which forecasts can be anchored


def forecast(prompts: int, domains: int = 1) -> Forecast:
    return Forecast(np.arange(prompts) % domains)


def observe(it: Forecast, correct: np.ndarray | list[int], of: int = 8) -> None:
    """The whole pool's groups of an epoch; -1 is a prompt that did not come."""
    correct = np.array(correct)
    (came,) = np.nonzero(correct >= 0)
    it.observe(came, correct[came], of - correct[came])


def coming(it: Forecast, config: ForecastConfig = ONLY, of: int = 8, seed: int = 0) -> list[int]:
    pool = np.ones(len(it.belief), dtype=bool)
    return np.flatnonzero(it.choose(pool, config, of, np.random.default_rng(seed))).tolist()


def test_uniform_prompts_rest_and_mixed_ones_come():
    it = forecast(len(LEVELS))
    observe(it, LEVELS)
    assert coming(it) == np.flatnonzero((LEVELS > 0) & (LEVELS < 8)).tolist()


@given(st.lists(st.integers(0, 8), min_size=1, max_size=20))
def test_bayes_by_hand(correct: list[int]):
    """The belief is the flat one times the binomial likelihood, at the ability that was found."""
    it = forecast(len(correct))
    observe(it, correct)
    for belief, k in zip(it.belief, correct, strict=True):
        p = [1 / (1 + math.exp(-(it.ability[0] + e))) for e in EASINESS]
        likelihood = [q**k * (1 - q) ** (8 - k) for q in p]
        assert belief == pytest.approx(np.array(likelihood) / sum(likelihood), abs=1e-9)


@given(
    st.lists(st.integers(0, 8), min_size=2, max_size=30).filter(lambda k: 0 < sum(k) < 8 * len(k))
)
def test_the_ability_explains_the_epochs_accuracy(correct: list[int]):
    judged = np.full(len(correct), 8)
    beliefs = np.random.default_rng(len(correct)).dirichlet(np.ones(len(EASINESS)), len(correct))
    at = ability(beliefs, sum(correct), judged)
    expected = sum(8 * b @ (1 / (1 + np.exp(-(at + EASINESS)))) for b in beliefs)
    assert expected == pytest.approx(sum(correct), abs=1e-6)


def test_extreme_epochs_have_an_ability():
    flat = np.full((3, len(EASINESS)), 1 / len(EASINESS))
    assert ability(flat, 0, np.full(3, 8)) == pytest.approx(-16, abs=1e-6)
    assert ability(flat, 24, np.full(3, 8)) == pytest.approx(16, abs=1e-6)


def test_the_hopeless_come_back_when_the_policy_has_grown():
    it = forecast(len(LEVELS))
    observe(it, LEVELS)
    (hopeless,) = np.nonzero(LEVELS == 0)
    before = it.informs(8)[hopeless]
    assert not set(hopeless) & set(coming(it))
    for _ in range(8):
        observe(it, np.where(LEVELS == 0, -1, np.minimum(LEVELS + 3, 8)))
        assert (it.informs(8)[hopeless] > before).all()
        before = it.informs(8)[hopeless]
    assert set(hopeless) <= set(coming(it))


def test_the_solved_come_back_when_the_policy_forgets():
    it = forecast(len(LEVELS))
    observe(it, LEVELS)
    (solved,) = np.nonzero(LEVELS == 8)
    assert not set(solved) & set(coming(it))
    for _ in range(8):
        observe(it, np.where(LEVELS == 8, -1, np.maximum(LEVELS - 3, 0)))
    assert set(solved) <= set(coming(it))


def test_what_failed_again_and_again_rests_longer():
    """The policy grows; prompts that were all wrong three times stay below those of one time."""
    it = forecast(len(LEVELS))
    observe(it, LEVELS)
    once, often = np.flatnonzero(LEVELS == 0)[:2], np.flatnonzero(LEVELS == 0)[2:]
    for _ in range(2):
        epoch = np.where(LEVELS == 0, -1, LEVELS)
        epoch[often] = 0
        observe(it, epoch)
    assert it.informs(8)[often].max() < it.informs(8)[once].min()


def test_nobody_knows_for_ever():
    """A solved prompt that rests grows less certain, though the policy stays what it is."""
    it = forecast(len(LEVELS))
    observe(it, LEVELS)
    (solved,) = np.nonzero(LEVELS == 8)
    was = it.informs(8)[solved]
    for _ in range(5):
        observe(it, np.where(LEVELS == 8, -1, LEVELS))
        now = it.informs(8)[solved]
        assert (now > was).all()
        was = now


def test_each_domain_has_an_ability_of_its_own():
    it = forecast(8, domains=2)
    observe(it, [4] * 8)
    other = it.belief[1::2].copy()
    observe(it, [6, -1] * 4)
    assert it.ability[0] > 1 > abs(it.ability[1])
    assert (it.belief[1::2] == other).all()  # the policy did not train there


def test_never_tried_prompts_come():
    it = forecast(len(LEVELS) + 1)
    observe(it, [*LEVELS, -1])
    assert len(LEVELS) in coming(it)


def test_errors_are_no_evidence():
    it, other = forecast(3), forecast(3)
    it.observe(np.arange(3), np.array([0, 4, 8]), np.array([0, 4, 0]))
    other.observe(np.array([1, 2]), np.array([4, 8]), np.array([4, 0]))
    assert np.array_equal(it.belief, other.belief)
    assert it.belief[0].std() == pytest.approx(0, abs=0.01)  # still flat
    everything_failed = forecast(3)
    everything_failed.observe(np.arange(3), np.zeros(3, int), np.zeros(3, int))
    assert np.ptp(everything_failed.belief) == 0


@given(st.floats(0.05, 5.0), st.integers(0, 2**32 - 1))
def test_widening_keeps_probability(by: float, seed: int):
    beliefs = np.random.default_rng(seed).dirichlet(np.ones(len(EASINESS)), 4)
    assert widen(beliefs, by).sum(axis=1) == pytest.approx(np.ones(4))
    flat = np.full((1, len(EASINESS)), 1 / len(EASINESS))
    assert widen(flat, by) == pytest.approx(flat)
    sure = np.eye(len(EASINESS))[[16]]
    assert widen(sure, min(by, 2)) @ EASINESS**2 == pytest.approx([min(by, 2) ** 2], rel=0.02)


def test_the_floor_takes_the_most_promising():
    it = forecast(len(LEVELS))
    observe(it, LEVELS)
    best = np.flatnonzero((LEVELS > 0) & (LEVELS < 8))
    chosen = coming(it, ForecastConfig(recheck_share=0.0, min_prompts=14))
    assert len(chosen) == 14
    assert set(best) < set(chosen)
    everything = coming(it, ForecastConfig(recheck_share=0.0, min_prompts=99))
    assert everything == list(range(len(LEVELS)))


def test_a_share_of_the_resting_is_tried_again():
    it = forecast(1000)
    observe(it, [8] * 999 + [0])
    some = coming(it, ForecastConfig(recheck_share=0.03, min_prompts=1))
    others = coming(it, ForecastConfig(recheck_share=0.03, min_prompts=1), seed=1)
    assert len(some) == len(others) == 30
    assert some != others


def test_only_the_pools_prompts_come():
    it = forecast(4)
    pool = np.array([True, False, True, False])
    config = ForecastConfig(recheck_share=1.0, min_prompts=10)
    chosen = it.choose(pool, config, 16, np.random.default_rng(0))
    assert chosen.tolist() == pool.tolist()


def test_the_ledger_is_all_it_needs():
    """What is read from a ledger's epochs is what was observed epoch by epoch."""
    pool = problems(6, 0)
    ledger, it = Ledger(pool, ["math"]), forecast(6)
    rng = np.random.default_rng()
    for epoch in range(3):
        right = rng.integers(0, 5, 6)
        groups = [
            make_group("c" * k + "i" * (4 - k), of=p)
            for p, k in zip(pool, right.tolist(), strict=True)
        ]
        ledger.record("math", epoch, 1, groups)
        observe(it, right, of=4)
    again = Forecast.from_ledger(ledger)
    assert np.array_equal(again.belief, it.belief)
    assert np.array_equal(again.ability, it.ability)


def test_the_decision_is_the_forecasts():
    pool = problems(5, 5)
    ledger, rng = Ledger(pool, ["train"]), np.random.default_rng()
    outcomes = {p.id: "".join(rng.choice(["c", "i"], 8).tolist()) for p in pool[:-1]}
    record(ledger, "train", 0, outcomes | {"m0": "c" * 8, "m1": "i" * 8})
    decision = ForecastStrategy(ONLY).decide(over := epoch_over(ledger, group_size=8))
    ledger.decide(over.rows, decision.reasons)
    it = Forecast.from_ledger(ledger)
    assert it.domain.tolist() == [1] * 5 + [0] * 5  # by name
    informs = it.informs(8)
    assert decision.resting.tolist() == [*(informs[:-1] <= 0.5), False]
    assert decision.expected.tolist() == it.pass_rates().tolist()
    for row, p in zip(ledger.table().to_pylist(), informs, strict=False):
        assert row["decision"] == ("keep" if p > 0.5 else "drop")
        assert ("rests" in row["reason"]) == (p <= 0.5)


def test_foretells_a_pool_that_learns():
    """A made-up policy grows by 0.3 logits an epoch; the model's forecasts of informative groups
    are right on average, epoch after epoch."""
    rng = np.random.default_rng(5)
    easiness = rng.uniform(-8, 8, 3000)
    it = forecast(len(easiness))
    for epoch in range(6):
        right = rng.binomial(8, 1 / (1 + np.exp(-(easiness + 0.3 * epoch))))
        if epoch:
            foretold = it.informs(8)
            mixed = (right > 0) & (right < 8)
            assert foretold.mean() == pytest.approx(mixed.mean(), abs=0.05)
            assert mixed[foretold > 0.5].mean() > 0.6 > 0.2 > mixed[foretold < 0.5].mean()
        observe(it, right)
