"""The engine that a recipe names, by `rollout.engine` and `rollout.placement`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from srpo.models import load_model, model_path
from srpo.recipe.schema import RolloutConfig
from srpo.rollout.engine import RolloutEngine
from srpo.rollout.transformers.engine import TransformersEngine
from srpo.rollout.vllm.engine import VllmEngine
from srpo.rollout.vllm.process import VllmProcess
from srpo.rollout.vllm.server import VllmServer
from srpo.rollout.vllm.setup import VllmSetup
from srpo.rollout.vllm.weights_folder import WeightsFolder
from srpo.types import UserError


def open_engine(
    model: str,
    config: RolloutConfig,
    dtype: str,
    tokenizer: Any,
    eos: frozenset[int],
    device: torch.device,
    context: int,
    weights: Path,
    message: Callable[[str], None],
) -> RolloutEngine:
    """Started or reached, with the weights of a model. Raises UserError.

    Args:
        dtype: float32 or bfloat16.
        eos: every token that ends a response.
        device: the learner's, if there is one.
        context: tokens of the longest prompt with its response.
        weights: the folder through which new weights go where they can't otherwise.
        message: is told what the user should know.
    """
    if config.engines > 1:
        raise UserError(
            f"rollout.engines: {config.engines} can be planned with, not trained with yet; set"
            " rollout.engines=1"
        )
    if config.engine == "transformers":
        copy = load_model(model, dtype, device)
        engine = TransformersEngine(copy, tokenizer, config.max_rows, eos)
        engine.check()
        return engine
    setup = VllmSetup(model_path(model), tokenizer, eos, config, dtype, device, context)
    if config.placement == "colocated":
        return VllmEngine(setup)
    if config.placement == "process":
        return VllmProcess(setup, message, WeightsFolder(weights, dtype))
    return VllmServer(setup, WeightsFolder(weights, dtype), message)
