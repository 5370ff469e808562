"""MATH-500: https://github.com/openai/prm800k, and OlympiadBench in the same style: an answer
beside the solution, a subject, an id."""

from __future__ import annotations

from srpo.data.adapters.base import Layout, Row
from srpo.data.adapters.values import has
from srpo.data.adapters.worked import read_worked


def _fits(row: Row) -> bool:
    return has(row, "problem", "answer") and ("unique_id" in row or "subject" in row)


MATH500 = Layout("math500", _fits, read_worked)
