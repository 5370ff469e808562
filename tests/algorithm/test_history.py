"""History Resampling: the paper's rule, keyed on accuracy alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import make_group, problems, record
from srpo.algorithm import ledger as codes
from srpo.algorithm.history import decide, resample
from srpo.algorithm.ledger import DECISIONS, REASONS, Ledger
from srpo.recipe.schema import HistoryConfig


def after(epoch: dict[str, str], pool: int, **config: float) -> tuple[list[str], Ledger]:
    """The ids that one epoch's outcomes leave of a pool, and the ledger."""
    found = problems(pool)
    ledger = Ledger(found, ["train"])
    record(ledger, "train", 0, epoch)
    everything = np.ones(pool, dtype=bool)
    kept = resample(
        ledger,
        ledger.rows("train", 0),
        everything,
        everything,
        HistoryConfig(**config),
        np.random.default_rng(0),
    )
    return [found[i].id for i in np.flatnonzero(kept)], ledger


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
    ledger, everything = Ledger(pool, ["train"]), np.ones(3, dtype=bool)
    groups = [
        make_group("cc", [0.1, 1.2], of=pool[0]),  # all correct, rewards differ
        make_group("ii", [1.0, 1.0], of=pool[1]),  # all wrong, rewards full
        make_group("ci", [0.5, 0.5], of=pool[2]),  # mixed, rewards equal
    ]
    ledger.record("train", 0, 1, groups)
    rng = np.random.default_rng(0)
    kept = resample(ledger, slice(0, 3), everything, everything, HistoryConfig(), rng)
    assert kept.tolist() == [False, True, True]


def test_a_threshold_below_one_drops_nearly_solved_prompts() -> None:
    epoch = {"m0": "c" * 7 + "i", "m1": "c" * 6 + "ii", "m2": "c" * 8, "m3": "c" * 6 + "ie"}
    kept, ledger = after(epoch, 4, solved_at=0.875)
    assert kept == ["m1", "m3"], "7/8 is at the threshold, 6/7 is not"
    assert ledger.table()["reason"].to_pylist()[0] == REASONS[codes.SOLVED]
    assert ledger.table()["reason"].to_pylist()[2] == REASONS[codes.ALL_CORRECT]
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
        config, rng = HistoryConfig(recheck_share=0.34), np.random.default_rng(seed)
        following = resample(ledger, slice(0, 1), active, droppable, config, rng)
        assert following.sum() == 2, "the active one and a third of the three dropped"
        drawn |= set(np.flatnonzero(following))
    assert drawn == {0, 1, 2, 3}


COUNTS = st.lists(st.tuples(st.integers(0, 32), st.integers(0, 32)), min_size=1, max_size=30)


@given(COUNTS, st.floats(0.05, 1.0))
def test_decisions_agree_with_a_plain_reading_of_the_rule(
    counts: list[tuple[int, int]], solved_at: float
) -> None:
    correct, wrong = (np.array(x, dtype=np.int16) for x in zip(*counts, strict=True))
    decisions, reasons = decide(correct, wrong, solved_at)
    for (c, w), decision, reason in zip(counts, decisions, reasons, strict=True):
        dropped = c + w > 0 and c >= solved_at * (c + w)
        assert DECISIONS[decision] == ("drop" if dropped else "keep")
        assert (reason in (codes.ALL_CORRECT, codes.SOLVED)) == dropped
        assert (reason == codes.MIXED) == (c > 0 and w > 0 and not dropped)
