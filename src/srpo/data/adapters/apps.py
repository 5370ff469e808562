"""APPS and TACO: https://github.com/hendrycks/apps, https://github.com/FlagOpen/TACO. Lists and
objects are JSON text in some copies."""

from __future__ import annotations

from typing import Any

from srpo.data.adapters.base import Layout, Row
from srpo.data.adapters.cases import cases_of, started
from srpo.data.adapters.meta import meta
from srpo.data.adapters.programs import first_python3
from srpo.data.adapters.values import from_json, has, item, pass_rate, text
from srpo.errors import RowFault
from srpo.types import short


def _fits(row: Row) -> bool:
    return has(row, "question", "input_output")


def _read(row: Row) -> dict[str, Any]:
    starter = text(row, "starter_code")
    solutions = from_json(row.get("solutions"), "solutions") or []
    if not isinstance(solutions, list):
        raise RowFault(f"solutions is {short(solutions)}: expected a list of programs")
    return {
        "domain": "code",
        "prompt": started(text(row, "question"), starter),
        "tests": cases_of(row["input_output"] or None, "input_output", starter),
        "reference": first_python3(solutions),
        "pass_rate": pass_rate(row),
        "meta": meta(row, item(row, "metadata")),
    }


APPS = Layout("apps", _fits, _read)
