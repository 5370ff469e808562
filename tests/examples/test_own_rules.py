"""A verifier and a reward term from outside the package: in a run, and refused where they fail."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from builders import problem
from small_runs import small_recipe, write_recipe
from srpo.cli import app
from srpo.domains import find_domain, find_domains
from srpo.metrics import read_metrics
from srpo.recipe.schema import RewardConfig, VerifierConfig
from srpo.types import Outcome, Problem, TrainingError, UserError, Verdict
from srpo.verifiers.pool import VerifierPool
from srpo.verifiers.reward import RewardRule

EXAMPLES = Path(__file__).parents[2] / "examples"
MATH = find_domains(["math"])
BREVITY = "own_rules:brevity"


@pytest.fixture(autouse=True)
def in_examples(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(EXAMPLES)
    monkeypatch.setattr(sys, "path", list(sys.path))


def test_a_run_goes_by_both(tmp_path: Path):
    run, weight = tmp_path / "run", round(random.uniform(0.2, 2), 2)
    recipe = small_recipe(
        run,
        verifier__own={"math": "own_rules:whole_numbers"},
        reward__terms={BREVITY: weight},
        curriculum="math-only",
        data__eval=[],
        max_steps=2,
    )
    result = CliRunner().invoke(app, ["train", str(write_recipe(recipe, tmp_path / "r.yaml"))])
    assert result.exit_code == 0, result.output
    rows = read_metrics(run / "metrics.jsonl")
    assert all(0 <= row["term/own_rules:brevity"] <= 1 for row in rows)
    rollouts = [
        r
        for path in sorted((run / "rollouts").iterdir())
        for line in path.read_text().splitlines()
        for r in json.loads(line)["rollouts"]
    ]
    details = {r["detail"] for r in rollouts if r["outcome"] == "incorrect"}
    assert details <= {"", "no whole number"}, "nobody asked for a box"
    for r in rollouts:
        reward, right = r["reward"], r["outcome"] == "correct"
        assert reward[BREVITY] == (max(0, 1 - len(r["text"]) / 200) if right else 0)
        ours = right + 0.1 * reward["format"] - 0.1 * reward["language"]
        assert reward["total"] == pytest.approx(ours + weight * reward[BREVITY])


def test_a_response_is_judged_by_it():
    config = VerifierConfig.model_validate({"own": {"math": "own_rules:whole_numbers"}})
    answer = random.randint(-99, 99)
    asked = Problem("p", "math", "?", answer=str(answer))
    with VerifierPool(config, MATH.values()) as pool:
        found = [pool.verify(asked, t) for t in (f"1, so {answer}", f"{answer}, not 100", "none")]
    assert [v.outcome for v in found] == [Outcome.CORRECT, Outcome.INCORRECT, Outcome.INCORRECT]


def lost(problem: Problem, text: str) -> Any:
    raise RuntimeError("the service is down")


def test_its_failures_are_errors_and_no_wrong_answers(monkeypatch: pytest.MonkeyPatch):
    import_own = {"math": f"{__name__.rpartition('.')[2]}:lost"}
    monkeypatch.setitem(sys.modules, import_own["math"].split(":")[0], sys.modules[__name__])
    config = VerifierConfig.model_validate({"own": import_own})
    with VerifierPool(config, MATH.values(), backoff_s=0.01) as pool:
        verdict = pool.verify(problem("m0"), "1")
        assert (verdict.outcome, verdict.detail) == (
            Outcome.ERROR, "RuntimeError: the service is down",
        )  # fmt: skip
        monkeypatch.setattr(sys.modules[__name__], "lost", lambda p, t: True)
    with VerifierPool(config, MATH.values()) as pool:
        verdict = pool.verify(problem("m0"), "1")
    assert verdict.outcome is Outcome.ERROR
    assert "has returned True, no srpo.Verdict" in verdict.detail


@pytest.mark.parametrize(
    ("own", "complaint"),
    [
        ({"math": "own_rules:nothing"}, "verifier.own.math: 'own_rules:nothing' cannot be loaded"),
        ({"math": "own_rules:re"}, "give a function (problem, text)"),
        ({"maths": "own_rules:whole_numbers"}, "verifier.own.maths: there are no problems of that"),
    ],
)
def test_a_verifier_that_is_none_is_refused(own: dict[str, str], complaint: str):
    with pytest.raises(UserError) as error:
        VerifierPool(VerifierConfig.model_validate({"own": own}), [find_domain("math")])
    assert complaint in str(error.value)


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (float("nan"), "it returned nan, no finite number"),
        ("much", "ValueError: could not convert"),
        (None, "TypeError: "),
    ],
)
def test_a_term_that_fails_ends_the_run_with_its_name(value: Any, complaint: str):
    rule = RewardRule(RewardConfig(terms={BREVITY: 1.0}), MATH)
    rule.terms[BREVITY] = lambda problem, text, verdict: value
    with pytest.raises(TrainingError) as error:
        rule(problem("m0"), "1", Verdict(Outcome.CORRECT))
    assert f"reward.terms: '{BREVITY}' failed for problem 'm0': {complaint}" in str(error.value)


@pytest.mark.parametrize("name", ["own_rules:nothing", "own_rules:re", "nowhere:brevity"])
def test_a_term_that_is_none_is_refused(name: str):
    with pytest.raises(UserError, match=rf"reward\.terms: '{name}'"):
        RewardRule(RewardConfig(terms={name: 1.0}), MATH)


@pytest.mark.parametrize(
    "section", [{"reward__terms": {"brevity": 1}}, {"verifier__own": {"math": "x"}}]
)
def test_a_name_without_a_module_is_refused_by_the_recipe(tmp_path: Path, section: dict[str, Any]):
    with pytest.raises(UserError, match=r"(reward\.terms|verifier\.own).*: give package.module:na"):
        small_recipe(tmp_path / "run", **section)
