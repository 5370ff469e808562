"""The update, through the function that training runs, against a direct float64 reference."""

from __future__ import annotations

import copy
import math
import os
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
)

from builders import make_group, nano_tokenizer, tiny_model
from srpo.errors import NotFiniteError
from srpo.learner.batch import TrainBatch, TrainRow, pack
from srpo.learner.local import LocalLearner
from srpo.recipe.schema import GroupConfig, LearnerConfig, LossConfig, TokenMeanConfig
from srpo.types import Group, UserError

TEMPERATURE = 0.8
UNCLIPPED = 1e9  # max_grad_norm that never binds, so that p.grad is the gradient itself


def make_learner(model: Any = None, loss: LossConfig | None = None, **over: Any) -> LocalLearner:
    config = LearnerConfig(**{"lr": 1e-3, "max_grad_norm": UNCLIPPED, **over})
    model = tiny_model(dtype=torch.float64) if model is None else model
    return LocalLearner(model, nano_tokenizer(), config, loss or TokenMeanConfig(), TEMPERATURE)


def mixed_groups() -> list[Group]:
    return [
        make_group("ccii", lengths=[3, 9, 1, 14], seed=1),
        make_group("ciii", [1.1, 0.1, 0.0, 0.1], [7, 2, 5, 11], seed=2),
        make_group("cice", lengths=[4, 6, 8, 30], seed=3),
    ]


def batch_of(groups: list[Group], keep_all: bool = False) -> TrainBatch:
    return pack(groups, GroupConfig(), keep_all)


def gradient(learner: LocalLearner) -> Tensor:
    """What the last update saw, as one vector."""
    return torch.cat([p.grad.flatten() for p in learner.model.parameters() if p.grad is not None])


def flat(model: Any) -> Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def scores(model: Any, row: TrainRow) -> Tensor:
    """A plain full forward pass over one row: (T,) log-probabilities of its response."""
    ids = torch.tensor([row.prompt_ids + row.response_ids.tolist()])
    logprobs = torch.log_softmax(model(input_ids=ids).logits[0] / TEMPERATURE, -1)
    at = torch.arange(len(row.prompt_ids) - 1, ids.shape[1] - 1)
    return logprobs[at, torch.tensor(row.response_ids).long()]


def close(found: Tensor, expected: Tensor, tolerance: float = 1e-6) -> bool:
    return bool((found - expected).norm() <= tolerance * expected.norm())


def test_the_gradient_is_the_reference_with_one_global_denominator() -> None:
    learner, model = make_learner(), tiny_model(dtype=torch.float64)
    batch = batch_of(mixed_groups())
    assert batch.tokens == 27 + 25 + 18
    stats = learner.step(batch)
    gain = torch.cat([r.advantage * scores(model, r) for r in batch.rows]).sum()
    (-gain / (27 + 25 + 18)).backward()
    expected = torch.cat([p.grad.flatten() for p in model.parameters()])
    assert close(gradient(learner), expected)
    assert stats.row(with_kl=False)["grad_norm"] == pytest.approx(float(expected.norm()), rel=1e-5)


@pytest.mark.parametrize("config", [
    *({"micro_batch_tokens": n} for n in (1, 20, 37, 64, 100_000)),
    *({"logit_chunk": n} for n in (1, 300, 2000, 10_000)),
    {"gradient_checkpointing": True},
])  # fmt: skip
@pytest.mark.parametrize("kl_coef", [0.0, 0.5])
def test_the_gradient_does_not_depend_on_how_the_batch_is_cut(
    config: dict[str, Any], kl_coef: float
) -> None:
    found = []
    for cut in ({}, config):
        loss = TokenMeanConfig(tis_cap=2.0, kl_coef=kl_coef)
        learner = make_learner(loss=loss, **cut)
        if kl_coef:
            move(learner)
        stats = learner.step(batch_of(mixed_groups(), keep_all=kl_coef > 0))
        found.append((gradient(learner), stats.row(with_kl=True)))
    (whole, row), (cut_up, other) = found
    assert close(cut_up, whole)
    assert other == pytest.approx(row, rel=1e-5, abs=1e-9)


