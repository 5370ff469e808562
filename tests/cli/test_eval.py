"""`srpo eval` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from srpo.cli import app
from srpo.types import UserError

RUNNER = CliRunner()
SMALL = ["--set", "samples=2", "--set", "rollout.max_new_tokens=24", "--set", "verifier.workers=1"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of six problems, by a file of settings and the command line together."""
    folder = tmp_path_factory.mktemp("eval")
    source = "{path: 'nano:math', domain: math, split: heldout, limit: 6}"
    (folder / "six.yaml").write_text(f"sets: [{source}]\nseed: 3\n")
    out = folder / "out"
    result = RUNNER.invoke(
        app, ["eval", "nano", "--recipe", str(folder / "six.yaml"), *SMALL, "--out", str(out)]
    )
    assert result.exit_code == 0, result.output
    return out


def test_what_it_leaves(made: Path) -> None:
    result = json.loads((made / "result.json").read_text())
    assert (result["config"]["seed"], result["config"]["samples"]) == (3, 2)
    [one] = result["sets"]
    assert (one["name"], one["numbers"]["problems"]) == ("nano:math", 6)
    assert "nano:math" in (made / "report.md").read_text()


def test_done_again_it_shows_the_same(made: Path) -> None:
    """Without the model: everything is there."""
    before = (made / "result.json").read_bytes()
    recipe = str(made.parent / "six.yaml")
    again = RUNNER.invoke(app, ["eval", "nano", "--recipe", recipe, *SMALL, "--out", str(made)])
    assert again.exit_code == 0, again.output
    assert (made / "result.json").read_bytes() == before


def test_regraded_beside_it(made: Path) -> None:
    result = RUNNER.invoke(app, ["eval", "--regrade", str(made)])
    assert result.exit_code == 0, result.output
    other = made.with_name("out-regraded") / "result.json"
    assert (
        json.loads(other.read_text())["sets"]
        == json.loads((made / "result.json").read_text())["sets"]
    )


def test_compared(made: Path) -> None:
    result = RUNNER.invoke(app, ["eval", "--compare", str(made), str(made)])
    assert result.exit_code == 0, result.output
    assert "nano:math" in result.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nano"], "--on: nothing is asked"),
        (["nano", "--on", "aime42"], "'aime42' is no benchmark; did you mean"),
        (["nano", "--on", "aime24", "--data", "/no/such"], "no such folder"),
        (["/no/such", "--on", "nano:math"], "there is no such folder"),
        (["nano", "--on", "nano:math", "--set", "sampels=3"], "unknown key 'sampels'"),
        (["nano", "--on", "nano:math", "--set", "data.style=chat"], "has no chat template"),
        (["--server", "http://127.0.0.1:9", "--on", "nano:math"], "--server"),
        (["--regrade", "/no/such"], "is no evaluation"),
        (["nano", "--on", "nano:math", "--out", __file__], "a file is in the way"),
        (["--compare", "/no/a", "/no/b"], "is no finished evaluation"),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], says: str, tmp_path: Path) -> None:
    out = [] if "--out" in arguments else ["--out", str(tmp_path / "out")]
    result = RUNNER.invoke(app, ["eval", *arguments, *out])
    assert isinstance(result.exception, UserError), result.output
    assert says in str(result.exception)
