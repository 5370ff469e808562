"""The suite: its recipes, its runner (with real, tiny runs), and what comes out."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from forked import Forked
from srpo.cli import app
from srpo.recipe.load import load_recipe
from srpo.reproduce import runner
from srpo.reproduce.runner import State, run_suite
from srpo.reproduce.suite import EXPERIMENTS, Experiment, choose, trials
from srpo.types import TrainingError, UserError


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda e: e.name)
def test_conditions_differ_in_nothing_but_their_fields(experiment: Experiment):
    recipes = {
        name: load_recipe(experiment.base, list(overrides)).model_dump()
        for name, overrides in experiment.conditions.items()
    }
    assert len({json.dumps(r, sort_keys=True) for r in recipes.values()}) == len(recipes)
    assert len({r["max_tokens"] for r in recipes.values()}) == 1
    assert len({json.dumps(r["data"]["eval"]) for r in recipes.values()}) == 1
    assert set(experiment.headline) <= set(recipes)


def test_experiments_that_share_runs_mean_the_same_by_them():
    runs: dict[Path, set[tuple[str, ...]]] = {}
    for trial in trials(list(EXPERIMENTS), seeds=1, quick=False, tokens=None):
        runs.setdefault(trial.folder(Path("out")), set()).add(trial.overrides)
    assert all(len(meanings) == 1 for meanings in runs.values())
    assert len(runs) < sum(len(e.conditions) for e in EXPERIMENTS)


def test_jobs_go_seed_by_seed():
    strategies = choose(["strategies"], quick=False)
    planned = trials(strategies, seeds=2, quick=False, tokens=5)
    assert [(j.condition, j.seed) for j in planned[:4]] == [
        ("none", 0),
        ("dynamic", 0),
        ("history", 0),
        ("forecast", 0),
    ]
    assert len({j.folder(Path("out")) for j in planned}) == len(planned) == 8
    assert all("max_tokens=5" in j.overrides for j in planned)


def test_quick_is_the_headline_pairs():
    chosen = choose([], quick=True)
    assert [e.name for e in chosen] == ["strategies", "curricula"]
    planned = trials(chosen, seeds=1, quick=True, tokens=None)
    assert [j.condition for j in planned] == ["none", "history", "forecast", "mixed", "staged"]
    for trial, experiment in zip(planned, [chosen[0]] * 3 + [chosen[1]] * 2, strict=True):
        assert load_recipe(trial.base, list(trial.overrides)).max_tokens == experiment.tokens // 2


def test_runs_of_another_budget_are_other_runs():
    chosen = choose(["strategies"], quick=False)
    budgets = [(False, None), (True, None), (False, 1000)]
    folders = [
        {j.folder(Path("out")) for j in trials(chosen, seeds=2, quick=quick, tokens=tokens)}
        for quick, tokens in budgets
    ]
    assert len(set.union(*folders)) == sum(map(len, folders))


def test_an_unknown_experiment_is_named():
    with pytest.raises(UserError, match="no experiment 'strategy': choose of strategies, easy-"):
        choose(["strategy"], quick=False)


TINY = """
model: nano
max_steps: 100
max_tokens: 400
data:
  train: [{path: "nano:math", domain: math, limit: 8}]
  eval: [{path: "nano:math", domain: math, split: heldout, limit: 2}]
  template: "{prompt}\\n"
rollout: {group_size: 4, max_new_tokens: 24}
sampler: {prompts_per_step: 4}
curriculum: {kind: math-only}
eval: {samples: 2, every: 2}
log: {rollouts: false}
"""


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Experiment:
    base = tmp_path / "tiny.yaml"
    base.write_text(TINY)
    conditions = {n: (f"sampler.strategy={n}",) for n in ("none", "history")}
    made = Experiment("tiny", "Two tiny ones", base, "pass@1", conditions, ("none", "history"), 2)
    monkeypatch.setattr("srpo.reproduce.suite.EXPERIMENTS", (made,))
    return made


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch) -> list[Forked]:
    """Runs begin with everything imported; these are the processes."""
    started: list[Forked] = []

    def popen(command: list[str], stdout: Any, **_: Any) -> Forked:
        assert command[:3] == [sys.executable, "-m", "srpo.cli"]
        started.append(Forked(*command[3:], output=Path(stdout.name)))
        return started[-1]

    quick = SimpleNamespace(Popen=popen, STDOUT=subprocess.STDOUT)
    monkeypatch.setattr(runner, "subprocess", quick)
    return started


def test_a_suite_from_the_command_line(tiny: Experiment, tmp_path: Path, forked: list[Forked]):
    out = tmp_path / "out"
    arguments = ["reproduce", "--out", str(out), "--seeds", "2", "--workers", "2"]
    first = CliRunner().invoke(app, arguments)
    assert first.exit_code == 0, first.output
    assert "Two tiny ones" in first.output
    for name in ("none", "history"):
        for seed in (0, 1):
            folder = out / "runs" / "tiny" / name / f"seed{seed}"
            recipe = load_recipe(folder / "recipe.yaml")
            assert (recipe.sampler.strategy.kind, recipe.seed) == (name, seed)
            assert (folder / "summary.json").is_file()
    for ending in ("html", "md", "png"):
        assert (out / f"tiny.{ending}").stat().st_size > 500
    stamps = {f: f.stat().st_mtime_ns for f in out.rglob("summary.json")}
    again = CliRunner().invoke(app, arguments)
    assert again.exit_code == 0
    assert {f: f.stat().st_mtime_ns for f in out.rglob("summary.json")} == stamps


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_suite_leaves_no_process_and_goes_on_where_it_was(
    tiny: Experiment, tmp_path: Path, forked: list[Forked], number: signal.Signals
):
    planned = trials([tiny], seeds=1, quick=False, tokens=3000)[:1]
    out = tmp_path / "out"

    def stop_soon(state: State) -> None:
        if 0 < state.tokens < state.budget:
            signal.raise_signal(number)

    with pytest.raises(KeyboardInterrupt):
        run_suite(planned, out, 1, stop_soon)
    assert [run.poll() for run in forked] == [128 + signal.SIGTERM]
    folder = planned[0].folder(out)
    assert not (folder / "summary.json").exists()
    (recipe,) = out.rglob("recipe.yaml")
    before = recipe.stat().st_mtime_ns
    run_suite(planned, out, 1, lambda state: None)
    assert (folder / "summary.json").is_file()
    assert recipe.stat().st_mtime_ns == before, "resumed, not begun anew"


def test_a_run_that_fails_is_named_with_its_log(tiny: Experiment, tmp_path: Path):
    tiny.base.write_text(TINY.replace("limit: 8", "families: [sums]"))
    planned = trials([tiny], seeds=1, quick=False, tokens=None)
    with pytest.raises(TrainingError, match=r"tiny, none, seed 0 ended with status 2: .*no family"):
        run_suite(planned, tmp_path / "out", 1, lambda state: None)
