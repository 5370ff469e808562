"""EvalPlus' checks: https://github.com/evalplus/evalplus, evalplus/evaluate.py.

Its releases carry inputs and a reference, and what is expected is what the reference returns. The
reference is part of the check, so that it runs where all code of a data set runs, in the sandbox.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any, TypeVar

from srpo.data.adapters.base import Row
from srpo.data.adapters.values import text
from srpo.errors import RowFault
from srpo.types import short
from srpo.verifiers.code.source import parsed

T = TypeVar("T")

MOST = 900_000  # characters of all inputs: some have megabytes
# How EvalPlus compares: floats nearly, all else exactly. JSON has no tuples: where the reference
# fails on lists, the inputs are tuples.
_CODE = """
import copy

{reference}

inf, nan = float("inf"), float("nan")

def _floats(x):
    return isinstance(x, float) or (
        isinstance(x, (list, tuple)) and len(x) > 0 and all(isinstance(i, float) for i in x)
    )

def _near(out, expected, atol):
    if isinstance(expected, (list, tuple)):
        return len(out) == len(expected) and all(map(_near, out, expected, [atol] * len(out)))
    if out == expected or (out != out and expected != expected):
        return True
    return abs(out - expected) <= atol + 1e-7 * abs(expected)

def _compare(out, expected, atol):
    if out == expected:
        return
    atol = atol or (1e-6 if _floats(expected) else 0)
    assert atol and type(out) == type(expected), out
    assert _near(out, expected, atol), out

def _tuples(value, depth):
    if not isinstance(value, list):
        return value
    inner = [_tuples(one, depth - 1) for one in value]
    return inner if depth > 0 else tuple(inner)

def _cases(inputs):
    function = _reference()
    for given in inputs:
        variants = [given, [_tuples(a, 1) for a in given], _tuples(given, 0)]
        for arguments in variants[{first}:]:
            try:
                expected = function(*copy.deepcopy(arguments))
                short = len(repr(expected)) < 100_000  # fails for more than 4,300 digits
            except Exception:
                continue
            if short:
                yield arguments, expected
            break

def check(candidate):
    for arguments, expected in _cases({inputs}):
        {compare}
"""
_PART = re.compile(r"\{(reference|first|compare|inputs)\}")
_COMPARE = "_compare(candidate(*copy.deepcopy(arguments)), expected, {atol!r})"
_ROOT = "(xs,) = arguments\n        x = candidate(copy.copy(xs))\n        "
_ROOT += "assert abs(sum(c * x**i for i, c in enumerate(xs))) < 1e-4"
ODD = {"find_zero": _ROOT}  # any root will do
_SETS = ("similar_elements", "find_dissimilar", "Diff")  # their order is by chance
ODD |= dict.fromkeys(_SETS, "assert set(candidate(*arguments)) == set(expected)")
MATCHES = ("check_str", "text_match_three", "text_starta_endb")  # whether there is one
ODD |= dict.fromkeys(MATCHES, "assert bool(candidate(*arguments)) == bool(expected)")
# Its own reference calls eval, which no check may.
_ALGEBRA = """
def do_algebra(operator, operand):
    powers, signs = [operand[:1]], []
    for sign, value in zip(operator, operand[1:]):
        if sign == "**":
            powers[-1].append(value)
        else:
            signs.append(sign)
            powers.append([value])
    factors = []
    for power in powers:
        value = power.pop()
        while power:
            value = power.pop() ** value
        factors.append(value)
    total, term, adds = 0, factors[0], True
    for sign, value in zip(signs, factors[1:]):
        if sign in ("*", "//"):
            term = term * value if sign == "*" else term // value
        else:
            total = total + term if adds else total - term
            term, adds = value, sign == "+"
    return total + term if adds else total - term
"""
OWN = {"do_algebra": _ALGEBRA}


def plus_tests(row: Row, setup: str) -> dict[str, Any]:
    """Tests on all inputs of a row of HumanEval+ or MBPP+ that there is room for."""
    entry = text(row, "entry_point")
    program = OWN.get(entry) or text(row, "prompt") + text(row, "canonical_solution")
    parts = {
        "reference": _within_function(program, entry),
        "first": str(int(entry == "tuple_size")),  # a list's size is by chance
        "compare": ODD.get(entry, _COMPARE.format(atol=row.get("atol") or 0)),
        "inputs": repr(list(that_fit(_inputs(row)))),
    }
    code = _PART.sub(lambda found: parts[found[1]], _CODE)  # once: a reference may have braces
    return {"type": "check", "entry_point": entry, "setup": setup, "code": code}


def _inputs(row: Row) -> list[list[Any]]:
    """MBPP+ has {} for no inputs."""
    found = []
    for column in ("base_input", "plus_input"):
        inputs = row[column] or []
        if not isinstance(inputs, list) or not all(isinstance(i, list) for i in inputs):
            raise RowFault(f"{column} is {short(inputs)}: expected lists of arguments")
        found += inputs
    return found


def that_fit(values: list[T]) -> Iterator[T]:
    """As many as the source of a problem's tests can hold."""
    room = MOST
    for value in values:
        if (size := len(repr(value))) < room:
            room -= size
            yield value


def _within_function(program: str, entry: str) -> str:
    """Source of a function that returns the reference, whose own names stay inside."""
    body, outer = parsed(program), parsed(f"def _reference():\n    return {entry}")
    if body is None or outer is None:
        raise RowFault(f"canonical_solution is {short(program)}: no Python, or too long")
    function = outer.body[0]
    assert isinstance(function, ast.FunctionDef)
    function.body[:0] = body.body
    return ast.unparse(ast.fix_missing_locations(function))
