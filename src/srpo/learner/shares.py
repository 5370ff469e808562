"""Which rank computes which rows of a step, in which micro-batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from srpo.algorithm.losses.base import Loss
from srpo.learner.batch import TrainBatch, TrainRow, micro_batches
from srpo.recipe.schema import LearnerConfig


@dataclass
class Share:
    """One rank's micro-batches of an update, and the whole update's denominator."""

    parts: list[list[TrainRow]]
    denominator: float


def updates(
    batch: TrainBatch, config: LearnerConfig, loss: Loss, ranks: int, packed: bool
) -> list[list[Share]]:
    """For each optimizer update of the step, each rank's share."""
    n = min(config.updates_per_step, len(batch.rows))
    denominator = loss.denominator(batch.tokens, batch.rollouts)
    cuts = [len(batch.rows) * i // n for i in range(n + 1)] if n else []
    return [
        [
            Share(parts, denominator / n)
            for parts in divide(batch.rows[a:b], config.micro_batch_tokens, ranks, packed)
        ]
        for a, b in pairwise(cuts)
    ]


def divide(
    rows: Sequence[TrainRow], budget: int, ranks: int, packed: bool
) -> list[list[list[TrainRow]]]:
    """Each rank's micro-batches: about as many tokens for each, and just as many micro-batches,
    some without a row, since ranks wait for each other in each of them."""
    mine: list[list[TrainRow]] = [[] for _ in range(ranks)]
    tokens = [0] * ranks
    for row in sorted(rows, key=len, reverse=True):
        least = tokens.index(min(tokens))
        mine[least].append(row)
        tokens[least] += len(row)
    parts = [list(micro_batches(own[::-1], budget, packed)) for own in mine]
    most = max(len(own) for own in parts)
    return [own + [[] for _ in range(most - len(own))] for own in parts]
