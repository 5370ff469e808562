"""AMC 2023 of Qwen2.5-Math: https://github.com/QwenLM/Qwen2.5-Math. Answers are floats: 27.0."""

from __future__ import annotations

from srpo.data.adapters.base import Layout, Row
from srpo.data.adapters.values import has
from srpo.data.adapters.worked import read_worked


def _fits(row: Row) -> bool:
    return has(row, "problem", "answer") and "AMC" in str(row.get("url", ""))


AMC = Layout("amc", _fits, read_worked)
