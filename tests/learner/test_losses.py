"""Every loss through the function that training runs, against its paper's formula in float64."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from builders import make_group, tiny_model
from learner.test_learner import batch_of, close, gradient, make_learner, mixed_groups, scores
from srpo.learner.batch import TrainBatch, TrainRow
from srpo.recipe.schema import (
    CispoConfig,
    DrGrpoConfig,
    GspoConfig,
    LossConfig,
    SampleMeanConfig,
    TokenMeanConfig,
)

LOSSES: dict[str, LossConfig] = {
    "token-mean": TokenMeanConfig(clip_low=0.1, clip_high=0.3),
    "sample-mean": SampleMeanConfig(clip_low=0.1, clip_high=0.3),
    "dr-grpo": DrGrpoConfig(clip_low=0.1, clip_high=0.3, length=40),
    "gspo": GspoConfig(clip_low=0.01, clip_high=0.02),
    "cispo": CispoConfig(clip_low=0.2, clip_high=0.2),
}
LR = 3e-3  # far enough that the second update clips


def ppo(config: LossConfig, ratio: Tensor, advantage: float) -> Tensor:
    clipped = ratio.clamp(1 - config.clip_low, 1 + config.clip_high)
    return torch.minimum(ratio * advantage, clipped * advantage)


def response(config: LossConfig, now: Tensor, old: Tensor, advantage: float) -> Tensor:
    """What one response adds to the objective, as the papers write it."""
    match config:
        case TokenMeanConfig() | DrGrpoConfig():
            return ppo(config, torch.exp(now - old), advantage).sum()
        case SampleMeanConfig():
            return ppo(config, torch.exp(now - old), advantage).sum() / len(now)
        case GspoConfig():
            whole = (now.sum() - old.sum()) / len(now)
            return ppo(config, torch.exp(whole), advantage)
        case CispoConfig():
            ratio = torch.exp(now - old).detach().clamp(1 - config.clip_low, 1 + config.clip_high)
            return (ratio * advantage * now).sum()


DENOMINATORS: dict[str, Callable[[TrainBatch], float]] = {
    "token-mean": lambda batch: batch.tokens,
    "sample-mean": lambda batch: 11,  # valid rollouts of the groups
    "dr-grpo": lambda batch: 11 * 40,
    "gspo": lambda batch: 11,
    "cispo": lambda batch: batch.tokens,
}


def by_the_formula(kind: str, batch: TrainBatch, updates: list[list[TrainRow]]) -> Tensor:
    """The gradient of the last of the updates that share a batch."""
    model = tiny_model(dtype=torch.float64)
    optimizer = torch.optim.AdamW(model.parameters(), LR, betas=(0.9, 0.95), weight_decay=0.0)
    with torch.no_grad():
        old = {id(r): scores(model, r) for r in batch.rows}
    for rows in updates:
        optimizer.zero_grad()
        gains = [response(LOSSES[kind], scores(model, r), old[id(r)], r.advantage) for r in rows]
        share = DENOMINATORS[kind](batch) / len(updates)
        (-torch.stack(gains).sum() / share).backward()
        optimizer.step()
    return torch.cat([p.grad.flatten() for p in model.parameters()])


@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize("micro_batch_tokens", [1, 40, 100_000])
def test_the_gradient_is_the_formulas_however_the_batch_is_cut(
    kind: str, micro_batch_tokens: int
) -> None:
    config = {"lr": LR, "micro_batch_tokens": micro_batch_tokens}
    batch = batch_of(mixed_groups())
    learner = make_learner(loss=LOSSES[kind], **config)
    learner.step(batch)
    assert close(gradient(learner), by_the_formula(kind, batch, [batch.rows]))
    learner, batch = (
        make_learner(loss=LOSSES[kind], updates_per_step=2, **config),
        batch_of(mixed_groups()),
    )
    row = learner.step(batch).row(with_kl=False)
    half = len(batch.rows) // 2
    expected = by_the_formula(kind, batch, [batch.rows[:half], batch.rows[half:]])
    assert row["clip/low"] + row["clip/high"] > 0
    assert close(gradient(learner), expected, 1e-4)


@pytest.mark.parametrize("kind", LOSSES)
def test_groups_without_gradient_count_in_the_denominator_alone(kind: str) -> None:
    silent = make_group("ccc", lengths=[10, 20, 5], seed=4)
    alone, together = make_learner(loss=LOSSES[kind]), make_learner(loss=LOSSES[kind])
    alone.step(batch_of(mixed_groups()))
    together.step(batch_of([*mixed_groups(), silent]))
    by_tokens = kind in ("token-mean", "cispo")
    more, less = (70 + 35, 70) if by_tokens else (11 + 3, 11)
    assert close(gradient(together) * more, gradient(alone) * less)
