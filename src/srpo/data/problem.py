"""One problem from one row of JSON: the schema that `srpo grade` and every adapter share.

    {"id": "m1", "domain": "math", "prompt": "...", "answer": "42" | ["42", "42.0"]}
    {"id": "c1", "domain": "code", "prompt": "...", "tests": {"type": ..., ...}}

What `tests` may say stands in `srpo.verifiers.code.tests`.
"""

from __future__ import annotations

import json
from typing import Any

from srpo.types import Domain, Problem, UserError, short
from srpo.verifiers.code.tests import validate_tests

KEYS = ("id", "domain", "prompt", "answer", "tests", "meta")


def parse_problem(row: Any, where: str) -> Problem:
    """The problem in `row`. Raises UserError that names the field, its value and the fix.

    Args:
        row: an object with the keys above; `tests` may also be given as its JSON text.
        where: of the row, for error messages.
    """
    if isinstance(row, Problem):
        return row
    if not isinstance(row, dict):
        raise UserError(f"{where}: must be an object, got {short(row)}")
    if unknown := set(row) - set(KEYS):
        raise UserError(f"{where}: unknown key {min(unknown)!r}; known are {', '.join(KEYS)}")
    domain = row.get("domain")
    if domain not in list(Domain):
        raise UserError(f"{where}.domain is {domain!r}: choose one of math, code")
    id_, prompt = row.get("id"), row.get("prompt")
    if isinstance(id_, bool) or not isinstance(id_, str | int) or not str(id_).strip():
        raise UserError(f"{where}.id is {id_!r}: give a text or a number")
    if not isinstance(prompt, str):
        raise UserError(f"{where}.prompt is {short(prompt)}: give the question as a text")
    answer = parse_answer(row.get("answer"), where) if domain == Domain.MATH else None
    tests = parse_tests(row.get("tests"), where) if domain == Domain.CODE else None
    return Problem(str(id_), Domain(domain), prompt, answer, tests, dict(row.get("meta") or {}))


def parse_answer(value: Any, where: str) -> str | tuple[str, ...]:
    """A gold answer, or several of which each is accepted; numbers become their text."""
    answers = []
    for one in value if isinstance(value, list | tuple) and value else [value]:
        if isinstance(one, int | float) and not isinstance(one, bool):
            one = str(one)
        if not isinstance(one, str) or not one.strip():
            raise UserError(
                f"{where}.answer is {short(value)}: give a text, a number or a list of them"
            )
        answers.append(one.strip())
    return answers[0] if len(answers) == 1 else tuple(answers)


def parse_tests(value: Any, where: str) -> dict[str, Any]:
    """Tests as an object, or as JSON text, which is how tables carry them."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{where}.tests is {short(value)}: no JSON ({error})") from error
    validate_tests(value, where)
    return value
