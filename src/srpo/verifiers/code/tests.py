"""What a code problem's `tests` may say, and how outputs are compared.

    {"type": "function", "entry_point": "f", "setup": "...",
     "cases": [{"args": [...], "kwargs": {}, "expected": ...}, ...]}
    {"type": "stdin", "cases": [{"input": "...", "output": "..."}, ...], "tolerance": 1e-6}
    {"type": "asserts", "setup": "...", "asserts": ["assert f(1) == 2", ...]}
    {"type": "check", "entry_point": "f", "setup": "...",
     "code": "def check(candidate): ..."}

All may carry `time_limit_s` (seconds: for each stdin case alone, else for all together) and
`memory_mb`. An entry point is a function's name, or "Class.method" or "Class().method" of a
class that is made without arguments. `kwargs` and `setup` may be left out; `setup` is source
that both the program and the tests may rely on (imports, helper classes). `tolerance` is for
numbers that are printed with a decimal point, see `same_output`.

`args`, `kwargs` and `expected` are JSON values: NaN and infinities too, but no integer of more
than 4,300 digits, and nothing nested deeper than 100. Texts have no lone surrogates.

In `asserts` the program's names are those that neither Python nor its library nor the tests
define:

1. What `setup` and the asserts bind themselves (imports, functions, variables) is theirs.
2. Python's names are Python's, and `math.pi` is the attribute of the library's module.
3. A name that all of the tests use as their only one is the program's, whatever it is called:
   `assert gcd(4, 6) == 2`. So is one that is called in asserts without any other.
4. Any other name that the library has too (`pi`, `date`, `map(gcd, ...)`) is refused here: it has
   to be imported in `setup`. So is code made of texts (`eval(f(1))`).
5. What is left is the program's.
"""

from __future__ import annotations

import ast
import inspect
import json
import keyword
import math
import re
import types
import unicodedata
from typing import Any

from srpo.sandbox import base
from srpo.sandbox.inside.names import owners, read_sources
from srpo.types import UserError, short
from srpo.verifiers.code.names import star_names, unclear_asserts, unclear_check
from srpo.verifiers.code.source import MAX_SOURCE, quiet
from srpo.verifiers.json_values import json_fault, text_fault

_ENTRY_POINT = re.compile(r"([^\W\d]\w*)(\(\))?(?:\.([^\W\d]\w*))?")
BOUNDS = {"time_limit_s": base.BOUNDS["time_s"], "memory_mb": base.BOUNDS["memory_mb"]}
MAX_TEXT = 1 << 24  # characters of a case's input and output, or of all cases' values together
ANSWERS = 64 << 20  # bytes that a program may answer to tests which are code
_KEYS = {
    "function": {"type", "entry_point", "setup", "cases"},
    "stdin": {"type", "cases", "tolerance"},
    "asserts": {"type", "setup", "asserts"},
    "check": {"type", "entry_point", "setup", "code"},
}
REL_TOL, ABS_TOL = 1e-6, 1e-9
STDIN_TOLERANCE = 1e-6  # as judges have it
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")


def validate_tests(tests: Any, where: str) -> None:
    """Raises UserError, which names the field under `where`, its value, and what it may be."""
    if not isinstance(tests, dict):
        raise UserError(f"{where} is {short(tests)}: give an object with a 'type'")
    kind = tests.get("type")
    if not isinstance(kind, str) or kind not in _KEYS:
        raise UserError(f"{where}.type is {short(kind)}: choose one of {', '.join(_KEYS)}")
    _check_keys(tests, _KEYS[kind] | set(BOUNDS), where)
    for name in BOUNDS:
        if name in tests:
            _check_bounds(name, tests[name], where)
    if "entry_point" in _KEYS[kind]:
        _check_entry_point(tests.get("entry_point"), where)
    if kind == "function":
        _check_calls(_some(tests, "cases", where), where)
        with quiet():
            _compiled(tests.get("setup", ""), f"{where}.setup")
    elif kind == "stdin":
        _check_tolerance(tests.get("tolerance", STDIN_TOLERANCE), where)
        for index, case in enumerate(_some(tests, "cases", where)):
            _check_stdin(case, f"{where}.cases[{index}]")
    else:
        with quiet():
            _check_sources(kind, tests, where)


