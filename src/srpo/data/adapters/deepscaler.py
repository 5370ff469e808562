"""DeepScaleR: https://github.com/agentica-project/rllm. A problem, its answer, and often a
solution; so do many small sets, which is why this comes late."""

from __future__ import annotations

from srpo.data.adapters.base import Layout, Row
from srpo.data.adapters.values import has
from srpo.data.adapters.worked import read_worked


def _fits(row: Row) -> bool:
    return has(row, "problem", "answer")


DEEPSCALER = Layout("deepscaler", _fits, read_worked)
