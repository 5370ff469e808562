"""Two real ranks against one process: the same update, the same scores, the same files."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import AutoModelForCausalLM

from builders import make_group, nano_tokenizer, tiny_model
from srpo.errors import NotFiniteError, RankError, TrainingError
from srpo.learner.batch import TrainBatch, pack
from srpo.learner.local import LocalLearner
from srpo.learner.sharded.learner import ShardedLearner
from srpo.learner.sharded.processes import ProcessRanks
from srpo.recipe.load import parse_recipe
from srpo.recipe.schema import GroupConfig, Recipe
from srpo.transfer import free_address
from srpo.types import UserError


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("model")
    tiny_model().save_pretrained(folder)
    nano_tokenizer().save_pretrained(folder)
    return str(folder)


def recipe_of(model: str, **learner: Any) -> Recipe:
    return parse_recipe(
        {
            "model": model,
            "max_steps": 20,
            "data": {"train": [{"path": "nano:math", "domain": "math"}]},
            "curriculum": "math-only",
            "loss": {"kl_coef": 0.05},
            "rollout": {"temperature": 0.9},
            "learner": {"lr": 1e-3, "device": "cpu", "updates_per_step": 2, **learner},
        },
        "of a test",
    )


def opened(recipe: Recipe, ranks: int = 2) -> ShardedLearner:
    return ShardedLearner(recipe, ProcessRanks(ranks, 60.0), free_address(), 60.0)


@pytest.fixture(scope="module")
def sharded(model: str) -> Iterator[ShardedLearner]:
    learner = opened(recipe_of(model, micro_batch_tokens=40))
    yield learner
    learner.ranks.close()


def batch(seed: int) -> TrainBatch:
    groups = [
        make_group("ccii", lengths=[3, 9, 1, 14], seed=seed),
        make_group("ciii", [1.1, 0.1, 0.0, 0.1], [7, 2, 5, 11], seed=seed + 1),
        make_group("cice", lengths=[4, 6, 8, 30], seed=seed + 2),
    ]
    return pack(groups, GroupConfig())


def flat(source: Any) -> Tensor:
    return torch.cat([tensor.detach().float().flatten() for _, tensor in source])


def test_two_ranks_learn_score_and_save_as_one_process_does(
    model: str, sharded: ShardedLearner, tmp_path: Path
) -> None:
    whole = LocalLearner.open(recipe_of(model), nano_tokenizer())
    assert sharded.info == whole.info
    for seed in (3, 13, 23):
        ours, theirs = sharded.step(batch(seed)).row(True), whole.step(batch(seed)).row(True)
        assert ours == pytest.approx(theirs, rel=1e-4, abs=1e-6)
    assert (flat(sharded.publish(3)) - flat(whole.publish(3))).abs().max() < 1e-5
    responses = ([8, 9], [10], range(2, 40))
    prompts = ([5, 6, 7], [5], [9, 9])
    answers = [(p, np.array(r, np.int32)) for p, r in zip(prompts, responses, strict=True)]
    for one, other in zip(sharded.score(answers), whole.score(answers), strict=True):
        assert one == pytest.approx(other, abs=1e-5)
    sharded.export(tmp_path)
    written = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32)
    names = dict(written.named_parameters())
    for name, tensor in sharded.publish(3):
        assert torch.equal(names[name], tensor), name


def test_what_is_loaded_makes_a_bit_equal_next_step_and_one_rank_can_load_it(
    model: str, sharded: ShardedLearner, tmp_path: Path
) -> None:
    sharded.step(batch(40))
    digests = sharded.save(tmp_path)
    assert {f"__{rank}_0.distcp" for rank in range(2)} < digests.keys()
    steps = sharded.steps
    expected = sharded.step(batch(50))
    after = flat(sharded.publish(1))
    sharded.step(batch(60))
    sharded.load(tmp_path)
    assert sharded.steps == steps
    assert sharded.step(batch(50)) == expected
    assert torch.equal(flat(sharded.publish(1)), after)

    alone = opened(recipe_of(model, micro_batch_tokens=40), 1)
    try:
        alone.load(tmp_path)
        alone.step(batch(50))
        assert (flat(alone.publish(1)) - after).abs().max() < 1e-6
    finally:
        alone.ranks.close()


def test_a_step_without_rows_changes_nothing(sharded: ShardedLearner) -> None:
    before = flat(sharded.publish(0))
    stats = sharded.step(TrainBatch([], 12, 4))
    assert stats.row(False)["grad_norm"] == 0.0
    assert torch.equal(flat(sharded.publish(0)), before)


def test_fewer_rows_than_ranks_wait_for_nobody(model: str, sharded: ShardedLearner) -> None:
    rows = batch(70).rows[:1]
    assert sharded.step(TrainBatch(rows, 9, 1)).trained == len(rows[0].response_ids)


def test_not_finite_is_the_same_error_on_all_ranks_and_changes_nothing(
    sharded: ShardedLearner,
) -> None:
    bad = batch(80)
    bad.rows[0].advantage = float("nan")
    before = flat(sharded.publish(0))
    with pytest.raises(NotFiniteError, match="not both finite"):
        sharded.step(bad)
    assert torch.equal(flat(sharded.publish(0)), before)
    sharded.step(batch(90))


def test_one_process_and_ranks_read_each_others_checkpoints(
    model: str, sharded: ShardedLearner, tmp_path: Path
) -> None:
    whole = LocalLearner.open(recipe_of(model, micro_batch_tokens=40), nano_tokenizer())
    (tmp_path / "ranks").mkdir()
    (tmp_path / "one").mkdir()
    sharded.step(batch(100))
    sharded.save(tmp_path / "ranks")
    whole.load(tmp_path / "ranks")
    assert torch.equal(flat(whole.publish(0)), flat(sharded.publish(0)))
    sharded.step(batch(110))
    whole.step(batch(110))
    assert (flat(whole.publish(0)) - flat(sharded.publish(0))).abs().max() < 1e-6
    whole.save(tmp_path / "one")
    sharded.load(tmp_path / "one")
    assert sharded.steps == whole.steps
    assert torch.equal(flat(whole.publish(0)), flat(sharded.publish(0)))
    sharded.step(batch(120))
    whole.step(batch(120))
    assert (flat(whole.publish(0)) - flat(sharded.publish(0))).abs().max() < 1e-6


def test_another_models_shards_are_refused(
    sharded: ShardedLearner, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("other")
    sharded.save(folder)
    plain = json.loads((folder / "learner.json").read_text())
    plain["shapes"]["lm_head.weight"] = [1, 2]
    (folder / "learner.json").write_text(json.dumps(plain))
    with pytest.raises(UserError, match="not the model that the run began with"):
        sharded.load(folder)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_lost_rank_is_named_and_the_others_end(number: int) -> None:
    ranks = ProcessRanks(2, 60.0)
    with pytest.raises(TrainingError):  # not opened; it is there, though
        ranks.call("release")
    ranks.deadline_s = 2.0
    os.kill(ranks.processes[1].pid, number)
    how = (
        r"was killed \(SIGKILL\)"
        if number == signal.SIGKILL
        else "did not answer, after rank 0 failed"
    )
    with pytest.raises(RankError, match=f"learner rank 1 of 2 {how}"):
        ranks.call("release")
    assert all(process.poll() is not None for process in ranks.processes)
