"""The model as the learner uses it: from a micro-batch to its tokens' log-probabilities."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from srpo.learner.batch import MicroBatch
from srpo.learner.logprobs import token_logprobs


class Scorer(nn.Module):
    """A module of its own, so that all that is computed lies below one forward pass: FSDP needs
    that."""

    def __init__(
        self,
        model: PreTrainedModel,
        head: nn.Module,
        logit_chunk: int,
        autocast: bool,
        temperature: float,
        top_p: float = 1.0,
        top_k: int = 0,
    ):
        """
        Args:
            head: from hidden states to logits; the model's own layer in most cases.
            autocast: compute in bfloat16 with weights in float32.
            temperature: with top_p and top_k, the sampling's: tokens are scored as they were
                sampled.
        """
        super().__init__()
        self.model, self.temperature, self.top_p, self.top_k = model, temperature, top_p, top_k
        self.__dict__["head"] = head  # a part of the model; not a second one of this module
        self.logit_chunk, self.autocast = logit_chunk, autocast

    def forward(self, batch: MicroBatch) -> tuple[Tensor, Tensor]:
        """(N,) log-probabilities and entropies."""
        body: Any = self.model.base_model
        rows: dict[str, Any] = {}
        if batch.row_lengths is not None:
            rows = {"position_ids": batch.positions, "row_lengths": batch.row_lengths}
        with torch.autocast(batch.ids.device.type, torch.bfloat16, enabled=self.autocast):
            hidden = body(input_ids=batch.ids, use_cache=False, **rows).last_hidden_state
            logprobs, entropy = token_logprobs(
                hidden.flatten(0, 1).index_select(0, batch.where),
                self.__dict__["head"],
                batch.targets,
                self.temperature,
                self.logit_chunk,
                self.top_p,
                self.top_k,
            )
        return logprobs.clone(), entropy  # FSDP wants no view
