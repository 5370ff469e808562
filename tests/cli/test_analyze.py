"""`srpo analyze` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from srpo.cli import app
from srpo.types import UserError

RUNNER = CliRunner()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rows = [
        {"response": "Hmm, that is odd.", "tokens": 5, "outcome": "correct", "domain": "math"},
        {"response": "We add.", "tokens": 5, "outcome": "incorrect", "domain": "code"},
    ]
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    return path


def test_table_json_and_markdown(file: Path, tmp_path: Path) -> None:
    shown = RUNNER.invoke(app, ["analyze", str(file), "--json", str(tmp_path / "n.json")])
    assert shown.exit_code == 0
    assert "2 responses" in shown.output
    numbers = json.loads((tmp_path / "n.json").read_text())
    [doubt] = [b for b in numbers["behaviours"] if b["behaviour"] == "hesitation"]
    assert doubt["share"] == 0.5
    assert numbers["by_domain"]["math"]["hesitation"] == 1.0
    marked = RUNNER.invoke(app, ["analyze", str(file), "--markdown"])
    assert "| hesitation | 50.0% " in marked.output


def test_published_rules(file: Path) -> None:
    assert "keywords" in RUNNER.invoke(app, ["analyze", str(file), "--rules", "oat-zero"]).output


@pytest.mark.parametrize(
    ("more", "says"),
    [(["--rules", "mine"], "--rules is 'mine'"), ([], "no such file")],
)
def test_bad_input_is_told(file: Path, more: list[str], says: str) -> None:
    path = str(file) if more else "/no/such/file.jsonl"
    result = RUNNER.invoke(app, ["analyze", path, *more])
    assert isinstance(result.exception, UserError)
    assert says in str(result.exception)


def test_numbers_take_no_ones_place(file: Path, tmp_path: Path) -> None:
    run = tmp_path / "runs" / "demo"
    run.mkdir(parents=True)
    (run / "model").write_text("weights")
    before = file.read_text()
    for place, says in [
        (run, "a folder; give a file"),
        (file, "what is analysed"),
        (tmp_path / "none" / "n.json", "there is no folder"),
    ]:
        result = RUNNER.invoke(app, ["analyze", str(file), "--json", str(place)])
        assert isinstance(result.exception, UserError)
        assert says in str(result.exception)
    assert (run / "model").read_text() == "weights"
    assert file.read_text() == before
