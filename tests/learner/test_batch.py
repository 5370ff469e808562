"""Packing and collating: nothing lost, nothing added, every token in its place."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from builders import make_group
from srpo.learner.batch import PADDING, TrainRow, collate, micro_batches, pack
from srpo.recipe.schema import GroupConfig

GATED = GroupConfig()


def row(prompt: int, response: int, advantage: float = 1.0, first: int = 10) -> TrainRow:
    ids = np.arange(first, first + prompt + response, dtype=np.int32)
    return TrainRow(
        ids[:prompt].tolist(), ids[prompt:], -ids[prompt:].astype(np.float32), advantage
    )


def test_errored_rollouts_take_no_part() -> None:
    with_error = pack([make_group("cice", lengths=[2, 3, 4, 50])], GATED)
    assert [len(r.response_ids) for r in with_error.rows] == [2, 3, 4]
    assert (with_error.tokens, with_error.rollouts) == (9, 3)
    # two of three correct: mean 2/3, variance 2/9
    expected = [0.5**0.5, -(2**0.5), 0.5**0.5]
    assert [r.advantage for r in with_error.rows] == pytest.approx(expected, abs=1e-5)


def test_groups_without_gradient_count_their_tokens_but_bring_no_rows() -> None:
    groups = [make_group("ci", lengths=[2, 3]), make_group("cc", [1.1, 1.0], [5, 6])]
    batch = pack(groups, GATED)
    assert (len(batch.rows), batch.tokens, batch.rollouts, batch.trained_tokens) == (2, 16, 4, 5)
    kept = pack(groups, GATED, keep_all=True)
    assert (len(kept.rows), kept.tokens, kept.trained_tokens) == (4, 16, 16)
    assert [r.advantage for r in kept.rows[2:]] == [0.0, 0.0]
    ungated = pack(groups, GroupConfig(outcome_gate=False))
    assert [round(r.advantage, 3) for r in ungated.rows[2:]] == [1.0, -1.0]


def test_groups_that_errored_whole_leave_an_empty_batch() -> None:
    batch = pack([make_group("eee"), make_group("ece")], GATED)
    assert (batch.rows, batch.tokens) == ([], 3)


ROWS = st.lists(st.tuples(st.integers(1, 30), st.integers(1, 50)), min_size=1, max_size=40)


@given(ROWS, st.integers(1, 4000))
def test_micro_batches_hold_every_row_once_within_the_budget(
    shapes: list[tuple[int, int]], budget: int
) -> None:
    rows = [row(p, r) for p, r in shapes]
    parts = list(micro_batches(rows, budget))
    assert sorted(id(r) for part in parts for r in part) == sorted(map(id, rows))
    for part in parts:
        padded = len(part) * max(len(r) for r in part)
        assert len(part) == 1 or padded <= budget
        assert padded - sum(map(len, part)) <= PADDING
    flat = [len(r) for part in parts for r in part]
    assert flat == sorted(flat), "rows of like length share a batch"


def test_micro_batches_end_where_padding_would_outweigh_a_pass() -> None:
    alike, long = [row(4, 6) for _ in range(20)], [row(4, 96) for _ in range(20)]
    assert list(micro_batches(long + alike, 10**6)) == [alike, long]
    near = [row(4, 6), row(4, 6 + PADDING)]
    assert list(micro_batches(near, 10**6)) == [near]
    further = [row(4, 6), row(4, 7 + PADDING)]
    assert [len(part) for part in micro_batches(further, 10**6)] == [1, 1]


def test_collate_by_hand() -> None:
    batch = collate([row(2, 1, 0.5), row(1, 3, -1.0, first=20)], 0, torch.device("cpu"))
    assert batch.ids.tolist() == [[10, 11, 12, 0], [20, 21, 22, 23]]
    assert batch.where.tolist() == [1, 4, 5, 6], "the token before each response token"
    assert batch.targets.tolist() == [12, 21, 22, 23]
    assert batch.engine_logprobs.tolist() == [-12, -21, -22, -23]
    assert batch.advantages.tolist() == [0.5, -1.0, -1.0, -1.0]
    assert batch.lengths.tolist() == [1, 3]
    assert batch.old_logprobs is None


@given(ROWS)
def test_collate_picks_each_response_token_and_its_predecessor(
    shapes: list[tuple[int, int]],
) -> None:
    rows = [row(p, r, first=100 * i) for i, (p, r) in enumerate(shapes)]
    batch = collate(rows, -1, torch.device("cpu"))
    assert batch.targets.tolist() == [t for r in rows for t in r.response_ids]
    assert (batch.ids.flatten()[batch.where] == batch.targets - 1).all()
    for old, one in enumerate(rows):
        one.old_logprobs = np.full(len(one.response_ids), old, np.float32)
    again = collate(rows, -1, torch.device("cpu")).old_logprobs
    assert again is not None
    assert again.tolist() == [float(i) for i, r in enumerate(rows) for _ in r.response_ids]


def test_truncated_rollouts_may_be_left_out_of_the_loss_but_not_of_the_comparison() -> None:
    group = make_group("icci", [0.0, 1.0, 1.0, 0.0], [5, 3, 2, 4], truncated=1)
    whole, masked = (pack([group], GroupConfig(), mask_truncated=m) for m in (False, True))
    assert (whole.tokens, whole.rollouts) == (14, 4)
    assert (masked.tokens, masked.rollouts) == (9, 3)
    assert [r.advantage for r in masked.rows] == [r.advantage for r in whole.rows][1:]
    cut = make_group("iiii", lengths=[4] * 4, truncated=4)
    assert pack([cut], GroupConfig(), keep_all=True, mask_truncated=True).rows == []
