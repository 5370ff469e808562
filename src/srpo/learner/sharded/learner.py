"""A Learner whose model is split over ranks: it holds no weight itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from srpo.algorithm.losses import open_loss
from srpo.learner.batch import TrainBatch, TrainRow
from srpo.learner.learner import StepStats
from srpo.learner.sharded.ranks import Ranks
from srpo.learner.sharded.state import COUNTS, check_same, read_counts
from srpo.learner.shares import divide, updates
from srpo.recipe.schema import Recipe
from srpo.weights import WeightSource


@dataclass
class _Opened:
    info: Any
    packed: bool
    metadata: dict[str, Any]
    saved: dict[str, Any] | None
    digest: str | None


class ShardedLearner:
    """Tells every rank what to do."""

    def __init__(self, recipe: Recipe, ranks: Ranks, address: str, deadline_s: float):
        """`address` is a free host:port of rank 0. Raises UserError."""
        self.ranks, self.config = ranks, recipe.learner
        self.loss = open_loss(recipe.loss)
        n = ranks.count
        opened = ranks.each("open", [(recipe, rank, n, address, deadline_s) for rank in range(n)])
        self.opened = _Opened(**opened[0])
        self.info, self.packed = self.opened.info, self.opened.packed
        self.steps = 0

    def step(self, batch: TrainBatch) -> StepStats:
        self.steps += 1
        each = updates(batch, self.config, self.loss, self.ranks.count, self.packed)
        by_rank = [[update[rank] for update in each] for rank in range(self.ranks.count)]
        return self.ranks.each("step", [(self.steps, shares) for shares in by_rank])[0]

    def score(self, answers: list[tuple[list[int], np.ndarray]]) -> list[np.ndarray]:
        rows = [
            TrainRow(prompt, response, np.zeros(len(response), np.float32), 0.0)
            for prompt, response in answers
        ]
        parts = divide(rows, self.config.micro_batch_tokens, self.ranks.count, self.packed)
        found = self.ranks.each("score", [(own,) for own in parts])
        by_row = {
            id(row): scores
            for own, theirs in zip(parts, found, strict=True)
            for row, scores in zip((r for part in own for r in part), theirs, strict=True)
        }
        return [by_row[id(row)] for row in rows]

    def publish(self, version: int) -> WeightSource:
        plain = self._source(version, self.opened.metadata, False)
        if self.opened.saved is None:
            return plain
        saved = self._source(version, self.opened.saved, True)
        return WeightSource(version, plain.metadata, plain.walk, saved, plain.send)

    def save(self, folder: Path) -> dict[str, str]:
        shapes = {name: list(shape) for name, shape in self.opened.metadata.items()}
        plain = {"steps": self.steps, "reference": self.opened.digest, "shapes": shapes}
        (folder / COUNTS).write_text(json.dumps(plain))
        digests: dict[str, str] = {}
        for found in self.ranks.call("save", folder.absolute()):
            digests |= found
        return digests

    def load(self, folder: Path) -> None:
        found = read_counts(folder)
        check_same(found, self.opened.metadata, self.opened.digest)
        self.ranks.call("load", folder.absolute())
        self.steps = found["steps"]

    def export(self, folder: Path) -> None:
        self.ranks.call("export", folder.absolute())

    def release(self) -> None:
        self.ranks.call("release")

    def _source(self, version: int, shapes: dict[str, Any], in_files: bool) -> WeightSource:
        def send(address: str, receivers: int, deadline_s: float) -> None:
            self.ranks.call("send", version, in_files, (address, receivers, deadline_s))

        return WeightSource(version, shapes, partial(self._walk, version, in_files), send=send)

    def _walk(self, version: int, in_files: bool) -> Iterator[tuple[str, Tensor]]:
        self.ranks.call("begin_walk", version, in_files)
        while (layer := self.ranks.call("next_layer")[0]) is not None:
            yield from layer
