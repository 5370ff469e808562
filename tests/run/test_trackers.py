"""Trackers are opened by name; one that is not installed is refused before a run starts; a resumed
run goes on where it was."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from small_runs import small_recipe
from srpo.metrics import Row
from srpo.observer import Observer
from srpo.run import session
from srpo.run.folder import RunFolder
from srpo.run.trackers import check_trackers, open_trackers
from srpo.types import UserError


def log(run: Path, tracker: str, resumed_at: int, rows: list[Row]) -> None:
    """One life of a run."""
    run.mkdir(exist_ok=True)
    recipe = small_recipe(run, log__trackers=[tracker])
    [opened] = open_trackers(recipe, RunFolder(run), resumed_at)
    for row in rows:
        opened.log(row)
    opened.close()


def rows(first: int, last: int) -> list[Row]:
    return [
        {"step": step, "loss": random.random(), "stage": "stage1"}
        for step in range(first, last + 1)
    ]


def test_a_missing_tracker_says_how_to_install_it() -> None:
    with pytest.raises(UserError, match=r"log\.trackers: 'no_such'.*pip install 'srpo\[no_such\]'"):
        check_trackers(["tensorboard", "no_such"])


def test_no_trackers(tmp_path: Path) -> None:
    assert open_trackers(small_recipe(tmp_path), RunFolder(tmp_path), 0) == []


def test_tensorboard_shows_no_step_twice(tmp_path: Path) -> None:
    killed, resumed = rows(1, 7), rows(5, 9)  # the last checkpoint was that of step 4
    log(tmp_path / "run", "tensorboard", 0, killed)
    log(tmp_path / "run", "tensorboard", 4, resumed)
    shown = EventAccumulator(str(tmp_path / "run/tensorboard"))
    shown.Reload()
    expected = {row["step"]: row["loss"] for row in (*killed[:4], *resumed)}
    found = shown.Scalars("loss")
    assert len(found) == 9
    assert {event.step: event.value for event in found} == pytest.approx(expected)


class Recorder(SimpleNamespace):
    """Stands for a tracker's module, and remembers how it was called."""

    def __init__(self) -> None:
        super().__init__(inits=[], logs=[])

    def init(self, **arguments: Any) -> Recorder:
        self.inits.append(arguments)
        return self

    def log(self, row: Row, step: int) -> None:
        self.logs.append((step, row))

    def finish(self) -> None: ...


@pytest.fixture(params=["wandb", "trackio"])
def recorder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    module = Recorder()
    monkeypatch.setitem(sys.modules, request.param, module)
    module.name = request.param
    return module


def test_a_resumed_run_is_the_same_run_elsewhere_too(recorder: Recorder, tmp_path: Path) -> None:
    for run, resumed_at in (("one", 0), ("one", 4), ("other", 0)):
        log(tmp_path / run, recorder.name, resumed_at, rows(resumed_at + 1, resumed_at + 2))
    one, again, other = recorder.inits
    assert {init["project"] for init in recorder.inits} == {"srpo"}
    assert again["name"] == one["name"] == "one"
    assert again["resume"] == "allow"
    assert one["config"]["seed"] == 3
    if recorder.name == "wandb":
        assert one["id"] == again["id"] != other["id"]
    else:
        assert one["resume"] == other["resume"] == "never"
    assert [step for step, _ in recorder.logs] == [1, 2, 5, 6, 1, 2]
    assert all(set(row) == {"loss"} for _, row in recorder.logs)


def test_a_run_at_wandb_stays_in_its_project(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    module = Recorder()
    monkeypatch.setitem(sys.modules, "wandb", module)
    for project, run in (("mine", "one"), ("another", "one"), ("another", "other")):
        monkeypatch.setenv("WANDB_PROJECT", project)
        log(tmp_path / run, "wandb", 0, [])
    (tmp_path / "old").mkdir()
    (tmp_path / "old/wandb-id").write_text("abc")  # as it was written before
    log(tmp_path / "old", "wandb", 3, [])
    assert [init["project"] for init in module.inits] == ["mine", "mine", "another", "srpo"]
    assert module.inits[0]["id"] == module.inits[1]["id"] != module.inits[2]["id"]
    assert module.inits[3]["id"] == "abc"


def shown(run: Path, tag: str) -> list[tuple[int, float]]:
    events = EventAccumulator(str(run / "tensorboard"), size_guidance={"scalars": 0})
    events.Reload()
    return [(event.step, event.value) for event in events.Scalars(tag)]


class KilledError(BaseException):
    """Stands for a kill: nothing more is saved."""


class Kill(Observer):
    def __init__(self, at: str) -> None:
        self.at = at

    def evaluated(self, point: str, results: dict[str, Any]) -> None:
        if point == self.at:
            raise KilledError

    def step(self, row: Row) -> None:
        if f"row {row['step']}" == self.at:
            raise KilledError


@pytest.mark.parametrize("at", ["base", "row 1", "step 3", "row 5"])
def test_evaluations_and_steps_are_there_once_after_a_kill(tmp_path: Path, at: str) -> None:
    run = tmp_path / "run"
    over: dict[str, Any] = {"log__trackers": ["tensorboard"], "eval__every": 3}
    with pytest.raises(KilledError):
        session.train(small_recipe(run, eval__samples=2, **over), Kill(at))
    assert session.resume(run, Observer()).finished
    lines = [json.loads(line) for line in (run / "evals.jsonl").read_text().splitlines()]
    expected = {e["step"]: e["math"]["pass@1"] for e in lines}
    assert list(expected) == [0, 2, 3, 5]
    assert shown(run, "eval/math/pass@1") == [
        (step, pytest.approx(value)) for step, value in expected.items()
    ]
    assert [step for step, _ in shown(run, "length/mean")] == [1, 2, 3, 4, 5]