def test_without_truncated_importance_sampling_the_engines_logprobs_change_nothing() -> None:
    found = {}
    for cap in (None, 2.0):
        for shift in (0.0, 0.3):
            batch = batch_of(mixed_groups())
            for row in batch.rows:
                row.engine_logprobs = row.engine_logprobs + np.float32(shift)
            learner = make_learner(loss=TokenMeanConfig(tis_cap=cap))
            row = learner.step(batch).row(with_kl=False)
            found[cap, shift] = flat(learner.model)
            assert ("mismatch/capped" in row) is (cap is not None)
    assert torch.equal(found[None, 0.0], found[None, 0.3])
    assert not torch.equal(found[2.0, 0.0], found[2.0, 0.3])


def test_the_share_of_cut_importance_weights_by_hand() -> None:
    batch = batch_of(mixed_groups())
    learner = make_learner(loss=TokenMeanConfig(tis_cap=1.5))
    cut = tokens = 0
    for row in batch.rows:
        row.engine_logprobs = row.engine_logprobs - np.float32(4)
        for i, score in enumerate(scores(tiny_model(), row).tolist()):
            tokens += 1
            cut += score - row.engine_logprobs[i] > math.log(1.5)
    assert 0 < cut < tokens
    assert learner.step(batch).row(with_kl=False)["mismatch/capped"] == pytest.approx(cut / tokens)


def test_scores_are_the_log_probabilities_of_the_responses() -> None:
    learner, rows = make_learner(micro_batch_tokens=40), batch_of(mixed_groups()).rows
    found = learner.score([(r.prompt_ids, r.response_ids) for r in rows])
    for row, ours in zip(rows, found, strict=True):
        assert ours == pytest.approx(scores(tiny_model(), row).tolist(), abs=1e-5)


def move(learner: LocalLearner, by: float = 0.02) -> None:
    """Move the weights away from where the learner was made, as earlier steps would have."""
    random = torch.Generator().manual_seed(9)
    with torch.no_grad():
        for p in learner.model.parameters():
            p += by * torch.randn(p.shape, generator=random, dtype=p.dtype)


def test_groups_without_gradient_count_in_the_denominator_alone() -> None:
    silent = make_group("ccc", lengths=[10, 20, 5], seed=4)
    alone, together = make_learner(), make_learner()
    alone.step(batch_of(mixed_groups()))
    together.step(batch_of([*mixed_groups(), silent]))
    assert close(gradient(together) * (70 + 35), gradient(alone) * 70)


def test_rows_of_zero_advantage_could_be_left_out() -> None:
    silent = make_group("ccc", lengths=[10, 20, 5], seed=4)
    skipped, computed = make_learner(), make_learner()
    skipped.step(batch_of([*mixed_groups(), silent]))
    computed.step(batch_of([*mixed_groups(), silent], keep_all=True))
    assert close(gradient(skipped), gradient(computed))


def test_errored_rollouts_change_nothing() -> None:
    with_error, without = make_group("cice", lengths=[4, 6, 8, 30]), make_group("cice")
    without.rollouts, without.prompt_ids = with_error.rollouts[:3], with_error.prompt_ids
    found = []
    for group in (with_error, without):
        learner = make_learner()
        learner.step(batch_of([group]))
        found.append(flat(learner.model))
    assert torch.equal(*found)


def test_a_batch_without_gradient_leaves_the_weights() -> None:
    learner = make_learner(weight_decay=0.1)
    before = flat(learner.model)
    row = learner.step(batch_of([make_group("cc"), make_group("ii")])).row(with_kl=False)
    assert torch.equal(flat(learner.model), before)
    assert (row["loss"], row["grad_norm"]) == (0.0, 0.0)


def test_on_policy_the_ratio_is_one() -> None:
    learner, batch = make_learner(), batch_of(mixed_groups())
    stats = learner.step(batch).row(with_kl=False)
    by_hand = -sum(r.advantage * len(r.response_ids) for r in batch.rows) / batch.tokens
    assert stats["loss"] == pytest.approx(by_hand, rel=1e-5)
    assert (stats["clip/low"], stats["clip/high"]) == (0.0, 0.0)


