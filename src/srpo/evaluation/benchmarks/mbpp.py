"""MBPP: its 500 test problems (arXiv 2108.07732), ids 11 to 510, with their own tests."""

from __future__ import annotations

from typing import Any

from srpo.evaluation.benchmarks.base import Benchmark


def _is_test(row: dict[str, Any]) -> bool:
    return 11 <= int(row.get("task_id", 0)) <= 510


MBPP = Benchmark(
    name="mbpp",
    title="MBPP",
    domain="code",
    hub="google-research-datasets/mbpp:full:test",
    files=("mbpp",),
    url="https://github.com/google-research/google-research/tree/master/mbpp",
    license="cc-by-4.0",
    belongs=_is_test,
)
