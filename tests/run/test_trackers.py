"""Trackers are opened by name; one that is not installed is refused before a run starts; a resumed
run goes on where it was."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from small_runs import small_recipe
from srpo.metrics import Row
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
