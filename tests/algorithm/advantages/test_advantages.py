"""Advantages compare the rollouts of one group with each other, and with nothing else."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from srpo.algorithm.advantages import open_advantage
from srpo.recipe.schema import GroupConfig, RlooConfig

KINDS = {"group": GroupConfig, "rloo": RlooConfig}


def advantages(
    rewards: list[float], correct: list[bool], kind: str = "group", **config: bool
) -> list[float]:
    advantage = open_advantage(KINDS[kind](**config))
    return advantage(torch.tensor(rewards, dtype=torch.float64), torch.tensor(correct)).tolist()


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


def test_leave_one_out_by_hand() -> None:
    # 1.1 less the mean of 0.1, 0, 0; 0.1 less that of 1.1, 0, 0; 0 less that of 1.1, 0.1, 0
    found = advantages([1.1, 0.1, 0.0, 0.0], [True, *[False] * 3], "rloo")
    assert found == pytest.approx([1.1 - 0.1 / 3, 0.1 - 1.1 / 3, -0.4, -0.4])


@given(GROUPS)
def test_leave_one_out_is_the_distance_from_the_mean_stretched(
    group: list[tuple[bool, float]],
) -> None:
    correct, terms = [c for c, _ in group], [t for _, t in group]
    found = advantages(terms, correct, "rloo", outcome_gate=False)
    n = len(found)
    centred = advantages(terms, correct, outcome_gate=False, normalize_std=False)
    assert found == pytest.approx([a * n / (n - 1) for a in centred], abs=1e-9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("correct", [[False] * 4, [True] * 4])
def test_the_gate_silences_groups_that_differ_in_format_only(
    correct: list[bool], kind: str
) -> None:
    rewards = [0.1, 0.0, 0.1, 0.1]
    assert advantages(rewards, correct, kind) == [0.0] * 4
    assert any(advantages(rewards, correct, kind, outcome_gate=False))
    ungated = advantages(rewards, correct, outcome_gate=False)
    assert ungated == pytest.approx(
        [1 / math.sqrt(3), -math.sqrt(3), *[1 / math.sqrt(3)] * 2], 1e-4
    )


def test_the_gate_leaves_mixed_groups_alone() -> None:
    rewards, correct = [1.1, 1.0, 0.1], [True, True, False]
    assert advantages(rewards, correct) == advantages(rewards, correct, outcome_gate=False)
    assert any(advantages(rewards, correct))


@pytest.mark.parametrize("kind", KINDS)
def test_one_rollout_has_nothing_to_be_compared_with(kind: str) -> None:
    assert advantages([1.0], [True], kind, outcome_gate=False) == [0.0]
    assert advantages([], [], kind, outcome_gate=False) == []


@pytest.mark.parametrize("kind", KINDS)
def test_equal_rewards_give_nothing_even_where_outcomes_differ(kind: str) -> None:
    assert advantages([0.7] * 3, [True, False, False], kind) == [0.0] * 3
