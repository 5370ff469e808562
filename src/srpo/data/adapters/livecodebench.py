"""LiveCodeBench: https://huggingface.co/datasets/livecodebench/code_generation_lite. Also its
submissions, which have no tests."""

from __future__ import annotations

from typing import Any

from srpo.data.adapters.base import Layout, Row
from srpo.data.adapters.cases import cases_of, started
from srpo.data.adapters.meta import meta
from srpo.data.adapters.packed import unpack
from srpo.data.adapters.values import from_json, has, item, pass_rate, text
from srpo.errors import RowFault
from srpo.types import short

_COLUMNS = ("public_test_cases", "private_test_cases")


def _fits(row: Row) -> bool:
    return has(row, "question_content", "question_id")


def _read(row: Row) -> dict[str, Any]:
    starter = text(row, "starter_code")
    cases = [case for column in _COLUMNS for case in _cases(row, column)]
    # A submission's metadata is a list, of what its programs did.
    more = {} if isinstance(row.get("metadata"), list) else item(row, "metadata")
    return {
        "domain": "code",
        "prompt": started(text(row, "question_content"), starter),
        "tests": cases_of(cases, "tests", starter, more.get("func_name")),
        "pass_rate": pass_rate(row),
        "meta": meta(row),
    }


def _cases(row: Row, column: str) -> list[Any]:
    value = row.get(column)
    if isinstance(value, str) and value.strip() and value.lstrip()[0] != "[":
        value = unpack(value, column)
    value = from_json(value, column) or []
    if not isinstance(value, list):
        raise RowFault(f"{column} is {short(value)}: expected a list of tests")
    return value


LIVECODEBENCH = Layout("livecodebench", _fits, _read)
