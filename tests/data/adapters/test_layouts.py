"""Rows of the public layouts, written by hand; real ones where SRPO_DATA names their folder."""

from __future__ import annotations

import base64
import json
import os
import pickle
import random
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from srpo.data.adapters import find_layout, read_row
from srpo.data.candidate import Candidate
from srpo.data.rows import read_rows
from srpo.errors import RowFault
from srpo.types import UserError

N = random.randrange(10, 100)
CASES = [{"input": f"{N}\n", "output": f"{2 * N}\n", "testtype": "stdin"}]


def read(row: dict[str, Any]) -> Candidate:
    return read_row(find_layout(row, "here"), row, "set", 3)


@pytest.mark.parametrize(
    "row",
    [
        {"question": "How many?", "answer": f"It is <<{N}+0={N}>>{N}.\n#### {N}"},
        {
            "problem": "How many?",
            "solution": f"So \\boxed{{{N}}}.",
            "level": "Level 3",
            "type": "x",
        },
        {
            "prompt": [{"role": "user", "content": "How many?"}],
            "reward_model": {"ground_truth": str(N), "style": "rule"},
            "ability": "math",
            "data_source": "x",
            "extra_info": {"index": 0},
        },
        {"ID": "2024-I-1", "Problem": "How many?", "Answer": f"0{N}"},
        {"id": 0, "problem": "How many?", "answer": float(N), "url": "https://x.org"},
        {"prompt": "How many?", "answer": str(N)},
    ],
)
def test_mathematics(row: dict[str, Any]):
    found = read(row)
    assert (found.id, found.domain, found.prompt) == ("set:3", "math", "How many?")
    assert found.answer == (str(N),)


@pytest.mark.parametrize("number", [0, 7, 25, 104, 809, 100, 999])
def test_aime_answers_lose_leading_zeros_alone(number: int):
    row = {"ID": "2024-I-1", "Problem": "How many?", "Answer": f"{number:03}"}
    assert read(row).answer == (str(number),)


def livecodebench(private: str) -> dict[str, Any]:
    return {
        "question_title": "Double",
        "question_content": "Read n; print 2n.",
        "platform": "atcoder",
        "question_id": "a1",
        "contest_id": "a",
        "contest_date": "2025-01-04T00:00:00",
        "starter_code": "",
        "difficulty": "easy",
        "public_test_cases": json.dumps(CASES),
        "private_test_cases": private,
        "metadata": "{}",
    }


def packed(value: Any) -> str:
    return base64.b64encode(zlib.compress(pickle.dumps(value))).decode()


def test_private_tests_of_livecodebench():
    more = [{"input": "1\n", "output": "2\n", "testtype": "stdin"}]
    found = read(livecodebench(packed(json.dumps(more))))
    assert found.tests is not None
    inputs = [case["input"] for case in found.tests["cases"]]
    assert inputs == [f"{N}\n", "1\n"]


class Hostile:
    """What runs a command where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return (os.system, (f"touch {self.mark}",))


def test_a_hostile_pickle_is_a_fault_and_runs_nothing(tmp_path: Path):
    mark = tmp_path / "mark"
    with pytest.raises(RowFault):
        read(livecodebench(packed(Hostile(mark))))
    assert not mark.exists()


def test_a_bomb_is_a_fault():
    bomb = base64.b64encode(zlib.compress(b"0" * (300 << 20))).decode()
    with pytest.raises(RowFault):
        read(livecodebench(bomb))


def test_code():
    mbpp = {
        "text": "Write a function to double a number.",
        "code": "def double(x):\n    return 2 * x",
        "task_id": 1,
        "test_setup_code": "",
        "test_list": [f"assert double({i}) == {2 * i}" for i in range(3)],
        "challenge_test_list": [],
    }
    found = read(mbpp)
    assert found.domain == "code"
    assert found.reference == mbpp["code"]
    assert found.tests is not None
    assert found.tests["type"] == "asserts"
    stdin = read({"problem": "Read n; print 2n.", "tests": CASES})
    assert stdin.tests is not None
    assert stdin.tests["cases"] == [{"input": f"{N}\n", "output": f"{2 * N}\n"}]


def test_an_unknown_layout_lists_columns_and_gives_the_recipe_lines():
    with pytest.raises(UserError, match="columns") as error:
        find_layout({"the_query": "How many?", "target": str(N)}, "mine.jsonl")
    for line in ("path: mine.jsonl", "prompt_field: the_query", "answer_field: target"):
        assert line in str(error.value)


def test_missing_values_are_left_to_the_stage_that_drops_them():
    assert read({"prompt": "", "answer": "1"}).prompt == ""
    assert read({"prompt": "How many?", "answer": ""}).answer == ()


DATA = os.environ.get("SRPO_DATA")
ROWS = {"gsm8k_train": 7473, "math_train": 7500, "dapo_math_17k": 17917, "mbpp": 974}
ROWS |= {"humaneval": 164, "leetcode_test_v0.3.1": 228, "codeforces_test": 408, "aime24": 30}


@pytest.mark.skipif(DATA is None, reason="SRPO_DATA names no folder of real data sets")
@pytest.mark.parametrize("name", ROWS)
def test_real_sets(name: str):
    kinds: Counter[str] = Counter()
    for number, row in read_rows(Path(str(DATA), f"{name}.jsonl")):
        assert isinstance(row, dict)
        found = read_row(find_layout(row, name), row, name, number)
        kinds["asked" if found.prompt and (found.answer or found.tests) else "lacking"] += 1
    assert kinds.total() == ROWS[name]
    assert kinds["lacking"] <= 2


NO_SETS = ("traces_", "curation_hand_labels", "math_equivalence_cases")


@pytest.mark.skipif(DATA is None, reason="SRPO_DATA names no folder of real data sets")
def test_every_set_is_read_in_full():
    """Each row is a candidate or one fault. `pytest -s` shows the counts."""
    for path in sorted(Path(str(DATA)).glob("*.json*")):
        if path.name.startswith(NO_SETS):
            continue
        kinds: Counter[str] = Counter()
        layout = None
        for number, row in read_rows(path):
            assert isinstance(row, dict), row
            layout = layout or find_layout(row, path.name)
            try:
                read_row(layout, row, path.stem, number)
                kinds["candidates"] += 1
            except RowFault:
                kinds["faults"] += 1
        text = path.read_text()
        rows = text.count("\n") if path.suffix == ".jsonl" else len(json.loads(text))
        print(path.name, layout.name if layout else None, dict(kinds))
        assert kinds.total() == rows + (path.suffix == ".jsonl" and not text.endswith("\n"))
