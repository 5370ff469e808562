"""A mixture of experts through vLLM: new experts reach it, by the names of the files."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, Qwen3MoeConfig

from srpo.models import model_path
from vllm_parts import largest_difference, learner_of, needs_vllm, open_engine

pytestmark = needs_vllm


def test_new_experts_are_sampled_with(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(model_path("nano"), tmp_path / "model"))
    head: Any = {"head_dim": 32}
    config = Qwen3MoeConfig(
        **head,
        vocab_size=512,
        hidden_size=64,
        moe_intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        num_experts=4,
        num_experts_per_tok=2,
        initializer_range=0.2,
        max_position_embeddings=512,
        eos_token_id=0,
        pad_token_id=1,
    )
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    model: Any = AutoModelForCausalLM.from_pretrained(folder)
    learner = learner_of(model)
    engine = open_engine(str(folder))
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
