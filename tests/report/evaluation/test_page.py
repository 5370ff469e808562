"""An evaluation's page, tables and front matter: from responses of every kind, bounded in size."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from huggingface_hub.repocard_data import model_index_to_eval_results

from report.evaluation.folders import made, row, write
from srpo.report.evaluation.compare import compare_lines
from srpo.report.evaluation.write import write_reports
from srpo.types import UserError


def test_page_tables_and_front_matter(tmp_path: Path) -> None:
    sheet = write_reports(made(tmp_path, ["cci", "iii", "ccc"]))
    assert sheet.rows[0][:2] == ["Set", "55.6"]
    assert sum(max(map(len, column)) + 2 for column in zip(*sheet.rows, strict=True)) < 80
    page = (tmp_path / "report.html").read_text()
    assert "<script" not in page
    assert "\u202e" not in page
    assert "3 of 3 problems" in page
    index = json.loads((tmp_path / "model-index.json").read_text())["model-index"]
    _, [found] = model_index_to_eval_results(index)
    assert (found.metric_type, found.metric_value) == ("avg@3", 55.56)
    assert "| Set | ours | 3 | 55.6 |" in (tmp_path / "report.md").read_text()


@pytest.mark.parametrize("letters", [["i"], ["c"], ["i", "i"], ["ii", "ii"], ["cc"]])
def test_corners(tmp_path: Path, letters: list[str]) -> None:
    write_reports(made(tmp_path, letters))
    assert "nan" not in (tmp_path / "report.md").read_text()


def test_disagreements_are_marked_and_shown(tmp_path: Path) -> None:
    other = {"math-verify: outcome": "correct", "math-verify: detail": "because"}
    problems = [[row(f"p{i}", k, "incorrect") for k in range(3)] for i in range(100)]
    problems[77][2] |= other
    write_reports(write(tmp_path, problems))
    page = (tmp_path / "report.html").read_text()
    assert "Graders disagree on 1 of its responses" in page
    assert "<strong>p77</strong> ≠" in page
    assert "math-verify: correct (because)" in page


def test_the_page_does_not_grow_with_the_evaluation(tmp_path: Path) -> None:
    rng = random.Random(1)
    text = "".join(rng.choice("abc <&") for _ in range(20_000))
    problems = [[row(f"p{i}", k, "correct", response=text) for k in range(4)] for i in range(300)]
    write_reports(write(tmp_path, problems))
    page = (tmp_path / "report.html").read_text()
    assert len(page.encode()) < 2_000_000
    assert "characters left out" in page


def test_compared_question_by_question(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
    a = made(tmp_path / "a", ["ii", "ci", "cc"] * 10)
    b = made(tmp_path / "b", ["ci", "ci", "cc"] * 10)
    lines = "\n".join(compare_lines(a, b))
    assert "set: A 50.0, B 66.7" in lines
    assert "30 questions: 10 better, 0 worse, 20 the same" in lines
    assert "beyond the noise" in lines
    assert "within the noise" in "\n".join(compare_lines(a, a))
    assert all(len(line) < 80 for line in lines.splitlines())


def test_other_texts_and_settings_are_told(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        made(tmp_path / name, ["ci", "cc"])
    path = tmp_path / "b" / "result.json"
    result = json.loads(path.read_text())
    result["config"]["rollout"]["temperature"] = 1.0
    path.write_text(json.dumps(result))
    lines = compare_lines(tmp_path / "a", tmp_path / "b")
    assert "temperature differs: 0.6 and 1.0" in lines
    assert not any(line.startswith("top_p") for line in lines)
    result["sets"][0]["data"]["sha256"] = "01"
    path.write_text(json.dumps(result))
    with pytest.raises(UserError, match="its texts differ; evaluate both on one copy"):
        compare_lines(tmp_path / "a", tmp_path / "b")
    result["sets"][0]["name"] = "other"
    path.write_text(json.dumps(result))
    with pytest.raises(UserError, match="no set is in both"):
        compare_lines(tmp_path / "a", tmp_path / "b")
