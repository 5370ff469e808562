"""A Learner in one process: the paper's update, in micro-batches."""

from __future__ import annotations

import copy
import errno
import hashlib
import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from torch import Tensor
from transformers import PreTrainedModel
from transformers.modeling_layers import GradientCheckpointingLayer

from srpo.algorithm.losses import open_loss
from srpo.algorithm.losses.base import Tokens, kl_k3
from srpo.errors import NotFiniteError
from srpo.learner.batch import MicroBatch, TrainBatch, TrainRow, collate, micro_batches
from srpo.learner.head import open_head
from srpo.learner.learner import LearnerInfo, StepStats
from srpo.learner.logprobs import token_logprobs
from srpo.learner.names import with_file_names
from srpo.learner.saving import save_model, save_tensors
from srpo.learner.schedule import schedule
from srpo.models import eos_ids, load_model, make_savable, pick_device, saved_dtype
from srpo.recipe.schema import LearnerConfig, LossConfig, Recipe
from srpo.types import UserError
from srpo.weights import WeightSource

STATE = "learner.pt"


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
    ):
        """
        Args:
            temperature: with top_p and top_k, the sampling's: the learner scores with the same.
            max_steps: of the run, at which a schedule ends.
            save_dtype: what `export` writes.
        """
        self.model, self.config = model.eval(), config
        text = model.config.get_text_config()
        self.info = LearnerInfo(
            context=getattr(text, "max_position_embeddings", None),
            eos=eos_ids(model, tokenizer),
            pad=tokenizer.pad_token_id or 0,
            vocabulary=_embedding_rows(model),
            device=model.device,
            dtype=config.dtype,
        )
        self.loss, self.temperature = open_loss(loss), temperature
        self.top_p, self.top_k = top_p, top_k
        self.max_steps, self.save_dtype = max_steps, save_dtype
        self.head = open_head(model)
        # Dropout would make the learner score with another policy than the engine sampled from,
        # so the model stays in eval mode. Only the layers that checkpoint are told otherwise, not
        # what is inside them.
        if config.gradient_checkpointing:
            model.gradient_checkpointing_enable({"use_reentrant": False})
            for module in model.modules():
                if isinstance(module, GradientCheckpointingLayer):
                    module.training = True
        self.reference = copy.deepcopy(model).eval() if loss.kl_coef > 0 else None
        self.reference_head = self.reference and open_head(self.reference)
        self.reference_digest = self.reference and _digest(self.reference)
        # On a GPU torch's default makes a copy of all weights during the update; fused, none.
        self.optimizer = torch.optim.AdamW(
            model.parameters(),
            config.lr,
            betas=config.betas,
            weight_decay=config.weight_decay,
            fused=model.device.type == "cuda" or None,
        )
        self.steps = 0

    @classmethod
    def open(cls, recipe: Recipe, tokenizer: Any) -> LocalLearner:
        """With the recipe's model, in float32. Raises UserError."""
        model = load_model(recipe.model, "float32", pick_device(recipe.learner.device))
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
        )
        learner.info = replace(learner.info, notes=(mended,) if mended else ())
        return learner

    def step(self, batch: TrainBatch) -> StepStats:
        self.steps += 1
        stats = StepStats(lr=self._learning_rate())
        updates = self._updates(batch)
        if len(updates) > 1:
            self._remember_old(batch.rows)
        for rows, denominator in updates:
            self._update(rows, denominator, stats)
        return stats

    def score(self, answers: list[tuple[list[int], np.ndarray]]) -> list[np.ndarray]:
        rows = [
            TrainRow(prompt, response, np.zeros(len(response), np.float32), 0.0)
            for prompt, response in answers
        ]
        self._remember_old(rows)
        return [row.old_logprobs for row in rows if row.old_logprobs is not None]

    def publish(self, version: int) -> WeightSource:
        source = WeightSource.of(version, self.model.named_parameters())
        return with_file_names(self.model, source)

    def save(self, folder: Path) -> None:
        state = {
            "model": dict(self.model.named_parameters()),
            "optimizer": self.optimizer.state_dict(),
            "steps": self.steps,
            "reference": self.reference_digest,
        }
        save_tensors(state, folder / STATE)

    def load(self, folder: Path) -> None:
        state = torch.load(folder / STATE, map_location="cpu", weights_only=True)
        self._check_state(state)
        with torch.no_grad():
            for name, parameter in self.model.named_parameters():
                parameter.copy_(state["model"][name])
        theirs, ours = state["optimizer"]["param_groups"], self.optimizer.param_groups
        for group, own in zip(theirs, ours, strict=True):  # the recipe's and the device's
            group |= {key: own[key] for key in ("betas", "weight_decay", "fused")}
        self.optimizer.load_state_dict(state["optimizer"])
        self.steps = state["steps"]

    def _check_state(self, state: dict[str, Any]) -> None:
        """Raises UserError when it is another model's, or was measured against another."""
        ours = {name: p.shape for name, p in self.model.named_parameters()}
        theirs = {name: p.shape for name, p in state["model"].items()}
        if other := sorted(n for n in ours | theirs if ours.get(n) != theirs.get(n)):
            raise UserError(
                f"model: it is not the model that the run began with ({other[0]}: its shape was"
                f" {_shape(theirs, other[0])}, and is {_shape(ours, other[0])}); put that back"
            )
        if state.get("reference", self.reference_digest) != self.reference_digest:
            raise UserError(
                "model: its weights are not those that the run began with, and loss.kl_coef"
                " measures against those; put them back"
            )

    def export(self, folder: Path) -> None:
        try:
            save_model(self.model, folder, self.save_dtype)
        except SafetensorError as error:  # what safetensors makes of a full disk
            raise OSError(errno.ENOSPC, str(error), str(folder)) from error

    def release(self) -> None:
        self.optimizer.zero_grad(set_to_none=True)

    def _learning_rate(self) -> float:
        rate = self.config.lr * schedule(self.config, self.steps, self.max_steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        return rate

    def _updates(self, batch: TrainBatch) -> list[tuple[list[TrainRow], float]]:
        """The rows of each optimizer update of the step, and its share of the denominator."""
        n = min(self.config.updates_per_step, len(batch.rows))
        denominator = self.loss.denominator(batch.tokens, batch.rollouts)
        cuts = [len(batch.rows) * i // n for i in range(n + 1)] if n else []
        return [(batch.rows[a:b], denominator / n) for a, b in pairwise(cuts)]

    @torch.no_grad()
    def _remember_old(self, rows: list[TrainRow]) -> None:
        """Score the rows with the weights as they are now."""
        for part in micro_batches(rows, self.config.micro_batch_tokens):
            batch = collate(part, self.info.pad, self.info.device)
            scores = self._score(self.model, self.head, batch)[0].split(
                [len(r.response_ids) for r in part]
            )
            for row, score in zip(part, scores, strict=True):
                row.old_logprobs = score.cpu().numpy()

    def _update(self, rows: list[TrainRow], denominator: float, stats: StepStats) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        for part in micro_batches(rows, self.config.micro_batch_tokens):
            self._accumulate(collate(part, self.info.pad, self.info.device), denominator, stats)
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.max_grad_norm)
        stats.grad_norms.append(float(norm))
        if not torch.isfinite(norm) or not torch.isfinite(torch.tensor(stats.sums["loss"])):
            self.optimizer.zero_grad(set_to_none=True)
            raise NotFiniteError(
                f"loss {stats.sums['loss']} and gradient norm {float(norm)}"
                " are not both finite; try a lower learner.lr or learner.dtype float32"
            )
        self.optimizer.step()

    def _accumulate(self, batch: MicroBatch, denominator: float, stats: StepStats) -> None:
        """Add one micro-batch's gradient; the denominator is the whole update's."""
        logprobs, entropy = self._score(self.model, self.head, batch)
        # On-policy the current log-probabilities are the old ones: no second pass is needed.
        old = logprobs.detach() if batch.old_logprobs is None else batch.old_logprobs
        reference = None
        if self.reference is not None and self.reference_head is not None:
            with torch.no_grad():
                reference, _ = self._score(self.reference, self.reference_head, batch)
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

    def _score(
        self, model: PreTrainedModel, head: torch.nn.Module, batch: MicroBatch
    ) -> tuple[Tensor, Tensor]:
        """(N,) log-probabilities and entropies. Padding stands on the right, where causal
        attention never looks, so no mask is needed."""
        low = self.config.dtype == "bfloat16"
        with torch.autocast(model.device.type, torch.bfloat16, enabled=low):
            hidden = model.base_model(input_ids=batch.ids, use_cache=False).last_hidden_state
            return token_logprobs(
                hidden.flatten(0, 1).index_select(0, batch.where),
                head,
                batch.targets,
                self.temperature,
                self.config.logit_chunk,
                self.top_p,
                self.top_k,
            )


def _shape(shapes: dict[str, torch.Size], name: str) -> list[int] | str:
    return list(shapes[name]) if name in shapes else "none"


def _digest(model: PreTrainedModel) -> str:
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
