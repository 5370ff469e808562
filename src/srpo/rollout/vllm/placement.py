"""Where vLLM runs, by `rollout.placement`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from srpo.rollout.engine import RolloutEngine
from srpo.rollout.vllm.engine import VllmEngine
from srpo.rollout.vllm.process import VllmProcess
from srpo.rollout.vllm.server import VllmServer
from srpo.rollout.vllm.setup import VllmSetup
from srpo.rollout.vllm.weights_folder import WeightsFolder


def open_vllm(setup: VllmSetup, weights: Path, message: Callable[[str], None]) -> RolloutEngine:
    """The engine, started or reached. Raises UserError.

    Args:
        weights: the folder through which a server takes new weights.
        message: is told what the user should know.
    """
    if setup.config.placement == "colocated":
        return VllmEngine(setup)
    if setup.config.placement == "process":
        return VllmProcess(setup, message)
    return VllmServer(setup, WeightsFolder(weights, setup.dtype), message)
