"""Rows of the public sets of code problems as candidates, for measuring."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from srpo.data.candidate import Candidate


def candidates(folder: Path, name: str) -> list[Candidate]:
    """Of the set's every row."""
    rows = _rows(folder, name)
    return [Candidate(name, index, "code", **_read(name, row)) for index, row in enumerate(rows)]


def _rows(folder: Path, name: str) -> list[dict[str, Any]]:
    path = folder / f"{name}.jsonl"
    if path.exists():
        return [json.loads(line) for line in path.read_text().splitlines() if line]
    return json.loads((folder / f"{name}.json").read_text())


def _read(name: str, row: dict[str, Any]) -> dict[str, Any]:
    family = re.split(r"_(?:test|train|v5|trap|sample|code_contests)", name)[0]
    if name == "livecodebench_v5v6_public":
        return _livecodebench(row)
    if name == "sandboxfusion_code_contests_sample":
        return _sandboxfusion(row)
    return _READERS[family](row)


def _stdin(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    return {"type": "stdin", "cases": [{"input": i, "output": o} for i, o in pairs]}


def _with_code(prompt: str, code: str) -> str:
    return f"{prompt}\n\n```python\n{code}\n```" if code else prompt


def _listed(row: dict[str, Any]) -> dict[str, Any]:
    tests = _stdin((test["input"], test["output"]) for test in row["tests"])
    return {"prompt": _with_code(row["problem"], row.get("starter_code", "")), "tests": tests}


def _code_contests(row: dict[str, Any]) -> dict[str, Any]:
    tests = _stdin(zip(row["tests"]["inputs"], row["tests"]["outputs"], strict=True))
    return {"prompt": row["problem"], "tests": tests}


def _leetcode(row: dict[str, Any]) -> dict[str, Any]:
    tests = {"type": "check", "entry_point": row["entry_point"], "setup": row["prompt"]}
    return {"prompt": row["query"], "tests": tests | {"code": row["test"]}}


def _livecodebench(row: dict[str, Any]) -> dict[str, Any]:
    tests = json.loads(row["public_test_cases"])
    prompt = _with_code(row["question_content"], row["starter_code"])
    name = re.search(r"def (\w+)", row["starter_code"])
    if name is None:
        return {"prompt": prompt, "tests": _stdin((t["input"], t["output"]) for t in tests)}
    cases = [
        {"args": [json.loads(line) for line in t["input"].split("\n")],
         "expected": json.loads(t["output"])}
        for t in tests
    ]  # fmt: skip
    entry = f"Solution().{name[1]}"
    return {"prompt": prompt, "tests": {"type": "function", "entry_point": entry, "cases": cases}}


def _mbpp(row: dict[str, Any]) -> dict[str, Any]:
    asserts = row["test_list"] + row["challenge_test_list"]
    tests = {"type": "asserts", "setup": row["test_setup_code"], "asserts": asserts}
    return {"prompt": f"{row['text']}\n{asserts[0]}", "tests": tests}


def _humaneval(row: dict[str, Any]) -> dict[str, Any]:
    tests = {"type": "check", "entry_point": row["entry_point"], "code": row["test"]}
    return {"prompt": row["prompt"], "tests": tests}


def _apps(row: dict[str, Any]) -> dict[str, Any]:
    pairs = zip(row["input_output"]["inputs"], row["input_output"]["outputs"], strict=True)
    return {"prompt": row["question"], "tests": _stdin(pairs)}


def _sandboxfusion(row: dict[str, Any]) -> dict[str, Any]:
    tests = json.loads(row["test"])
    pairs = ((test["input"]["stdin"], test["output"]["stdout"]) for test in tests)
    return {"prompt": row["content"], "tests": _stdin(pairs)}


_READERS = {
    "codeforces": _listed,
    "code_contests": _code_contests,
    "leetcode": _leetcode,
    "livecodebench": _listed,
    "mbpp": _mbpp,
    "humaneval": _humaneval,
    "apps": _apps,
}
