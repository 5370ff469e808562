"""MBPP+ as EvalPlus releases it: https://github.com/evalplus/mbppplus_release."""

from __future__ import annotations

from typing import Any

from srpo.data.adapters.base import Layout, Row
from srpo.data.adapters.evalplus import plus_tests
from srpo.data.adapters.meta import meta
from srpo.data.adapters.values import has, pass_rate, text


def _fits(row: Row) -> bool:
    return has(row, "prompt", "entry_point", "assertion", "base_input", "plus_input")


def _read(row: Row) -> dict[str, Any]:
    """The prompt is a docstring, with one assert as its example."""
    prompt, solution = text(row, "prompt"), text(row, "canonical_solution")
    return {
        "domain": "code",
        "prompt": prompt.strip().removeprefix('"""').removesuffix('"""').strip(),
        "tests": plus_tests(row, "") if solution else None,
        "reference": prompt + solution if solution else None,
        "pass_rate": pass_rate(row),
        "meta": meta(row),
    }


MBPPPLUS = Layout("mbpp+", _fits, _read)
