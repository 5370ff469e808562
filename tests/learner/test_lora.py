"""Adapters: they learn, the model stays, and whoever takes weights gets the merged ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import PeftModel
from torch import Tensor
from transformers import AutoModelForCausalLM

from builders import make_group, nano_tokenizer, tiny_model
from srpo.learner.batch import TrainBatch, pack
from srpo.learner.local import LocalLearner
from srpo.learner.lora import switched_off
from srpo.learner.optimizer import HostAdamW
from srpo.recipe.schema import (
    GroupConfig,
    LearnerConfig,
    LoraConfig,
    LossConfig,
    TokenMeanConfig,
)
from srpo.rollout.engine import Request, Sampling
from srpo.rollout.transformers.engine import TransformersEngine
from srpo.types import UserError


def make_learner(
    lora: LoraConfig | None, loss: LossConfig | None = None, **over: Any
) -> LocalLearner:
    config = LearnerConfig(**{"lr": 1e-2, "lora": lora, **over})
    tokenizer, loss = nano_tokenizer(), loss or TokenMeanConfig()
    return LocalLearner(tiny_model(), tokenizer, config, loss, 1.0, seed=3, name="base")


def batch(seed: int) -> TrainBatch:
    return pack([make_group("ccii", lengths=[3, 9, 1, 14], seed=seed)], GroupConfig())


def named(source: Any) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in source}


def test_at_first_the_weights_are_the_bases_under_the_same_names() -> None:
    base = dict(tiny_model().named_parameters())
    source = make_learner(LoraConfig(rank=2)).publish(4)
    assert source.version == 4
    assert {n: t.shape for n, t in base.items()} == source.metadata
    assert all(torch.equal(tensor, base[name]) for name, tensor in source)


def test_what_is_published_is_the_base_and_the_product_of_the_adapters() -> None:
    base = dict(tiny_model().named_parameters())
    learner = make_learner(LoraConfig(rank=2, alpha=6.0, targets=["q_proj"]))
    for seed in range(3):
        learner.step(batch(seed))
    own = dict(learner.model.named_parameters())
    found, moved = named(learner.publish(3)), 0
    for name, tensor in found.items():
        if name.endswith("q_proj.weight"):
            a, b = (own[f"{name.removesuffix('weight')}lora_{x}.default.weight"] for x in "AB")
            expected = base[name] + 6.0 / 2 * b @ a
            assert torch.allclose(tensor, expected, atol=1e-6)
            moved += not torch.equal(tensor, base[name])
        else:
            assert torch.equal(tensor, base[name]), name
    assert moved


def test_adapters_of_full_rank_can_move_as_far_as_all_weights_do() -> None:
    """Along a full-rank learner's own direction: adapters that are given its difference score as it
    does, and their gradient is that of the weights by the chain rule."""
    full = make_learner(None)
    width = full.model.config.hidden_size
    lora = make_learner(LoraConfig(rank=width, alpha=float(width), targets=["q_proj"]))
    for seed in range(3):
        full.step(batch(seed))
    theirs, own = dict(full.model.named_parameters()), dict(lora.model.named_parameters())
    with torch.no_grad():
        for name, p in own.items():
            if "lora_A" in name:
                p.copy_(torch.eye(*p.shape))
            elif "lora_B" in name:
                layer = name.partition(".lora_B")[0]
                p.copy_(theirs[f"{layer}.weight"] - own[f"{layer}.base_layer.weight"])
            elif "q_proj" not in name:
                p.copy_(theirs[name])
            elif name.endswith("base_layer.bias"):
                p.copy_(theirs[name.replace(".base_layer", "")])
    answers = [([5, 6, 7], np.array([8, 9, 11], np.int32))]
    assert lora.score(answers)[0] == pytest.approx(full.score(answers)[0], abs=1e-5)


def test_an_engine_with_the_merged_weights_samples_what_the_learner_scores() -> None:
    learner = make_learner(LoraConfig(rank=4))
    for seed in range(3):
        learner.step(batch(seed))
    engine = TransformersEngine(tiny_model(), nano_tokenizer(), 8)
    engine.load_weights(learner.publish(3))
    requests = [Request(0, [5, 6, 7], 2, 1)]
    [(request, rollouts)] = engine.generate(requests, Sampling(1.0, 1.0, 6))
    for rollout in rollouts:
        [scores] = learner.score([(request.prompt_ids, rollout.token_ids)])
        assert scores == pytest.approx(rollout.logprobs, abs=1e-5)


def test_the_reference_is_the_model_without_its_adapters() -> None:
    learner = make_learner(LoraConfig(rank=4), TokenMeanConfig(kl_coef=0.1))
    plain = make_learner(None)
    answers = [([5, 6, 7], np.array([8, 9, 11], np.int32))]
    assert learner.step(batch(0)).row(True)["kl"] == pytest.approx(0.0, abs=1e-6)
    assert learner.step(batch(1)).row(True)["kl"] > 0
    assert learner.score(answers)[0] != pytest.approx(plain.score(answers)[0], abs=1e-4)
    with switched_off(learner.model):
        assert learner.score(answers)[0] == pytest.approx(plain.score(answers)[0], abs=1e-6)


@pytest.mark.parametrize("over", [{}, {"offload": True}, {"gradient_checkpointing": True}])
def test_a_checkpoint_holds_adapters_alone_and_the_next_step_is_bit_equal(
    tmp_path: Path, over: dict[str, Any]
) -> None:
    one, other = (make_learner(LoraConfig(rank=2), **over) for _ in range(2))
    one.step(batch(0))
    one.save(tmp_path)
    whole = sum(p.numel() for p in one.model.parameters()) * 4
    assert (tmp_path / "learner.pt").stat().st_size < whole
    other.load(tmp_path)
    assert one.step(batch(1)) == other.step(batch(1))
    theirs = named(other.publish(2))
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in one.publish(2))


def test_adapters_of_another_rank_or_base_are_refused(tmp_path: Path) -> None:
    make_learner(LoraConfig(rank=2)).save(tmp_path)
    with pytest.raises(UserError, match=r"lora_A.*its shape was"):
        make_learner(LoraConfig(rank=3)).load(tmp_path)
    config = LearnerConfig(lora=LoraConfig(rank=2))
    other = LocalLearner(tiny_model(seed=9), nano_tokenizer(), config, TokenMeanConfig(), 1.0)
    with pytest.raises(UserError, match=r"learner\.lora learns on top of them"):
        other.load(tmp_path)


def test_a_run_leaves_merged_weights_and_the_adapter_beside_them(tmp_path: Path) -> None:
    learner = make_learner(LoraConfig(rank=2))
    learner.step(batch(0))
    learner.export(tmp_path / "model")
    found = dict(AutoModelForCausalLM.from_pretrained(tmp_path / "model").named_parameters())
    assert all(torch.equal(tensor, found[name]) for name, tensor in learner.publish(1))
    adapted = PeftModel.from_pretrained(tiny_model(), str(tmp_path / "model" / "adapter"))
    merged = dict(adapted.merge_and_unload().named_parameters())  # pyright: ignore
    for name, tensor in learner.publish(1):
        assert torch.allclose(tensor, merged[name], atol=1e-6), name


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("target", ["nowhere", "lm_head", "embed_tokens", "proj"])
def test_targets_that_there_are_not_are_refused_with_those_that_there_are(
    target: str, tied: bool
) -> None:
    config = LearnerConfig(lora=LoraConfig(targets=["q_proj", target]))
    model = tiny_model(tied=tied)
    with pytest.raises(UserError, match=rf"learner\.lora\.targets: '{target}'.*q_proj"):
        LocalLearner(model, nano_tokenizer(), config, TokenMeanConfig(), 1.0)


def test_moments_in_host_memory_change_no_bit() -> None:
    usual, host = (
        make_learner(None, weight_decay=0.1),
        make_learner(None, weight_decay=0.1, offload=True),
    )
    assert isinstance(host.optimizer, HostAdamW)
    usual.optimizer.param_groups[0]["foreach"] = False
    for seed in range(3):
        assert usual.step(batch(seed)) == host.step(batch(seed))
    theirs = named(host.publish(0))
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in usual.publish(0))
