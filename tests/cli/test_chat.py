"""`srpo chat`: a model, and a run."""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from runs import RECIPE
from srpo import cli
from srpo.models import model_path
from srpo.types import UserError


def chat(*args: str | Path, text: str | None = None) -> Result:
    return CliRunner().invoke(cli.app, ["chat", *map(str, args)], input=text)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A finished one, whose model is nano as it is."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "recipe.yaml").write_text(
        RECIPE.format(steps=1, run=folder) + "rollout: {max_new_tokens: 16}\n"
    )
    began = {"folder": str(tmp_path), "time": datetime.now().isoformat()}
    (folder / "began.json").write_text(json.dumps(began))
    (folder / "summary.json").write_text("{}")
    shutil.copytree(model_path("nano"), folder / "model")
    return folder


def test_a_model_alone():
    result = chat("nano", "--prompt", "Compute 2+3.")
    assert result.exit_code == 0, result.exception
    assert "tokens]" in result.output
    assert chat("nano", text="Compute 2+3.").exit_code == 0


def test_a_problem_of_a_run_gets_its_verdict(run: Path):
    result = chat(run, "--problem", "nano-math-train-1")
    assert result.exit_code == 0, result.exception
    assert "[nano-math-train-1: " in result.output
    assert "correct" in result.output  # or incorrect
    question = result.output.splitlines()[0]
    assert "[nano-math-train-1: " in chat(run, "--prompt", question).output
    assert "correct" not in chat(run, "--prompt", "Something else").output


def test_what_is_no_such_thing_is_one_line(run: Path, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    for args, complaint in (
        ((tmp_path / "empty", "--prompt", "x"), "is neither a run"),
        ((tmp_path / "none", "--prompt", "x"), "there is no such folder"),
        ((run, "--problem", "nano-math-train-x"), "none has the id 'nano-math-train-x'; there are"),
        (("nano", "--prompt", " "), "there is no question"),
        (("nano", "--prompt", "x", "--problem", "y"), "give one of them"),
    ):
        result = chat(*args)
        assert isinstance(result.exception, UserError)
        assert complaint in str(result.exception)
        assert "\n" not in str(result.exception)