def test_mismatch_and_entropy_by_a_full_forward() -> None:
    learner, batch = make_learner(), batch_of(mixed_groups()[:1])
    model = tiny_model(dtype=torch.float64)
    with torch.no_grad():
        for r, off in zip(batch.rows, (0.5, -0.25, 0.0, 0.25), strict=True):
            r.engine_logprobs = (scores(model, r) + off).float().numpy()
    row = learner.step(batch).row(with_kl=False)
    assert row["mismatch/mean"] == pytest.approx((3 * 0.5 + 9 * 0.25 + 14 * 0.25) / 27, abs=1e-5)
    assert row["mismatch/max"] == pytest.approx(0.5, abs=1e-5)
    assert 0 < row["entropy"] < 5.71, "below ln 300"


def two_updates(batch: TrainBatch, start_ratio: bool, lr: float) -> Tensor:
    """The second update's gradient, by a reference written from the paper's formula."""
    model = tiny_model(dtype=torch.float64)
    optimizer = torch.optim.AdamW(model.parameters(), lr, betas=(0.9, 0.95), weight_decay=0.0)
    with torch.no_grad():
        old = {id(r): scores(model, r) for r in batch.rows}
    half = len(batch.rows) // 2
    for rows in (batch.rows[:half], batch.rows[half:]):
        optimizer.zero_grad()
        loss = torch.zeros((), dtype=torch.float64)
        for r in rows:
            now = scores(model, r)
            ratio = torch.exp(now - (old[id(r)] if start_ratio else now.detach()))
            gain = torch.minimum(ratio * r.advantage, ratio.clamp(0.8, 1.2) * r.advantage)
            loss = loss - gain.sum()
        (loss / (batch.tokens / 2)).backward()
        optimizer.step()
    return torch.cat([p.grad.flatten() for p in model.parameters()])


def test_several_updates_compare_with_the_policy_at_the_start_of_the_step() -> None:
    lr = 3e-3
    learner, batch = make_learner(updates_per_step=2, lr=lr), batch_of(mixed_groups())
    stats = learner.step(batch)
    assert len(stats.grad_norms) == 2
    found = gradient(learner)
    assert close(found, two_updates(batch, start_ratio=True, lr=lr), 1e-4)
    assert not close(found, two_updates(batch, start_ratio=False, lr=lr), 0.05)


def test_the_loss_of_several_updates_is_still_the_steps_loss() -> None:
    rows = []
    for n in (1, 2):
        learner = make_learner(updates_per_step=n, lr=1e-9)  # the policy hardly moves
        rows.append(learner.step(batch_of(mixed_groups())).row(with_kl=False))
    assert rows[1]["loss"] == pytest.approx(rows[0]["loss"], abs=1e-4)


def test_more_updates_than_rows_is_no_error() -> None:
    learner = make_learner(updates_per_step=50)
    assert len(learner.step(batch_of([make_group("ci")])).grad_norms) == 2


def test_the_kl_term_pulls_towards_the_base_model() -> None:
    learner = make_learner(loss=TokenMeanConfig(kl_coef=0.5))
    base, now = tiny_model(dtype=torch.float64), learner.model
    move(learner)
    model: Any = copy.deepcopy(now)
    batch = batch_of([make_group("cc", lengths=[5, 8])], keep_all=True)
    stats = learner.step(batch)
    k3 = []
    for r in batch.rows:
        with torch.no_grad():
            reference = scores(base, r)
        delta = reference - scores(model, r)
        k3.append(torch.exp(delta) - 1 - delta)
    total = torch.cat(k3).sum()
    (0.5 * total / 13).backward()
    expected = torch.cat([p.grad.flatten() for p in model.parameters()])
    assert close(gradient(learner), expected, 1e-4), "scores are float32, their differences small"
    assert stats.row(with_kl=True)["kl"] == pytest.approx(float(total.detach()) / 13, rel=1e-4)


def test_gradients_are_clipped_to_the_global_norm() -> None:
    learner = make_learner(max_grad_norm=1e-3)
    before = learner.step(batch_of(mixed_groups())).grad_norms[0]
    assert before > 1e-2
    assert float(gradient(learner).norm()) == pytest.approx(1e-3, rel=1e-3)


