"""The learning rate goes up, stays or goes down, and ends at max_steps."""

from __future__ import annotations

import math

import pytest

from srpo.learner.schedule import schedule
from srpo.recipe.schema import LearnerConfig


def rates(kind: str, warmup: int, steps: int) -> list[float]:
    config = LearnerConfig.model_validate({"schedule": kind, "warmup_steps": warmup})
    return [schedule(config, step, steps) for step in range(1, steps + 1)]


def test_numbers_by_hand() -> None:
    assert rates("constant", 0, 3) == [1, 1, 1]
    assert rates("constant", 2, 4) == [0.5, 1, 1, 1]
    assert rates("linear", 0, 4) == [1, 0.75, 0.5, 0.25]
    assert rates("linear", 2, 6) == [0.5, 1, 1, 0.75, 0.5, 0.25]
    half = math.sqrt(0.5)
    assert rates("cosine", 0, 4) == pytest.approx([1, (1 + half) / 2, 0.5, (1 - half) / 2])


@pytest.mark.parametrize("kind", ["linear", "cosine"])
@pytest.mark.parametrize(("warmup", "steps"), [(0, 1), (3, 3), (9, 5), (0, 50), (7, 50)])
def test_it_falls_and_is_never_negative(kind: str, warmup: int, steps: int) -> None:
    found = rates(kind, warmup, steps)
    after = found[warmup:]
    assert all(0 < rate <= 1 for rate in found)
    assert after == sorted(after, reverse=True)
    config = LearnerConfig.model_validate({"schedule": kind, "warmup_steps": warmup})
    assert schedule(config, steps + 99, steps) == pytest.approx(0.0, abs=1e-12) or warmup > steps
