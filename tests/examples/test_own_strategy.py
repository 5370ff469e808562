"""A strategy from outside the package: by hand, in a run, and refused where it cannot be."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from builders import epoch_over, problems, record
from small_runs import small_recipe, write_recipe
from srpo.algorithm.ledger import Ledger
from srpo.algorithm.strategies import open_strategy
from srpo.cli import app
from srpo.recipe.schema import OwnConfig
from srpo.types import UserError

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(autouse=True)
def in_examples(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(EXAMPLES)
    monkeypatch.setattr(sys, "path", list(sys.path))


def opened(kind: str = "own_strategy:Cooldown", **settings: Any) -> Any:
    return open_strategy(OwnConfig.model_validate({"kind": kind, **settings}))


def test_the_solved_rest_for_the_epochs_that_were_set():
    strategy, ledger = opened(epochs=2), Ledger(problems(3), ["train"])
    epochs = [{"m0": "cc", "m1": "ci", "m2": "ii"}, {"m1": "cc", "m2": "ee"}, {"m2": "ii"}]
    resting, expected = [], []
    for number, outcomes in enumerate(epochs):
        record(ledger, "train", number, outcomes)
        decision = strategy.decide(over := epoch_over(ledger, epoch=number))
        ledger.decide(over.rows, decision.reasons)
        resting.append(decision.resting.tolist())
        expected = decision.expected.tolist()
        saved = json.loads(json.dumps(strategy.state_dict()))
        strategy = opened(epochs=2)
        strategy.load_state_dict(saved)
    assert resting == [[True, False, False], [True, True, False], [False, True, False]]
    decisions = ledger.table()["decision"].to_pylist()
    assert decisions == ["drop", "keep", "keep", "drop", "keep", "keep"]
    assert expected == [1.0, 1.0, 0.0], "of those that rest, what they did last"


def test_a_run_goes_by_it(tmp_path: Path):
    run = tmp_path / "run"
    recipe = small_recipe(
        run,
        sampler__strategy={"kind": "own_strategy:Cooldown", "epochs": 1},
        curriculum="math-only",
        data__eval=[],
        max_steps=4,
    )
    result = CliRunner().invoke(app, ["train", str(write_recipe(recipe, tmp_path / "r.yaml"))])
    assert result.exit_code == 0, result.output
    reasons = set(pq.read_table(run / "ledger.parquet")["reason"].to_pylist())
    assert reasons <= {
        "cooldown: all correct, so it rests for a while",
        "cooldown: not all correct",
    }
    assert reasons


@pytest.mark.parametrize(
    ("kind", "settings", "complaint"),
    [
        ("no_such_module:Rule", {}, "ModuleNotFoundError"),
        ("own_strategy:Rule", {}, "has no attribute 'Rule'"),
        ("own_strategy:SOLVED", {}, "it has to be a class that derives from srpo.algorithm"),
        ("json:JSONDecoder", {}, "'json:JSONDecoder' is no strategy"),
        ("own_strategy:Cooldown", {"epoch": 3}, "unknown key 'epoch'; did you mean 'epochs'"),
        ("own_strategy:Cooldown", {"epochs": 0}, "sampler.strategy: epochs: input should be great"),
        ("srpo.algorithm.strategies.base:Strategy", {"x": 1}, "unknown key 'x'"),
    ],
)
def test_what_is_none_is_refused_in_one_line(kind: str, settings: dict[str, Any], complaint: str):
    with pytest.raises(UserError) as error:
        opened(kind, **settings)
    text = str(error.value)
    assert complaint in text
    assert text.startswith("sampler.strategy")
    assert "\n" not in text


def test_it_is_refused_before_anything_is_written(tmp_path: Path):
    recipe = small_recipe(tmp_path / "run", sampler__strategy="no_such_module:Rule")
    result = CliRunner().invoke(app, ["train", str(write_recipe(recipe, tmp_path / "r.yaml"))])
    assert result.exit_code != 0
    assert "no_such_module" in str(result.exception)
    assert not (tmp_path / "run").exists()