def test_warm_up_is_linear_and_then_constant() -> None:
    learner, batch = make_learner(lr=8e-4, warmup_steps=4), batch_of(mixed_groups()[:1])
    rates = []
    for _ in range(6):
        rates.append(learner.step(batch).row(with_kl=False)["lr"])
        assert learner.optimizer.param_groups[0]["lr"] == rates[-1]
    assert rates == pytest.approx([2e-4, 4e-4, 6e-4, 8e-4, 8e-4, 8e-4])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_reward_that_is_not_finite_stops_before_the_update(value: float) -> None:
    learner = make_learner()
    learner.step(batch_of(mixed_groups()))
    before, moments = flat(learner.model), copy.deepcopy(learner.optimizer.state_dict())
    with pytest.raises(NotFiniteError, match="not both finite"):
        learner.step(batch_of([*mixed_groups(), make_group("ci", [value, 0.0])]))
    assert torch.equal(flat(learner.model), before)
    for index, state in learner.optimizer.state_dict()["state"].items():
        for name, kept in state.items():
            assert torch.equal(kept, moments["state"][index][name])


def test_weights_that_are_not_finite_stop_the_step_and_stay_for_inspection() -> None:
    learner = make_learner()
    with torch.no_grad():
        next(iter(learner.model.parameters()))[:, 0] = float("nan")
    before = flat(learner.model)
    with pytest.raises(NotFiniteError):
        learner.step(batch_of(mixed_groups()))
    assert torch.equal(flat(learner.model).nan_to_num(7.0), before.nan_to_num(7.0))


def test_what_is_loaded_makes_a_bit_equal_next_step(tmp_path: Path) -> None:
    config = {"warmup_steps": 5, "weight_decay": 0.01}
    one = make_learner(tiny_model(), **config)
    for _ in range(3):
        one.step(batch_of(mixed_groups()))
    one.save(tmp_path)
    before = flat(one.model)
    other = make_learner(tiny_model(seed=5), **config)
    other.load(tmp_path)
    assert torch.equal(flat(other.model), before)
    rows = [x.step(batch_of(mixed_groups())).row(with_kl=False) for x in (one, other)]
    assert rows[0] == rows[1]
    assert torch.equal(flat(one.model), flat(other.model))
    assert not torch.equal(flat(one.model), before)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("umask", [0o022, 0o027])
def test_weights_get_the_umasks_mode(tmp_path: Path, dtype: torch.dtype, umask: int) -> None:
    learner = make_learner(tiny_model())
    learner.save_dtype = dtype
    before = os.umask(umask)
    try:
        learner.export(tmp_path / "model")
    finally:
        os.umask(before)
    modes = {file.stat().st_mode & 0o777 for file in (tmp_path / "model").iterdir()}
    assert modes == {0o666 & ~umask}


def test_the_exported_model_is_the_trained_one(tmp_path: Path) -> None:
    learner = make_learner(tiny_model())
    learner.step(batch_of(mixed_groups()))
    learner.export(tmp_path / "model")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "model", dtype=torch.float32)
    assert torch.equal(flat(model), flat(learner.model))


def test_a_full_disk_is_an_os_error(tmp_path: Path) -> None:
    learner = make_learner(tiny_model())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        for write in (learner.save, learner.export):
            with pytest.raises(OSError, match=r"full\?|File too large"):
                write(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("tied", [True, False])
def test_published_weights_are_every_parameter_once(tied: bool) -> None:
    learner = make_learner(tiny_model(tied=tied))
    source = learner.publish(7)
    found = list(source)
    assert source.version == 7
    assert {name: tensor.shape for name, tensor in found} == source.metadata
    assert len({t.data_ptr() for _, t in found}) == len(found)
    assert ("lm_head.weight" in dict(found)) is not tied
    assert sum(t.numel() for _, t in found) == learner.model.num_parameters()
    assert not any(t.requires_grad for _, t in found)
    assert [name for name, _ in source] == [name for name, _ in found], "can be walked again"


def test_what_others_know_of_the_model() -> None:
    model = tiny_model()
    model.generation_config.eos_token_id = [17, 23]
    info = make_learner(model, dtype="bfloat16").info
    assert (info.context, info.vocabulary, info.dtype) == (128, 300, "bfloat16")
    assert info.eos == {17, 23, nano_tokenizer().eos_token_id}
    assert info.pad == nano_tokenizer().pad_token_id
    assert info.device == torch.device("cpu")


def test_a_model_with_dropout_is_not_taken_for_one_that_changes_its_logits() -> None:
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=50, n_embd=16, n_layer=1, n_head=2, initializer_range=0.5)
    config.bos_token_id = config.eos_token_id = 1
    learner = make_learner(GPT2LMHeadModel(config))
    assert not learner.model.training, "dropout would score with another policy than sampled"


