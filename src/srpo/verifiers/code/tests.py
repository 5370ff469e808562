"""What a code problem's `tests` may say, and how outputs are compared.

    {"type": "function", "entry_point": "f",
     "cases": [{"args": [...], "kwargs": {}, "expected": ...}, ...]}
    {"type": "stdin", "cases": [{"input": "...", "output": "..."}, ...]}
    {"type": "asserts", "setup": "...", "asserts": ["assert f(1) == 2", ...]}
    {"type": "check", "entry_point": "f", "setup": "...",
     "code": "def check(candidate): ..."}

All may carry `time_limit_s` (seconds: for each stdin case alone, else for all together) and
`memory_mb`. An entry point is a function's name, or "Class.method" or "Class().method" of a
class that is made without arguments. `kwargs` and `setup` may be left out; `setup` is source
that both the program and the tests may rely on (imports, helper classes).
"""

from __future__ import annotations

import ast
import json
import math
import re
import warnings
from typing import Any

from srpo.types import UserError, short
from srpo.verifiers.code.names import unclear_name

_ENTRY_POINT = re.compile(r"[^\W\d]\w*(\(\))?(\.[^\W\d]\w*)?")
_OPTIONAL = {"time_limit_s", "memory_mb"}
_KEYS = {
    "function": {"type", "entry_point", "cases"},
    "stdin": {"type", "cases"},
    "asserts": {"type", "setup", "asserts"},
    "check": {"type", "entry_point", "setup", "code"},
}
REL_TOL, ABS_TOL = 1e-6, 1e-9


def validate_tests(tests: Any, where: str) -> None:
    """Raises UserError, which names the field under `where`, its value, and what it may be."""
    if not isinstance(tests, dict):
        raise UserError(f"{where}.tests is {short(tests)}: give an object with a 'type'")
    kind = tests.get("type")
    if kind not in _KEYS:
        raise UserError(f"{where}.tests.type is {kind!r}: choose one of {', '.join(_KEYS)}")
    if unknown := set(tests) - _KEYS[kind] - _OPTIONAL:
        known = ", ".join(sorted(_KEYS[kind] | _OPTIONAL))
        raise UserError(f"{where}.tests has an unknown key {min(unknown)!r}: known are {known}")
    for name in _OPTIONAL & set(tests):
        value = tests[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise UserError(f"{where}.tests.{name} is {value!r}: give a number above 0")
    where += ".tests"
    if "entry_point" in _KEYS[kind]:
        _check_entry_point(tests.get("entry_point"), where)
    if "setup" in _KEYS[kind]:
        _check_source(tests.get("setup", ""), f"{where}.setup")
    if kind == "check":
        _check_source(tests.get("code"), f"{where}.code", defines="check")
    elif kind == "asserts":
        for index, source in enumerate(_some(tests, "asserts", where)):
            _check_source(source, f"{where}.asserts[{index}]")
            if name := unclear_name(source, tests.get("setup", "")):
                raise UserError(
                    f"{where}.asserts[{index}] is {short(source)}: {name} may be Python's or the"
                    " program's; import it in `setup`"
                )
    else:
        check = _check_call if kind == "function" else _check_stdin
        for index, case in enumerate(_some(tests, "cases", where)):
            check(case, f"{where}.cases[{index}]")


def _some(tests: dict[str, Any], name: str, where: str) -> list[Any]:
    value = tests.get(name)
    if not isinstance(value, list | tuple) or not value:
        raise UserError(f"{where}.{name} is {short(value)}: give a list of 1 or more")
    return list(value)


def _check_entry_point(value: Any, where: str) -> None:
    if not isinstance(value, str) or not _ENTRY_POINT.fullmatch(value):
        raise UserError(
            f"{where}.entry_point is {value!r}: give a function's name, Class.method or"
            " Class().method"
        )


def _check_source(value: Any, where: str, defines: str = "") -> None:
    """Python that parses, and at its top level defines the function `defines`, if given."""
    if not isinstance(value, str):
        raise UserError(f"{where} is {short(value)}: give Python source")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the data's invalid escapes
            tree = ast.parse(value)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise UserError(f"{where} is {short(value)}: no Python source ({error})") from error
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    if defines and defines not in names:
        raise UserError(f"{where} is {short(value)}: define {defines}(candidate) in it")


def _check_call(case: Any, where: str) -> None:
    if not isinstance(case, dict) or "expected" not in case:
        raise UserError(f"{where} is {short(case)}: give 'args' and 'expected'")
    if unknown := set(case) - {"args", "kwargs", "expected"}:
        raise UserError(f"{where} has an unknown key {min(unknown)!r}: args, kwargs, expected")
    if not isinstance(case.get("args", []), list | tuple):
        raise UserError(f"{where}.args is {short(case['args'])}: give a list")
    if not isinstance(case.get("kwargs", {}), dict):
        raise UserError(f"{where}.kwargs is {short(case['kwargs'])}: give an object")
    try:
        json.dumps(case)
    except (TypeError, ValueError, RecursionError) as error:
        raise UserError(f"{where} is no JSON value ({error}): give JSON values only") from error


def _check_stdin(case: Any, where: str) -> None:
    if not isinstance(case, dict) or set(case) != {"input", "output"}:
        raise UserError(f"{where} is {short(case)}: give 'input' and 'output'")
    for name in ("input", "output"):
        if not isinstance(case[name], str):
            raise UserError(f"{where}.{name} is {short(case[name])}: give a string")


def same_value(expected: Any, got: Any) -> bool:
    """Whether a returned JSON value is the expected one.

    Strict in type: True is not 1, "1" is not 1, None is not False. 1 equals 1.0, tuples equal
    lists, dict keys are compared as strings (JSON has no others). Where a float is expected,
    a relative 1e-6 or an absolute 1e-9 is forgiven; NaN equals NaN.
    """
    try:
        return _same(expected, got)
    except (RecursionError, OverflowError):
        return False


def _same(expected: Any, got: Any) -> bool:
    if isinstance(expected, bool) or isinstance(got, bool) or expected is None or got is None:
        return expected is got
    if isinstance(expected, float) and isinstance(got, int | float):
        if math.isnan(expected):
            return math.isnan(got)
        return math.isclose(expected, got, rel_tol=REL_TOL, abs_tol=ABS_TOL)
    if isinstance(expected, int) and isinstance(got, int | float):
        return expected == got
    if isinstance(expected, str):
        return isinstance(got, str) and expected == got
    if isinstance(expected, list | tuple) and isinstance(got, list | tuple):
        return len(expected) == len(got) and all(map(_same, expected, got))
    if isinstance(expected, dict) and isinstance(got, dict):
        wanted = {str(key): value for key, value in expected.items()}
        return wanted.keys() == got.keys() and all(_same(wanted[k], got[k]) for k in wanted)
    return False


def same_output(expected: str, got: str) -> bool:
    """Whether two outputs have the same lines of the same words. Spaces between words, and
    blank lines before the first and after the last word, are no matter."""
    return _words(expected) == _words(got)


def _words(text: str) -> list[list[str]]:
    return [line.split() for line in text.strip().split("\n")]
