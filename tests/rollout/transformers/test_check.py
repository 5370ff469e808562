"""Models with other caches than keys and values: decoded rightly, or refused at start."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    BambaConfig,
    FalconH1Config,
    Lfm2Config,
    Mamba2Config,
    PreTrainedConfig,
    Qwen3_5TextConfig,
    RecurrentGemmaConfig,
    xLSTMConfig,
)

from builders import nano_tokenizer, tiny_model
from srpo.rollout.engine import Request, Sampling
from srpo.rollout.transformers.engine import TransformersEngine
from srpo.types import UserError

TOKENS: dict[str, Any] = {
    "vocab_size": 300,
    "hidden_size": 32,
    "initializer_range": 0.2,
    "bos_token_id": None,
    "eos_token_id": 0,
    "pad_token_id": 1,
}
LAYERS: dict[str, Any] = {
    **TOKENS,
    "intermediate_size": 48,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
}
MAMBA: dict[str, Any] = {"mamba_n_groups": 1, "mamba_d_state": 8, "mamba_chunk_size": 8}
HYBRIDS: dict[str, PreTrainedConfig] = {
    "linear attention": Qwen3_5TextConfig(
        **LAYERS,
        linear_num_key_heads=2,
        linear_num_value_heads=4,
        linear_key_head_dim=8,
        linear_value_head_dim=8,
    ),
    "convolutions": Lfm2Config(**LAYERS, layer_types=["conv", "full_attention"] * 2),
    "mamba2": Mamba2Config(
        **TOKENS, num_hidden_layers=2, num_heads=8, head_dim=8, state_size=8, n_groups=1
    ),
    "mamba beside attention": FalconH1Config(
        **LAYERS, **MAMBA, mamba_d_ssm=32, mamba_n_heads=4, mamba_d_head=8
    ),
    "mamba between attention": BambaConfig(
        **LAYERS, **MAMBA, mamba_n_heads=8, mamba_d_head=8, attn_layer_indices=[1]
    ),
}


def engine_of(config: PreTrainedConfig, rows: int = 64) -> TransformersEngine:
    torch.manual_seed(3)
    model: Any = AutoModelForCausalLM.from_config(config).float()
    return TransformersEngine(model, nano_tokenizer(), rows, frozenset(range(0, 300, 20)))


@pytest.mark.parametrize("name", HYBRIDS)
def test_states_follow_their_rows(name: str) -> None:
    """Prompts of several lengths, rows that end early and leave, as reading the whole has it."""
    engine = engine_of(HYBRIDS[name])
    engine.check()
    asked = [Request(i, [5 + i * j for j in range(n)], 4, i) for i, n in enumerate((7, 3, 7, 12))]
    lengths = set()
    for request, rollouts in engine.generate(asked, Sampling(1.0, 1.0, 24)):
        for rollout in rollouts:
            lengths.add(len(rollout.token_ids))
            with torch.no_grad():
                assert engine._difference(request.prompt_ids, rollout) < 1e-3
    assert len(lengths) > 3


@pytest.mark.parametrize("name", ["linear attention", "mamba2"])
def test_a_states_row_does_not_depend_on_its_neighbours(name: str) -> None:
    asked = [Request(i, [9 + i * j for j in range(6)], 4, i) for i in range(3)]
    found = []
    for rows in (64, 4):
        engine = engine_of(HYBRIDS[name], rows)
        answers = engine.generate(asked, Sampling(1.0, 1.0, 9))
        found.append(
            {request.index: [r.token_ids.tolist() for r in group] for request, group in answers}
        )
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "config",
    [
        xLSTMConfig(**{**TOKENS, "hidden_size": 64}, num_hidden_layers=2, num_heads=2),
        RecurrentGemmaConfig(
            **TOKENS,
            intermediate_size=48,
            num_hidden_layers=3,
            num_attention_heads=4,
            lru_width=32,
        ),
    ],
)
def test_a_cache_that_is_not_known_is_refused(config: PreTrainedConfig) -> None:
    engine = engine_of(config)
    with pytest.raises(UserError, match=r"rollout\.engine: .*; use vllm") as caught:
        engine.check()
    assert "\n" not in str(caught.value)


def test_a_usual_model_passes() -> None:
    for dtype in (torch.float32, torch.bfloat16):
        TransformersEngine(tiny_model(dtype=dtype), nano_tokenizer(), 64).check()