def _check_keys(value: dict[Any, Any], known: set[str], where: str) -> None:
    if unknown := sorted(map(short, set(value) - known)):
        raise UserError(
            f"{where} has an unknown key {unknown[0]}: known are {', '.join(sorted(known))}"
        )


def _check_bounds(name: str, value: Any, where: str) -> None:
    low, high = BOUNDS[name]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not low <= value <= high:
        raise UserError(f"{where}.{name} is {short(value)}: give a number from {low} to {high}")


def _check_tolerance(value: Any, where: str) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value < 1:
        raise UserError(f"{where}.tolerance is {short(value)}: give a number from 0 to below 1")


def _some(tests: dict[str, Any], name: str, where: str) -> list[Any]:
    value = tests.get(name)
    if not isinstance(value, list | tuple) or not value:
        raise UserError(f"{where}.{name} is {short(value)}: give a list of 1 or more")
    return list(value)


def _check_entry_point(value: Any, where: str) -> None:
    found = _ENTRY_POINT.fullmatch(value) if isinstance(value, str) else None
    names = [name for name in found.groups()[::2] if name] if found else []
    if not names or not all(map(_is_name, names)):
        raise UserError(
            f"{where}.entry_point is {short(value)}: give a function's name, Class.method or"
            " Class().method"
        )


def _is_name(name: str) -> bool:
    """Whether a program can define it, spelt as Python keeps it."""
    plain = unicodedata.normalize("NFKC", name) == name
    return name.isidentifier() and not keyword.iskeyword(name) and plain


def _check_sources(kind: str, tests: dict[str, Any], where: str) -> None:
    setup = tests.get("setup", "")
    _compiled(setup, f"{where}.setup")
    if kind == "check":
        _check_function(_compiled(tests.get("code"), f"{where}.code"), tests["code"], where)
        sources = [tests["code"]]
    else:
        sources = _some(tests, "asserts", where)
        for index, source in enumerate(sources):
            _compiled(source, f"{where}.asserts[{index}]")
    if len(setup) + sum(map(len, sources)) > MAX_SOURCE:
        raise UserError(f"{where} has more than {MAX_SOURCE} characters of source: split the tests")
    try:
        if kind == "check":
            unclear = unclear_check(tests["entry_point"], setup, tests["code"])
        else:
            unclear = unclear_asserts(setup, sources)
    except (RecursionError, MemoryError) as error:
        field = "code" if kind == "check" else kind
        raise UserError(f"{where}.{field} is nested too deep: write it flatter") from error
    if unclear:
        field, why = unclear
        value = sources[int(field[8:-1])] if field.startswith("asserts[") else tests.get(field)
        raise UserError(f"{where}.{field} is {short(value)}: {why}")


def _compiled(value: Any, where: str) -> types.CodeType:
    """Python that parses, and compiles too: `return` outside of a function does not."""
    if not isinstance(value, str):
        raise UserError(f"{where} is {short(value)}: give Python source")
    if len(value) > MAX_SOURCE:
        raise UserError(f"{where} has {len(value)} characters: give at most {MAX_SOURCE}")
    if why := text_fault(value):
        raise UserError(f"{where} {why}")
    try:
        return compile(value, where, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise UserError(f"{where} is {short(value)}: no Python source ({error})") from error


def _check_function(code: types.CodeType, source: str, where: str) -> None:
    """At its top level it has a function `check` that runs when it is called with one argument."""
    inner = [c for c in code.co_consts if isinstance(c, types.CodeType) and c.co_name == "check"]
    last = inner[-1] if inner else None
    lazy = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
    simple = last is not None and last.co_argcount == 1 and not last.co_kwonlyargcount
    if last is None or last.co_flags & lazy or not (simple or _takes_one(source)):
        raise UserError(
            f"{where}.code is {short(source)}: define check(candidate) in it, a function of one"
            " argument without yield"
        )


def _takes_one(source: str) -> bool:
    """Whether `check` may be called with one argument. That it has just one shows in the code."""
    functions = [n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef)]
    args = next((node.args for node in reversed(functions) if node.name == "check"), None)
    if args is None:
        return False
    places = len(args.posonlyargs) + len(args.args)
    named = any(default is None for default in args.kw_defaults)
    enough = places >= 1 or args.vararg is not None
    return places - len(args.defaults) <= 1 and enough and not named


