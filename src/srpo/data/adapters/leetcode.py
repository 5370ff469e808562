"""LeetCodeDataset, versions 0.2.0 and 0.3.x: https://github.com/newfacade/LeetCodeDataset."""

from __future__ import annotations

from typing import Any

from srpo.data.adapters.base import Layout, Row
from srpo.data.adapters.cases import started
from srpo.data.adapters.meta import meta
from srpo.data.adapters.values import has, item, pass_rate, text


def _fits(row: Row) -> bool:
    return has(row, "prompt", "completion", "entry_point", "test")


def _read(row: Row) -> dict[str, Any]:
    """`prompt` holds imports and helper classes that tests and program stand on. Of the question,
    0.3 wraps `query` into instructions; 0.2 has nothing else."""
    question = started(text(row, "problem_description"), text(row, "starter_code"))
    test = text(row, "test")
    tests = {
        "type": "check",
        "entry_point": text(row, "entry_point"),
        "setup": text(row, "prompt"),
        "code": test,
    }
    return {
        "domain": "code",
        "prompt": question or text(row, "query"),
        "tests": tests if test else None,
        "reference": text(row, "completion") or None,
        "pass_rate": pass_rate(row),
        "meta": meta(row, item(row, "meta")),
    }


LEETCODE = Layout("leetcode", _fits, _read)
