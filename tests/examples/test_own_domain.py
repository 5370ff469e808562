"""A third domain from outside the package: read, judged, trained on, shown; or refused."""

from __future__ import annotations

import itertools
import json
import random
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from small_runs import small_recipe, write_recipe
from srpo.cli import app
from srpo.data.sources import load_problems
from srpo.domains import find_domain
from srpo.grading.grade import Grader
from srpo.metrics import read_metrics
from srpo.recipe.schema import RewardConfig, Source
from srpo.report.reader import open_run
from srpo.report.run.charts import run_charts
from srpo.types import Outcome, Problem, UserError
from srpo.verifiers.domain import Domain

EXAMPLES = Path(__file__).parents[2] / "examples"
SOURCE = {"path": "own_domain:rows", "domain": "own_domain:CLOCK", "limit": 12}


@pytest.fixture(autouse=True)
def in_examples(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(EXAMPLES)
    monkeypatch.setattr(sys, "path", list(sys.path))


def test_generated_problems_are_judged_exactly():
    seed = random.randrange(10**6)
    train, held = (
        load_problems([Source.model_validate(SOURCE | {"split": split})], "data", seed)
        for split in ("train", "heldout")
    )
    assert not {p.prompt for p in train} & {p.prompt for p in held}
    judge, form = find_domain(SOURCE["domain"]).verifier, find_domain(SOURCE["domain"]).format
    for problem in train:
        right = eval(problem.prompt)
        assert problem.answer == str(right)
        texts = f"so \\boxed{{{right}}}", f"\\boxed{{{right + 1}}}", f"{right}"
        outcomes = [judge(None)(problem, text).outcome for text in texts]  # pyright: ignore
        assert outcomes == [Outcome.CORRECT, Outcome.INCORRECT, Outcome.INCORRECT]
        assert [form(text, RewardConfig()) for text in texts] == [True, True, False]


def test_nano_trains_on_it_beside_the_others(tmp_path: Path):
    run = tmp_path / "run"
    nano = [{"path": f"nano:{d}", "domain": d, "limit": 8} for d in ("math", "code")]
    recipe = small_recipe(
        run,
        data__train=[*nano, SOURCE],
        data__eval=[SOURCE | {"split": "heldout", "limit": 4}],
        data__template=None,
        curriculum=[
            {"name": "hours", "domains": ["clock"], "max_steps": 2},
            {"name": "all", "domains": ["math", "code", "clock"]},
        ],
        eval={"samples": 2, "at": ["hours", "final"]},
        sampler__prompts_per_step=12,
        max_steps=4,
    )
    result = CliRunner().invoke(app, ["train", str(write_recipe(recipe, tmp_path / "r.yaml"))])
    assert result.exit_code == 0, result.output
    rows = read_metrics(run / "metrics.jsonl")
    assert [row["stage"] for row in rows] == ["hours", "hours", "all", "all"]
    assert all({"accuracy/clock", "reward/clock", "length/clock"} <= row.keys() for row in rows[:3])
    assert "accuracy/math" not in rows[0]
    assert any("accuracy/math" in row for row in rows[2:])
    evals = [json.loads(line) for line in (run / "evals.jsonl").read_text().splitlines()]
    assert [e["point"] for e in evals] == ["hours", "final"]
    assert all(e["clock"]["problems"] == 4 for e in evals)
    assert {"clock"} <= set(pq.read_table(run / "ledger.parquet")["domain"].to_pylist())
    groups = list(map(json.loads, (run / "rollouts/step-000001.jsonl").read_text().splitlines()))
    assert {g["domain"] for g in groups} == {"clock"}
    opened = open_run(run)
    charts = run_charts(opened.metrics(), opened.evals(), None, opened.styles())
    (accuracy,) = (c for c in charts if c.key == "accuracy")
    assert [(s.label, s.color) for s in accuracy.series][-1] == ("clock", "green")
    assert {p.marker for p in accuracy.points} == {"triangle"}
    assert "clock pass@1" in (run / "report.html").read_text()


def test_a_grader_takes_it_by_name():
    row = {"id": "1", "domain": "clock", "prompt": "(23+2)%24", "answer": 1}
    with Grader(domains=["own_domain:CLOCK"]) as grader:
        assert grader.grade(row, "\\boxed{1}").outcome is Outcome.CORRECT
        (graded,) = grader.grade_many([(row, "\\boxed{2}")])
        assert (graded.domain, graded.reward and graded.reward.total) == ("clock", 0.1)
    with Grader(domains=["math"]) as grader, pytest.raises(UserError, match="choose one of math"):
        grader.grade(row | {"domain": "own_domain:CLOCK"}, "\\boxed{1}")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"domain": "clocks"}, "domain is 'clocks': choose one of math, code, or give your own"),
        ({"domain": "own_domain:CLOCKS"}, "has no attribute 'CLOCKS'"),
        ({"domain": "own_domain:rows"}, "no srpo.verifiers.domain.Domain"),
        ({"domain": "own_domain:DIAL"}, "a domain called 'clock'; call the variable CLOCK"),
        ({"path": "own_domain:hours"}, "has no attribute 'hours'"),
        ({"path": "own_domain:judge"}, "own_domain:judge: failed: TypeError"),
        ({"path": "own_domain:wrong"}, "row 1: answer_field 'answer' is 'noon': give an hour"),
        ({"path": "nowhere:rows"}, "ModuleNotFoundError"),
    ],
)
def test_what_is_none_is_refused_in_one_line(
    change: dict[str, Any], complaint: str, monkeypatch: pytest.MonkeyPatch
):
    clock = find_domain("own_domain:CLOCK")
    module: Any = sys.modules["own_domain"]
    monkeypatch.setattr(module, "DIAL", clock, raising=False)
    wrong = itertools.repeat({"id": "1", "prompt": "?", "answer": "noon"}, 2)
    monkeypatch.setattr(module, "wrong", lambda split, seed: wrong, raising=False)
    with pytest.raises(UserError) as error:
        load_problems([Source.model_validate(SOURCE | change)], "data.train", 0)
    assert complaint in str(error.value)
    assert "data.train[0]" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["pool", "mean", "max", "accuracy", "format", "language"])
