"""Mathematical problems with a worked solution: what MATH, AIME and their kin have in common."""

from __future__ import annotations

from typing import Any

from srpo.data.adapters.base import Row
from srpo.data.adapters.meta import meta
from srpo.data.adapters.values import answers, boxed, pass_rate, text


def read_worked(row: Row) -> dict[str, Any]:
    """Problem, answer and solution; without an answer the last box of the solution has it."""
    solution = text(row, "solution", "Solution")
    column = "Answer" if "Answer" in row else "answer"
    return {
        "domain": "math",
        "prompt": text(row, "problem", "Problem", "question"),
        "answer": answers(row.get(column), column) or boxed(solution),
        "solution": solution or None,
        "pass_rate": pass_rate(row),
        "meta": meta(row),
    }
