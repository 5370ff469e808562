"""The rules against labels made by reading (benchmarks/reasoning_rules.py says more of them)."""

from __future__ import annotations

import json
from pathlib import Path

from srpo.reasoning.program import find_check

LABELS = Path(__file__).parent / "labels"


def test_programs_that_verify() -> None:
    lines = (LABELS / "programs.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [
        row for row in map(json.loads, lines) if "text" in row
    ]  # the others' texts are not here
    assert len(rows) >= 100
    found = [row["verifies"] for row in rows if find_check(row["text"])]
    assert sum(found) / len(found) >= 0.9
    assert sum(found) / sum(row["verifies"] for row in rows) >= 0.75
