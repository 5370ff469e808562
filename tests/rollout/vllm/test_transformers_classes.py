"""A family that vLLM runs by transformers' own classes, which it patches under the learner."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, Olmo2Config

from srpo.models import model_path
from vllm_parts import largest_difference, learner_of, needs_vllm, open_engine

pytestmark = needs_vllm


def test_the_learners_model_of_the_same_class_goes_on(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(model_path("nano"), tmp_path / "model"))
    config = Olmo2Config(
        vocab_size=512,
        hidden_size=64,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        initializer_range=0.2,
        max_position_embeddings=512,
        eos_token_id=0,
        pad_token_id=1,
    )
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=False)
    learner = learner_of(model)
    engine = open_engine(str(folder))
    try:
        assert largest_difference(engine, learner) < 1e-3
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += 0.02 * torch.randn_like(parameter)
        engine.load_weights(learner.publish(1))
        assert largest_difference(engine, learner) < 1e-3
    finally:
        engine.close()
