"""Where vLLM runs, by `rollout.placement`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from srpo.config import RolloutConfig
from srpo.rollout.engine import RolloutEngine
from srpo.rollout.vllm_engine import VllmEngine
from srpo.rollout.vllm_process import VllmProcess
from srpo.rollout.vllm_server import VllmServer
from srpo.rollout.weights_folder import WeightsFolder


def open_vllm(
    model: str,
    tokenizer: Any,
    eos: frozenset[int],
    config: RolloutConfig,
    dtype: str,
    device: torch.device,
    context: int,
    weights: Path,
    message: Callable[[str], None],
) -> RolloutEngine:
    """The engine, started or reached. Raises UserError.

    Args:
        model, ..., context: as for VllmEngine.
        weights: the folder through which a server takes new weights.
        message: is told what the user should know.
    """
    if config.placement == "colocated":
        return VllmEngine(model, tokenizer, eos, config, dtype, device, context)
    if config.placement == "process":
        return VllmProcess(model, tokenizer, eos, config, dtype, device, context, message)
    folder = WeightsFolder(weights, dtype)
    return VllmServer(model, tokenizer, eos, config, dtype, device, context, folder, message)
