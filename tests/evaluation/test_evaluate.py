"""Evaluation: pass@1 over problems, pass@n, lengths; errors of ours count in no rate."""

from __future__ import annotations

import numpy as np
import pytest

from builders import make_group, problem
from srpo.evaluation.evaluate import summarize


def test_hand_computed_summary_by_domain() -> None:
    code = problem("k", "code")
    found = summarize(
        [
            make_group("ciii", lengths=[2, 4, 6, 8], truncated=1),
            make_group("iiii"),
            make_group("cccc", of=code),
            make_group("ccci", lengths=[10] * 4, of=code),
        ]
    )
    assert set(found) == {"math", "code"}
    math = found["math"]
    assert math["pass@1"] == 0.125
    # Wilson's for 1/8: as many independent answers as (1/8 * 7/8) / ((2/64 + 7/64) / 4), and
    # Student's quantile of one degree of freedom. The bounds are the roots of a quadratic.
    z2 = 12.706**2 / (28 / 9)
    roots = np.roots([1 + z2, -(1 / 4 + z2), 1 / 64]).real
    interval = math["pass@1_low"], math["pass@1_high"]
    assert interval == pytest.approx(sorted(roots), abs=1e-6)
    assert math["pass@4"] == 0.5
    assert math["mean_tokens"] == (20 + 12) / 8
    assert math["truncated"] == 0.125
    assert (math["problems"], math["errors"]) == (2, 0)
    assert (found["code"]["pass@1"], found["code"]["pass@4"]) == (0.875, 1.0)


def test_an_errored_rollout_is_neither_right_nor_wrong() -> None:
    found = summarize([make_group("ciee"), make_group("ccce"), make_group("eeee")])["math"]
    assert found["pass@1"] == pytest.approx((0.5 + 1.0) / 2), "the third problem has no rate"
    assert (found["problems"], found["errors"]) == (3, 7)


def test_pass_at_n_is_of_problems_with_n_judged_samples() -> None:
    """One right of three is no pass@4, whatever the fourth would have been."""
    groups = [make_group("cicc"), make_group("iiii"), make_group("ciie"), make_group("eeee")]
    assert summarize(groups)["math"]["pass@4"] == 0.5
    assert "pass@4" not in summarize(groups[2:])["math"]
    assert summarize(groups[2:])["math"]["pass@1"] == pytest.approx(1 / 3)


def test_one_sample_is_pass_at_1() -> None:
    found = summarize([make_group("c"), make_group("i")])["math"]
    assert [name for name in found if name.startswith("pass@")] == [
        "pass@1",
        "pass@1_low",
        "pass@1_high",
    ]
    assert found["pass@1"] == 0.5


def test_rewards_do_not_count() -> None:
    one = summarize([make_group("cici", [0.0, 9.0, 0.1, 1.1])])
    assert one == summarize([make_group("cici")])


def test_when_nothing_could_be_judged_the_interval_says_so() -> None:
    found = summarize([make_group("ee")])["math"]
    assert (found["pass@1_low"], found["pass@1_high"], found["errors"]) == (0.0, 1.0, 2)


def test_no_groups_no_domains() -> None:
    assert summarize([]) == {}
