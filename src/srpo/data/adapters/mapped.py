"""Rows of any set, by the columns that a recipe's source names."""

from __future__ import annotations

from functools import partial
from typing import Any

from srpo.data.adapters.base import Layout, Row
from srpo.data.adapters.meta import meta
from srpo.data.adapters.values import answers, from_json, pass_rate
from srpo.data.messages import one_turn
from srpo.data.patterns import find_answer
from srpo.data.rows import value_at
from srpo.errors import RowFault
from srpo.recipe.schema import Source
from srpo.types import UserError, short


def mapped(source: Source) -> Layout:
    """The layout that the source's fields describe; it takes every row."""
    if source.domain not in ("math", "code"):
        raise UserError(f"domain is {short(source.domain)}: curation knows math and code")
    return Layout("mapped", _any, partial(_read, source))


def _any(row: Row) -> bool:
    return True


def _read(source: Source, row: Row) -> dict[str, Any]:
    question = value_at(row, source.prompt_field)
    turn = one_turn(question)
    if turn is None:
        raise RowFault(
            f"{source.prompt_field} is {short(question)}: expected a text or messages of one turn"
        )
    id_ = value_at(row, source.id_field)
    found = {
        "domain": source.domain,
        "prompt": "" if turn[0] is None else turn[0],
        "system": turn[1],
        "pass_rate": pass_rate(row),
        "meta": meta({"original_id": id_}, row),
    }
    if source.domain == "math":
        return found | {"answer": _answers(source, row)}
    tests = from_json(value_at(row, source.tests_field) or None, source.tests_field)
    reference = value_at(row, source.reference_field)
    return found | {"tests": tests, "reference": reference or None}


def _answers(source: Source, row: Row) -> tuple[str, ...]:
    found = answers(value_at(row, source.answer_field), source.answer_field)
    if source.answer_pattern is None:
        return found
    try:
        return tuple(find_answer(source.answer_pattern, a, source.answer_field) for a in found)
    except UserError as error:
        raise RowFault(str(error)) from error
