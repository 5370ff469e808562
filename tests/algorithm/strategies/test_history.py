"""History Resampling: the paper's rule, keyed on accuracy alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import epoch_over, make_group, problems, record
from srpo.algorithm.ledger import Ledger
from srpo.algorithm.strategies.history import HistoryStrategy
from srpo.recipe.schema import HistoryConfig


def after(epoch: dict[str, str], pool: int, **config: float) -> tuple[list[str], Ledger]:
    """The ids that one epoch's outcomes leave of a pool, and the ledger."""
    found = problems(pool)
    ledger = Ledger(found, ["train"])
    record(ledger, "train", 0, epoch)
    strategy = HistoryStrategy(HistoryConfig(**config))  # pyright: ignore[reportArgumentType]
    decision = strategy.decide(over := epoch_over(ledger))
    ledger.decide(over.rows, decision.reasons)
    return [found[i].id for i in np.flatnonzero(~decision.resting)], ledger


def test_the_papers_rule_on_an_epoch_made_by_hand() -> None:
    epoch = {"m0": "cccc", "m1": "ccci", "m2": "iiii", "m3": "ccce", "m4": "eeee"}
    kept, ledger = after(epoch, 6)
    assert kept == ["m1", "m2", "m4", "m5"], "m5 was not visited: it stays"
    table = ledger.table().to_pydict()
    assert table["decision"] == ["drop", "keep", "keep", "drop", "keep"]
    assert [r.split(":")[0] for r in table["reason"]] == [
        "all correct",
        "mixed",
        "all wrong",
        "all correct",
        "no verdict",
    ]


def test_misleading_rewards_change_nothing() -> None:
    pool = problems(3)
    ledger = Ledger(pool, ["train"])
    groups = [
        make_group("cc", [0.1, 1.2], of=pool[0]),  # all correct, rewards differ
        make_group("ii", [1.0, 1.0], of=pool[1]),  # all wrong, rewards full
        make_group("ci", [0.5, 0.5], of=pool[2]),  # mixed, rewards equal
    ]
    ledger.record("train", 0, 1, groups)
    decision = HistoryStrategy(HistoryConfig()).decide(epoch_over(ledger))
    assert decision.resting.tolist() == [True, False, False]


def test_a_threshold_below_one_drops_nearly_solved_prompts() -> None:
    epoch = {"m0": "c" * 7 + "i", "m1": "c" * 6 + "ii", "m2": "c" * 8, "m3": "c" * 6 + "ie"}
    kept, ledger = after(epoch, 4, solved_at=0.875)
    assert kept == ["m1", "m3"], "7/8 is at the threshold, 6/7 is not"
    reasons = ledger.table()["reason"].to_pylist()
    assert reasons[0] == "pass rate reached sampler.strategy.solved_at"
    assert reasons[2] == "all correct"
    assert after(epoch, 4)[0] == ["m0", "m1", "m3"], "the paper's rule keeps 7/8"


@pytest.mark.parametrize(("share", "back"), [(0.0, 0), (0.25, 2), (1.0, 8)])
def test_a_share_of_the_dropped_prompts_comes_back(share: float, back: int) -> None:
    epoch = {f"m{i}": "cc" for i in range(8)}
    kept, ledger = after(epoch, 10, recheck_share=share)
    assert len(kept) == 2 + back
    assert {"m8", "m9"} <= set(kept)
    assert set(ledger.table()["decision"].to_pylist()) == {"drop"}, "a re-check is not a keep"


def test_rechecks_reach_the_whole_droppable_set_but_no_further() -> None:
    pool = problems(6)
    active, droppable = np.array([1, 0, 0, 0, 0, 0], bool), np.array([1, 1, 1, 1, 0, 0], bool)
    drawn = set()
    for seed in range(40):
        ledger = Ledger(pool, ["train"])
        record(ledger, "train", 0, {"m0": "ci"})
        strategy = HistoryStrategy(HistoryConfig(recheck_share=0.34))
        epoch = epoch_over(ledger, stage=droppable, active=active, seed=seed)
        following = droppable & ~strategy.decide(epoch).resting
        assert following.sum() == 2, "the active one and a third of the three dropped"
        drawn |= set(np.flatnonzero(following))
    assert drawn == {0, 1, 2, 3}


def test_a_dropped_prompt_is_expected_to_do_as_it_last_did() -> None:
    ledger = Ledger(problems(4), ["train"])
    record(ledger, "train", 0, {"m0": "cccc", "m1": "ccci", "m2": "iiii", "m3": "ccce"})
    record(ledger, "train", 1, {"m0": "ccii", "m3": "eeee"})
    decision = HistoryStrategy(HistoryConfig(solved_at=0.5)).decide(epoch_over(ledger, epoch=1))
    assert decision.expected.tolist() == [0.5, 0.75, 0.0, 1.0], "errors are no evidence"


COUNTS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12)


@given(COUNTS, st.floats(0.05, 1.0))
def test_decisions_agree_with_a_plain_reading_of_the_rule(
    counts: list[tuple[int, int]], solved_at: float
) -> None:
    epoch = {f"m{i}": "c" * c + "i" * w for i, (c, w) in enumerate(counts)}
    kept, ledger = after(epoch, len(counts), solved_at=solved_at)
    rows = ledger.table().to_pylist()
    for i, ((c, w), row) in enumerate(zip(counts, rows, strict=True)):
        dropped = c + w > 0 and c >= solved_at * (c + w)
        assert row["decision"] == ("drop" if dropped else "keep")
        assert (f"m{i}" not in kept) == dropped
        assert (row["reason"] == "all correct") == (c > 0 and w == 0)
        assert (row["reason"] == "mixed") == (c > 0 and w > 0 and not dropped)
        assert row["reason"].startswith("no verdict") == (c + w == 0)
