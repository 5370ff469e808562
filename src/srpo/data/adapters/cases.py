"""Tests of competition problems, in the spellings that public sets have, as our own.

    {"inputs": [...], "outputs": [...], "fn_name"?: ...}      APPS, TACO, verl's prime_code
    [{"input": ..., "output": ..., "testtype"?: ...}, ...]    LiveCodeBench, rLLM, DeepCoder

APPS: https://github.com/hendrycks/apps/blob/main/eval/testing_util.py
LiveCodeBench: https://github.com/LiveCodeBench/LiveCodeBench, lcb_runner/evaluation/testing_util.py
"""

from __future__ import annotations

import re
from typing import Any

from srpo.data.adapters.values import from_json
from srpo.errors import RowFault
from srpo.types import short

TYPING = "from typing import *"  # starter code annotates without importing
_METHOD = re.compile(r"^[ \t]+def[ \t]+(\w+)[ \t]*\([ \t]*self\b", re.M)
_FUNCTION = re.compile(r"^def[ \t]+(\w+)[ \t]*\(", re.M)
_FUNCTIONAL = ("functional", "function_call")


def cases_of(
    value: Any, column: str, starter: str = "", name: str | None = None
) -> dict[str, Any] | None:
    """Our tests; None when there is none.

    Args:
        value: an object or a list as above, or its JSON text.
        column: where it stood, for errors.
        starter: the code that the question gives, or the question with it.
        name: of the function under test, where another column has it.
    """
    value = from_json(value, column)
    if isinstance(value, list):
        return _of_list(value, column, starter, name)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise RowFault(f"{column} is {short(value)}: expected inputs and outputs")
    return _of_pairs(value, column, starter, name)


def stdin(pairs: list[tuple[Any, Any]], column: str) -> dict[str, Any] | None:
    cases = [{"input": _lines(i, column), "output": _lines(o, column)} for i, o in pairs]
    return {"type": "stdin", "cases": cases} if cases else None


def calls(pairs: list[tuple[list[Any], Any]], name: str, starter: str) -> dict[str, Any] | None:
    """Calls of the function, or of the method of `Solution` where the starter code has one."""
    entry = f"Solution().{name}" if "class Solution" in starter else name
    cases = [{"args": args, "expected": expected} for args, expected in pairs]
    tests = {"type": "function", "entry_point": entry, "setup": TYPING, "cases": cases}
    return tests if cases else None


def started(question: str, starter: str) -> str:
    """The question with the code to start from, which has the name that the tests call."""
    if not question.strip() or not starter.strip():
        return question
    return f"{question.rstrip()}\n\nStart from this code:\n\n```python\n{starter.rstrip()}\n```"


def _of_list(
    tests: list[Any], column: str, starter: str, name: str | None
) -> dict[str, Any] | None:
    for number, test in enumerate(tests):
        if not isinstance(test, dict) or "input" not in test or "output" not in test:
            raise RowFault(f"{column}[{number}] is {short(test)}: expected input and output")
    kinds = {str(t.get("testtype") or t.get("type") or "stdin") for t in tests}
    if len(kinds) > 1:
        raise RowFault(f"{column} are of several kinds, {', '.join(sorted(kinds))}: expected one")
    pairs = [(t["input"], t["output"]) for t in tests]
    if kinds.isdisjoint(_FUNCTIONAL):
        return stdin(pairs, column)
    name = name or tests[0].get("fn_name") or _name_in(starter)
    if not name:
        raise RowFault(f"{column} call a function, and neither metadata nor starter code names it")
    return calls([(_args(i, column), _value(o, column)) for i, o in pairs], name, starter)


def _of_pairs(
    tests: dict[str, Any], column: str, starter: str, name: str | None
) -> dict[str, Any] | None:
    inputs, outputs = (tests.get(key) for key in ("inputs", "outputs"))
    if not isinstance(inputs, list) or not isinstance(outputs, list):
        raise RowFault(f"{column} is {short(tests)}: expected inputs and outputs, two lists")
    if len(inputs) != len(outputs):
        raise RowFault(f"{column} has {len(inputs)} inputs and {len(outputs)} outputs")
    name = name or tests.get("fn_name")
    if not name:
        return stdin(list(zip(inputs, outputs, strict=True)), column)
    args = [_args(given, column) for given in inputs]
    wanted = [_value(output, column) for output in outputs]
    if "class Solution" not in starter and all(isinstance(w, list) and len(w) == 1 for w in wanted):
        # APPS wraps what a Codewars function returns in a list, and its own judge accepts both.
        wanted = [one for (one,) in wanted]
    return calls(list(zip(args, wanted, strict=True)), str(name), starter)


def _lines(value: Any, column: str) -> str:
    """What is read or printed; some rows have it as a list of lines."""
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "\n".join(value)
    if not isinstance(value, str):
        raise RowFault(f"{column}: {short(value)} is read or printed: expected a text")
    return value


def _args(value: Any, column: str) -> list[Any]:
    """Arguments: a list, or a text with one JSON value a line."""
    if isinstance(value, str):
        return [from_json(line, column) for line in value.split("\n") if line.strip()]
    return value if isinstance(value, list) else [value]


def _value(value: Any, column: str) -> Any:
    return from_json(value, column) if isinstance(value, str) else value


def _name_in(starter: str) -> str | None:
    found = _METHOD.findall(starter) if "class Solution" in starter else _FUNCTION.findall(starter)
    return found[-1] if found else None