def test_a_domain_cannot_be_called_like_a_metric(name: str):
    with pytest.raises(UserError, match=f"domain '{name}'"):
        Domain(name, "answer", str, lambda c: lambda p, t: None, lambda t, r: True)  # pyright: ignore


@pytest.mark.parametrize("name", ["", "Clock", "a clock", "a/b", "1st"])
def test_a_name_is_one_that_metrics_can_carry(name: str):
    with pytest.raises(UserError, match="a name is of lower-case letters"):
        Domain(name, "answer", str, lambda c: lambda p, t: None, lambda t, r: True)  # pyright: ignore


def test_a_dry_run_loads_it_too(tmp_path: Path):
    for name, code in (("own_domain:CLOCK", 0), ("own_domain:WATCH", 1)):
        only = [{"name": "only", "domains": [name.split(":")[1].lower()]}]
        train = [SOURCE | {"domain": name}]
        recipe = small_recipe(tmp_path / "run", data__train=train, curriculum=only)
        path = write_recipe(recipe, tmp_path / "r.yaml")
        result = CliRunner().invoke(app, ["train", str(path), "--dry-run"])
        assert result.exit_code == code, result.output
        assert not (tmp_path / "run").exists()
    assert isinstance(result.exception, UserError)
    assert "has no attribute 'WATCH'" in str(result.exception)


def test_problems_of_it_are_like_others():
    (problem,) = load_problems([Source.model_validate(SOURCE | {"limit": 1})], "data.train", 1)
    assert isinstance(problem, Problem)
    assert problem.domain == "clock"
