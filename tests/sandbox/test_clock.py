"""Whose time is up: with hand-made clocks of wall and CPU time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpo.sandbox.inside import clock as module
from srpo.sandbox.inside.clock import PATIENCE, Clock

LIMIT = 2.0
share = st.floats(0.0, 1.0)


def ends_at(
    share_of_cpu: Callable[[float], float], limit: float = LIMIT, may_wait: bool = False
) -> float:
    """When a program ends that gets this share of the CPU at each moment, in steps of 10 ms."""
    wall = cpu = 0.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.time, "monotonic", lambda: wall)
        patch.setattr(module.time, "clock_gettime", lambda _: cpu)
        clock = Clock(1, limit, may_wait)
        while not clock.is_up():
            wall += 0.01
            cpu += 0.01 * share_of_cpu(wall)
            assert wall < PATIENCE * limit + 1
        return wall


def test_who_computes_alone_has_the_limit() -> None:
    assert ends_at(lambda _: 1.0) == pytest.approx(LIMIT, abs=0.02)
    assert ends_at(lambda _: 2.0) == pytest.approx(LIMIT, abs=0.02)  # two threads


def test_who_waits_has_the_limit() -> None:
    assert ends_at(lambda _: 0.0) == pytest.approx(LIMIT, abs=0.02)
    assert ends_at(lambda wall: float(wall < 1)) == pytest.approx(LIMIT, abs=0.02)
    assert ends_at(lambda _: 0.01) == pytest.approx(LIMIT, abs=0.02)  # it wakes up now and then


def test_tests_may_wait_and_not_compute_longer() -> None:
    assert ends_at(lambda _: 0.0, may_wait=True) == pytest.approx(PATIENCE * LIMIT, abs=0.02)
    assert ends_at(lambda _: 1.0, may_wait=True) == pytest.approx(LIMIT, abs=0.02)


def test_who_gets_half_a_core_has_twice_the_limit() -> None:
    assert ends_at(lambda _: 0.5) == pytest.approx(2 * LIMIT, abs=0.03)


@given(share=st.floats(0.03, 0.3))
def test_patience_ends(share: float) -> None:
    assert ends_at(lambda _: share) == pytest.approx(PATIENCE * LIMIT, abs=0.02)


@given(shares=st.lists(share, min_size=1, max_size=9), limit=st.floats(0.05, 3.0))
def test_never_before_the_limit_and_never_beyond_patience(
    shares: list[float], limit: float
) -> None:
    at = ends_at(lambda wall: shares[int(wall * 7) % len(shares)], limit)
    assert limit - 0.02 <= at <= PATIENCE * limit + 0.02


@given(limit=st.floats(0.01, 100.0), spent=st.floats(0.0, 400.0))
def test_it_is_looked_at_in_time(limit: float, spent: float) -> None:
    now = 0.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.time, "monotonic", lambda: now)
        clock = Clock(1, limit)
        now = spent
        wait = clock.wait()
    assert wait >= 0
    assert spent + wait <= max(spent, PATIENCE * limit) + 1e-9


def test_cpu_time_is_that_of_the_process() -> None:
    """Of all its threads; 0 for one that has gone."""
    before, mine = time.process_time(), Clock(os.getpid(), 1)._cpu()
    assert before <= mine <= time.process_time()
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    assert Clock(child, 1)._cpu() == 0.0
