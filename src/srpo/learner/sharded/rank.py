"""One process of a sharded learner: it holds its shards, and computes its share of each step.

Its methods are called on all ranks at the same time (`Ranks`), since most of them wait for the
other ranks.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import DTensor

from srpo import transfer
from srpo.learner.batch import TrainRow
from srpo.learner.head import OwnHead, open_head, output_layer
from srpo.learner.learner import StepStats
from srpo.learner.local import checkpoint_layers, info_of, weights_digest
from srpo.learner.names import layer_of, with_file_names
from srpo.learner.optimizer import open_optimizer
from srpo.learner.packing import use_packed_rows
from srpo.learner.saving import save_by_layer
from srpo.learner.scorer import Scorer
from srpo.learner.sharded.shard import load_on_first, shard
from srpo.learner.sharded.state import load_into, save_shards, state_of
from srpo.learner.shares import Share
from srpo.learner.update import Updater
from srpo.models import load_tokenizer, make_savable, pick_device, saved_dtype
from srpo.recipe.schema import Recipe
from srpo.weights import WeightSource


class LearnerRank:
    """The methods that `ShardedLearner` calls."""

    def open(
        self, recipe: Recipe, rank: int, ranks: int, address: str, deadline_s: float
    ) -> dict[str, Any]:
        """Join the others at `address` (host:port of rank 0) and load the model.

        Returns what the driver has to know: info, packed, metadata, saved (names and shapes in the
        model's files, None where they are the same), and the reference's digest.
        """
        device = pick_device(recipe.learner.device)
        os.environ["LOCAL_RANK"] = "0"  # a process has one GPU
        backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
        dist.init_process_group(
            backend,
            init_method=f"tcp://{address}",
            rank=rank,
            world_size=ranks,
            timeout=timedelta(seconds=deadline_s),
        )
        self.rank, self.recipe = rank, recipe
        self.mesh = init_device_mesh(device.type, (ranks,))
        tokenizer = load_tokenizer(recipe.model)
        self.scorer, packed = self._open_scorer()
        model = self.scorer.model
        mended = make_savable(recipe.model, model, tokenizer) if rank == 0 else ""
        checkpoint_layers(model, recipe.learner)
        info = info_of(model, tokenizer, recipe.learner, (mended,) if mended else ())
        reference, digest = None, None
        if recipe.loss.kl_coef > 0:
            reference, _ = self._open_scorer()
            reference.requires_grad_(False)
            digest = weights_digest(reference.model) if rank == 0 else None
            shard(reference, self.mesh, self._dtype)
        shard(self.scorer, self.mesh, self._dtype)
        self.updater = Updater(
            self.scorer,
            reference,
            open_optimizer(model, recipe.learner),
            recipe.learner,
            recipe.loss,
            recipe.max_steps,
            info.pad,
            packed,
            self._together,
        )
        source = self._source(0)
        saved = None if source.saved is None else source.saved.metadata
        return {
            "info": replace(info, device=device),
            "packed": packed,
            "metadata": source.metadata,
            "saved": saved,
            "digest": digest,
        }

    def step(self, number: int, shares: list[Share]) -> StepStats:
        """This rank's share of each update of a step. Raises NotFiniteError, as every rank does."""
        stats = StepStats(lr=self.updater.learning_rate(number))
        if len(shares) > 1:
            for share in shares:
                self.updater.remember_old(share.parts)
        for share in shares:
            self.updater.update(share.parts, share.denominator, stats)
        return stats

    def score(self, parts: list[list[TrainRow]]) -> list[np.ndarray]:
        """The log-probabilities of the rows of micro-batches, in their order."""
        self.updater.remember_old(parts)
        rows = [row for part in parts for row in part]
        return [row.old_logprobs for row in rows if row.old_logprobs is not None]

    def begin_walk(self, version: int, in_files: bool) -> None:
        """Make ready to gather the weights."""
        source = self._source(version)
        self.walk = _layers(iter(source.in_files if in_files and self.rank == 0 else source))

    def next_layer(self) -> list[tuple[str, Tensor]] | None:
        """The next layer, gathered: on rank 0 its tensors, elsewhere nothing; None after the
        last."""
        layer = next(self.walk, None)
        return layer if self.rank == 0 else None

    def send(self, version: int, in_files: bool, where: tuple[str, int, float]) -> None:
        """Send the weights to engines that wait for them: rank 0 does, the others help gather."""
        source = self._source(version)
        if self.rank == 0:
            transfer.send(source.in_files if in_files else source, *where)
        else:
            for _ in source:
                pass

    def save(self, folder: Path) -> dict[str, str]:
        """Write this rank's shards; their digests."""
        return save_shards(self._state(), folder)

    def load(self, folder: Path) -> None:
        """Read what `save` wrote, by however many ranks."""
        load_into(self._state(), folder)

    def export(self, folder: Path) -> None:
        """Write the weights in Hugging Face format, a layer in memory at a time."""
        exact = self.recipe.learner.save_dtype == "float32"
        dtype = torch.float32 if exact else saved_dtype(self.recipe.model)
        source = self._source(0)
        if self.rank == 0:
            save_by_layer(self.scorer.model, source.in_files, folder, dtype)
        else:
            for _ in source:
                pass
        dist.barrier()

    def release(self) -> None:
        """Give back what only a step needs."""
        self.updater.optimizer.zero_grad(set_to_none=True)

    @property
    def _dtype(self) -> torch.dtype:
        return getattr(torch, self.recipe.learner.dtype)

    def _open_scorer(self) -> tuple[Scorer, bool]:
        """Whole, and whether it takes packed rows: rank 0 finds out, having the values."""
        model = load_on_first(self.recipe.model, self.rank).eval()
        found: list[Any] = [None]
        if self.rank == 0:
            head = open_head(model)
            before = model.config._attn_implementation
            packed = use_packed_rows(model)
            own = head.output if isinstance(head, OwnHead) else None
            found = [(own, packed, model.config._attn_implementation, before)]
        dist.broadcast_object_list(found)
        own, packed, attention, before = found[0]
        if attention != before:
            model.set_attn_implementation(attention)
        head = output_layer(model) if own is None else OwnHead(model, own)
        rollout, learner = self.recipe.rollout, self.recipe.learner
        how = (rollout.temperature, rollout.top_p, rollout.top_k)
        return Scorer(model, head, learner.logit_chunk, False, *how), packed

    def _state(self) -> dict[str, Any]:
        return state_of(self.scorer.model, self.updater.optimizer)

    def _source(self, version: int) -> WeightSource:
        """Every walk gathers one weight after the other, on all ranks."""
        weights = dict(self.scorer.model.named_parameters())
        shapes = {name: weight.shape for name, weight in weights.items()}
        source = WeightSource(version, shapes, partial(_gathered, weights))
        return with_file_names(self.scorer.model, source)

    def _together(self, stats: StepStats) -> StepStats:
        """Of all ranks, added up in their order."""
        each: list[Any] = [None] * dist.get_world_size()
        dist.all_gather_object(each, stats)
        total = StepStats(stats.lr)
        for one in each:
            total.merge(one)
        return total


@torch.no_grad()
def _gathered(weights: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    for name, weight in weights.items():
        assert isinstance(weight, DTensor)
        yield name, weight.full_tensor().detach()


def _layers(
    weights: Iterator[tuple[str, Tensor]],
) -> Iterator[list[tuple[str, Tensor]]]:
    for _, layer in groupby(weights, lambda pair: layer_of(pair[0])):
        yield [(name, tensor.cpu().clone()) for name, tensor in layer]
