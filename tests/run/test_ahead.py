"""One step ahead: exact, whatever takes how long, and resumable from any moment."""

from __future__ import annotations

import random
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from builders import problems
from small_runs import differences, finish, signal_when_training, small_recipe, srpo, write_recipe
from srpo.algorithm.sampler import Sampler
from srpo.errors import EngineError
from srpo.metrics import read_metrics
from srpo.observer import Observer
from srpo.recipe.schema import Recipe, SamplerConfig
from srpo.run import session
from srpo.run.ahead import Ahead
from srpo.types import UserError
from walls import needs_walls

pytestmark = needs_walls


def recipe_of(run: Path, **over: Any) -> Recipe:
    """10 prompts of mathematics, 4 a step: epochs of three steps."""
    over = {"rollout__ahead": 1, "curriculum__kind": "math-only", "max_steps": 8} | over
    return small_recipe(run, **over)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("ahead") / "whole"
    session.train(recipe_of(run))
    return run


def test_groups_are_one_step_older_but_after_an_epochs_end(whole: Path) -> None:
    rows = read_metrics(whole / "metrics.jsonl")
    behind = [row["step"] - row["policy/version"] for row in rows]
    first = [i for i, row in enumerate(rows) if not i or row["epoch"] != rows[i - 1]["epoch"]]
    assert len(first) >= 3, "epochs end in this run"
    assert [n == 1 for n in behind] == [i in first for i in range(len(rows))]
    assert {n for i, n in enumerate(behind) if i not in first} == {2}
    assert all(("seconds/hidden" in row) == (n == 2) for row, n in zip(rows, behind, strict=True))


def test_nothing_is_sampled_that_nobody_learns_from(whole: Path) -> None:
    rows = read_metrics(whole / "metrics.jsonl")
    assert [row["step"] for row in rows] == list(range(1, 9))
    assert rows[-1]["tokens/generated"] == sum(row["tokens/step"] for row in rows)


def test_two_stages_and_a_budget_of_tokens_learn_from_all_that_was_sampled(tmp_path: Path) -> None:
    run = tmp_path / "run"
    end = session.train(
        small_recipe(run, rollout__ahead=1, max_tokens=2500, max_steps=50, data__eval=[])
    )
    rows = read_metrics(run / "metrics.jsonl")
    assert end.reason.startswith("max_tokens")
    assert {row["stage"] for row in rows} == {"stage1", "stage2"}
    assert rows[-1]["tokens/generated"] == sum(row["tokens/step"] for row in rows)
    assert rows[-3]["tokens/generated"] < 2500 <= rows[-1]["tokens/generated"]


@pytest.mark.parametrize("seed", range(2))
def test_killed_and_resumed_it_is_the_same_run(whole: Path, tmp_path: Path, seed: int) -> None:
    run = tmp_path / "run"
    process = srpo("train", write_recipe(recipe_of(run), tmp_path / "r.yaml"))
    signal_when_training(process, run, random.Random(seed).uniform(0, 4), signal.SIGKILL)
    finish(process)
    if not (run / "summary.json").exists():
        code, output = finish(srpo("resume", run))
        assert code == 0, output
    assert differences(whole, run) == []


class Stops(Observer):
    """As a person does who stops it while step 4 learns."""

    def phase(self, name: str, done: int, total: int) -> None:
        self.learns = getattr(self, "learns", 0) + (name == "learn")
        if name == "learn" and self.learns == 4:
            signal.raise_signal(signal.SIGINT)


def test_stopped_with_a_batch_in_hand_it_goes_on_with_that(whole: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    end = session.train(recipe_of(run), Stops())
    assert (end.finished, end.step) == (False, 4)
    assert list((run / "checkpoints" / "step-000004").glob("ahead.*"))
    assert session.resume(run).finished
    assert differences(whole, run) == []


@dataclass
class Broken:
    """A collector whose engine is gone."""

    on_phase: Any = None

    def step(self, number: int, prompts: Any) -> Any:
        raise EngineError(f"step {number} cannot be sampled")


def test_sampling_that_fails_tells_when_learning_is_over() -> None:
    sampler = Sampler(problems(4), SamplerConfig(), 0)
    sampler.enter("stage1", frozenset(["math"]))
    ahead, learnt = Ahead(cast(Any, Broken()), sampler, True), False
    with (
        pytest.raises(EngineError, match="step 7 cannot be sampled"),
        ahead.sampling(7, wanted=True) as beside,
    ):
        learnt = beside
    assert learnt
    assert ahead.pending is None
    ahead.close()


@dataclass
class Endless:
    """A collector that samples until it is told not to."""

    on_phase: Any = None

    def step(self, number: int, prompts: Any) -> Any:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            self.on_phase("rollout", 1, 2)
            time.sleep(0.01)
        raise AssertionError("nobody ended it")


def test_sampling_ends_when_learning_fails_and_its_failure_is_what_shows() -> None:
    sampler = Sampler(problems(4), SamplerConfig(), 0)
    sampler.enter("stage1", frozenset(["math"]))
    ahead, start = Ahead(cast(Any, Endless()), sampler, True), time.monotonic()
    with pytest.raises(KeyboardInterrupt), ahead.sampling(7, wanted=True):
        raise KeyboardInterrupt
    ahead.close()
    assert time.monotonic() - start < 10


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"loss__tis_cap": None}, "loss.tis_cap=2.0"),
        ({"loss__kind": "gspo"}, "another loss.kind than gspo"),
        ({"rollout__engine": "vllm"}, "rollout.placement=process"),
    ],
)
def test_what_cannot_be_corrected_or_has_no_room_is_refused(
    tmp_path: Path, over: dict[str, Any], said: str
) -> None:
    with pytest.raises(UserError) as error:
        recipe_of(tmp_path, **over)
    assert said in str(error.value)


def test_older_weights_are_corrected_for_where_the_recipe_says_nothing(tmp_path: Path) -> None:
    assert recipe_of(tmp_path).loss.tis_cap == 2.0  # pyright: ignore[reportAttributeAccessIssue]
