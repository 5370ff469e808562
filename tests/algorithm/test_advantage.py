"""Advantages compare the rollouts of one group with each other, and with nothing else."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from srpo.algorithm.advantage import group_advantages
from srpo.recipe.schema import AdvantageConfig


def advantages(rewards: list[float], correct: list[bool], **config: bool) -> list[float]:
    return group_advantages(
        torch.tensor(rewards, dtype=torch.float64), torch.tensor(correct), AdvantageConfig(**config)
    ).tolist()


def test_hand_computed_numbers() -> None:
    # mean 0.25, population variance 3/16: deviations 3/4 and -1/4 over sqrt(3)/4
    found = advantages([1, 0, 0, 0], [True, False, False, False])
    assert found == pytest.approx([math.sqrt(3), *[-1 / math.sqrt(3)] * 3], abs=1e-5)


def test_without_normalization_only_the_mean_is_taken_off() -> None:
    found = advantages([1.1, 0.1, 0.0, 0.0], [True, *[False] * 3], normalize_std=False)
    assert found == pytest.approx([0.8, -0.2, -0.3, -0.3])


GROUPS = st.lists(
    st.tuples(st.booleans(), st.floats(-2, 2).map(lambda x: round(x, 2))), min_size=2, max_size=32
)


@given(GROUPS)
def test_mean_is_zero_and_mean_square_is_one(group: list[tuple[bool, float]]) -> None:
    correct, terms = [c for c, _ in group], [t for _, t in group]
    found = advantages(terms, correct, outcome_gate=False)
    n = len(found)
    assert sum(found) / n == pytest.approx(0, abs=1e-6)
    if len(set(terms)) > 1:
        assert sum(a * a for a in found) / n == pytest.approx(1, abs=1e-3)
        order = sorted(range(n), key=terms.__getitem__)
        assert [found[i] for i in order] == sorted(found), "a better reward, a better advantage"
    else:
        assert found == [0.0] * n


@pytest.mark.parametrize("correct", [[False] * 4, [True] * 4])
def test_the_gate_silences_groups_that_differ_in_format_only(correct: list[bool]) -> None:
    rewards = [0.1, 0.0, 0.1, 0.1]
    assert advantages(rewards, correct) == [0.0] * 4
    ungated = advantages(rewards, correct, outcome_gate=False)
    assert ungated == pytest.approx(
        [1 / math.sqrt(3), -math.sqrt(3), *[1 / math.sqrt(3)] * 2], 1e-4
    )


def test_the_gate_leaves_mixed_groups_alone() -> None:
    rewards, correct = [1.1, 1.0, 0.1], [True, True, False]
    assert advantages(rewards, correct) == advantages(rewards, correct, outcome_gate=False)
    assert any(advantages(rewards, correct))


def test_one_rollout_has_nothing_to_be_compared_with() -> None:
    assert advantages([1.0], [True], outcome_gate=False) == [0.0]
    assert advantages([], [], outcome_gate=False) == []


def test_equal_rewards_give_nothing_even_where_outcomes_differ() -> None:
    assert advantages([0.7] * 3, [True, False, False]) == [0.0] * 3
