"""A Learner in one process: the paper's update, in micro-batches."""

from __future__ import annotations

import copy
import errno
import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from torch import Tensor
from transformers import PreTrainedModel
from transformers.modeling_layers import GradientCheckpointingLayer

from srpo.learner.batch import MicroBatch, TrainBatch, TrainRow
from srpo.learner.head import open_head
from srpo.learner.learner import LearnerInfo, StepStats
from srpo.learner.lora import ADAPTER, add_adapters, merged, save_adapter, switched_off
from srpo.learner.names import with_file_names
from srpo.learner.optimizer import open_optimizer
from srpo.learner.packing import use_packed_rows
from srpo.learner.saving import save_by_layer, save_model, save_tensors
from srpo.learner.scorer import Scorer
from srpo.learner.sharded.state import (
    WHOLE,
    check_same,
    load_into,
    read_counts,
    state_of,
    trained,
)
from srpo.learner.shares import divide, updates
from srpo.learner.update import Updater
from srpo.models import eos_ids, load_model, make_savable, pick_device, saved_dtype
from srpo.recipe.schema import LearnerConfig, LossConfig, Recipe
from srpo.weights import WeightSource


class LocalLearner:
    """A Learner that holds the whole model, on one device."""

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: Any,
        config: LearnerConfig,
        loss: LossConfig,
        temperature: float,
        top_p: float = 1.0,
        top_k: int = 0,
        max_steps: int = 1,
        save_dtype: torch.dtype = torch.float32,
        seed: int = 0,
        name: str = "",
    ):
        """
        Args:
            temperature: with top_p and top_k, the sampling's: the learner scores with the same.
            max_steps: of the run, at which a schedule ends.
            save_dtype: what `export` writes.
            seed: of the adapters, if there are any.
            name: of the model, for them.
        """
        self.model, self.config, self.name = model.eval(), config, name
        self.info = info_of(model, tokenizer, config)
        self.save_dtype = save_dtype
        head, packed = open_head(model), use_packed_rows(model)
        checkpoint_layers(model, config)
        low = config.dtype == "bfloat16"
        how = (config.logit_chunk, low, temperature, top_p, top_k)
        self.scorer = Scorer(model, head, *how)
        with_kl = loss.kl_coef > 0
        # What the run is measured against, and with adapters learns on top of.
        self.base_digest = weights_digest(model) if with_kl or config.lora else None
        reference: Callable[[MicroBatch], tuple[Tensor, Tensor]] | None = None
        if config.lora:
            add_adapters(model, config.lora, seed)
            reference = self._without_adapters if with_kl else None
        elif with_kl:
            base = copy.deepcopy(model).eval().requires_grad_(False)
            reference = Scorer(base, open_head(base), *how)
        self.updater = Updater(
            self.scorer,
            reference,
            open_optimizer(model, config),
            config,
            loss,
            max_steps,
            self.info.pad,
            packed,
        )
        self.steps = 0

    @classmethod
    def open(cls, recipe: Recipe, tokenizer: Any) -> LocalLearner:
        """With the recipe's model: in float32, or, where adapters learn and it does not, in the
        precision that is computed in. Raises UserError."""
        dtype = recipe.learner.dtype if recipe.learner.lora else "float32"
        model = load_model(recipe.model, dtype, pick_device(recipe.learner.device))
        mended = make_savable(recipe.model, model, tokenizer)
        sampling = recipe.rollout
        exact = recipe.learner.save_dtype == "float32"
        learner = cls(
            model,
            tokenizer,
            recipe.learner,
            recipe.loss,
            sampling.temperature,
            sampling.top_p,
            sampling.top_k,
            recipe.max_steps,
            torch.float32 if exact else saved_dtype(recipe.model),
            recipe.seed,
            recipe.model,
        )
        learner.info = replace(learner.info, notes=(mended,) if mended else ())
        return learner

    @property
    def optimizer(self) -> torch.optim.Optimizer:
        """Of the trained weights."""
        return self.updater.optimizer

    def step(self, batch: TrainBatch) -> StepStats:
        self.steps += 1
        stats = StepStats(lr=self.updater.learning_rate(self.steps))
        each = updates(batch, self.config, self.updater.loss, 1, self.updater.packed)
        if len(each) > 1:
            for [share] in each:
                self.updater.remember_old(share.parts)
        for [share] in each:
            self.updater.update(share.parts, share.denominator, stats)
        return stats

    def score(self, answers: list[tuple[list[int], np.ndarray]]) -> list[np.ndarray]:
        rows = [
            TrainRow(prompt, response, np.zeros(len(response), np.float32), 0.0)
            for prompt, response in answers
        ]
        [parts] = divide(rows, self.config.micro_batch_tokens, 1, self.updater.packed)
        self.updater.remember_old(parts)
        return [row.old_logprobs for row in rows if row.old_logprobs is not None]

    def publish(self, version: int) -> WeightSource:
        if self.config.lora:
            return with_file_names(self.model, merged(self.model, version))
        source = WeightSource.of(version, self.model.named_parameters())
        return with_file_names(self.model, source)

    def save(self, folder: Path) -> dict[str, str]:
        state = {
            "model": trained(self.model),
            "optimizer": self.optimizer.state_dict(),
            "steps": self.steps,
            "reference": self.base_digest,
        }
        save_tensors(state, folder / WHOLE)
        return {}

    def load(self, folder: Path) -> None:
        """Also from the shards of several processes."""
        found = read_counts(folder)
        shapes = {name: p.shape for name, p in trained(self.model).items()}
        check_same(found, shapes, self.base_digest)
        load_into(state_of(self.model, self.optimizer), folder)
        self.steps = found["steps"]

    def export(self, folder: Path) -> None:
        try:
            if self.config.lora:
                save_by_layer(self.model, self.publish(0).in_files, folder, self.save_dtype)
                save_adapter(self.model, self.name, self.config.lora, folder / ADAPTER)
            else:
                save_model(self.model, folder, self.save_dtype)
        except SafetensorError as error:  # what safetensors makes of a full disk
            raise OSError(errno.ENOSPC, str(error), str(folder)) from error

    def _without_adapters(self, batch: MicroBatch) -> tuple[Tensor, Tensor]:
        """Scored by the base model."""
        with switched_off(self.model):
            return self.scorer(batch)

    def release(self) -> None:
        self.optimizer.zero_grad(set_to_none=True)


