"""When LiveCodeBench's judge takes an output, or a returned value, for the expected one."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from srpo.types import short


def output_fault(expected: str, got: str) -> str:
    """What is wrong with a printed output; "" when nothing is.

    As many lines, and each the same text, or the same numbers: exactly, but however they are
    written (`2.50` is `2.5`, not `2.5000001`). Spaces around a line are no matter, nor are those
    between numbers; those between words are. Blank lines count, but for the first and last.
    """
    wanted, lines = _lines(expected), _lines(got)
    if len(wanted) != len(lines):
        return f"{len(lines)} lines, expected {len(wanted)}"
    for number, (want, line) in enumerate(zip(wanted, lines, strict=True)):
        if want != line and not _same_numbers(want, line):
            return f"line {number + 1}: printed {short(line)}, expected {short(want)}"
    return ""


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().split("\n")]


def _same_numbers(want: str, line: str) -> bool:
    try:
        return [Decimal(word) for word in line.split()] == [Decimal(word) for word in want.split()]
    except (InvalidOperation, ValueError):  # a word, or a signalling NaN
        return False


def same_value(expected: Any, sent: Any) -> bool:
    """Whether Python's `==` holds between what is expected, a JSON value, and what was returned,
    as `lcb_inside.plain` sends it: True is 1, a tuple in a list is no list, and floats are the same
    to the last bit."""
    try:
        return bool(_rebuilt(sent) == expected)
    except (RecursionError, OverflowError, ValueError, TypeError, ZeroDivisionError):
        return False


def _rebuilt(sent: Any) -> Any:
    if isinstance(sent, list):
        return [_rebuilt(item) for item in sent]
    if isinstance(sent, dict) and isinstance(sent.get("dict"), dict):
        return {key: _rebuilt(item) for key, item in sent["dict"].items()}
    if isinstance(sent, dict) and "ratio" in sent:
        return Fraction(*sent["ratio"])
    return object() if isinstance(sent, dict) else sent
