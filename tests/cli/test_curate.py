"""`srpo curate` as people meet it."""

from __future__ import annotations

import gc
import json
import random
import signal
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from typer.testing import CliRunner, Result

from forked import Forked
from srpo import cli
from srpo.files import write_whole
from srpo.report.curation.push import push
from srpo.report.phases import PhaseDisplay
from srpo.types import UserError


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(cli.app, ["curate", *map(str, args)], catch_exceptions=True)


def row(rng: random.Random) -> dict[str, Any]:
    a, b = rng.randrange(10**6), rng.randrange(10**6)
    return {"prompt": f"Compute the sum of {a} and {b}.", "answer": str(a + b)}


def write(path: Path, *lines: Any) -> Path:
    path.write_text("".join((x if isinstance(x, str) else json.dumps(x)) + "\n" for x in lines))
    return path


@pytest.fixture
def done(tmp_path: Path) -> tuple[Path, list[dict[str, Any]]]:
    rng = random.Random()
    rows = [row(rng) for _ in range(6)]
    rows[3]["answer"] = " "
    result = run(write(tmp_path / "sums.jsonl", *rows), "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "kept 5 of 6 rows" in result.output
    return tmp_path / "out", rows


def test_the_folder(done: tuple[Path, list[dict[str, Any]]]):
    out, rows = done
    names = ["card.md", "dropped.parquet", "report.html", "report.md", "train.parquet"]
    assert sorted(p.name for p in out.iterdir()) == names
    report = (out / "report.md").read_text()
    assert "Of 6 rows 5 were kept (83.3%), 1 dropped." in report
    assert "| sums:3 | the answer is empty |" in report
    assert "<script" not in (out / "report.html").read_text()
    head = yaml.safe_load((out / "card.md").read_text().split("---")[1])
    assert head["language"] == ["en"]
    table = pq.read_table(out / "train.parquet")
    assert table["prompt"].to_pylist() == [r["prompt"] for i, r in enumerate(rows) if i != 3]


def test_it_loads_with_datasets(done: tuple[Path, list[dict[str, Any]]], tmp_path: Path):
    datasets = pytest.importorskip("datasets")
    files = str(done[0] / "train.parquet")
    loaded = datasets.load_dataset("parquet", data_files=files, cache_dir=str(tmp_path / "cache"))
    assert loaded["train"][0]["answer"] == [done[1][0]["answer"]]


def test_one_rows_story(done: tuple[Path, list[dict[str, Any]]]):
    out, rows = done
    told = run("--out", out, "--explain", "sums:3").output
    assert "sums:3 (math): dropped by no_ground_truth (stage complete)" in told
    assert rows[3]["prompt"] in told
    assert "sums:0 (math): kept" in run("--out", out, "--explain", "sums:0").output
    with pytest.raises(UserError, match="no such row"):
        raise run("--out", out, "--explain", "sums:6").exception or AssertionError


def test_rows_that_cannot_be_read_are_said_and_the_exit_code_tells(tmp_path: Path):
    rng = random.Random()
    path = write(tmp_path / "rows.jsonl", row(rng), "{", row(rng))
    result = run(path, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "kept 2 of 3 rows" in result.output
    assert f"unreadable: {path} line 2: not valid JSON" in result.stderr


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ([], "name a source"),
        (["missing.jsonl"], "no such file"),
        (["--recipe", "missing.yaml"], "no file 'missing.yaml'"),
        (["--explain", "a:0"], "has no train.parquet"),
        (["--push", "me/mine"], "has no train.parquet"),
    ],
)
def test_bad_input_is_one_error(
    args: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    result = run(*args)
    assert isinstance(result.exception, UserError)
    assert says in str(result.exception)


def test_a_bad_recipe_names_the_field(tmp_path: Path):
    recipe = tmp_path / "c.yaml"
    recipe.write_text("min_test: 3\n")
    error = run("x.jsonl", "--recipe", recipe).exception
    assert isinstance(error, UserError)
    assert "min_test" in str(error)


def test_stopped_by_a_person_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    rng = random.Random()
    source = write(tmp_path / "sums.jsonl", *(row(rng) for _ in range(5_000)))
    out, show = tmp_path / "out", PhaseDisplay.phase

    def stopped(display: PhaseDisplay, name: str, done: int, total: int) -> None:
        """Control-C before the last rows are read, with some of the others judged."""
        show(display, name, done, total)
        while done > 4_000 and not list((out / ".curate").glob("[0-9]*.parquet")):
            time.sleep(0.05)
        if done > 4_000:
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(PhaseDisplay, "phase", stopped)
        result = run(source, "--out", out)
    assert result.exit_code == 130, result.output
    assert "the same command goes on" in result.output
    begun = {path: path.stat().st_mtime_ns for path in (out / ".curate").glob("[0-9]*.parquet")}
    assert begun
    assert not (out / "train.parquet").exists()
    del result  # its traceback holds the folder's lock
    gc.collect()
    result = run(source, "--out", out)
    assert result.exit_code == 0, result.output
    assert pq.read_metadata(out / "train.parquet").num_rows == 5_000


class Hub:
    """What `push` asks of huggingface_hub.HfApi."""

    endpoint = "https://hub.example"

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.uploaded: dict[str, bytes] = {}

    def create_repo(self, name: str, **more: Any) -> None:
        self.asked.append((name, more))

    def upload_folder(self, folder_path: str, **more: Any) -> None:
        self.asked.append((more.pop("repo_id"), more))
        self.uploaded = {p.name: p.read_bytes() for p in Path(folder_path).iterdir()}


def test_push_hands_over_the_data_with_the_card_as_readme(
    done: tuple[Path, list[dict[str, Any]]],
):
    out, hub = done[0], Hub()
    assert push(out, "me/mine", hub) == "https://hub.example/datasets/me/mine"
    assert [name for name, _ in hub.asked] == ["me/mine", "me/mine"]
    assert all(more["repo_type"] == "dataset" for _, more in hub.asked)
    assert hub.asked[0][1]["private"] is True
    assert hub.uploaded.pop("README.md") == (out / "card.md").read_bytes()
    assert sorted(hub.uploaded) == ["dropped.parquet", "report.html", "report.md", "train.parquet"]


def test_what_the_hub_refuses_is_one_error(done: tuple[Path, list[dict[str, Any]]]):
    class Refusing(Hub):
        def create_repo(self, name: str, **more: Any) -> None:
            raise PermissionError("403\nForbidden")

    with pytest.raises(UserError, match=r"--push me/mine: 403 Forbidden; is `hf auth login` done"):
        push(done[0], "me/mine", Refusing())


def test_hostile_texts_stay_text(tmp_path: Path):
    evil = "</pre><script>alert(1)</script> \x1b[2J what is 2+2?"
    source = tmp_path / "evil.jsonl"
    write_whole(source, json.dumps({"prompt": evil, "answer": ""}) + "\n")
    result = run(source, "--out", tmp_path / "out")
    assert result.exit_code == 0
    for name in ("report.html", "report.md"):
        text = (tmp_path / "out" / name).read_text()
        assert "<script>alert" not in text
        assert "\x1b" not in text
    assert "\x1b" not in run("--out", tmp_path / "out", "--explain", "evil:0").output


def test_raw_rows_to_training_on_what_is_not_easy(tmp_path: Path):
    """Nano rates its own pool, and trains on what is left of both domains, in one file."""
    recipe = tmp_path / "c.yaml"
    sources = [{"path": "nano:math", "limit": 12}, {"path": "nano:code", "limit": 12}]
    difficulty = {"recipe": "nano", "samples": 4, "easy_from": 0.9, "keep": ["medium", "hard"]}
    recipe.write_text(yaml.safe_dump({"sources": sources, "difficulty": difficulty}))
    out = tmp_path / "pool"
    code, output = Forked("curate", "--recipe", recipe, "--out", out).finish()
    assert code == 0, output
    table = pq.read_table(out / "train.parquet").to_pylist()
    assert {row["domain"] for row in table} == {"math", "code"}
    assert {row["difficulty"] for row in table} <= {"medium", "hard"}
    assert all(row["samples"] == 4 and row["correct"] / 4 == row["pass_rate"] for row in table)
    assert "Pass rates of the kept rows" in (out / "report.html").read_text()
    settings = {f"data.train[{i}].path": out / "train.parquet" for i in range(2)}
    settings |= {"output_dir": tmp_path / "run", "max_steps": "1", "eval.at": "[]"}
    settings |= {"sampler.prompts_per_step": "4", "rollout.group_size": "4", "curriculum": "mixed"}
    options = [word for k, v in settings.items() for word in ("--set", f"{k}={v}")]
    code, output = Forked("train", "nano", *options).finish()
    assert code == 0, output
    ledger = pq.read_table(tmp_path / "run" / "ledger.parquet").to_pylist()
    assert ledger
    assert {row["problem_id"] for row in ledger} <= {row["id"] for row in table}
