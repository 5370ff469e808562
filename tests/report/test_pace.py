"""The time that is left, by the budget that ends first."""

from __future__ import annotations

from srpo.report.pace import Pace


def test_eta_follows_the_last_steps():
    pace = Pace(100)
    for step in range(1, 51):
        pace.observe({"step": step, "seconds/step": 60.0 if step <= 30 else 2.0})
    assert pace.eta == "1m40s"


def test_eta_knows_the_budget_that_ends_first():
    """10 of 100 steps took 500 of 1,000 tokens: 10 steps are left, of 3 s each."""
    pace = Pace(100, 1000)
    for step in range(1, 11):
        pace.observe({"step": step, "seconds/step": 3.0, "tokens/generated": 50 * step})
    assert pace.eta == "30s"
    pace.max_tokens = 10**9
    assert pace.eta == "4m30s"
