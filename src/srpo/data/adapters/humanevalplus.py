"""HumanEval+ as EvalPlus releases it: https://github.com/evalplus/humanevalplus_release."""

from __future__ import annotations

from typing import Any

from srpo.data.adapters.base import Layout, Row
from srpo.data.adapters.evalplus import plus_tests
from srpo.data.adapters.humaneval import HUMANEVAL, stub
from srpo.data.adapters.values import has, text


def _fits(row: Row) -> bool:
    return has(row, "base_input", "plus_input", "test") and HUMANEVAL.fits(row)


def _read(row: Row) -> dict[str, Any]:
    found = HUMANEVAL.read(row)
    if found["reference"]:
        found["tests"] = plus_tests(row, stub(text(row, "prompt")))
    return found


HUMANEVALPLUS = Layout("humaneval+", _fits, _read)