def test_bfloat16_computes_low_but_loses_no_small_update() -> None:
    learner = make_learner(tiny_model(dtype=torch.float32), lr=1e-6, dtype="bfloat16")
    before = [p.detach().clone() for p in learner.model.parameters()]
    learner.step(batch_of(mixed_groups()))
    moved = [
        (p != b)[p.grad != 0].float().mean()
        for p, b in zip(learner.model.parameters(), before, strict=True)
        if p.grad is not None and bool((p.grad != 0).any())
    ]
    assert min(moved) > 0.9, "rounded away"


def test_the_optimizers_settings_are_the_recipes_whatever_a_checkpoint_says(tmp_path: Path) -> None:
    make_learner(betas=(0.5, 0.6), weight_decay=0.3).save(tmp_path)
    learner = make_learner(betas=(0.8, 0.9), weight_decay=0.1)
    learner.load(tmp_path)
    [group] = learner.optimizer.param_groups
    assert (group["betas"], group["weight_decay"]) == ((0.8, 0.9), 0.1)


@pytest.mark.parametrize("before", [True, None])
def test_the_optimizer_is_the_devices_whatever_device_a_checkpoint_is_from(
    tmp_path: Path, before: bool | None
) -> None:
    """It is fused on a GPU and plain on the CPU; torch has both on the CPU."""

    def learner_with(fused: bool | None) -> LocalLearner:
        learner = make_learner(tiny_model())
        learner.updater.optimizer = torch.optim.AdamW(learner.model.parameters(), 1e-3, fused=fused)
        return learner

    one, other = learner_with(before), learner_with(None if before else True)
    one.step(batch_of(mixed_groups()))
    one.save(tmp_path)
    other.load(tmp_path)
    [group] = other.optimizer.param_groups
    assert group["fused"] is (None if before else True)
    for learner in (one, other):
        learner.step(batch_of(mixed_groups()))
    assert close(flat(other.model), flat(one.model))


def test_a_checkpoint_is_measured_against_the_same_reference(tmp_path: Path) -> None:
    loss = TokenMeanConfig(kl_coef=0.1)
    make_learner(loss=loss).save(tmp_path)
    make_learner(loss=loss).load(tmp_path)
    other = tiny_model(seed=5, dtype=torch.float64)
    with pytest.raises(UserError, match=r"loss\.kl_coef measures against those"):
        make_learner(other, loss=loss).load(tmp_path)
    with pytest.raises(UserError, match=r"lm_head\.weight: its shape was none"):
        make_learner(tiny_model(tied=False, dtype=torch.float64)).load(tmp_path)


def test_the_rate_goes_by_the_schedule_and_the_runs_length() -> None:
    config = LearnerConfig(lr=1e-3, schedule="linear")
    model: Any = tiny_model(dtype=torch.float64)
    learner = LocalLearner(model, nano_tokenizer(), config, TokenMeanConfig(), 1.0, max_steps=4)
    batch = batch_of(mixed_groups()[:1])
    found = [learner.step(batch).lr for _ in range(4)]
    assert found == pytest.approx([1e-3, 7.5e-4, 5e-4, 2.5e-4])


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_model_is_saved_in_the_precision_that_is_asked_for(
    tmp_path: Path, tied: bool, dtype: torch.dtype
) -> None:
    model: Any = tiny_model(tied=tied)
    learner = LocalLearner(
        model, nano_tokenizer(), LearnerConfig(), TokenMeanConfig(), 1.0, save_dtype=dtype
    )
    learner.export(tmp_path)
    saved: Any = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert saved.dtype is dtype, "which config.json says, too"
    for (name, mine), theirs in zip(model.named_parameters(), saved.parameters(), strict=True):
        assert mine.dtype is torch.float32, "in memory it is what it was"
        assert torch.equal(theirs, mine.to(dtype)), name
