"""rLLM's code sets and DeepCoder's: https://github.com/agentica-project/rllm. A problem and its
tests, which are either a list of cases or, in code_contests, lists of inputs and outputs."""

from __future__ import annotations

from typing import Any

from srpo.data.adapters.base import Layout, Row
from srpo.data.adapters.cases import cases_of, started
from srpo.data.adapters.meta import meta
from srpo.data.adapters.programs import first_python3
from srpo.data.adapters.values import from_json, has, item, pass_rate, text


def _fits(row: Row) -> bool:
    return has(row, "problem", "tests")


def _read(row: Row) -> dict[str, Any]:
    starter, more = text(row, "starter_code"), item(row, "metadata")
    tests = cases_of(row["tests"] or None, "tests", starter, more.get("func_name"))
    programs = from_json(row.get("solutions"), "solutions")
    return {
        "domain": "code",
        "prompt": started(text(row, "problem"), starter),
        "tests": tests,
        "reference": first_python3(programs if isinstance(programs, list) else []),
        "pass_rate": pass_rate(row),
        "meta": meta(row, more),
    }


RLLM = Layout("rllm", _fits, _read)
