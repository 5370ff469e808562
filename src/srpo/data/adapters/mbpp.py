"""MBPP: https://github.com/google-research/google-research/tree/master/mbpp, its sanitized half
(`prompt` for `text`, `test_imports` for `test_setup_code`), and Hugging Face's MBPP+."""

from __future__ import annotations

from typing import Any

from srpo.data.adapters.base import Layout, Row
from srpo.data.adapters.meta import meta
from srpo.data.adapters.values import from_json, has, pass_rate, text
from srpo.errors import RowFault
from srpo.types import short


def _fits(row: Row) -> bool:
    return has(row, "code", "test_list") and ("text" in row or "prompt" in row)


def _read(row: Row) -> dict[str, Any]:
    asserts, imports = _texts(row, "test_list"), _texts(row, "test_imports")
    setup = "\n".join([text(row, "test_setup_code"), *imports]).strip()
    tests = {"type": "asserts", "setup": setup, "asserts": asserts}
    return {
        "domain": "code",
        "prompt": with_example(text(row, "text", "prompt"), asserts),
        "tests": tests if asserts else None,
        "reference": text(row, "code") or None,
        "pass_rate": pass_rate(row),
        "meta": meta(row),
    }


def with_example(question: str, asserts: list[str]) -> str:
    """The question names no function; the first test does. All of them would be the answers."""
    if not question.strip() or not asserts:
        return question
    return f"{question.rstrip()}\nYour code should pass this test:\n\n{asserts[0].strip()}"


def _texts(row: Row, column: str) -> list[str]:
    value = from_json(row.get(column), column) or []
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise RowFault(f"{column} is {short(value)}: expected a list of texts")
    return value


MBPP = Layout("mbpp", _fits, _read)
