"""Weights go to vLLM by the names of the model's files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, MixtralConfig, Qwen2MoeConfig, Qwen3MoeConfig

from builders import tiny_model
from srpo.learner.names import with_file_names
from srpo.weights import WeightSource

SIZES: dict[str, Any] = {
    "vocab_size": 40,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "pad_token_id": 0,
}
MIXTURES = {
    "mixtral": MixtralConfig(**SIZES, num_local_experts=3),
    "qwen2_moe": Qwen2MoeConfig(**SIZES, num_experts=3, moe_intermediate_size=8),
    "qwen3_moe": Qwen3MoeConfig(**SIZES, num_experts=3, moe_intermediate_size=8),
}


@pytest.mark.parametrize("name", MIXTURES)
@pytest.mark.parametrize("loaded", [False, True])
def test_experts_are_named_and_cut_as_in_the_files(tmp_path: Path, name: str, loaded: bool) -> None:
    model: Any = AutoModelForCausalLM.from_config(MIXTURES[name])
    model.save_pretrained(tmp_path / "first")
    if loaded:
        model = AutoModelForCausalLM.from_pretrained(tmp_path / "first")
    source = with_file_names(model, WeightSource.of(3, model.named_parameters()))
    assert source.metadata.keys() == dict(model.named_parameters()).keys()
    files = load_file(tmp_path / "first/model.safetensors")
    for _ in range(2):  # as often as a restart wants
        found = dict(source.in_files)
        assert found.keys() == files.keys() == source.in_files.metadata.keys()
        assert all(torch.equal(found[n], t) for n, t in files.items())
    assert source.in_files.version == 3


def test_without_fused_experts_there_is_one_set_of_names() -> None:
    source = WeightSource.of(1, tiny_model().named_parameters())
    assert with_file_names(tiny_model(), source) is source
    assert source.in_files is source
