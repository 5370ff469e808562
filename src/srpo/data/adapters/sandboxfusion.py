"""SandboxFusion's code sets: https://github.com/bytedance/SandboxFusion, sandbox/datasets. `test`
is JSON of stdin and stdout, or LiveCodeBench's private tests as they are packed."""

from __future__ import annotations

from typing import Any

from srpo.data.adapters.base import Layout, Row
from srpo.data.adapters.cases import cases_of, stdin
from srpo.data.adapters.meta import meta
from srpo.data.adapters.packed import unpack
from srpo.data.adapters.values import from_json, has, item, pass_rate, text
from srpo.errors import RowFault
from srpo.types import short

_NO_SOLUTION = "import sys; sys.exit(0)"  # stands where there is none


def _fits(row: Row) -> bool:
    return has(row, "content", "test")


def _read(row: Row) -> dict[str, Any]:
    content, reference = text(row, "content"), text(row, "canonical_solution")
    return {
        "domain": "code",
        "prompt": content,
        "tests": _tests(row["test"], content),
        "reference": None if reference.strip() in ("", _NO_SOLUTION) else reference,
        "pass_rate": pass_rate(row),
        "meta": meta(item(row, "labels"), row),
    }


def _tests(value: Any, content: str) -> dict[str, Any] | None:
    if isinstance(value, str) and value.strip() and value.lstrip()[0] not in "[{":
        value = unpack(value, "test")
    value = from_json(value, "test")
    if not isinstance(value, list) or not all(map(_is_piped, value)):
        return cases_of(value, "test", content)
    return stdin([(_piped(v, "input"), _piped(v, "output")) for v in value], "test")


def _is_piped(test: Any) -> bool:
    return isinstance(test, dict) and isinstance(test.get("input"), dict)


def _piped(test: Row, column: str) -> Any:
    name = {"input": "stdin", "output": "stdout"}[column]
    found = test.get(column)
    if not isinstance(found, dict) or name not in found:
        raise RowFault(f"test is {short(test)}: expected input.stdin and output.stdout")
    return found[name]


SANDBOXFUSION = Layout("sandboxfusion", _fits, _read)
