"""DeepMind's CodeContests: https://github.com/google-deepmind/code_contests, contest_problem.proto.
Columns of tests and solutions are objects of lists, or lists of objects."""

from __future__ import annotations

from typing import Any

from srpo.data.adapters.base import Layout, Row
from srpo.data.adapters.cases import cases_of
from srpo.data.adapters.meta import meta
from srpo.data.adapters.programs import first_python3
from srpo.data.adapters.values import from_json, has, pass_rate, text
from srpo.errors import RowFault
from srpo.types import short

_PYTHON3, _PYTHON = 3, 1  # the proto's language ids; the latter is mostly Python 2


def _fits(row: Row) -> bool:
    return has(row, "description", "public_tests")


def _read(row: Row) -> dict[str, Any]:
    tests = [t for name in ("public", "private", "generated") for t in _rows(row, f"{name}_tests")]
    return {
        "domain": "code",
        "prompt": text(row, "description"),
        "tests": cases_of(tests, "tests"),
        "reference": _reference(row),
        "pass_rate": pass_rate(row),
        "meta": meta(row),
    }


def _reference(row: Row) -> str | None:
    solutions = _rows(row, "solutions")
    return first_python3(
        [s.get("solution") for id_ in (_PYTHON3, _PYTHON) for s in solutions if _language(s) == id_]
    )


def _language(solution: Row) -> Any:
    return {"PYTHON3": _PYTHON3, "PYTHON": _PYTHON}.get(
        str(solution.get("language")), solution.get("language")
    )


def _rows(row: Row, column: str) -> list[Row]:
    """Objects, from either way to write them."""
    value = from_json(row.get(column), column) or []
    if isinstance(value, dict) and all(isinstance(v, list) for v in value.values()):
        if len({len(v) for v in value.values()}) > 1:
            raise RowFault(f"{column} has lists of several lengths: {short(value)}")
        value = [dict(zip(value, v, strict=True)) for v in zip(*value.values(), strict=True)]
    if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
        raise RowFault(f"{column} is {short(value)}: expected a list of objects")
    return value


CODE_CONTESTS = Layout("code_contests", _fits, _read)