def _check_calls(cases: list[Any], where: str) -> None:
    size = 0
    for index, case in enumerate(cases):
        size += _check_call(case, f"{where}.cases[{index}]")
        if size > MAX_TEXT:
            raise UserError(f"{where}.cases has more than {MAX_TEXT} characters: split the tests")


def _check_call(case: Any, where: str) -> int:
    """How many characters its values have, as JSON."""
    if not isinstance(case, dict) or "expected" not in case:
        raise UserError(f"{where} is {short(case)}: give 'args' and 'expected'")
    _check_keys(case, {"args", "kwargs", "expected"}, where)
    if not isinstance(case.get("args", []), list | tuple):
        raise UserError(f"{where}.args is {short(case['args'])}: give a list")
    kwargs = case.get("kwargs", {})
    if not isinstance(kwargs, dict) or not all(isinstance(key, str) for key in kwargs):
        raise UserError(f"{where}.kwargs is {short(kwargs)}: give an object, whose keys are texts")
    for name, value in case.items():
        if fault := json_fault(value, f"{where}.{name}"):
            raise UserError(fault)
    return len(json.dumps(case))


def _check_stdin(case: Any, where: str) -> None:
    if not isinstance(case, dict) or set(case) != {"input", "output"}:
        raise UserError(f"{where} is {short(case)}: give 'input' and 'output'")
    for name, value in case.items():
        if not isinstance(value, str):
            raise UserError(f"{where}.{name} is {short(value)}: give a string")
        if len(value) > MAX_TEXT:
            raise UserError(f"{where}.{name} has {len(value)} characters: give at most {MAX_TEXT}")
        if why := text_fault(value):
            raise UserError(f"{where}.{name} {why}")


def answer_bytes(tests: dict[str, Any]) -> int:
    """How much a right program may have to return, or to print at a time, in bytes."""
    if tests["type"] == "function":  # twice: with more digits, or spaces
        return 2 * len(json.dumps([case["expected"] for case in tests["cases"]]))
    if tests["type"] == "stdin":
        return 2 * max(len(case["output"].encode()) for case in tests["cases"])
    source = sum(map(len, (tests["code"],) if tests["type"] == "check" else tests["asserts"]))
    return max(ANSWERS, 32 * source)  # an inner list of four characters is a message of thirty


def asked_names(tests: dict[str, Any]) -> frozenset[str]:
    """The names that a program has to define; none for standard input."""
    if "entry_point" in tests:
        return frozenset({tests["entry_point"].replace("()", "").partition(".")[0]})
    if tests["type"] == "stdin":
        return frozenset()
    with quiet():
        setup, sources = read_sources(tests.get("setup", ""), list(tests["asserts"]), star_names)
    return owners(setup, sources).program


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


def same_output(expected: str, got: str, tolerance: float = STDIN_TOLERANCE) -> bool:
    """Whether two outputs have the same lines of the same words. Spaces between words, and
    blank lines before the first and after the last word, are no matter.

    Where a number with a decimal point or an exponent is expected, another one is the same when it
    is no further away than `tolerance`, or than that share of the expected one.
    """
    lines, others = _words(expected), _words(got)
    if lines == others:
        return True
    if not tolerance or list(map(len, lines)) != list(map(len, others)):
        return False
    return all(
        e == g or _is_near(e, g, tolerance)
        for line, other in zip(lines, others, strict=True)
        for e, g in zip(line, other, strict=True)
    )


def _is_near(expected: str, got: str, tolerance: float) -> bool:
    if expected.lstrip("+-").isdigit() or not (
        _NUMBER.fullmatch(expected) and _NUMBER.fullmatch(got)
    ):
        return False
    number = float(expected)
    return abs(number - float(got)) <= tolerance * max(1.0, abs(number))


def _words(text: str) -> list[list[str]]:
    return [line.split() for line in text.strip().split("\n")]
