"""A mixture of experts through vLLM: new experts reach it, by the names of the files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import Qwen3MoeConfig

from vllm_parts import SMALL, largest_difference, learner_of, needs_vllm, open_engine, small_model

pytestmark = needs_vllm


def test_new_experts_are_sampled_with(tmp_path: Path) -> None:
    experts: dict[str, Any] = {"head_dim": 32, "moe_intermediate_size": 64, "num_experts": 4}
    config = Qwen3MoeConfig(**SMALL, **experts, num_experts_per_tok=2)
    model = small_model(config, tmp_path / "model")
    learner = learner_of(model)
    engine = open_engine(str(tmp_path / "model"))
    try:
        for version in (0, 1, 2):
            if version:
                engine.load_weights(learner.publish(version))
            assert largest_difference(engine, learner) < 1e-3
            with torch.no_grad():
                for name, parameter in model.named_parameters():
                    if "experts" in name:
                        parameter += 0.1 * torch.randn_like(parameter)
        assert largest_difference(engine, learner) > 0.01, "these are not there yet"
    finally:
        engine.close()
