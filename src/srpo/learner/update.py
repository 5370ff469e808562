"""One optimizer update, micro-batch by micro-batch: what every learner does with its rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.distributed.tensor import DTensor

from srpo.algorithm.losses import open_loss
from srpo.algorithm.losses.base import Tokens, kl_k3
from srpo.errors import NotFiniteError
from srpo.learner.batch import MicroBatch, TrainRow, collate
from srpo.learner.learner import StepStats
from srpo.learner.schedule import schedule
from srpo.learner.scorer import Scorer
from srpo.recipe.schema import LearnerConfig, LossConfig

FILLER = TrainRow(
    [0], np.zeros(1, np.int32), np.zeros(1, np.float32), 0.0
)  # computed where a rank has no row left, and not counted


class Updater:
    """Gradients, the update, and scores of this process' rows."""

    def __init__(
        self,
        scorer: Scorer,
        reference: Callable[..., tuple[Tensor, Tensor]] | None,
        optimizer: torch.optim.Optimizer,
        config: LearnerConfig,
        loss: LossConfig,
        max_steps: int,
        pad: int,
        packed: bool,
        together: Callable[[StepStats], StepStats] = lambda stats: stats,
    ):
        """
        Args:
            reference: scores with the base model, for a KL term.
            max_steps: of the run, at which a schedule ends.
            packed: whether the model takes packed rows.
            together: the sums of all ranks, from this one's.
        """
        self.scorer, self.reference, self.optimizer = scorer, reference, optimizer
        self.config, self.loss, self.max_steps = config, open_loss(loss), max_steps
        self.pad, self.packed, self.together = pad, packed, together

    def learning_rate(self, step: int) -> float:
        """Of a step from 1; it is set."""
        rate = self.config.lr * schedule(self.config, step, self.max_steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        return rate

    @torch.no_grad()
    def remember_old(self, parts: Sequence[list[TrainRow]]) -> None:
        """Score the rows of micro-batches with the weights as they are now."""
        for part in parts:
            logprobs, _ = self.scorer(self._collate(part))
            scores = logprobs.split([len(r.response_ids) for r in part or [FILLER]])
            for row, score in zip(part, scores, strict=False):
                row.old_logprobs = score.cpu().numpy()

    def update(self, parts: Sequence[list[TrainRow]], denominator: float, stats: StepStats) -> None:
        """Update the weights from micro-batches. The denominator is the whole update's, whatever
        share of its rows is here. Raises NotFiniteError before anything is changed."""
        self.optimizer.zero_grad(set_to_none=True)
        here = StepStats(stats.lr)
        for part in parts:
            self._accumulate(part, denominator, here)
        stats.merge(self.together(here))
        parameters = [p for p in self.scorer.parameters() if p.requires_grad]
        norm = torch.nn.utils.clip_grad_norm_(parameters, self.config.max_grad_norm)
        norm = norm.full_tensor() if isinstance(norm, DTensor) else norm
        stats.grad_norms.append(float(norm))
        if not torch.isfinite(norm) or not math.isfinite(stats.sums["loss"]):
            self.optimizer.zero_grad(set_to_none=True)
            raise NotFiniteError(
                f"loss {stats.sums['loss']} and gradient norm {float(norm)}"
                " are not both finite; try a lower learner.lr or learner.dtype float32"
            )
        self.optimizer.step()

    def _accumulate(self, part: list[TrainRow], denominator: float, stats: StepStats) -> None:
        """Add one micro-batch's gradient."""
        batch = self._collate(part)
        logprobs, entropy = self.scorer(batch)
        # On-policy the current log-probabilities are the old ones: no second pass is needed.
        old = logprobs.detach() if batch.old_logprobs is None else batch.old_logprobs
        reference = None
        if self.reference is not None:
            with torch.no_grad():
                reference, _ = self.reference(batch)
        if not part:
            (logprobs.sum() * 0.0).backward()
            return
        engine = batch.engine_logprobs
        sums = self.loss.sums(
            Tokens(logprobs, old, engine, batch.advantages, batch.lengths, reference)
        )
        loss = sums.loss / denominator
        loss.backward()
        difference = (engine - old).abs()
        stats.add(loss=loss, entropy=entropy.sum(), kl=sums.kl)
        stats.add(**{"clip/low": sums.clip_low, "clip/high": sums.clip_high})
        stats.add(**{"mismatch/mean": difference.sum()})
        stats.add(**{"mismatch/kl": kl_k3(engine, old).sum()})
        if (cap := self.loss.tis_cap) is not None:
            stats.add(**{"mismatch/capped": (old - engine > math.log(cap)).sum()})
        stats.mismatch_max = max(stats.mismatch_max, float(difference.max()))
        stats.trained += batch.targets.numel()

    def _collate(self, part: list[TrainRow]) -> MicroBatch:
        device = self.scorer.model.device
        return collate(part or [FILLER], self.pad, device, self.packed)
