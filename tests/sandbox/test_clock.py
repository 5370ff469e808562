"""Whose time is up: hand-made clocks of wall and CPU time, and real programs on a busy core."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpo.sandbox import Limits, Program
from srpo.sandbox.inside import clock as module
from srpo.sandbox.inside.clock import PATIENCE, Clock
from walls import WHY_NOT, opened

LIMIT = 2.0
share = st.floats(0.0, 1.0)


def ends_at(share_of_cpu: Callable[[float], float], limit: float = LIMIT) -> float:
    """When a program ends that gets this share of the CPU at each moment, in steps of 10 ms."""
    wall = cpu = 0.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.time, "monotonic", lambda: wall)
        patch.setattr(module.time, "clock_gettime", lambda _: cpu)
        clock = Clock(1, limit)
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


def test_who_gets_half_a_core_has_twice_the_limit() -> None:
    assert ends_at(lambda _: 0.5) == pytest.approx(2 * LIMIT, abs=0.03)


@given(share=st.floats(0.01, 0.3))
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


@pytest.mark.skipif(bool(WHY_NOT["sandlock"]), reason="no sandlock here")
def test_a_program_that_shares_its_core() -> None:
    """With a core that it shares with three others it needs four times its CPU seconds."""
    core = min(os.sched_getaffinity(0))
    spin = f"import os\nos.sched_setaffinity(0, [{core}])\nwhile True: pass"
    code = "import time\nwhile time.process_time() < 0.5: pass\nprint('done')"
    others = [subprocess.Popen([sys.executable, "-c", spin]) for _ in range(2)]
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, [core])  # its server inherits it
        with opened("sandlock", 1) as box:
            result = box.run(Program(code), Limits(time_s=1.0))
    finally:
        os.sched_setaffinity(0, before)
        for other in others:
            other.kill()
            other.wait()
    assert result.stdout == "done\n", result
