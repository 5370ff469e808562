"""OpenR1-Math: https://huggingface.co/datasets/open-r1/OpenR1-Math-220k. What a model made of each
problem was judged, which gives a pass rate."""

from __future__ import annotations

from srpo.data.adapters.base import Layout, Row
from srpo.data.adapters.values import has
from srpo.data.adapters.worked import read_worked


def _fits(row: Row) -> bool:
    return has(row, "problem", "answer") and (
        "correctness_math_verify" in row or has(row, "problem_type", "question_type")
    )


OPENR1 = Layout("openr1", _fits, read_worked)
