"""An evaluation's page, tables and front matter: from responses of every kind, bounded in size."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub.repocard_data import model_index_to_eval_results

from srpo.evaluation.numbers import numbers, solved
from srpo.evaluation.store import Responses, answer_of
from srpo.report.evaluation.compare import compare_lines
from srpo.report.evaluation.write import write_reports
from srpo.types import UserError

EVIL = "<script>alert(1)</script> | `x` \u202e ]]>"


def row(id_: str, sample: int, outcome: str, **more: Any) -> dict[str, Any]:
    made = {"benchmark": "set", "id": id_, "sample": sample, "domain": "math", "tokens": 5}
    made |= {"response": f"answer {sample}", "finish_reason": "stop", "answer": "1", "detail": ""}
    return made | {"outcome": outcome} | more


def write(out: Path, problems: list[list[dict[str, Any]]], **config: Any) -> Path:
    """As `srpo eval` would leave it."""
    n = len(problems[0])
    for part in range(0, len(problems), 8):
        rows = [r for rows in problems[part : part + 8] for r in rows]
        Responses(out).write("set", part // 8, rows)
    asked = [
        {"benchmark": "set", "id": rows[0]["id"], "prompt": f"? {EVIL}", "gold": EVIL}
        for rows in problems
    ]
    pq.write_table(pa.Table.from_pylist(asked), out / "problems.parquet")
    found = numbers([solved(list(map(answer_of, rows)), True) for rows in problems], n)
    rollout = {"temperature": 0.6, "top_p": 1.0, "max_new_tokens": 9, "engine": "vllm"}
    result = {
        "model": f"m {EVIL}",
        "config": {"samples": n, "rollout": rollout, "templates": {}} | config,
        "sets": [
            {
                "name": "set",
                "title": "Set",
                "domain": "math",
                "data": {"sha256": "00"},
                "numbers": found,
                "beside": {},
            }
        ],
    }
    (out / "result.json").write_text(json.dumps(result))
    return out


def made(tmp_path: Path, letters: list[str]) -> Path:
    names = {"c": "correct", "i": "incorrect"}
    return write(
        tmp_path,
        [[row(f"p{i}", k, names[x]) for k, x in enumerate(s)] for i, s in enumerate(letters)],
    )


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
    assert len(page.encode()) < 4_000_000
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
    assert all(len(line) <= 120 for line in lines.splitlines())


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
    result["sets"][0]["data"]["sha256"] = "01"
    path.write_text(json.dumps(result))
    with pytest.raises(UserError, match="its texts differ; evaluate both on one copy"):
        compare_lines(tmp_path / "a", tmp_path / "b")
    result["sets"][0]["name"] = "other"
    path.write_text(json.dumps(result))
    with pytest.raises(UserError, match="no set is in both"):
        compare_lines(tmp_path / "a", tmp_path / "b")
