"""`srpo release`: the command's own words."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from runs import RECIPE
from srpo import cli
from srpo.models import model_path
from srpo.types import UserError


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(cli.app, ["release", *map(str, args)])


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """A finished run that kept nothing but its model, which is nano as it is."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "recipe.yaml").write_text(RECIPE.format(steps=1, run=folder))
    (folder / "metrics.jsonl").touch()
    (folder / "summary.json").write_text("{}")
    shutil.copytree(model_path("nano"), folder / "model")
    return folder


def test_the_folder_is_named_and_whole(trained: Path, tmp_path: Path):
    result = run(trained, "--to", tmp_path / "out", "--dtype", "bfloat16", "--shard-size", "2MB")
    assert result.exit_code == 0, result.exception
    assert f"released: {tmp_path / 'out'}" in result.output
    subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=tmp_path / "out", check=True)
    card = (tmp_path / "out" / "README.md").read_text()
    assert "Problems that training asked: not recorded." in card
    again = run(trained, "--to", tmp_path / "out", "--overwrite")
    assert again.exit_code == 0, again.exception


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--shard-size", "much"], "--shard-size 'much': give a number with KB, MB or GB"),
        (["--push", "mine"], "--push 'mine': give OWNER/NAME"),
    ],
)
def test_bad_input_is_one_line_before_anything_is_done(
    trained: Path, tmp_path: Path, more: list[str], says: str
):
    result = run(trained, "--to", tmp_path / "out", *more)
    assert isinstance(result.exception, UserError)
    assert says in str(result.exception)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["began.json", "ledger.parquet", "summary.json"])
def test_a_damaged_file_is_one_line(trained: Path, tmp_path: Path, name: str):
    (trained / name).write_text("{")
    result = run(trained, "--to", tmp_path / "out")
    assert isinstance(result.exception, UserError)
    assert name in str(result.exception)
    assert "is damaged" in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_rollouts_of_another_shape_are_passed_over(trained: Path, tmp_path: Path):
    (trained / "rollouts").mkdir()
    lines = '[]\n3\n{"problem_id": 1}\n{"prompt": 7, "domain": "math"}\n{"prompt": "1?"}\n'
    (trained / "rollouts" / "step-000001.jsonl").write_text(lines)
    result = run(trained, "--to", tmp_path / "out")
    assert result.exit_code == 0, result.exception
