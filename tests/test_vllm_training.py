"""Whole small runs through real vLLM: resumed exactly, and stopped when the weights are stale."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from builders import weights_of
from small_runs import differences, small_recipe
from srpo.errors import EngineError, StaleWeightsError
from srpo.metrics import Row, read_metrics
from srpo.observer import Observer
from srpo.rollout.vllm.engine import VllmEngine
from srpo.run.checkpoint import checkpoints
from srpo.run.session import RunEnd, resume
from srpo.run.session import train as train_run
from srpo.weights import WeightSource
from vllm_parts import (
    largest_difference,
    learner_of,
    moved_model,
    needs_vllm,
    open_engine,
)

pytestmark = needs_vllm


class Crash(Exception):
    """A run that ends in the middle."""


class CrashAfter(Observer):
    def __init__(self, step: int):
        self.at = step

    def step(self, row: Row) -> None:
        if row["step"] == self.at:
            raise Crash


def train(path: Path, observer: Observer | None = None, **overrides: Any) -> RunEnd:
    recipe = small_recipe(path, rollout__engine="vllm", **overrides)
    return train_run(recipe, observer or Observer())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "run"
    assert train(path).finished
    return path


def test_every_step_logs_how_far_engine_and_learner_are_apart(whole: Path) -> None:
    rows = read_metrics(whole / "metrics.jsonl")
    assert len(rows) == 5
    for row in rows:
        assert row["mismatch/probe"] < 1e-5
        assert row["mismatch/mean"] <= row["mismatch/max"] < 1e-4
        assert abs(row["mismatch/kl"]) < 1e-6
        assert row["mismatch/capped"] == 0.0


def test_a_crashed_run_resumes_exactly(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(Crash):
        train(tmp_path / "run", CrashAfter(3))
    assert resume(tmp_path / "run", Observer()).finished
    assert differences(whole, tmp_path / "run") == []


def test_a_skipped_weight_update_stops_the_run_with_a_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = VllmEngine.load_weights

    def skipping(engine: VllmEngine, source: WeightSource) -> None:
        if source.version == 3:
            engine.version = source.version
        else:
            load(engine, source)

    run = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(VllmEngine, "load_weights", skipping)
        with pytest.raises(StaleWeightsError, match=rf"step 3: .*srpo resume {run}"):
            train(run)
    assert checkpoints(run / "checkpoints")[-1].name == "step-000003"
    assert resume(run, Observer()).finished
    assert len(read_metrics(run / "metrics.jsonl")) == 5


class Killer(Observer):
    """Kills vLLM's process as soon as a step's first group is there, so many times in a step."""

    def __init__(self, times: dict[int, int]):
        self.times, self.done, self.messages = Counter(times), 1, list[str]()

    def step(self, row: Row) -> None:
        self.done = row["step"] + 1

    def message(self, text: str) -> None:
        self.messages.append(text)

    def phase(self, name: str, done: int, total: int) -> None:
        if name == "rollout" and self.times[self.done] > 0:
            self.times[self.done] -= 1
            [worker] = [c for c in psutil.Process().children() if "vllm.child" in str(c.cmdline())]
            worker.kill()


def test_a_killed_process_is_replaced_once_in_a_step_and_then_the_run_stops(
    whole: Path, tmp_path: Path
) -> None:
    run, killer = tmp_path / "run", Killer({2: 1, 4: 2})
    with pytest.raises(EngineError, match=rf"step 4: .*SIGKILL.*restart; .*srpo resume {run}"):
        train(run, killer, rollout__placement="process")
    killed = [text for text in killer.messages if "was killed" in text]
    assert len(killed) == 2, "step 2 went on, step 4 did not"
    written = sorted(p.name for p in (run / "rollouts").iterdir())
    assert written == [f"step-{step:06d}.jsonl" for step in (1, 2, 3)]
    for name in written:
        assert (run / "rollouts" / name).read_bytes() == (whole / "rollouts" / name).read_bytes()
    assert checkpoints(run / "checkpoints")[-1].name == "step-000002"
    assert not [c for c in psutil.Process().children() if "vllm.child" in str(c.cmdline())]
    assert not (run / "engine-weights").exists()


def test_an_untied_output_layer_changes_too(tmp_path: Path) -> None:
    models = [moved_model(i) for i in (3, 4)]
    for model in models:
        model.config.tie_word_embeddings = False
        model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach() + 0.1)
    models[0].save_pretrained(tmp_path)
    engine = open_engine(str(tmp_path), rows=16)
    assert largest_difference(engine, learner_of(models[0])) < 1e-4
    engine.load_weights(weights_of(models[1], 1))
    assert largest_difference(engine, learner_of(models[1])) < 1e-4
    engine.close()
