"""How a released model is sampled, and where it stops: as in its training."""

from __future__ import annotations

from typing import Any

from transformers import GenerationConfig

from srpo.recipe.schema import RolloutConfig


def generation_config(rollout: RolloutConfig, eos: frozenset[int], tokenizer: Any) -> Any:
    """What `generate` and servers read from generation_config.json. Of the base model's own nothing
    is kept: a penalty on repetition, say, was no part of the training."""
    ends, pad = sorted(eos), tokenizer.pad_token_id
    return GenerationConfig(
        bos_token_id=getattr(tokenizer, "bos_token_id", None),
        eos_token_id=ends[0] if len(ends) == 1 else ends or None,
        pad_token_id=pad if pad is not None else next(iter(ends), None),
        do_sample=True,
        temperature=rollout.temperature,
        top_p=rollout.top_p,
        top_k=rollout.top_k,
        max_new_tokens=rollout.max_new_tokens,
        **({"stop_strings": list(rollout.stop)} if rollout.stop else {}),
    )
