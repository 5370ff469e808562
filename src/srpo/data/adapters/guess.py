"""What an unknown row's columns may be, as the lines of a recipe that would say so."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher
from itertools import islice
from typing import Any

import yaml

from srpo.data.adapters.base import Row

_QUESTIONS = [
    "question",
    "prompt",
    "problem",
    "query",
    "instruction",
    "description",
    "content",
    "text",
    "input",
]
_ANSWERS = [
    "answer",
    "target",
    "label",
    "final_answer",
    "ground_truth",
    "gold",
    "expected",
    "output",
    "result",
]
_TESTS = ["tests", "test", "test_cases", "unit_tests", "test_list", "asserts", "cases"]
_ALIKE = 0.75
_COLUMNS, _LENGTH = 200, 100  # most columns looked at, and characters of their names: it takes time
_PLAIN = re.compile(r"[A-Za-z_./][\w./-]*")


def guess(row: Row, where: str) -> str:
    """A recipe's `sources` with the likeliest columns."""
    row = {k: v for k, v in islice(row.items(), _COLUMNS) if len(k) <= _LENGTH}
    question = _likeliest(row, _QUESTIONS, _is_question) or _longest(row)
    rest = {k: v for k, v in row.items() if k != question}
    tests = _likeliest(rest, _TESTS, _is_tests)
    answer = _likeliest(rest, _ANSWERS, _is_answer) or _shortest(rest)
    gold = ("tests_field", tests) if tests else ("answer_field", answer or "answer")
    lines = [
        "sources:",
        f"  - path: {_yaml(where)}",
        f"    domain: {'code' if tests else 'math'}",
        f"    prompt_field: {_yaml(question or 'prompt')}",
        f"    {gold[0]}: {_yaml(str(gold[1]))}",
    ]
    return "\n".join(lines)


def _likeliest(row: Row, names: Iterable[str], may: Any) -> str | None:
    """The column of a fitting type whose name is most like one of `names`."""
    likeness = {k: max(_alike(k, name) for name in names) for k, v in row.items() if may(v)}
    best = max(likeness, key=lambda k: likeness[k], default=None)
    return best if best is not None and likeness[best] >= _ALIKE else None


def _alike(column: str, name: str) -> float:
    column = str(column).lower()
    return max(SequenceMatcher(None, part, name).ratio() for part in {column, *column.split("_")})


def _is_question(value: Any) -> bool:
    return isinstance(value, str) or (
        isinstance(value, list) and bool(value) and all(isinstance(m, dict) for m in value)
    )


def _is_answer(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _is_tests(value: Any) -> bool:
    if isinstance(value, str):
        return "assert" in value or value.lstrip()[:1] in ("[", "{")
    return isinstance(value, list | dict)


def _longest(row: Row) -> str | None:
    texts = {k: len(v) for k, v in row.items() if isinstance(v, str)}
    return max(texts, key=lambda k: texts[k], default=None)


def _shortest(row: Row) -> str | None:
    texts = {k: len(str(v)) for k, v in row.items() if _is_answer(v) and "id" not in k.lower()}
    return min(texts, key=lambda k: texts[k], default=None)


def _yaml(value: str) -> str:
    """As YAML reads it back: `yes` and `null` are no texts there."""
    if _PLAIN.fullmatch(value) and yaml.safe_load(value) == value:
        return value
    return yaml.safe_dump(value, default_style='"', allow_unicode=True, width=1 << 30).strip()
