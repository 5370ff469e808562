"""MATH: https://github.com/hendrycks/math. Columns problem, level, type and solution; some copies
have the answer too, the others leave it in the box of the solution."""

from __future__ import annotations

from srpo.data.adapters.base import Layout, Row
from srpo.data.adapters.values import has
from srpo.data.adapters.worked import read_worked


def _fits(row: Row) -> bool:
    return has(row, "problem", "solution", "level", "type")


MATH = Layout("math", _fits, read_worked)
