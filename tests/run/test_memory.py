"""The numbers are worked out by hand."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, Qwen2Config

from srpo.recipe.load import parse_recipe
from srpo.recipe.schema import Recipe
from srpo.run.memory import Shape, estimate, trained_parameters

SHAPE = Shape(
    parameters=1000, layers=2, hidden=16, intermediate=32, kv_width=8, vocabulary=100,
    heads=4, kv_heads=2,
)  # fmt: skip


def recipe(**sections: Any) -> Recipe:
    tree: dict[str, Any] = {
        "model": "nano",
        "max_steps": 1,
        "data": {"train": [{"path": "nano:math", "domain": "math"}]},
        "curriculum": "math-only",
        "rollout": {"group_size": 4, "max_new_tokens": 50, "max_rows": 8},
        "sampler": {"prompts_per_step": 3},
    }
    return parse_recipe(tree | sections, "r")


def test_every_part_by_hand():
    # A row is 10 + 50 tokens; 3 x 4 rows are asked for and 8 decode side by side. The step has
    # 720 tokens, a micro-batch 200 of them. A layer keeps 8 x 16 + 2 x 8 + 4 x 32 = 272 values.
    learner = {"micro_batch_tokens": 200, "logit_chunk": 10_000}
    found = estimate(recipe(learner=learner), SHAPE, longest=10)
    assert (found.weights, found.moments, found.gradients) == (4000, 8000, 4000)
    assert found.reference == 0
    assert found.activations == 200 * 2 * 272 * 4 == 435_200
    assert found.logits == 3 * 4 * 10_000
    assert found.decoding_copy == 4000
    assert found.kv_cache == 2 * 2 * 8 * 4 * 8 * 60 == 61_440
    assert found.learning == 4000 + 8000 + 4000 + 435_200 + 120_000 + 4000
    assert found.decoding == 4000 + 8000 + 4000 + 61_440
    assert found.peak == found.learning


def test_bfloat16_checkpointing_and_a_reference():
    learner = {"micro_batch_tokens": 200, "dtype": "bfloat16", "gradient_checkpointing": True}
    found = estimate(recipe(learner=learner, loss={"kl_coef": 0.1}), SHAPE, longest=10)
    assert found.reference == 4000
    assert found.activations == 2000 + 200 * (2 * 16 * 4 + 272 * 3)
    assert found.logits == 3 * 4 * 200 * 100  # fewer than logit_chunk
    assert (found.decoding_copy, found.kv_cache) == (2000, 30_720)


def test_a_micro_batch_holds_at_least_a_row_and_at_most_a_step():
    for tokens, used in ((8, 60), (100_000, 720)):
        found = estimate(recipe(learner={"micro_batch_tokens": tokens}), SHAPE, longest=10)
        assert found.activations == used * 2 * 272 * 4


def test_the_shape_of_a_config():
    config = SimpleNamespace(
        hidden_size=16, num_attention_heads=4, num_key_value_heads=2, intermediate_size=32,
        num_hidden_layers=2, vocab_size=100,
    )  # fmt: skip
    assert Shape.of(config, 1000) == SHAPE


@pytest.mark.parametrize("tied", [True, False])
def test_layers_and_adapters_are_those_of_the_real_model(tied: bool):
    """Of any width: transformers and peft count, on a device without memory."""
    kv_heads, group, head = random.randint(1, 3), random.randint(1, 3), 2 * random.randint(1, 4)
    config = Qwen2Config(
        hidden_size=kv_heads * group * head,
        num_attention_heads=kv_heads * group,
        num_key_value_heads=kv_heads,
        num_hidden_layers=random.randint(1, 4),
        intermediate_size=random.randint(8, 40),
        vocab_size=random.randint(8, 40),
        tie_word_embeddings=tied,
    )
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
        shape = Shape.of(config, sum(p.numel() for p in model.parameters()))
        layer = sum(p.numel() for p in model.model.layers[0].parameters())
        assert shape.head_parameters == model.lm_head.weight.numel()
        assert shape.layer_parameters == layer + config.hidden_size // shape.layers  # the last norm
        for targets in ("all-linear", ["k_proj", "o_proj", "down_proj"]):
            adapters = {"rank": random.randint(1, 5), "targets": targets}
            lora = LoraConfig(r=adapters["rank"], target_modules=targets)
            adapted = get_peft_model(AutoModelForCausalLM.from_config(config), lora)
            counted = sum(p.numel() for p in adapted.parameters() if p.requires_grad)
            assert trained_parameters(recipe(learner={"lora": adapters}), shape) == counted
