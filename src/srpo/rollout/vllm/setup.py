"""What vLLM is opened with, wherever it runs, and what becomes of its answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from srpo.recipe.schema import RolloutConfig
from srpo.rollout.stops import response_text
from srpo.types import FinishReason, Rollout

LOGPROBS_MODE = "processed_logprobs"  # after temperature and top-p
CPU_BATCH_TOKENS = 2048  # prefilled in one step, at least
# What else vLLM knows (abort, error, repetition) is a failure: see `Jobs`.
REASONS = {"stop": FinishReason.STOP, "length": FinishReason.LENGTH}


@dataclass(frozen=True)
class VllmSetup:
    """The same for every placement.

    model      a folder in Hugging Face format, or a hub id
    tokenizer  of the model
    eos        every token that ends a response
    config     the recipe's section; at most max_rows responses are decoded side by side
    dtype      float32 or bfloat16
    device     the learner's
    context    tokens of the longest prompt with its response
    """

    model: str
    tokenizer: Any
    eos: frozenset[int]
    config: RolloutConfig
    dtype: str
    device: torch.device
    context: int

    def rollout(
        self,
        ids: list[int],
        logprobs: Sequence[float],
        reason: str,
        version: int,
        stop: Sequence[str] = (),
    ) -> Rollout:
        """From vLLM's tokens, their log-probabilities, and why it stopped."""
        return Rollout(
            token_ids=np.array(ids, np.int32),
            logprobs=np.array(logprobs, np.float32),
            text=response_text(self.tokenizer, self.eos, ids, stop),
            finish_reason=REASONS.get(reason, FinishReason.ABORT),
            policy_version=version,
        )