def info_of(
    model: PreTrainedModel, tokenizer: Any, config: LearnerConfig, notes: tuple[str, ...] = ()
) -> LearnerInfo:
    """What others have to know of a model that learns."""
    text = model.config.get_text_config()
    return LearnerInfo(
        context=getattr(text, "max_position_embeddings", None),
        eos=eos_ids(model, tokenizer),
        pad=tokenizer.pad_token_id or 0,
        vocabulary=_embedding_rows(model),
        device=model.device,
        dtype=config.dtype,
        notes=notes,
    )


def checkpoint_layers(model: PreTrainedModel, config: LearnerConfig) -> None:
    """Recompute activations in the backward pass, where the recipe wants it.

    Dropout would make the learner score with another policy than the engine sampled from, so the
    model stays in eval mode. Only the layers that checkpoint are told otherwise, not what is inside
    them.
    """
    if config.gradient_checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})
        for module in model.modules():
            if isinstance(module, GradientCheckpointingLayer):
                module.training = True


def weights_digest(model: PreTrainedModel) -> str:
    """Of all weights."""
    digest = hashlib.sha256()
    for name, parameter in model.named_parameters():
        digest.update(f"{name} {parameter.dtype} {list(parameter.shape)}".encode())
        digest.update(parameter.detach().cpu().contiguous().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _embedding_rows(model: PreTrainedModel) -> int:
    """The config's vocab_size may be another number."""
    embedding = model.get_input_embeddings()
    assert embedding is not None, "a causal language model has an embedding"
    return len(embedding.weight)  # pyright: ignore[reportArgumentType]
