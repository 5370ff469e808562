"""Forecast Resampling: what is learnt from an epoch, and who comes in the next."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpo.algorithm.forecast import Forecast
from srpo.config import ForecastConfig

ONLY = ForecastConfig(recheck_share=0.0, min_prompts=1)


def forecast(problems: int, domains: int = 1) -> Forecast:
    return Forecast(np.arange(problems) % domains)


def observe(it: Forecast, outcomes: dict[int, tuple[int, int]]) -> None:
    problems = np.array(list(outcomes))
    correct, wrong = np.array(list(outcomes.values())).T
    it.observe(problems, correct, wrong)


def coming(it: Forecast, config: ForecastConfig = ONLY, group: int = 16, seed: int = 0) -> list:
    pool = np.ones(len(it.strength), dtype=bool)
    return np.flatnonzero(it.choose(pool, config, group, np.random.default_rng(seed))).tolist()


def test_uniform_prompts_rest_and_mixed_ones_come():
    it = forecast(5)
    observe(it, {0: (16, 0), 1: (0, 16), 2: (1, 15), 3: (15, 1), 4: (8, 8)})
    assert coming(it) == [2, 3, 4]


def test_by_hand():
    """0 of 16: p = (1/2) / 17 = 0.0294, and 1 - 0.9706^16 = 0.380 is below one half."""
    it = forecast(1)
    observe(it, {0: (0, 16)})
    (p,) = it.pass_rates()
    assert p == pytest.approx(0.5 / 17)
    assert 1 - (1 - p) ** 16 == pytest.approx(0.380, abs=0.001)


def test_the_hopeless_come_back_when_the_policy_has_grown():
    """Mixed prompts went from 4 to 12 of 16, a gain of 2 log(12.5 / 4.5) = 2.04 logits: then
    p = sigmoid(log(0.5 / 16.5) + 2.04) = 0.19."""
    it = forecast(4)
    observe(it, {0: (0, 16), 1: (4, 12), 2: (4, 12), 3: (4, 12)})
    assert coming(it) == [1, 2, 3]
    observe(it, {1: (12, 4), 2: (12, 4), 3: (12, 4)})
    gain = 2 * math.log(12.5 / 4.5)
    assert it.now[0] == pytest.approx(gain)
    assert it.pass_rates()[0] == pytest.approx(1 / (1 + math.exp(-gain) * 16.5 / 0.5))
    assert coming(it) == [0, 1, 2, 3]


def test_the_solved_come_back_when_the_policy_forgets():
    it = forecast(4)
    observe(it, {0: (16, 0), 1: (12, 4), 2: (12, 4), 3: (12, 4)})
    assert coming(it) == [1, 2, 3]
    observe(it, {1: (4, 12), 2: (4, 12), 3: (4, 12)})
    assert 0 in coming(it)


def test_uniform_prompts_say_nothing_of_the_gain():
    """A prompt that stays solved is no sign that the policy has stopped growing."""
    it = forecast(3)
    observe(it, {0: (16, 0), 1: (16, 0), 2: (4, 12)})
    observe(it, {0: (16, 0), 1: (16, 0), 2: (12, 4)})
    assert it.now[0] == pytest.approx(2 * math.log(12.5 / 4.5))


def test_each_domain_has_an_ability_of_its_own():
    it = forecast(4, domains=2)
    observe(it, dict.fromkeys(range(4), (4, 12)))
    observe(it, {0: (12, 4), 2: (12, 4), 1: (4, 12), 3: (4, 12)})
    assert it.now[0] > 1
    assert it.now[1] == 0


def test_never_tried_prompts_come():
    it = forecast(3)
    observe(it, {0: (16, 0)})
    assert coming(it) == [1, 2]


def test_errors_are_no_evidence():
    it = forecast(2)
    observe(it, {0: (0, 0), 1: (8, 8)})
    assert np.isnan(it.strength[0])
    assert coming(it) == [0, 1]


def test_the_floor_takes_the_most_promising():
    it = forecast(4)
    observe(it, {0: (16, 0), 1: (0, 16), 2: (8, 8), 3: (0, 4)})
    assert coming(it, ForecastConfig(recheck_share=0.0, min_prompts=2)) == [2, 3]
    assert coming(it, ForecastConfig(recheck_share=0.0, min_prompts=99)) == [0, 1, 2, 3]


def test_a_share_of_the_resting_is_tried_again():
    it = forecast(1000)
    observe(it, dict.fromkeys(range(1000), (16, 0)))
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


@given(st.lists(st.tuples(st.integers(0, 16), st.integers(0, 16)), min_size=1, max_size=30))
def test_it_is_resumed_exactly(groups: list[tuple[int, int]]):
    it, other = forecast(30, domains=2), forecast(30, domains=2)
    observe(it, dict(enumerate(groups)))
    other.load_state_dict(json.loads(json.dumps(it.state_dict())))
    observe(it, dict(enumerate(groups[::-1])))
    observe(other, dict(enumerate(groups[::-1])))
    assert coming(it) == coming(other)
    np.testing.assert_array_equal(it.pass_rates(), other.pass_rates())
