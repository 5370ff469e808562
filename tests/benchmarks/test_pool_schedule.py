"""What the simulation of a pool says, by hand and as properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts import load_script
from srpo.rollout.schedule import Schedule

simulation = load_script("pool_schedule")

LENGTHS = st.lists(st.lists(st.integers(1, 900), min_size=1, max_size=4), min_size=1, max_size=12)


def step_s(rows: int) -> float:
    return simulation.STEP_S + simulation.ROW_S * rows


def test_two_engines_by_hand() -> None:
    """30 and 10 side by side, and 20 alone: the 20 tokens after the short one are quicker."""
    parts = [(20.0, np.array([30, 10])), (15.0, np.array([20]))]
    seconds, busy, tokens = simulation.simulate(Schedule(range(2), 2), parts, 2, 2)
    first, second = 10 * step_s(2) + 20 * step_s(1), 20 * step_s(1)
    assert seconds == pytest.approx(first)
    assert busy == pytest.approx((first + second) / (2 * first))
    assert tokens == pytest.approx(60 * step_s(2) / (2 * 2 * first))


@settings(max_examples=30)
@given(LENGTHS, st.integers(1, 3), st.integers(4, 9))
def test_no_schedule_is_quicker_than_the_work_allows(
    lengths: list[list[int]], engines: int, rows: int
) -> None:
    parts = [(float(np.mean(one)), np.array(one)) for one in lengths]
    total = sum(map(sum, lengths))
    for schedule in (
        Schedule(range(engines), rows),
        simulation.Fifo(engines, rows),
        simulation.RoundRobin(engines, rows),
    ):
        seconds, busy, tokens = simulation.simulate(schedule, parts, engines, rows)
        assert seconds >= max(map(max, lengths)) * step_s(1) * (1 - 1e-9)
        assert 0 < tokens <= busy + 1e-9 <= 1 + 2e-9
        assert seconds <= total * step_s(1) * (1 + 1e-9), "one after the other"


def test_single_rollouts_keep_a_pool_busy() -> None:
    """A pool of 8, at an eighth of the benchmark's size."""
    rng = np.random.default_rng(5)
    scales = 6000 * rng.lognormal(0, 0.7, 32)
    now, before = (simulation.lengths_of("pareto", scales, 32, 32_768, rng) for _ in range(2))
    single = [
        (float(b.mean()), x) for b, g in zip(before, now, strict=True) for x in np.split(g, 32)
    ]
    seconds, busy, _ = simulation.simulate(Schedule(range(8), 96), single, 8, 96)
    whole = [(float(b.mean()), g) for b, g in zip(before, now, strict=True)]
    robin, less, _ = simulation.simulate(simulation.RoundRobin(8, 96), whole, 8, 96)
    assert busy > 0.85
    assert seconds < robin
    assert less < busy
