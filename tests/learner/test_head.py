"""Logits are the model's own, whatever it does to them after its output layer."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from transformers import (
    AutoModelForCausalLM,
    Cohere2Config,
    Gemma2Config,
    GraniteConfig,
    PreTrainedConfig,
    Qwen2Config,
)

from builders import make_group, nano_tokenizer, tiny_model
from srpo.learner.batch import pack
from srpo.learner.head import OwnHead, open_head
from srpo.learner.local import LocalLearner
from srpo.recipe.schema import GroupConfig, LearnerConfig, TokenMeanConfig
from srpo.types import UserError

SIZES: dict[str, Any] = {
    "vocab_size": 300,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "initializer_range": 0.3,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
ODD: dict[str, PreTrainedConfig] = {
    "soft-capped": Gemma2Config(**SIZES, head_dim=8, final_logit_softcapping=3.0),
    "divided": GraniteConfig(**SIZES, logits_scaling=8.0),
    "multiplied": Cohere2Config(**SIZES, logit_scale=0.25),
}


def model_of(config: PreTrainedConfig) -> Any:
    torch.manual_seed(4)
    return AutoModelForCausalLM.from_config(config).double().eval()


def test_the_output_layer_alone_serves_where_it_is_all() -> None:
    model = model_of(Qwen2Config(**SIZES))
    assert open_head(model) is model.lm_head


@pytest.mark.parametrize("name", ODD)
def test_an_odd_models_logits_and_gradients_are_its_own(name: str) -> None:
    model = model_of(ODD[name])
    head = open_head(model)
    assert isinstance(head, OwnHead)
    ids = torch.randint(3, 300, (2, 9))
    hidden = model.base_model(input_ids=ids, use_cache=False).last_hidden_state
    found = head(hidden.flatten(0, 1)).unflatten(0, ids.shape)
    expected = model(input_ids=ids, use_cache=False).logits
    assert torch.allclose(found, expected)
    found.square().sum().backward()
    mine = {n: p.grad.clone() for n, p in model.named_parameters()}
    model.zero_grad()
    model(input_ids=ids, use_cache=False).logits.square().sum().backward()
    assert all(torch.allclose(mine[n], p.grad) for n, p in model.named_parameters())
    assert not list(head.parameters()), "they are the model's, once"


@pytest.mark.parametrize("name", ODD)
def test_an_odd_models_step_does_not_depend_on_how_it_is_cut(name: str) -> None:
    batch = pack([make_group("ccii", lengths=[3, 9, 1, 14], seed=1)], GroupConfig())
    found = []
    for chunk in (2**24, 600):
        learner = LocalLearner(
            model_of(ODD[name]),
            nano_tokenizer(),
            LearnerConfig(logit_chunk=chunk, micro_batch_tokens=30),
            TokenMeanConfig(kl_coef=0.1),
            temperature=0.8,
        )
        row = learner.step(batch).row(with_kl=True)
        assert row["kl"] == pytest.approx(0.0, abs=1e-9)
        found.append(row["grad_norm"])
    assert found[0] == pytest.approx(found[1], rel=1e-6)


def test_a_model_that_makes_its_logits_of_something_else_is_refused() -> None:
    model = tiny_model()
    forward = model.forward

    def odd(*arguments: Any, **options: Any) -> Any:
        found = forward(*arguments, **options)
        found.logits = found.logits + options["input_ids"][..., None]
        return found

    model.forward = odd
    with pytest.raises(UserError, match="Qwen2ForCausalLM are not those that its output layer"):
        open_head(model)
    assert isinstance(model.lm_head, nn.Linear)
