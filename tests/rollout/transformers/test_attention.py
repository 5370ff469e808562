"""Decoding's attention gives what transformers' own gives, bit for bit, for several models."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from builders import nano_tokenizer, plain
from srpo.rollout.engine import Request, Sampling
from srpo.rollout.transformers.attention import NAME, grouped_attention, use_grouped_attention
from srpo.rollout.transformers.engine import TransformersEngine

SIZES: dict[str, Any] = {
    "vocab_size": 300,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "initializer_range": 0.3,
    "eos_token_id": None,
    "bos_token_id": None,
    "pad_token_id": None,
}
LAYERS = ["sliding_attention", "full_attention"]


def make_model(name: str) -> Any:
    torch.manual_seed(3)
    if name == "gemma3":  # a window shorter than the responses
        config = Gemma3TextConfig(**SIZES, sliding_window=12, layer_types=LAYERS)
        return Gemma3ForCausalLM(config).eval()
    if name == "llama":
        return LlamaForCausalLM(LlamaConfig(**SIZES)).eval()
    sizes = {k: v for k, v in SIZES.items() if k != "head_dim"}
    return Qwen2ForCausalLM(Qwen2Config(**sizes)).eval()


@pytest.mark.parametrize("name", ["qwen2", "llama", "gemma3"])
@pytest.mark.parametrize("lengths", [(5, 5), (2, 9, 17)])
def test_rollouts_are_equal_bit_for_bit_and_score_as_a_full_forward(
    name: str, lengths: tuple[int, ...]
) -> None:
    model, theirs = make_model(name), make_model(name)
    engine = TransformersEngine(model, nano_tokenizer(), 64)
    assert model.config._attn_implementation == NAME
    other = TransformersEngine(theirs, nano_tokenizer(), 64)
    theirs.set_attn_implementation("sdpa")
    requests = [
        Request(i, torch.randint(2, 300, (n,)).tolist(), 3, i) for i, n in enumerate(lengths)
    ]
    found, expected = (
        {r.index: rollouts for r, rollouts in e.generate(requests, Sampling(1.0, 1.0, 30))}
        for e in (engine, other)
    )
    assert {i: plain(r) for i, r in found.items()} == {i: plain(r) for i, r in expected.items()}
    for request in requests:
        for rollout in found[request.index]:
            ids = torch.tensor([request.prompt_ids + rollout.token_ids.tolist()])
            with torch.no_grad():
                logits = theirs(input_ids=ids).logits[0, len(request.prompt_ids) - 1 : -1]
            scores = torch.log_softmax(logits, -1)[range(len(rollout.token_ids)), rollout.token_ids]
            assert torch.allclose(torch.tensor(rollout.logprobs), scores, atol=1e-5)


@pytest.mark.parametrize("size", [1, 5])
def test_attention_by_hand(size: int) -> None:
    query, key, value = (torch.randn(2, heads, n, 3) for heads, n in ((4, size), (2, 7), (2, 7)))
    mask = torch.rand(2, 1, size, 7) < 0.7
    mask[..., 0] = True
    module = torch.nn.Module()
    found, _ = grouped_attention(module, query, key, value, mask, scaling=0.5)
    for b in range(2):
        for head in range(4):
            scores = query[b, head] @ key[b, head // 2].T * 0.5
            weights = scores.masked_fill(~mask[b, 0], float("-inf")).softmax(-1)
            assert torch.allclose(found[b, :, head], weights @ value[b, head // 2], atol=1e-5)


def test_a_model_with_another_attention_keeps_it() -> None:
    model = make_model("qwen2")
    model.set_attn_implementation("eager")
    use_grouped_attention(model)
    assert model.config._attn_implementation == "eager"
