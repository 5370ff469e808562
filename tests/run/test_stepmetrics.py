"""What a step's groups say, by hand-made groups."""

from __future__ import annotations

import pytest

from builders import make_group, problem
from srpo.metrics import meaning
from srpo.run.stepmetrics import group_metrics, pool_accuracy
from srpo.types import Group

CODE = problem("k", "code")


def groups() -> list[Group]:
    return [
        make_group("ccie", [1.1, 1.0, 0.1, 0.0], [1, 2, 3, 4], truncated=1),
        make_group("cccc", lengths=[5] * 4),
        make_group("iiii", lengths=[10] * 4, of=CODE, truncated=2),
        make_group("eeee", lengths=[2] * 4, of=CODE),
    ]


def test_hand_computed_metrics() -> None:
    found = group_metrics(groups(), selected=3)
    expected = {
        "reward/mean": (1.1 + 1.0 + 0.1 + 4.0) / 11,
        "reward/accuracy": 6 / 11,
        "reward/format": 1.0,
        "reward/language": 0.0,
        "reward/overlong": None,
        "reward/math": (1.1 + 1.0 + 0.1 + 4.0) / 7,
        "reward/code": 0.0,
        "accuracy/math": 6 / 7,
        "accuracy/code": 0.0,
        "length/mean": 78 / 16,
        "length/math": 30 / 8,
        "length/code": 48 / 8,
        "length/max": 10,
        "truncated": 3 / 16,
        "groups/informative": 1 / 3,
        "groups/all_correct": 1 / 3,
        "groups/all_wrong": 1 / 3,
        "groups/discarded": 1,
        "errors": 5,
        "tokens/step": 78,
    }
    assert found == pytest.approx(expected)
    assert all(map(meaning, found))


def test_what_is_undefined_is_none_and_never_zero() -> None:
    math_only = group_metrics(groups()[:2], 2)
    assert not {"accuracy/code", "length/code", "reward/code"} & math_only.keys()
    errored = group_metrics(groups()[3:], 1)
    for name in ("reward/mean", "accuracy/code", "groups/informative", "groups/all_wrong"):
        assert errored[name] is None
    assert group_metrics([], 0)["length/mean"] is None


def test_dropped_prompts_count_as_solved_in_the_pools_accuracy() -> None:
    half = [make_group("ci"), make_group("ciee")]
    assert pool_accuracy(half, size=10, dropped=0, dropped_correct=0) == 0.5
    assert pool_accuracy(half, size=10, dropped=30, dropped_correct=30) == pytest.approx(
        (5 + 30) / 40
    )
    assert pool_accuracy(half, size=10, dropped=30, dropped_correct=6.0) == pytest.approx(11 / 40)
    assert pool_accuracy([make_group("ee")], size=10, dropped=30, dropped_correct=30) is None
    assert pool_accuracy(half, size=0, dropped=0, dropped_correct=0) is None
