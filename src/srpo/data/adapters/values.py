"""The values of a row, by the types that public sets give them. Missing or empty is no fault here:
the completeness stage drops such rows and counts them."""

from __future__ import annotations

import json
import re
from typing import Any

from srpo.data.adapters.base import Row
from srpo.errors import RowFault
from srpo.types import short
from srpo.verifiers.json_values import json_error
from srpo.verifiers.math.extract import boxed_spans, extract_answer

_RATES = ("pass_rate", "llama8b_solve_rate", "solve_rate")
_VOTES = ("correctness", "correctness_math_verify")
_GROUPED = re.compile(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?")


def has(row: Row, *columns: str) -> bool:
    return all(column in row for column in columns)


def text(row: Row, *columns: str) -> str:
    """The first of the columns that holds something; "" when none does."""
    for column in columns:
        value = row.get(column)
        if value is None:
            continue
        if not isinstance(value, str):
            raise RowFault(f"{column} is {short(value)}: expected a text")
        if value.strip():
            return value
    return ""


def from_json(value: Any, column: str) -> Any:
    """A nested value, which tables often carry as JSON text; None for an empty one."""
    if not isinstance(value, str):
        return value
    if not value.strip():
        return None
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise RowFault(f"{column} is {short(value)}: no JSON ({json_error(error)})") from error


def item(row: Row, column: str) -> Row:
    """An object in a column, or its JSON text; empty when there is none."""
    value = from_json(row.get(column), column)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RowFault(f"{column} is {short(value)}: expected an object")
    return value


def answers(value: Any, column: str) -> tuple[str, ...]:
    """One gold answer, or several that are all accepted; () for none. Whole floats lose their
    point: 27.0 of a table of numbers was 27."""
    several = value if isinstance(value, list | tuple) else [value]
    found = []
    for one in several:
        if isinstance(one, bool) or not isinstance(one, str | int | float | None):
            raise RowFault(f"{column} is {short(value)}: expected a text or a number")
        if isinstance(one, float) and one.is_integer():
            one = int(one)
        if one is not None and str(one).strip():
            found.append(str(one).strip())
    return tuple(found)


def without_grouping(answer: str) -> str:
    """1,234 as 1234; anything else as it is."""
    return answer.replace(",", "") if _GROUPED.fullmatch(answer) else answer


def boxed(solution: str) -> tuple[str, ...]:
    """The answer in the last box of a worked solution; () when it has none."""
    if not boxed_spans(solution)[0] and "\\boxed" not in solution:
        return ()
    found = extract_answer(solution)
    return () if found is None else (found,)


def pass_rate(row: Row) -> float | None:
    """How often some model solved the problem, as the set's authors measured it."""
    for column in _VOTES:
        votes = from_json(row.get(column), column)
        if isinstance(votes, list) and votes and all(isinstance(vote, bool) for vote in votes):
            return sum(votes) / len(votes)
    for column in _RATES:
        rate = row.get(column)
        if rate is None:
            continue
        number = isinstance(rate, int | float) and not isinstance(rate, bool)
        if not number or not 0 <= rate <= 1:
            raise RowFault(f"{column} is {short(rate)}: expected a number from 0 to 1")
        return float(rate)
    return None
