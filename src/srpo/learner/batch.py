"""From verified groups to the tensors of a forward pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import accumulate
from typing import Any

import numpy as np
import torch
from torch import Tensor

from srpo.algorithm.advantages import open_advantage
from srpo.recipe.schema import AdvantageConfig
from srpo.types import FinishReason, Group, Outcome

PADDING = 256  # tokens of padding that cost more than one more pass over the model


@dataclass(slots=True, eq=False)
class TrainRow:
    """One rollout to learn from: its own arrays, not copies."""

    prompt_ids: list[int]
    response_ids: np.ndarray  # (T,) int32
    engine_logprobs: np.ndarray  # (T,) float32
    advantage: float
    old_logprobs: np.ndarray | None = None  # (T,) the learner's when an off-policy step began

    def __len__(self) -> int:
        return len(self.prompt_ids) + len(self.response_ids)


@dataclass(slots=True)
class TrainBatch:
    """What one step learns from.

    `tokens` and `rollouts` count every valid rollout, those of groups without gradient too: the
    loss' denominator comes from them. `rows` holds only what can have a gradient.
    """

    rows: list[TrainRow]
    tokens: int
    rollouts: int

    @property
    def trained_tokens(self) -> int:
        return sum(len(r.response_ids) for r in self.rows)

    def state_dict(self) -> dict[str, Any]:
        """For a file: arrays as tensors, which torch loads without running code."""
        rows = [{f.name: getattr(row, f.name) for f in fields(row)} for row in self.rows]
        tensors = [
            {n: torch.tensor(v) if isinstance(v, np.ndarray) else v for n, v in row.items()}
            for row in rows
        ]
        return {"tokens": self.tokens, "rows": tensors}


def pack(
    groups: Sequence[Group],
    config: AdvantageConfig,
    keep_all: bool = False,
    mask_truncated: bool = False,
) -> TrainBatch:
    """Attach advantages to the valid rollouts of `groups`.

    Rollouts without a verdict of ours (ERROR) take no part. Groups of zero advantage are left
    out of the rows, which saves their compute and changes no gradient, unless `keep_all` is
    set because another term (KL) has a gradient there. `mask_truncated` leaves rollouts that were
    cut out of all that is counted; the others are still compared with them.
    """
    advantage = open_advantage(config)
    rows: list[TrainRow] = []
    tokens = rollouts = 0
    for group in groups:
        valid = group.valid()
        kept = [r.finish_reason is not FinishReason.LENGTH or not mask_truncated for r in valid]
        tokens += sum(len(r.token_ids) for r, keep in zip(valid, kept, strict=True) if keep)
        rollouts += sum(kept)
        rewards = torch.tensor([r.reward.total for r in valid if r.reward], dtype=torch.float64)
        correct = torch.tensor(
            [r.verdict.outcome is Outcome.CORRECT for r in valid if r.verdict], dtype=torch.bool
        )
        advantages = advantage(rewards, correct)
        if keep_all or bool((advantages != 0).any()):
            rows += [
                TrainRow(group.prompt_ids, r.token_ids, r.logprobs, a)
                for r, a, keep in zip(valid, advantages.tolist(), kept, strict=True)
                if keep
            ]
    return TrainBatch(rows, tokens, rollouts)


def micro_batches(
    rows: Sequence[TrainRow], budget: int, packed: bool = False
) -> Iterator[list[TrainRow]]:
    """Cut rows into batches of at most `budget` tokens, padding included (one row at least).

    Sorted by length, so that rows of a batch are alike. Where rows are padded, a batch also ends
    where one more row would bring its padding above PADDING tokens.
    """
    batch: list[TrainRow] = []
    tokens = 0
    for row in sorted(rows, key=len):
        padded = tokens + len(row) if packed else len(row) * (len(batch) + 1)
        if batch and (padded > budget or padded - tokens - len(row) > PADDING):
            yield batch
            batch, tokens = [], 0
        batch.append(row)
        tokens += len(row)
    if batch:
        yield batch


@dataclass(slots=True)
class MicroBatch:
    """B rows padded on the right to T tokens, and the N response tokens in them; packed rows are
    one, of T tokens together.

    `where` picks the N positions of the flattened (B, T) whose next token is a response token.
    """

    ids: Tensor  # (B, T), or (1, T) packed
    where: Tensor  # (N,)
    targets: Tensor  # (N,)
    engine_logprobs: Tensor  # (N,)
    old_logprobs: Tensor | None  # (N,), None when on-policy: the current ones are the old ones
    advantages: Tensor  # (N,)
    lengths: Tensor  # (B,) response tokens of each row
    positions: Tensor | None = None  # (1, T) of each token in its row, packed
    row_lengths: tuple[int, ...] | None = None  # (B,) tokens of each row, packed


def collate(
    rows: Sequence[TrainRow], pad: int, device: torch.device, packed: bool = False
) -> MicroBatch:
    """The tensors of rows, padded with `pad`, or packed."""
    sizes = [len(row) for row in rows]
    width = max(sizes)
    starts = [0, *accumulate(sizes)][:-1] if packed else range(0, len(rows) * width, width)
    flat = np.full(sum(sizes) if packed else len(rows) * width, pad, np.int64)
    where, advantages = [], []
    for start, row in zip(starts, rows, strict=True):
        response = start + len(row.prompt_ids)
        flat[start:response] = row.prompt_ids
        flat[response : start + len(row)] = row.response_ids
        first = response - 1  # the prompt's last token predicts the first
        where.append(torch.arange(first, first + len(row.response_ids)))
        advantages.append(torch.full((len(row.response_ids),), row.advantage))
    ids = torch.from_numpy(flat).view(1 if packed else len(rows), -1)
    lengths = torch.tensor([len(r.response_ids) for r in rows])
    positions = torch.cat(where)
    old = [r.old_logprobs for r in rows if r.old_logprobs is not None]
    join = lambda arrays: torch.from_numpy(np.concatenate(arrays)).to(device)  # noqa: E731
    return MicroBatch(
        ids=ids.to(device),
        where=positions.to(device),
        targets=ids.flatten()[positions + 1].to(device),
        engine_logprobs=join([r.engine_logprobs for r in rows]),
        old_logprobs=join(old) if old else None,
        advantages=torch.cat(advantages).to(device),
        lengths=lengths.to(device),
        positions=torch.cat([torch.arange(n) for n in sizes])[None].to(device) if packed else None,
        row_lengths=tuple(sizes) if packed else None,
    )
