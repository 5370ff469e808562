"""`srpo init`: columns are recognised, and what it writes can be loaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from srpo import cli
from srpo.data.sources import load_problems
from srpo.recipe.load import load_recipe
from srpo.types import UserError


def init(*args: str | Path) -> Result:
    return CliRunner().invoke(cli.app, ["init", *map(str, args)])


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


ROWS: list[dict[str, Any]] = [
    {"prompt": "1+1?", "answer": 2},
    {"question": "1+1?", "answer": "One and one.\n#### 2"},
    {"problem": "1+1?", "solution": "So it is \\boxed{2}."},
    {
        "prompt": [{"role": "user", "content": "1+1?"}],
        "reward_model": {"ground_truth": "2", "style": "rule"},
        "extra_info": {"index": 7},
    },
]


@pytest.mark.parametrize("end", ["jsonl", "parquet"])
@pytest.mark.parametrize("row", ROWS)
def test_mathematics(tmp_path: Path, row: dict[str, Any], end: str):
    train, test = (write(tmp_path / f"{name}.{end}", [row]) for name in ("train", "my_test"))
    out = tmp_path / "new" / "r.yaml"
    result = init(test, train, "--out", out, "--model", "some/model")
    assert result.exit_code == 0, result.exception
    recipe = load_recipe(out)
    assert recipe.model == "some/model"
    [source], [held_out] = recipe.data.train, recipe.data.eval
    assert (source.path, held_out.path) == (str(train), str(test))
    [problem] = load_problems([source], "data.train", 0)
    assert (problem.prompt, problem.answer) == ("1+1?", "2")
    assert problem.id == ("7" if "extra_info" in row else "train-1")


def test_code_and_both(tmp_path: Path):
    row = {"task_id": 3, "text": "Write f.", "test_list": ["assert f(1) == 2"], "code": "f = 1"}
    code, math = write(tmp_path / "mbpp.jsonl", [row]), write(tmp_path / "m.jsonl", ROWS[:1])
    out = tmp_path / "r.yaml"
    assert init(code, "--out", out).exit_code == 0
    recipe = load_recipe(out)
    assert recipe.curriculum.kind == "code-only"
    [problem] = load_problems(recipe.data.train, "data.train", 0)
    assert (problem.id, problem.meta["reference"]) == ("3", "f = 1")
    assert init(math, code, "--out", out, "--overwrite").exit_code == 0
    assert load_recipe(out).curriculum.kind == "staged"


def test_nothing_is_written_over_unasked(tmp_path: Path):
    data, out = write(tmp_path / "d.jsonl", ROWS[:1]), tmp_path / "r.yaml"
    out.write_text("mine")
    result = init(data, "--out", out)
    assert isinstance(result.exception, UserError)
    assert "is there already" in str(result.exception)
    assert out.read_text() == "mine"


@pytest.mark.parametrize(
    ("row", "args", "complaint"),
    [
        ({"frage": "Was ist 1+1?", "zahl": 2}, [], "columns seen: frage, zahl; say which, for"),
        ({"frage": "Was ist 1+1?", "zahl": 2}, [], "--prompt frage"),
        ({"prompt": "1+1?", "zahl": 2}, [], "--answer zahl"),
        ({"prompt": "1+1?", "zahl": 2}, ["--answer", "none"], "has no column 'none'"),
        ({"prompt": 5, "answer": 2}, [], "prompt_field 'prompt' must be a text"),
    ],
)
def test_what_is_not_known_is_listed(
    tmp_path: Path, row: dict[str, Any], args: list[str], complaint: str
):
    result = init(write(tmp_path / "d.jsonl", [row]), "--out", tmp_path / "r.yaml", *args)
    assert isinstance(result.exception, UserError)
    assert complaint in str(result.exception)
    assert not (tmp_path / "r.yaml").exists()


def test_columns_that_are_named(tmp_path: Path):
    data = write(tmp_path / "d.jsonl", [{"frage": "1+1?", "zahl": 2}])
    out = tmp_path / "r.yaml"
    assert init(data, "--out", out, "--prompt", "frage", "--answer", "zahl").exit_code == 0
    [problem] = load_problems(load_recipe(out).data.train, "data.train", 0)
    assert problem.answer == "2"
