"""`srpo check` as people meet it, on data of their own."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from srpo import cli
from srpo.types import UserError

DOUBLE = "def f(x):\n    return 2 * x"
TESTS = {"type": "function", "entry_point": "f", "cases": [{"args": [3], "expected": 6}]}


def write_recipe(folder: Path, rows: list[dict[str, Any]], domain: str, **more: Any) -> Path:
    data = folder / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    tree = {
        "model": "nano",
        "max_steps": 1,
        "output_dir": str(folder / "run"),
        "data": {"train": [{"path": str(data), "domain": domain}]},
        "curriculum": f"{domain}-only",
        "rollout": {"group_size": 2, "max_new_tokens": 8},
        **more,
    }
    path = folder / "r.yaml"
    path.write_text(yaml.safe_dump(tree))
    return path


def check(*args: str | Path) -> Result:
    return CliRunner().invoke(cli.app, ["check", *map(str, args)], catch_exceptions=True)


def test_mathematics(tmp_path: Path):
    a, b = random.randrange(100), random.randrange(100)
    rows = [{"prompt": f"{a}+{b}=", "answer": a + b}, {"prompt": "1+1=", "answer": 2}]
    result = check(write_recipe(tmp_path, rows, "math"), "--sample", "2")
    assert result.exit_code == 0, result.output
    assert f"| {a}+{b}=" in result.output
    assert f"\\boxed{{{a + b}}}: correct, reward 1.1" in result.output
    assert "incorrect, reward 0.1" in result.output
    assert "of the first 2 golds, given as answers, 2 count as correct" in result.output
    assert "a response ends with <|endoftext|>" in result.output
    assert "on 2 prompts x 2 responses" in result.output
    assert "KV cache" in result.output
    assert sorted(p.name for p in tmp_path.iterdir()) == ["r.yaml", "rows.jsonl"]


@pytest.mark.parametrize("form", ["tags", "json"])
def test_the_gold_is_given_in_the_format_asked_for(tmp_path: Path, form: str):
    rows = [{"prompt": "1+1=", "answer": ["2", "two"]}]
    recipe = write_recipe(tmp_path, rows, "math", reward={"math_format": form})
    result = check(recipe)
    assert "correct, reward 1.1 (accuracy 1, format 1" in result.output
    assert "incorrect, reward 0.1 (accuracy 0, format 1" in result.output


def test_code_with_and_without_a_reference(tmp_path: Path):
    row = {"prompt": "Write f(x) that doubles x.", "tests": TESTS}
    recipe = write_recipe(tmp_path, [row | {"reference": DOUBLE}], "code")
    result = check(recipe, "--set", "reward.code_format=tags")
    assert result.exit_code == 0, result.output
    assert "correct, reward 1.1 (accuracy 1, format 1" in result.output
    without = check(write_recipe(tmp_path, [row], "code"))
    assert "the row has no reference program" in without.output
    assert "incorrect, reward 0.1" in without.output


def test_a_verifier_that_refuses_golds_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "judge_check.py").write_text(
        "from srpo import Outcome, Verdict\n"
        "def odd(problem, text):\n"
        "    right = '31415926' in text\n"
        "    return Verdict(Outcome.CORRECT if right else Outcome.INCORRECT, None, 'too plain')\n"
    )
    rows = [{"id": "q7", "prompt": "1+1=", "answer": "2"}]
    recipe = write_recipe(tmp_path, rows, "math", verifier={"own": {"math": "judge_check:odd"}})
    result = check(recipe)
    assert result.exit_code == 1
    assert "GOLD OF q7 IS NOT ACCEPTED: too plain" in result.output
    assert "A WRONG ANSWER COUNTS AS CORRECT" in result.output
    assert "2 answers are judged otherwise" in result.output


def test_what_training_would_refuse_is_refused(tmp_path: Path):
    recipe = write_recipe(tmp_path, [{"prompt": "1+1="}], "math")
    result = check(recipe)
    assert isinstance(result.exception, UserError)
    assert "answer_field 'answer' names no value" in str(result.exception)
