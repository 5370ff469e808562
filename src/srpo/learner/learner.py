"""The seam between the loop and whatever owns the trained weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from srpo.learner.batch import TrainBatch
from srpo.weights import WeightSource


@dataclass(frozen=True)
class LearnerInfo:
    """What others have to know of the model that learns.

    context      most tokens of a prompt with its response; None where the model sets no limit
    eos          every token that ends a response
    pad          the token that fills up shorter rows
    vocabulary   how many tokens the model has embeddings of
    device       where it learns
    dtype        that it computes in: "float32" or "bfloat16"
    notes        what a person should know of it
    """

    context: int | None
    eos: frozenset[int]
    pad: int
    vocabulary: int
    device: torch.device
    dtype: str
    notes: tuple[str, ...] = ()


class Learner(Protocol):
    """Owns the trained weights and the optimizer. Nobody else touches a model that learns."""

    info: LearnerInfo

    def step(self, batch: TrainBatch) -> StepStats:
        """Update the weights from `batch`; without any gradient they stay as they are.

        Raises NotFiniteError before the update at fault changed anything.
        """
        ...

    def score(self, answers: list[tuple[list[int], np.ndarray]]) -> list[np.ndarray]:
        """The float32 log-probability of each token of responses, given as (prompt ids, response
        ids)."""
        ...

    def publish(self, version: int) -> WeightSource:
        """The weights as they are now, for an engine, under this version."""
        ...

    def save(self, folder: Path) -> dict[str, str]:
        """Write weights and optimizer into a folder that is there and empty. Returns the SHA-256
        of the files whose writers took it, by name. Raises OSError."""
        ...

    def load(self, folder: Path) -> None:
        """Take back what `save` wrote: the next step is the one that would have followed."""
        ...

    def export(self, folder: Path) -> None:
        """Write the weights in Hugging Face format. Raises OSError."""
        ...

    def release(self) -> None:
        """Give back the memory that only a step needs, until the next one."""
        ...


@dataclass
class StepStats:
    """Token sums of one step; `row()` turns them into the step's metrics."""

    lr: float
    sums: dict[str, float] = field(default_factory=dict)
    trained: int = 0
    mismatch_max: float = 0.0
    grad_norms: list[float] = field(default_factory=list)

    def add(self, **values: Tensor) -> None:
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + float(value.detach())

    def merge(self, more: StepStats) -> None:
        """Add what other tokens gave."""
        for name, value in more.sums.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        self.trained += more.trained
        self.mismatch_max = max(self.mismatch_max, more.mismatch_max)

    def row(self, with_kl: bool) -> dict[str, float]:
        n = max(self.trained, 1)
        row = {
            "loss": self.sums.get("loss", 0.0) / max(len(self.grad_norms), 1),  # over the updates
            "lr": self.lr,
            "grad_norm": max(self.grad_norms, default=0.0),
            "mismatch/max": self.mismatch_max,
        }
        for name in ("entropy", "clip/low", "clip/high", "mismatch/mean", "mismatch/kl"):
            row[name] = self.sums.get(name, 0.0) / n
        if "mismatch/capped" in self.sums:
            row["mismatch/capped"] = self.sums["mismatch/capped"] / n
        if with_kl:
            row["kl"] = self.sums.get("kl", 0.0) / n
        return row
